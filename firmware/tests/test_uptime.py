"""Uptime from the chip's 64-bit µs timer, over any number of wraps of any of its parts."""

from array import array

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from injector.uptime import LOW, LOW_BITS, Uptime, us

DAY_US = 86_400_000_000
SMALLEST_INT, LARGEST_INT = -(1 << 30), (1 << 30) - 1  # of MicroPython's small ints
LAST_SMALL_MS = LARGEST_INT

# A year, and the neighbourhood of each wrap: of the low bits, of the timer's low word, of the
# seconds in a small int's ms.
WRAPS_US = [1 << LOW_BITS, 1 << 32, (LAST_SMALL_MS + 1) * 1000, 1 << 42, 1 << 45]
TIMES_US = st.one_of(
    st.integers(0, 366 * DAY_US),
    st.builds(
        lambda wrap_us, times, off_us: wrap_us * times + off_us,
        st.sampled_from(WRAPS_US),
        st.integers(1, 5),
        st.integers(-2_000, 2_000),
    ),
)


class Timer:
    def __init__(self, us: int):
        self.us = us

    def clock(self) -> "array[int]":
        return array("I", [self.us >> LOW_BITS, self.us & LOW])


@pytest.mark.requirement("R22")
@given(st.lists(TIMES_US, min_size=1, max_size=20))
def test_uptime_is_the_timer_over_all_wraps_however_long_nobody_looked(looks_us: list[int]):
    timer = Timer(0)
    uptime = Uptime(timer.clock)
    for timer.us in sorted(looks_us):
        assert uptime.us() == timer.us
        assert uptime() == timer.us // 1000


@pytest.mark.requirement("R22")
@given(TIMES_US, st.integers(0, LOW))
@example(1 << LOW_BITS, 1)
@example(1 << LOW_BITS, 0)
@example((1 << LOW_BITS) + LOW, LOW)
def test_a_reading_of_the_timer_is_told_as_the_uptime_it_was_taken_at(now_us: int, age_us: int):
    timer = Timer(max(now_us, age_us))
    taken_us = timer.us - age_us
    assert Uptime(timer.clock).at(taken_us & LOW) == taken_us


@given(TIMES_US)
def test_wraps_and_low_bits_are_the_time(time_us: int):
    assert us(time_us >> LOW_BITS, time_us & LOW) == time_us


class Counted(int):
    """A number that tells of every number that is worked out from it."""

    made: "list[int]"

    def _is(self, value: int) -> "Counted":
        result = Counted(value)
        result.made = self.made
        self.made.append(value)
        return result

    def __add__(self, other: int) -> "Counted":
        return self._is(int(self) + other)

    def __mul__(self, other: int) -> "Counted":
        return self._is(int(self) * other)

    def __floordiv__(self, other: int) -> "Counted":
        return self._is(int(self) // other)

    def __mod__(self, other: int) -> "Counted":
        return self._is(int(self) % other)


@pytest.mark.requirement("R22")
@given(TIMES_US.filter(lambda us: us // 1000 <= LAST_SMALL_MS))
@example(LAST_SMALL_MS * 1000)
@example((1 << LOW_BITS) - 1)
def test_for_12_days_every_step_of_the_reckoning_is_a_small_int(time_us: int):
    made: list[int] = []
    parts = [Counted(time_us >> LOW_BITS), Counted(time_us & LOW)]
    for part in parts:
        part.made = made
    assert Uptime(lambda: parts)() == time_us // 1000  # pyright: ignore[reportArgumentType]
    assert len(made) >= 7
    assert all(SMALLEST_INT <= value <= LARGEST_INT for value in made)
