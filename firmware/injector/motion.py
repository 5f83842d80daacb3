"""Moves → words for the step program: exact integers, planned before anything moves.

A word pair `(steps - 1, delay)` makes `steps` pulses with the same delay before each. Times are
counted in ticks of the state machine's clock. `StepTiming` says how many ticks a pair costs, so
that this module knows no chip.
"""

from array import array


class StepTiming:
    """What the step program costs, in ticks of `hz`.

    A delay count of d makes a low time of `2 * d` ticks and a constant. `same` is the interval
    between two rises of one pair at d = 0, `fresh` that between the last rise of a pair and the
    first of the next, `first` the time from the start to the first rise.
    """

    def __init__(self, hz: int, first: int, fresh: int, same: int):
        self.hz = hz
        self.first = first
        self.fresh = fresh
        self.same = same


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
    """A speed and the way up to it from rest at constant acceleration.

    Rise k of the way up comes at t_k = sqrt(2 k / a) (uniform acceleration, a in steps/s²); the
    whole part of t_k in ticks is kept, so that no rounding accumulates. `intervals` holds those
    longer than `interval`, the ticks between two rises at full speed.

    Words and ticks of both ways are worked out here, once: it takes tens of ms on the board, and
    the watchdog does not wait for that whenever something is to move.
    """

    def __init__(self, timing: StepTiming, accel_steps_s2: int, interval: int):
        if interval < 1 or accel_steps_s2 < 1:
            raise ValueError("A ramp needs a speed and an acceleration above zero.")
        self.timing = timing
        self.interval = interval
        self.intervals = array("I")
        scale = 2 * timing.hz * timing.hz
        t = 0
        k = 1
        while True:
            t_next = isqrt(scale * k // accel_steps_s2, t)
            if t_next - t <= interval:
                break
            self.intervals.append(t_next - t)
            t = t_next
            k += 1
        self.up = self._way_up()
        self.down = self._way_down()

    def slower(self, interval: int) -> "Ramp":
        """The ramp to a lower speed along the same way up."""
        return _SlowerRamp(self, interval)

    def _way_up(self):
        # (words, the tick of each rise)
        rises = len(self.intervals)
        words = array("I", bytes(8 * rises))
        ticks = array("I", bytes(4 * rises))
        tick = 0
        owed = 0  # a delay count is two ticks: the odd tick goes to the next interval
        base = self.timing.first
        fresh = self.timing.fresh
        for place, interval in enumerate(self.intervals):
            spare = interval + owed - base
            delay = owed = 0
            if spare > 0:
                delay = spare >> 1
                owed = spare & 1
            tick += base + 2 * delay
            words[2 * place + 1] = delay
            ticks[place] = tick
            base = fresh
        return words, ticks

    def _way_down(self):
        # (words of the whole way, the ticks that its last n rises take)
        intervals = self.intervals[1:]
        words = array("I", bytes(8 * len(intervals)))
        ticks = array("I", bytes(4 * len(intervals) + 4))
        tick = 0
        fresh = self.timing.fresh
        place = len(intervals)
        for interval in intervals:
            spare = interval - fresh
            delay = spare >> 1 if spare > 0 else 0
            tick += fresh + 2 * delay
            words[2 * place - 1] = delay
            place -= 1
            ticks[len(intervals) - place] = tick
        return words, ticks


class _SlowerRamp(Ramp):
    """A shorter piece of a faster ramp's way up, sharing its words."""

    def __init__(self, fast: Ramp, interval: int):
        if interval < fast.interval:
            raise ValueError("A slower ramp has a longer interval.")
        self.timing = fast.timing
        self.interval = interval
        rises = 0
        for longer in fast.intervals:
            if longer <= interval:
                break
            rises += 1
        self.intervals = fast.intervals[:rises]
        self.up = fast.up
        self.down = fast.down


class Move:
    """A planned move: its words, and the ticks from the start to its first and its last rise."""

    def __init__(self, steps: int, words: "array[int]", first_tick: int, last_tick: int):
        self.steps = steps
        self.words = words
        self.first_tick = first_tick
        self.last_tick = last_tick


def plan(ramp: Ramp, steps: int, lead: int = 0) -> Move:
    """Plan `steps` rises: up the ramp, on at its speed, down the mirrored ramp.

    `lead` ticks pass before the way up begins. Full speed is rounded to the next slower one that
    the program can make: a move is never faster than asked. Raises ValueError for no steps.
    """
    if steps < 1:
        raise ValueError("A move has at least one step.")
    timing = ramp.timing
    intervals = ramp.intervals
    # A way up of r rises begins with the interval that leads to the first rise; the way down has
    # no such interval, so it takes r - 1 rises: r + (r - 1) fit within the steps.
    r = max(1, min(len(intervals), (steps + 1) // 2))
    even = steps - 2 * r + 1
    # In a move too short for full speed there is one even step, at the speed that r rises reach.
    cruise = intervals[r] if r < len(intervals) else ramp.interval
    up_words, up_ticks = ramp.up
    down_words, down_ticks = ramp.down
    words = up_words[: 2 * r] or array("I", [0, 0])
    wanted = (intervals[0] if intervals else cruise) + lead
    words[1] = max(0, (wanted - timing.first) >> 1)
    first = timing.first + 2 * words[1]
    tick = first + (up_ticks[r - 1] - up_ticks[0] if intervals else 0)
    if even:
        delay = max(0, (cruise - timing.same + 1) >> 1)
        words.append(even - 1)
        words.append(delay)
        tick += timing.fresh + 2 * delay + (even - 1) * (timing.same + 2 * delay)
    if r > 1:
        words.extend(down_words[len(down_words) - 2 * (r - 1) :])
        tick += down_ticks[r - 1]
    return Move(steps, words, first, tick)
