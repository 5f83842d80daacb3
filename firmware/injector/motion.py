"""Moves → words for the step program: exact integers, planned before anything moves.

Times are whole counts of the step program's waiting loop; `StepTiming` says how many there are in
a second and what the program itself costs, so that this module knows no chip.

The way up from rest is the ideal S-curve s(t): acceleration grows for `bend` counts, is held, and
falls for `bend` counts, so that after `reach + bend` counts the speed is one step every `interval`
counts. Rise k comes at the first whole count at which s(t) ≥ k - 1/2. So the commanded position is
never more than half a step from the ideal one, and nothing accumulates. `bend` and `reach` are
rounded up to whole counts, which keeps every coefficient rational and every limit kept.
The way down has the intervals of the way up, read backwards.

A word pair `(steps - 1, delay)` makes `steps` rises with the same delay before each.
"""

from array import array

_SHORT = 1 << 30  # MicroPython's whole numbers up to here take no memory

_PAIR = 2
_AT_SPEED = _PAIR  # words of all steps at full speed
_GATED = 1 << 31  # in the first word of a pair: wait until the strike says that the dose may begin


class StepTiming:
    """What the step program costs, in counts of `hz`, at a delay of 0; a delay of d adds d.

    `first` is the time from the start to the first rise, `between` that from rise to rise, within
    a pair or from one to the next.
    """

    def __init__(self, hz: int, first: int, between: int):
        self.hz = hz
        self.first = first
        self.between = between
        # The first rise comes after half an interval.
        self.least_interval = max(between, 2 * first)


class Limits:
    """What a drive can follow, in steps/s, steps/s², steps/s³; without jerk, plain trapezoids."""

    def __init__(self, speed_steps_s: int, accel_steps_s2: int, jerk_steps_s3: "int | None"):
        if speed_steps_s < 1 or accel_steps_s2 < 1 or (jerk_steps_s3 or 0) < 0:
            raise ValueError("A drive needs a speed and an acceleration above zero.")
        self.speed_steps_s = speed_steps_s
        self.accel_steps_s2 = accel_steps_s2
        self.jerk_steps_s3 = jerk_steps_s3 or 0


def isqrt(n: int, guess: int = 0) -> int:
    """Return the whole part of the square root of n ≥ 0; a good guess makes it quick."""
    if n < 2:
        return n
    x = guess
    if x <= 0:
        x = 1
        m = n
        while m > 3:
            m >>= 2
            x <<= 1
    x = (x + n // x) >> 1  # from here on x is never below the root
    while True:
        y = (x + n // x) >> 1
        if y >= x:
            return x
        x = y


class Ramp:
    """A speed and the way up to it from rest, as words; the way down is its mirror image.

    `interval` is that speed in counts a step, rounded up: never faster than asked. `rises` is the
    number of rises on the way up, the last of them at full speed; they come from `first` to `last`
    counts after the start. A move along the ramp has at least `least_steps`.
    """

    def __init__(
        self, timing: StepTiming, limits: Limits, steps_s: int, steps: "int | None" = None
    ):
        """The ramp to `steps_s`, or to the highest speed below it that a move of `steps` allows.

        Raises ValueError for a speed below 1, above the limit or too fast for the program.
        """
        if not 1 <= steps_s <= limits.speed_steps_s:
            raise ValueError(
                "A speed of %d steps/s was asked for; this drive makes 1 to %d."
                % (steps_s, limits.speed_steps_s)
            )
        if timing.least_interval * steps_s > timing.hz:
            raise ValueError(
                "A speed of %d steps/s was asked for; the step program makes at most %d."
                % (steps_s, timing.hz // timing.least_interval)
            )
        self.timing = timing
        self.interval = -(-timing.hz // steps_s)
        if steps is not None:
            self.interval = _interval_with_room(timing.hz, limits, self.interval, steps)
        bend, reach = _bend_and_reach(timing.hz, limits, self.interval)
        intervals = _way_up(self.interval, bend, reach)
        self.rises = len(intervals)
        self.least_steps = 2 * self.rises - 1
        self.first = intervals[0]
        self.last = _full_speed_rise(self.interval, bend + reach, self.rises)
        self.up = _words(intervals, timing)


class Move:
    """A planned move: its words, and the counts from the start to its first and its last rise.

    For a gated move the start is `StepTiming.first` counts before the earliest rise that its gate
    allows.
    """

    def __init__(self, steps: int, words: "memoryview[int]", first: int, last: int):
        self.steps = steps
        self.words = words
        self.first = first
        self.last = last


def room_for(ramp: Ramp) -> "array[int]":
    """Room for the words of any move along `ramp` or one to a lower speed, see `plan`."""
    return array("I", bytes(4 * (2 * len(ramp.up) - _PAIR + _AT_SPEED)))


def last_rise(ramp: Ramp, steps: int) -> int:
    """Counts from the start to the last rise of a move of `steps`."""
    return 2 * ramp.last - ramp.first + (steps - ramp.least_steps) * ramp.interval


def plan(ramp: Ramp, steps: int, gated: bool = False, room: "array[int] | None" = None) -> Move:
    """Plan `steps` rises: up the ramp, on at its speed, down the mirrored ramp.

    All steps at full speed are one pair. The words are put into `room`, where those of another
    move may be that is over, or into one of their own: a heap of many small things that live long
    may have no place for so many words in a row. Raises ValueError for no steps, and for fewer
    than the ramp needs.
    """
    if steps < 1:
        raise ValueError("A move has at least one step.")
    if steps < ramp.least_steps:
        raise ValueError(
            "A move of %d steps is too short for this speed, which takes at least %d."
            % (steps, ramp.least_steps)
        )
    words = memoryview(room_for(ramp) if room is None else room)
    up = ramp.up
    size = len(up)
    words[:size] = up
    even = steps - ramp.least_steps
    if even:
        words[size] = even - 1
        words[size + 1] = ramp.interval - ramp.timing.between
        size += _AT_SPEED
    end = size + len(up) - _PAIR
    for back in range(_PAIR, len(up), _PAIR):
        words[end - back] = 0
        words[end - back + 1] = up[back + 1]
    if gated:
        words[0] |= _GATED
    return Move(steps, words[:end], ramp.first, last_rise(ramp, steps))


def _bend_and_reach(hz, limits, interval):
    """Counts in which the acceleration grows, and speed ÷ greatest acceleration, in counts."""
    accel = limits.accel_steps_s2
    jerk = limits.jerk_steps_s3
    reach = -(-hz * hz // (interval * accel))
    if not jerk:
        return 0, reach
    bend = -(-accel * hz // jerk)
    if bend > reach:  # full speed comes before full acceleration: reach² = speed ÷ jerk
        bend = reach = isqrt((hz**3 - 1) // (interval * jerk), bend) + 1
    return bend, reach


def _interval_with_room(hz, limits, fastest, steps):
    """The least interval, not below `fastest`, whose ramps fit within a move of `steps`."""

    def fits(interval):
        distance_doubled = sum(_bend_and_reach(hz, limits, interval))  # × interval
        rises = (distance_doubled + interval) // (2 * interval) + 1
        return 2 * rises - 1 <= steps

    if steps < 1:
        raise ValueError("A move has at least one step.")
    if fits(fastest):
        return fastest
    too_fast = fastest
    slow = 2 * fastest
    while not fits(slow):
        too_fast = slow
        slow *= 2
    while slow - too_fast > 1:
        middle = (slow + too_fast) // 2
        if fits(middle):
            slow = middle
        else:
            too_fast = middle
    return slow


def _full_speed_rise(interval, ramp_counts, k):
    # s(t) = (t - ramp_counts / 2) / interval
    return (ramp_counts + (2 * k - 1) * interval + 1) // 2


def _pieces(interval, bend, reach):
    """The S-curve: (end, origin, (a, b, c, d), unit) for each of its polynomials.

    Up to count `end`, with x = t - origin: s(t) ≥ k - 1/2 just when
    ((a x + b) x + c) x + d ≥ (2 k - 1) unit.
    """
    held = (reach, 0, (0, 3, -3 * bend, bend * bend), 3 * interval * reach)
    if not bend:
        return (held,)
    area = bend * reach
    unit = 3 * interval * area
    end = bend + reach
    grows = (bend, 0, (1, 0, 0, 0), unit)
    falls = (end, end, (-1, 0, 6 * area, 3 * area * end), unit)
    return (grows, held, falls)


def _way_up(interval, bend, reach):
    """Counts from the start to the first rise, then from rise to rise, to the first at full speed.

    Each rise is guessed from the two intervals before it. By how much the guess has gone too far,
    divided by the way of its last count, is the number of counts to go back: for good where the
    remainder shows that it is the count sought, else for the next guess. s(t) is convex, so that
    the guesses come down to the count sought.
    """
    intervals = array("I")
    append = intervals.append
    longest = _SHORT
    short = array("i", [0])  # a number that was long stays so, however small, but not through here
    at = passed = 0  # the rise before; the end of the piece before
    ago = before = 0  # the last interval and the one before it
    for end, origin, (a, b, c, d), unit in _pieces(interval, bend, reach):
        # The way from count x - 1 to x is (a3 x + way_b) x + way_c.
        a3 = 3 * a
        way_b = 2 * b - a3
        way_c = a - b + c
        # On the chip, numbers beyond 30 bits take ten times as long. So the division leaves out
        # the lowest 2 h bits. It is done again with all of them only where its remainder comes
        # nearer to 0 or to the whole way than `doubt`: what is left out, and what the way changes
        # by from count to count, cannot make up for more.
        h = 0
        doubt = 7
        if a:
            while (3 * end >> h) * (end >> h) >> 27:
                h += 1
            doubt += (4 * end >> h) + (6 * end >> 2 * h)
        h2 = 2 * h
        rough_c = way_c >> h2
        first_x = passed - origin + 1
        last_x = end - origin
        most = ((a * last_x + b) * last_x + c) * last_x
        goal = (2 * len(intervals) + 1) * unit - d
        step = 2 * unit
        last = at - origin
        while goal <= most:
            x = last + 2 * ago - before
            if x < first_x:
                x = first_x
            while True:
                if x > last_x:
                    x = last_x
                slope = a3 * x + way_b
                over = ((a * x + b) * x + c) * x - goal if c else (a * x + b) * x * x - goal
                rest = over >> h2
                rough = (slope >> h) * (x >> h) + rough_c
                if rough > 0 and -longest < rest < longest:
                    short[0] = rest
                    rest = short[0]
                    back = rest // rough
                    rest -= back * rough
                    unsure = (2 * back * back + 1) * doubt
                    if unsure <= rest < rough - unsure:
                        x -= back
                        break
                back = over // (slope * x + way_c)
                if not back:
                    break
                x -= back
            append(x - last)
            before = ago
            ago = intervals[-1]
            last += ago
            goal += step
        passed = end
        at = last + origin
    append(_full_speed_rise(interval, bend + reach, len(intervals) + 1) - at)
    return intervals


def _words(intervals, timing):
    """The way up in pairs of one step."""
    size = _PAIR * len(intervals)
    up = array("I", bytes(4 * size))
    up[1] = intervals[0] - timing.first
    between = timing.between
    for place in range(_PAIR + 1, size, _PAIR):
        up[place] = intervals[place >> 1] - between
    return up
