"""Moves as words, against an independent reading of those words and of mechanics.

The oracle integrates jerk over time in fractions; the planner compares polynomials in integers.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from math import ceil, sqrt
from math import isqrt as true_isqrt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from injector.motion import Limits, Move, Ramp, StepTiming, isqrt, plan

HZ = 62_500_000
TIMING = StepTiming(HZ, first=5, between=13)
STEPS = st.integers(1, 900)


# a PIO program, as the instructions of injector/ports/rp2_programs.py cost, in ticks


def run_step_program(words: list[int]) -> list[Fraction]:
    """The count (two ticks) of each rise, one instruction after another."""
    tick = 0
    rises: list[Fraction] = []
    for steps_less_one, delay in zip(words[::2], words[1::2], strict=True):
        tick += 1 + 1 + 1 + 1 + 2  # pull, out, out, jmp, pull [1]
        for step in range((steps_less_one & 0x7FFF_FFFF) + 1):
            tick += 6 if step else 0  # jmp [5]
            tick += 2 + 2 * (delay + 1)  # mov [1], then two jmp a round
            rises.append(Fraction(tick, 2))
            tick += 15 + 1  # nop [14], jmp
    return rises


def counts_of(words: list[int], timing: StepTiming) -> list[int]:
    """The count of each rise, by what `timing` says of the program."""
    counts: list[int] = []
    count = 0
    for steps_less_one, delay in zip(words[::2], words[1::2], strict=True):
        for _ in range((steps_less_one & 0x7FFF_FFFF) + 1):
            count += delay + (timing.between if counts else timing.first)
            counts.append(count)
    return counts


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40)), min_size=1, max_size=8))
def test_the_timing_is_that_of_the_step_program(pairs: list[tuple[int, int]]):
    words = [word for pair in pairs for word in pair]
    assert counts_of(words, TIMING) == run_step_program(words)


# the oracle


class Curve:
    """The ideal move, in steps and counts: up, on at full speed, down."""

    def __init__(self, limits: Limits, interval: int, steps: int, hz: int = HZ):
        """The shortest ramps of whole counts that keep the limits."""
        speed = Fraction(hz, interval)  # steps/s
        self.reach = ceil(speed / limits.accel_steps_s2 * hz)
        self.bend = 0
        if limits.jerk_steps_s3:
            self.bend = ceil(Fraction(limits.accel_steps_s2, limits.jerk_steps_s3) * hz)
            if self.bend > self.reach:
                square = ceil(speed / limits.jerk_steps_s3 * hz**2)
                self.bend = self.reach = true_isqrt(square - 1) + 1
        self.ramp = self.bend + self.reach
        self.accel = Fraction(1, interval * self.reach)
        self.jerk = self.accel / self.bend if self.bend else Fraction(0)
        self.total = steps * interval + self.ramp
        self.steps = steps
        # (from count, position, speed, acceleration, jerk)
        self.pieces: list[tuple[Fraction, ...]] = []
        if self.bend:
            bends = [(self.jerk, self.bend), (Fraction(0), self.reach - self.bend)]
            bends.append((-self.jerk, self.bend))
            accel = Fraction(0)
        else:
            bends = [(Fraction(0), self.reach)]
            accel = self.accel
        count = position = speed = Fraction(0)
        for jerk, dt in bends:
            self.pieces.append((count, position, speed, accel, jerk))
            position += speed * dt + accel * dt**2 / 2 + jerk * dt**3 / 6
            speed += accel * dt + jerk * dt**2 / 2
            accel += jerk * dt
            count += dt
        self.pieces.append((count, position, speed, Fraction(0), Fraction(0)))
        self.full_speed = speed

    def at(self, count: Fraction | int) -> Fraction:
        """The ideal position."""
        if 2 * count > self.total:
            return self.steps - self.at(self.total - count)
        if count < 0:
            return Fraction(0)
        since, position, speed, accel, jerk = next(
            piece for piece in reversed(self.pieces) if count >= piece[0]
        )
        dt = count - since
        return position + speed * dt + accel * dt**2 / 2 + jerk * dt**3 / 6


@st.composite
def drives(draw: st.DrawFn) -> tuple[Limits, int]:
    """Limits, and a speed within them that is reached within some 400 rises."""
    steps_s = draw(st.one_of(st.integers(1, 5_000), st.integers(5_000, HZ // 13)))
    reach_s = Fraction(draw(st.integers(0, 400)) + draw(st.sampled_from([0, 1])), steps_s)
    accel = max(1, int(steps_s / reach_s)) if reach_s else 2**40
    bend_s = draw(st.fractions(0, 2, max_denominator=20)) * reach_s
    jerk = max(1, int(accel / bend_s)) if bend_s else None
    return Limits(draw(st.integers(steps_s, HZ)), accel, jerk), steps_s


PLUNGER = Limits(38_400, 6_400_000, 640_000_000)  # never reaches its acceleration
DEPTH = Limits(19_200, 640_000, 32_000_000)  # holds it a while
TRAPEZOID = Limits(38_400, 3_200_000, None)
NAMED = {"plunger": PLUNGER, "depth": DEPTH, "trapezoid": TRAPEZOID}


def planned(limits: Limits, steps_s: int, steps: int) -> tuple[Ramp, Move, list[int]]:
    ramp = Ramp(TIMING, limits, steps_s, steps)
    move = plan(ramp, steps)
    return ramp, move, counts_of(list(move.words), TIMING)


# what every move keeps to


@given(drives(), STEPS)
@example((PLUNGER, 38_400), 900)
def test_a_move_makes_exactly_its_steps(drive: tuple[Limits, int], steps: int):
    _, move, counts = planned(*drive, steps)
    assert len(counts) == move.steps == steps


@given(drives(), STEPS)
def test_a_move_knows_the_counts_of_its_first_and_last_rise(drive: tuple[Limits, int], steps: int):
    _, move, counts = planned(*drive, steps)
    assert (move.first, move.last) == (counts[0], counts[-1])


@given(drives(), STEPS)
def test_a_move_is_never_faster_than_asked(drive: tuple[Limits, int], steps: int):
    limits, steps_s = drive
    _, _, counts = planned(limits, steps_s, steps)
    assert all((b - a) * steps_s >= HZ for a, b in pairwise(counts))


@given(drives(), STEPS)
@example((PLUNGER, 38_400), 900)
@example((DEPTH, 19_200), 900)
@example((Limits(1_000_000, 2**40, 2**60), 1_000_000), 5)
def test_every_rise_of_the_way_up_is_the_first_count_at_which_it_is_due(
    drive: tuple[Limits, int], steps: int
):
    limits, steps_s = drive
    ramp, _, counts = planned(limits, steps_s, steps)
    curve = Curve(limits, ramp.interval, steps)
    for k, count in enumerate(counts[: ramp.rises], start=1):
        due = k - Fraction(1, 2)
        assert curve.at(count - 1) < due <= curve.at(count)
    assert ramp.last == counts[ramp.rises - 1]


@given(drives(), STEPS)
@example((PLUNGER, 38_400), 900)
@example((DEPTH, 19_200), 900)
def test_every_rise_is_within_a_count_of_the_ideal_move(drive: tuple[Limits, int], steps: int):
    limits, steps_s = drive
    ramp, _, counts = planned(limits, steps_s, steps)
    curve = Curve(limits, ramp.interval, steps)
    for k, count in enumerate(counts, start=1):
        assert curve.at(count - 1) <= k - Fraction(1, 2) <= curve.at(count + 1)


@given(drives())
@example((PLUNGER, 38_400))
@example((DEPTH, 19_200))
def test_the_ideal_curve_keeps_every_limit(drive: tuple[Limits, int]):
    # Held against the drive here; the tests above hold the planner to the curve.
    limits, steps_s = drive
    ramp = Ramp(TIMING, limits, steps_s)
    curve = Curve(limits, ramp.interval, ramp.least_steps)
    assert curve.full_speed * HZ <= steps_s <= limits.speed_steps_s
    assert curve.accel * HZ**2 <= limits.accel_steps_s2
    if limits.jerk_steps_s3:
        assert curve.jerk * HZ**3 <= limits.jerk_steps_s3


@given(drives(), st.lists(STEPS, min_size=1, max_size=4))
def test_rounding_never_exceeds_half_a_step_over_any_sequence_of_moves(
    drive: tuple[Limits, int], sequence: list[int]
):
    # Just before and just after each rise, where commanded and ideal are farthest apart.
    limits, steps_s = drive
    commanded = 0
    ideal_before = Fraction(0)
    for steps in sequence:
        ramp, _, counts = planned(limits, steps_s, steps)
        curve = Curve(limits, ramp.interval, steps)
        slack = curve.full_speed  # what the ideal move covers in the one count of rounding
        for count in counts:
            ideal = ideal_before + curve.at(count)
            assert abs(ideal - commanded) <= Fraction(1, 2) + slack
            commanded += 1
            assert abs(ideal - commanded) <= Fraction(1, 2) + slack
        ideal_before += curve.at(curve.total)
        assert ideal_before == commanded


@given(drives(), STEPS)
@example((PLUNGER, 38_400), 900)
def test_a_reversed_plan_is_the_mirror(drive: tuple[Limits, int], steps: int):
    _, _, counts = planned(*drive, steps)
    between = [b - a for a, b in pairwise(counts)]
    assert between == between[::-1]


def windows(counts: list[int], width: int, points: int) -> Iterator[list[tuple[int, Fraction]]]:
    """Rises (count, position) about `width` counts apart, from every eighth rise on."""
    for start in range(0, len(counts), 8):
        places = [bisect_left(counts, counts[start] + n * width) for n in range(points)]
        if places[-1] < len(counts):
            yield [(counts[place], place + Fraction(1, 2)) for place in places]


def divided_difference(points: list[tuple[int, Fraction]]) -> Fraction:
    """Of n + 1 points: the n-th derivative ÷ n!, averaged over them."""
    values = [position for _, position in points]
    for order in range(1, len(points)):
        values = [
            (b - a) / (points[place + order][0] - points[place][0])
            for place, (a, b) in enumerate(pairwise(values))
        ]
    return values[0]


@pytest.mark.parametrize("name", NAMED)
def test_the_edges_themselves_keep_acceleration_and_jerk(name: str):
    # Windows so wide that 16 ns of rounding make less than 1 % of the limit.
    limits = NAMED[name]
    ramp, _, counts = planned(limits, limits.speed_steps_s, 4_000)
    width = (ramp.last - ramp.first) // 8
    accels = [2 * divided_difference(w) * HZ**2 for w in windows(counts, width, 3)]
    assert len(accels) > 400
    assert max(map(abs, accels)) <= Fraction(101, 100) * limits.accel_steps_s2
    assert max(accels) >= Fraction(7, 10) * limits.accel_steps_s2  # the limit is made use of
    if limits.jerk_steps_s3:
        jerks = [6 * divided_difference(w) * HZ**3 for w in windows(counts, width, 4)]
        assert max(map(abs, jerks)) <= Fraction(101, 100) * limits.jerk_steps_s3
        assert max(jerks) >= Fraction(9, 10) * limits.jerk_steps_s3


def test_an_acceleration_that_starts_at_once_is_seen_in_the_jerk():
    # The trapezoid's jerk is without bound: the measurement above tells the two apart.
    ramp, _, counts = planned(TRAPEZOID, 38_400, 4_000)
    width = (ramp.last - ramp.first) // 8
    jerks = [6 * divided_difference(w) * HZ**3 for w in windows(counts, width, 4)]
    assert max(map(abs, jerks)) > 640_000_000


# closed forms


RAMP_S: dict[str, Callable[[float], float]] = {
    "plunger": lambda v: 2 * sqrt(v / 640_000_000),  # 2 √(v / j)
    "depth": lambda v: v / 640_000 + 640_000 / 32_000_000,  # v / a + a / j
    "trapezoid": lambda v: v / 3_200_000,  # v / a
}


@pytest.mark.parametrize("name", NAMED)
def test_a_long_move_takes_its_way_at_full_speed_and_one_ramp(name: str):
    limits, steps = NAMED[name], 10_000
    ramp, move, _ = planned(limits, limits.speed_steps_s, steps)
    speed = HZ / ramp.interval
    # The last rise comes as long before the end as the first comes after the start.
    assert move.first + move.last == pytest.approx(
        (steps / speed + RAMP_S[name](speed)) * HZ, abs=3
    )


def test_the_first_rise_comes_after_half_a_step_at_growing_acceleration():
    # s = j t³ / 6 = 1/2; a count more, because the jerk is rounded down to whole counts of `bend`
    first = (3 / 640_000_000) ** (1 / 3) * HZ
    assert Ramp(TIMING, PLUNGER, 38_400).first == pytest.approx(first, abs=2)


# ramps made for short moves


@given(drives(), STEPS, st.integers(0, 3))
def test_a_ramp_made_for_a_move_serves_longer_ones(
    drive: tuple[Limits, int], steps: int, more: int
):
    ramp = Ramp(TIMING, *drive, steps)
    move = plan(ramp, steps + more)
    assert len(counts_of(list(move.words), TIMING)) == steps + more


@given(drives(), STEPS)
@example((PLUNGER, 38_400), 1)
@example((PLUNGER, 38_400), 2)
@example((PLUNGER, 38_400), 594)
def test_a_ramp_made_for_a_move_is_the_fastest_that_fits(drive: tuple[Limits, int], steps: int):
    limits, steps_s = drive
    ramp = Ramp(TIMING, limits, steps_s, steps)
    asked = ceil(Fraction(HZ, steps_s))
    assert ramp.least_steps <= steps
    assert ramp.interval >= asked
    if ramp.interval > asked:
        faster = Curve(limits, ramp.interval - 1, steps)
        # Both ramps of the next faster speed take up more than there is.
        rises = ceil(faster.full_speed * faster.ramp / 2 - Fraction(1, 2) + Fraction(1, 10**9))
        assert 2 * max(1, rises) + 1 > steps


def test_full_speed_is_the_one_asked_rounded_up_to_whole_counts():
    assert Ramp(TIMING, PLUNGER, 38_400).interval == 1_628  # 62.5 MHz ÷ 38,400 = 1627.6
    assert Ramp(TIMING, PLUNGER, 12_500).interval == 5_000


# words


@given(drives(), STEPS)
def test_a_gated_move_differs_in_the_first_words_uppermost_bit_alone(
    drive: tuple[Limits, int], steps: int
):
    ramp = Ramp(TIMING, *drive, steps)
    free, gated = plan(ramp, steps), plan(ramp, steps, gated=True)
    assert list(gated.words) == [free.words[0] | 1 << 31, *free.words[1:]]
    assert (gated.first, gated.last) == (free.first, free.last)


def test_a_gated_move_leaves_its_ramp_as_it_was():
    ramp = Ramp(TIMING, PLUNGER, 38_400)
    before = list(plan(ramp, 1_000).words)
    plan(ramp, 1_000, gated=True)
    plan(ramp, ramp.least_steps, gated=True)
    assert list(plan(ramp, 1_000).words) == before


def test_all_of_full_speed_is_one_pair():
    ramp = Ramp(TIMING, PLUNGER, 38_400)
    move = plan(ramp, ramp.least_steps + 100_000)
    assert len(move.words) == 2 * (ramp.least_steps + 1)


def test_the_words_fit_the_chips_32_bits():
    slowest = plan(Ramp(TIMING, Limits(1, 1, 1), 1), 20)
    assert max(slowest.words) < 2**32


# refusals


@pytest.mark.parametrize("steps", [0, -1])
def test_a_move_without_steps_is_refused(steps: int):
    with pytest.raises(ValueError, match="at least one step"):
        plan(Ramp(TIMING, PLUNGER, 1_000), steps)
    with pytest.raises(ValueError, match="at least one step"):
        Ramp(TIMING, PLUNGER, 1_000, steps)


def test_a_move_shorter_than_its_ramp_is_refused_with_the_limit():
    ramp = Ramp(TIMING, PLUNGER, 38_400)
    with pytest.raises(ValueError, match=r"at least 595\b"):
        plan(ramp, 594)
    assert plan(ramp, 595).steps == 595


@pytest.mark.parametrize("steps_s", [0, -5, 38_401])
def test_a_speed_out_of_limits_is_refused_with_the_limit(steps_s: int):
    with pytest.raises(ValueError, match=r"1 to 38400\b"):
        Ramp(TIMING, PLUNGER, steps_s)


def test_a_speed_beyond_the_program_is_refused_with_the_limit():
    fast = Limits(10_000_000, 10**12, None)
    with pytest.raises(ValueError, match=r"at most 4807692\b"):
        Ramp(TIMING, fast, 4_807_693)
    move = plan(Ramp(TIMING, fast, 4_807_692), 1_000)
    counts = counts_of(list(move.words), TIMING)
    assert min(b - a for a, b in pairwise(counts)) == 14  # a step every 13.000001


@pytest.mark.parametrize("limits", [(0, 100, None), (100, 0, None), (100, -1, 5), (100, 100, -1)])
def test_limits_that_allow_no_move_are_refused(limits: tuple[int, int, int | None]):
    with pytest.raises(ValueError, match="above zero"):
        Limits(*limits)


# roots


@given(st.integers(0, 2**80), st.integers(0, 2**45))
@example(2**80 - 1, 0)
@example(10**24 - 1, 10**12)
def test_isqrt_is_exact_for_any_number_and_any_guess(n: int, guess: int):
    assert isqrt(n, guess) == true_isqrt(n)


@given(st.integers(1, 2**40), st.integers(-1, 1))
def test_isqrt_is_exact_about_squares(root: int, beside: int):
    n = root * root + beside
    assert isqrt(n) == true_isqrt(n)
