"""Which alarms count, for how long, and what of it is kept."""

import binascii

import pytest

from injector.limits import LOCK_MS
from injector.repeats import Repeats

pytestmark = pytest.mark.requirement("R18")


class Settings:
    def __init__(self, alarms: "list[list[int]]"):
        self.claimed = True
        self.locked_by = ""
        self.alarms = alarms


class Bench:
    """`alarms` are those of the boot before: number, and age in s."""

    def __init__(self, *alarms: "list[int]"):
        self.now_ms = 1_000_000
        self.settings = Settings(list(alarms))
        self.repeats = Repeats(self.settings, lambda: self.now_ms)
        self.repeats.open()

    def note(self, code: str, later_ms: int = 0) -> "str | None":
        self.now_ms += later_ms
        return self.repeats.note(code)


def number(code: str) -> int:
    return binascii.crc32(code.encode())


@pytest.mark.parametrize("code", ["locked", "settings"])
def test_what_follows_from_others_or_cannot_be_kept_does_not_count(code: str):
    bench = Bench()
    for _ in range(5):
        assert bench.note(code) is None
    assert (bench.repeats.times(code), bench.repeats.unsaved) == (0, False)
    assert bench.settings.locked_by == ""


def test_the_third_within_ten_minutes_locks():
    bench = Bench()
    assert bench.note("misfire") is None
    assert bench.note("misfire", 1_000) is None
    told = bench.note("misfire", LOCK_MS - 1_001)
    assert told == bench.repeats.sentence
    assert "The alarm misfire came 3 times within 10 minutes" in told
    assert bench.settings.locked_by == "misfire"


def test_an_alarm_of_ten_minutes_ago_counts_no_more():
    bench = Bench()
    bench.note("misfire")
    bench.note("air", 10)
    bench.note("misfire", 990)
    assert bench.note("misfire", LOCK_MS - 1_000) is None
    assert bench.repeats.times("misfire") == 2
    bench.repeats.settle()
    kept = [[number("air"), 599], [number("misfire"), 599], [number("misfire"), 0]]
    assert bench.settings.alarms == kept


def test_what_became_too_old_has_to_be_kept_as_well():
    bench = Bench()
    assert not bench.repeats.due
    bench.note("misfire")
    assert bench.repeats.due
    bench.repeats.settle()
    bench.now_ms += LOCK_MS - 1
    assert not bench.repeats.due
    assert bench.repeats.times("misfire") == 1
    bench.now_ms += 1
    assert bench.repeats.due
    assert bench.repeats.times("misfire") == 0
    bench.repeats.settle()
    assert bench.settings.alarms == []
    assert not bench.repeats.due


def test_a_restart_goes_on_with_the_ages_that_were_kept():
    bench = Bench()
    bench.settings.alarms = [[number("misfire"), 300], [number("misfire"), 2]]
    bench.repeats.open()
    assert bench.repeats.times("misfire") == 2
    bench.now_ms += LOCK_MS - 300_000
    assert bench.repeats.times("misfire") == 1


def test_forgiving_unlocks_and_leaves_nothing_to_count():
    bench = Bench()
    for _ in range(3):
        bench.note("misfire")
    bench.repeats.settle()
    bench.repeats.forgive()
    assert (bench.settings.locked_by, bench.settings.alarms) == ("", [])
    assert bench.repeats.sentence is None
    assert (bench.repeats.times("misfire"), bench.repeats.unsaved) == (0, False)


def test_a_device_without_keys_counts_nothing():
    bench = Bench()
    bench.settings.claimed = False
    assert [bench.note("misfire") for _ in range(4)] == [None] * 4
    assert bench.repeats.times("misfire") == 0


def test_an_alarm_of_an_earlier_boot_counts_to_the_ms():
    bench = Bench([number("misfire"), 300], [number("misfire"), 0])
    bench.now_ms += LOCK_MS - 300_001
    assert bench.repeats.times("misfire") == 2
    bench.now_ms += 1
    assert bench.repeats.times("misfire") == 1


def test_the_oldest_that_is_too_old_has_to_be_forgotten_whatever_came_after_it():
    bench = Bench([number("misfire"), 300], [number("misfire"), 0])
    bench.now_ms += LOCK_MS - 300_001
    assert not bench.repeats.due
    bench.now_ms += 1
    assert bench.repeats.due
    bench.repeats.settle()
    assert bench.settings.alarms == [[number("misfire"), 300]]
    assert not bench.repeats.due
