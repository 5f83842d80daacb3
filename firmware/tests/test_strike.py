"""The words of a strike, replayed by what the strike program costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import STRIKE_TIMING, TICKS_PER_MS

from injector.strike import strike_words

OFF, HOLD, PEAK = 0b00, 0b01, 0b11
ON_MS = st.integers(1, 5_100)
PEAK_MS = st.integers(1, 100)


def replay(words: list[int]) -> list[tuple[int, int]]:
    """(level, ticks) of each word; instructions: pull, out, out, then two a delay count."""
    return [(word & 3, 1 + 1 + 1 + 2 * ((word >> 2) + 1)) for word in words]


@given(PEAK_MS, ON_MS)
def test_a_strike_lasts_as_long_as_asked(peak_ms: int, on_ms: int):
    # A word lasts an odd number of ticks and a millisecond an even one: one tick short per word.
    *driven, last = replay(list(strike_words(STRIKE_TIMING, peak_ms, on_ms)))
    on_ticks = sum(ticks for _, ticks in driven)
    assert on_ms * TICKS_PER_MS - len(driven) <= on_ticks <= on_ms * TICKS_PER_MS
    assert last[0] == OFF


@given(PEAK_MS, ON_MS)
def test_full_current_comes_first_then_holding_current_then_nothing(peak_ms: int, on_ms: int):
    played = replay(list(strike_words(STRIKE_TIMING, peak_ms, on_ms)))
    levels = [level for level, _ in played]
    assert levels == ([PEAK, HOLD, OFF] if on_ms > peak_ms else [PEAK, OFF])
    assert abs(played[0][1] - min(peak_ms, on_ms) * TICKS_PER_MS) <= 1


@given(PEAK_MS, ON_MS)
def test_the_words_of_a_strike_fit_the_chips_32_bits(peak_ms: int, on_ms: int):
    assert all(0 <= word < 2**32 for word in strike_words(STRIKE_TIMING, peak_ms, on_ms))


@pytest.mark.parametrize(("peak_ms", "on_ms"), [(0, 10), (10, 0), (-1, 10), (10, -1)])
def test_a_strike_without_time_is_refused(peak_ms: int, on_ms: int):
    with pytest.raises(ValueError, match="at least 1 ms"):
        strike_words(STRIKE_TIMING, peak_ms, on_ms)
