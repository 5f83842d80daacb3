"""Uptime from a 32-bit µs timer, over any number of its wraps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from injector.uptime import Uptime

WRAP_US = 1 << 32


class Timer:
    def __init__(self, us: int):
        self.us = us

    def __call__(self) -> int:
        return self.us % WRAP_US


@pytest.mark.requirement("R22")
@given(st.integers(0, WRAP_US - 1), st.lists(st.integers(0, WRAP_US - 1), max_size=20))
def test_uptime_follows_the_timer_over_its_wraps(at_boot_us: int, waits_us: list[int]):
    timer = Timer(at_boot_us)
    uptime = Uptime(timer)
    for wait_us in waits_us:
        timer.us += wait_us
        assert uptime.us() == timer.us
        assert uptime() == timer.us // 1000


@pytest.mark.requirement("R22")
@given(st.integers(0, WRAP_US - 1), st.integers(0, WRAP_US - 1), st.integers(0, WRAP_US - 1))
def test_a_reading_of_the_timer_is_told_as_the_uptime_it_was_taken_at(
    at_boot_us: int, until_reading_us: int, age_us: int
):
    timer = Timer(at_boot_us)
    uptime = Uptime(timer)
    timer.us += until_reading_us
    uptime.us()
    reading, taken_us = timer(), timer.us
    timer.us += age_us
    assert uptime.at(reading) == taken_us
