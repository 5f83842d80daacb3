"""Moves as words, against an independent reading of those words and of mechanics."""

from fractions import Fraction
from itertools import pairwise
from math import isqrt as true_isqrt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stand_ins import HZ, STEP_TIMING, Pulses

from injector.motion import Move, Ramp, isqrt, plan

STEPS = st.integers(1, 1_500)
LEADS = st.integers(0, 10_000_000)


@st.composite
def ramps(draw: st.DrawFn, fastest: int = 40) -> Ramp:
    """Speeds from 100 steps/s, reached within 500 rises: v² = 2 a s."""
    interval = draw(st.integers(fastest, 50_000))
    rises = draw(st.integers(0, 500))
    return Ramp(STEP_TIMING, max(1, HZ * HZ // (2 * (rises + 1) * interval**2)), interval)


# A PIO program, as the instructions of injector/ports/rp2_programs.py cost: (name, cycles).
PULL, MOV, LOW, HIGH, NEXT = 1, 1, 2, 10, 1


def run_step_program(words: list[int]) -> list[int]:
    """The tick of each rise, one instruction after another."""
    tick = 0
    rises: list[int] = []
    for more, delay in zip(words[::2], words[1::2], strict=True):
        tick += PULL + MOV + PULL
        for _ in range(more + 1):
            tick += MOV
            for _ in range(delay + 1):
                tick += LOW
            rises.append(tick)
            tick += HIGH + NEXT
    return rises


def rises_of(move: Move) -> list[int]:
    return Pulses(move.words).ticks()


def intervals_of(move: Move) -> list[int]:
    rises = rises_of(move)
    return [b - a for a, b in pairwise(rises)]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40)), min_size=1, max_size=8),
)
def test_the_stand_ins_reading_of_words_is_the_step_programs(pairs: list[tuple[int, int]]):
    words = [word for pair in pairs for word in pair]
    pulses = Pulses(words)
    rises = run_step_program(words)
    assert pulses.ticks() == rises
    assert pulses.last_tick == rises[-1]
    for tick in (0, rises[0] - 1, rises[0], rises[-1] - 1, rises[-1], rises[-1] + 1):
        assert pulses.by(tick) == sum(rise <= tick for rise in rises)


@given(st.integers(0, 2**80), st.integers(0, 2**45))
@example(2**80 - 1, 0)
@example(10**24 - 1, 10**12)
def test_isqrt_is_exact_for_any_number_and_any_guess(n: int, guess: int):
    assert isqrt(n, guess) == true_isqrt(n)


@given(st.integers(1, 2**40), st.integers(-1, 1))
def test_isqrt_is_exact_about_squares(root: int, beside: int):
    n = root * root + beside
    assert isqrt(n) == true_isqrt(n)


def rise_at(k: int, accel: int) -> int:
    """The whole tick of rise k at constant acceleration: t_k = sqrt(2 k / a)."""
    return true_isqrt(2 * HZ * HZ * k // accel)


@given(ramps(), STEPS, LEADS)
def test_a_move_makes_exactly_its_steps(ramp: Ramp, steps: int, lead: int):
    move = plan(ramp, steps, lead)
    assert move.steps == steps
    assert sum(more + 1 for more in move.words[::2]) == steps


@given(ramps(), STEPS, LEADS)
def test_a_move_knows_the_ticks_of_its_first_and_last_rise(ramp: Ramp, steps: int, lead: int):
    move = plan(ramp, steps, lead)
    rises = rises_of(move)
    assert (move.first_tick, move.last_tick) == (rises[0], rises[-1])


@given(ramps(fastest=1), STEPS)
@example(Ramp(STEP_TIMING, 5_000_000, 1_000), 4)
def test_a_move_is_never_faster_than_asked(ramp: Ramp, steps: int):
    assert all(between >= ramp.interval for between in intervals_of(plan(ramp, steps)))


@given(st.integers(2, 1_500), st.integers(40, 50_000))
def test_full_speed_is_the_one_asked_rounded_up_to_the_programs_two_ticks(
    steps: int, interval: int
):
    at_once = Ramp(STEP_TIMING, 2 * HZ * HZ // interval**2, interval)
    assert len(at_once.intervals) <= 1
    between = intervals_of(plan(at_once, steps))
    assert all(t in (interval, interval + 1) for t in between[len(at_once.intervals) + 1 : -2])


@st.composite
def ramps_by_figures(draw: st.DrawFn) -> tuple[Ramp, int]:
    """A ramp and its acceleration in steps/s²."""
    accel = draw(st.integers(10_000, 5_000_000))
    steps_s = draw(st.integers(100, min(100_000, true_isqrt(2 * accel * 500))))
    return Ramp(STEP_TIMING, accel, HZ // steps_s), accel


@given(ramps_by_figures(), STEPS)
@example((Ramp(STEP_TIMING, 1_600_000, 130), 1_600_000), 2)
@example((Ramp(STEP_TIMING, 1_600_000, 130), 1_600_000), 100)
def test_the_way_up_is_never_above_the_acceleration(ramped: tuple[Ramp, int], steps: int):
    # Less than two ticks early: one by keeping whole ticks of t_k, one because a delay is two.
    ramp, accel = ramped
    up = min(len(ramp.intervals), steps // 2 + 1)
    for k, tick in enumerate(rises_of(plan(ramp, steps))[:up], start=1):
        assert Fraction(tick + 2) ** 2 > Fraction(2 * HZ * HZ * k, accel)


@given(ramps_by_figures(), STEPS)
def test_the_way_up_takes_no_longer_than_the_acceleration_asks(
    ramped: tuple[Ramp, int], steps: int
):
    ramp, accel = ramped
    up = min(len(ramp.intervals), (steps + 1) // 2)
    for k, tick in enumerate(rises_of(plan(ramp, steps))[:up], start=1):
        assert tick <= rise_at(k, accel)


@given(ramps(), STEPS)
def test_the_way_down_mirrors_the_way_up(ramp: Ramp, steps: int):
    # Within two ticks an interval: on the way up the odd tick of a two-tick delay is carried to
    # the next interval, on the way down it is dropped.
    between = intervals_of(plan(ramp, steps))
    ramped = max(0, min(len(ramp.intervals), (steps + 1) // 2) - 1)
    for up, down in zip(between[:ramped], between[::-1][:ramped], strict=True):
        assert abs(up - down) <= 2


@given(ramps_by_figures(), STEPS)
@example((Ramp(STEP_TIMING, 1_600_000, 130), 1_600_000), 100)
def test_no_interval_of_either_ramp_is_shorter_than_the_acceleration_allows(
    ramped: tuple[Ramp, int], steps: int
):
    # From rise k to k + 1 at least t_{k+1} - t_k less two ticks, k counted from the nearer end:
    # this holds in the middle of moves too short for full speed.
    ramp, accel = ramped
    for n, ticks in enumerate(intervals_of(plan(ramp, steps)), start=1):
        k = min(n, steps - n)
        if k < len(ramp.intervals):
            assert ticks >= rise_at(k + 1, accel) - rise_at(k, accel) - 2


@given(ramps(), STEPS, st.integers(20, 10_000_000))
def test_a_lead_only_shifts(ramp: Ramp, steps: int, lead: int):
    # By the lead, give or take the one tick that a two-tick delay cannot make.
    without, led = rises_of(plan(ramp, steps)), rises_of(plan(ramp, steps, lead))
    assert all(abs(b - a - lead) <= 1 for a, b in zip(without, led, strict=True))


@given(ramps_by_figures(), st.integers(0, 50_000), STEPS, LEADS)
def test_a_slower_piece_of_a_ramp_moves_as_a_ramp_of_that_speed_does(
    ramped: tuple[Ramp, int], longer: int, steps: int, lead: int
):
    fast, accel = ramped
    piece = plan(fast.slower(fast.interval + longer), steps, lead)
    whole = plan(Ramp(STEP_TIMING, accel, fast.interval + longer), steps, lead)
    assert vars(piece) == vars(whole)


def test_a_piece_may_end_at_the_very_speed_of_a_rise():
    fast = Ramp(STEP_TIMING, 1_600_000, 130)
    for interval in fast.intervals[:50]:
        piece, whole = fast.slower(interval), Ramp(STEP_TIMING, 1_600_000, interval)
        assert piece.intervals == whole.intervals
        assert vars(plan(piece, 200)) == vars(plan(whole, 200))


def test_a_ramp_has_no_faster_piece():
    with pytest.raises(ValueError, match="longer interval"):
        Ramp(STEP_TIMING, 1_600_000, 130).slower(129)


def test_an_even_lead_shifts_to_the_tick():
    ramp = Ramp(STEP_TIMING, 1_600_000, 130)
    without, led = rises_of(plan(ramp, 500)), rises_of(plan(ramp, 500, 65_000))
    assert led == [tick + 65_000 for tick in without]


def test_the_words_fit_the_chips_32_bits():
    slowest = plan(Ramp(STEP_TIMING, 1, HZ), 5, 10_000_000)
    assert max(slowest.words) < 2**32


@pytest.mark.parametrize("steps", [0, -1])
def test_a_move_without_steps_is_refused(steps: int):
    with pytest.raises(ValueError, match="at least one step"):
        plan(Ramp(STEP_TIMING, 1_000_000, 500), steps)


@pytest.mark.parametrize(("accel", "interval"), [(0, 100), (100, 0), (-1, 100), (100, -1)])
def test_a_ramp_without_speed_or_acceleration_is_refused(accel: int, interval: int):
    with pytest.raises(ValueError, match="above zero"):
        Ramp(STEP_TIMING, accel, interval)
