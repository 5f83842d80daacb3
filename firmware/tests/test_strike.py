"""The actuator's times, and the words of a strike, replayed as the strike program runs them."""

from fractions import Fraction
from itertools import accumulate
from math import sqrt

import drives
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stand_ins import HZ, STRIKE_TIMING, strike_level

from injector.strike import MAX_WORDS, Actuator, StrikeTiming, strike_words

OFF, HOLD, PEAK = 0b00, 0b01, 0b11
COUNTS_US = Fraction(HZ, 1_000_000)
LONGEST_US = 8_000_000  # what 29 bits of counts hold, in whole seconds

UM = st.integers(0, 13_000)
M_S2 = st.integers(100, 10_000)


# the actuator


@given(UM, UM, M_S2, M_S2, st.integers(0, 5_000))
def test_the_needle_falls_through_its_way_with_constant_acceleration(
    depth_um: int, clearance_um: int, coil_m_s2: int, spring_m_s2: int, pull_in_us: int
):
    actuator = Actuator("any", clearance_um, coil_m_s2, spring_m_s2, pull_in_us)
    stroke_m = (clearance_um + depth_um) / 1_000_000
    out_us = pull_in_us + 1_000_000 * sqrt(2 * stroke_m / coil_m_s2)
    back_us = 1_000_000 * sqrt(2 * stroke_m / spring_m_s2)
    # never planned shorter than it takes, and at most 1 µs longer
    assert out_us - 1e-6 <= actuator.travel_us(depth_um) <= out_us + 1 + 1e-6
    assert back_us - 1e-6 <= actuator.return_us(depth_um) <= back_us + 1 + 1e-6


def test_the_reference_actuator_reaches_2_mm_below_the_skin_in_2_75_ms():
    assert drives.ACTUATOR.travel_us(2_000) == 300 + 2_449 + 1
    assert drives.ACTUATOR.return_us(2_000) == 2_738 + 1
    assert drives.ACTUATOR.peak_us(2_000) == drives.ACTUATOR.travel_us(2_000) + 1_000


# the words


def replay(words: list[int]) -> list[tuple[int, bool, Fraction]]:
    """(level, whether it lets the dose begin, count at which it begins) of each word, and of
    what would follow."""
    levels = [strike_level(word) for word in words]
    starts = [Fraction(0), *accumulate(Fraction(ticks, 2) for *_, ticks in levels)]
    entries = [(level, gates, start) for (level, gates, _), start in zip(levels, starts)]  # noqa: B905
    return [*entries, (OFF, False, starts[-1])]


@st.composite
def strikes(draw: st.DrawFn) -> tuple[int, int, int, int | None]:
    """(peak, on, period, gate) in µs."""
    on_us = draw(st.integers(2, 60_000) | st.integers(LONGEST_US, 5 * LONGEST_US))
    period_us = on_us + draw(st.integers(1, 60_000_000) | st.integers(1, 9_000))
    peak_us = draw(st.integers(1, 20_000))
    gate_us = draw(st.none() | st.integers(1, min(on_us - 1, 1_020_000)) | st.just(peak_us))
    if gate_us is not None and gate_us >= on_us:
        gate_us = None
    return peak_us, on_us, period_us, gate_us


@given(strikes())
@example((3_750, 30_002_750, 60_000_000, 1_002_750))  # the longest drip
@example((3_750, 32_750, 80_000, 3_750))
@example((10, 30_000_000, 40_000_000, None))
def test_every_edge_comes_at_the_count_asked_for(strike: tuple[int, int, int, int | None]):
    peak_us, on_us, period_us, gate_us = strike
    words = list(strike_words(STRIKE_TIMING, peak_us, on_us, period_us, gate_us))
    assert len(words) <= MAX_WORDS == 8
    assert all(0 <= word < 1 << 32 for word in words)
    played = replay(words)

    def begins(level: int) -> Fraction:
        return next(start for played_level, _, start in played if played_level == level)

    def counts(us: int) -> int:
        return int(us * COUNTS_US)

    peak_us = min(peak_us, on_us)
    assert begins(PEAK) == 0
    if peak_us < on_us:
        assert begins(HOLD) == counts(peak_us)
    assert begins(OFF) == counts(on_us)
    assert played[-1][2] == counts(min(period_us, on_us + LONGEST_US))
    gates = [start for _, gates, start in played if gates]
    assert gates == ([] if gate_us is None else [counts(gate_us)])


@given(strikes())
def test_full_current_comes_first_then_holding_current_then_nothing(
    strike: tuple[int, int, int, int | None],
):
    levels = [level for level, *_ in replay(list(strike_words(STRIKE_TIMING, *strike)))[:-1]]
    assert levels[-1] == OFF
    assert levels.count(OFF) == 1
    assert levels == sorted(levels, reverse=True)


@given(strikes(), st.sampled_from([2, 3, 7, 8]))
def test_a_slower_clock_makes_the_same_times(
    strike: tuple[int, int, int, int | None], slower: int
):
    hz = HZ // slower
    words = strike_words(StrikeTiming(hz, word=4, gate=1), *strike)
    *_, (_, _, end) = replay(list(words))
    _, on_us, period_us, _ = strike
    longest_us = ((1 << 29) - 1) // hz * 1_000_000
    assert end == min(period_us, on_us + longest_us) * hz // 1_000_000


@pytest.mark.parametrize(
    "strike",
    [
        (0, 10, 20, None),
        (10, 0, 20, None),
        (-1, 10, 20, None),
        (10, -1, 20, None),
        (10, 20, 20, None),
        (10, 20, 19, None),
        (10, 20, 0, None),
        (10, 20, 30, 0),
        (10, 20, 30, 20),
        (10, 20, 30, -1),
    ],
    ids=str,
)
def test_a_strike_out_of_order_is_refused(strike: tuple[int, int, int, int | None]):
    with pytest.raises(ValueError, match="in this order"):
        strike_words(STRIKE_TIMING, *strike)


def test_a_needle_that_would_stay_in_for_too_long_is_refused_with_the_limit():
    assert len(strike_words(STRIKE_TIMING, 10, 40_000_000, 60_000_000, 20)) == 8
    with pytest.raises(ValueError, match="longer than 40000000 us"):
        strike_words(STRIKE_TIMING, 10, 40_000_030, 60_000_000, 20)


def test_moments_closer_than_the_program_can_tell_apart_are_refused():
    slow = StrikeTiming(3_000_000, word=4, gate=1)  # 3 counts in a µs
    with pytest.raises(ValueError, match="less than 1 us apart"):
        strike_words(slow, 10, 11, 20)
