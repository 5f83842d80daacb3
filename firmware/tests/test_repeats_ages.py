"""Of several alarms each grows old by itself, over a restart too."""

import binascii

import pytest

from injector.limits import LOCK_MS
from injector.repeats import Repeats

pytestmark = pytest.mark.requirement("R18")


class Settings:
    """Those of a claimed device, with one alarm of five minutes ago and one of this moment."""

    claimed = True
    locked_by = ""

    def __init__(self) -> None:
        number = binascii.crc32(b"misfire")
        self.alarms = [[number, 300], [number, 0]]


class Bench:
    def __init__(self) -> None:
        self.now_ms = 1_000_000
        self.settings = Settings()
        self.repeats = Repeats(self.settings, lambda: self.now_ms)
        self.repeats.open()


def test_an_alarm_of_an_earlier_boot_counts_to_the_ms():
    bench = Bench()
    bench.now_ms += LOCK_MS - 300_001
    assert bench.repeats.times("misfire") == 2
    bench.now_ms += 1
    assert bench.repeats.times("misfire") == 1


def test_the_oldest_that_is_too_old_has_to_be_forgotten_whatever_came_after_it():
    bench = Bench()
    bench.now_ms += LOCK_MS - 300_001
    assert not bench.repeats.due
    bench.now_ms += 1
    assert bench.repeats.due
    bench.repeats.settle()
    assert bench.settings.alarms == [[binascii.crc32(b"misfire"), 300]]
    assert not bench.repeats.due
