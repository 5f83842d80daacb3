"""Strikes one after another: exactly on time, and none after one that went wrong, because the
hardware lets the next one go only when it has seen the needle out and back.

Edges are those at the device's pins, in emulated ms.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise

import pytest

from mesodrive_rig.emulated.edges import EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, NL_PER_STEP, PRIME_UL, Operator, profile
from mesodrive_rig.plant import NeedleState, Output, Sensor

pytestmark = pytest.mark.hil

EXACT_MS = 1e-6
# The shallowest needle has the shortest way, so it follows the highest rate.
FAST = profile(
    mode="dry",
    shots=1000,
    depth_um=250,
    dose_nl=0,
    settle_us=0,
    dwell_us=100,
    rest_us=200,
    period_us=4_000,
)
# The dose may begin long before the loop looks, and several strikes are queued ahead of it.
DOSED = profile(
    depth_um=250,
    dose_nl=1_000,
    settle_us=1_000,
    dwell_us=25_000,
    rest_us=500,
    period_us=30_000,
)
LATE_MS = 2.0  # travel 1.6 in truth, and the dose is due at 1.9 + 1.0
# What a contact does within the first ms after it has moved, as it closes and as it opens; and
# one that has opened closes once more as the needle hits the other end.
BOUNCE_MS = (0.012, 0.02, 0.05, 0.055, 0.1, 0.11, 0.2, 0.23)
SHOCK_MS = (1.5, 1.52)

Drive = Callable[[int, bool], None]


class Bench:
    """One device on the skin."""

    def __init__(self) -> None:
        self.rig = EmulatedRig(NEAR_HOME)
        self.edges = EdgeLog(self.rig)
        self.operator = Operator(self.rig)
        self._loaded: dict[str, object] | None = None

    def strike_on(self, values: dict[str, object], strikes: int) -> None:
        """Have `strikes` of `values` begun, the trigger held, after whatever was before."""
        operator = self.operator
        operator.rest()
        if self._loaded is not values:
            operator.make_ready(values)
            if values["dose_nl"]:
                operator.device.prime(PRIME_UL)
            self._loaded = values
        if operator.state() == "SAFE":
            operator.device.home()
        if operator.state() == "READY":
            operator.device.arm()
        operator.touch()
        operator.forget()
        self.edges.clear()
        operator.press()
        operator.wait_until(lambda: len(self.starts()) >= strikes, 1000)

    def starts(self) -> list[float]:
        return self.edges.rises(Output.STRIKE)

    def let_go(self) -> None:
        """Release, and wait until all has been told."""
        self.rig.set(Sensor.TRIGGER, False)
        self.operator.wait(200)

    def until_needle_is(self, state: NeedleState) -> None:
        """Run on until the needle is, in truth, in `state`."""
        assert self.rig.run_until(lambda: self.rig.truth().needle is state, 50, 0.05)

    @contextmanager
    def wire(self, sensor: Sensor, told: Callable[[Drive, bool], None]) -> Generator[None]:
        """Meanwhile `told` passes on what the wire of `sensor` says, instead of the wire."""
        chip, wire, drive = self.rig.chip, self.rig.gpio(sensor), self.rig.chip.drive

        def driven(gpio: int, level: bool) -> None:
            if gpio == wire:
                told(drive, level)
            else:
                drive(gpio, level)

        chip.drive = driven
        try:
            yield
        finally:
            chip.drive = drive

    def later(self, ms: float, call: Callable[[], None]) -> None:
        self.rig.chip.call_at(1e6 * (self.rig.now_ms() + ms), call)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def assert_all_told_and_on_time(bench: Bench, period_ms: float) -> None:
    """Every strike at the pins is exactly a period after the last, and was told once, as done;
    but for the very last, which the person may have cut short."""
    starts, rows = bench.starts(), bench.operator.shots
    for before, after in pairwise(starts):
        assert after - before == pytest.approx(period_ms, abs=EXACT_MS)
    assert [row.shot - rows[0].shot for row in rows] == list(range(len(starts)))
    assert {row.outcome for row in rows[:-1]} == {"done"}
    assert all(row.audit == row.steps for row in rows[:-1])


def test_a_hundred_strikes_at_250_a_second_are_exactly_on_time_and_each_told_once(bench: Bench):
    bench.strike_on(FAST, 101)
    bench.let_go()
    assert len(bench.starts()) > 100
    assert_all_told_and_on_time(bench, 4.0)


def bounce_and_let_go(bench: Bench, sensor: Sensor, ms: float) -> int:
    """Let `sensor`'s contact bounce whenever it moves, for `ms` and until the trigger has been
    released and all has been told; return how often it did. What is left of a bounce ends as the
    contact moves again.
    """
    gpio, moves = bench.rig.gpio(sensor), 0

    def bouncing(drive: Drive, level: bool) -> None:
        nonlocal moves
        moves += 1

        def again(move: int, closed: bool) -> None:
            if move == moves:
                drive(gpio, closed)

        drive(gpio, level)
        for number, after_ms in enumerate(BOUNCE_MS if level else BOUNCE_MS + SHOCK_MS):
            bench.later(after_ms, partial(again, moves, level if number % 2 else not level))

    with bench.wire(sensor, bouncing):
        bench.operator.wait(ms)
        bench.let_go()
    return moves


NEEDLE = [Sensor.NEEDLE_BACK, Sensor.NEEDLE_OUT]


@pytest.mark.requirement("R7")
@pytest.mark.parametrize("sensor", NEEDLE)
def test_a_bouncing_needle_contact_adds_no_strike_and_loses_none(bench: Bench, sensor: Sensor):
    bench.strike_on(FAST, 2)
    moves = bounce_and_let_go(bench, sensor, 100)
    assert moves >= 2 * 24
    assert_all_told_and_on_time(bench, 4.0)


def assert_fault(bench: Bench, code: str) -> None:
    """In FAULT for `code`, told with one alarm, rail off."""
    status = bench.operator.device.status()
    assert status.state == "FAULT"
    assert status.alarm
    assert status.alarm.code == code
    assert [alarm["code"] for alarm in bench.operator.told("alarm")] == [code]
    assert not bench.rig.truth().rail_on


@pytest.mark.requirement("R7", "R25")
def test_at_250_a_second_nothing_follows_a_needle_that_is_not_seen_out(bench: Bench):
    bench.strike_on(FAST, 20)
    bench.until_needle_is(NeedleState.OUT)
    done = len(bench.starts())
    bench.until_needle_is(NeedleState.BACK)
    with bench.wire(Sensor.NEEDLE_OUT, lambda _drive, _level: None):  # it comes back all the same
        bench.operator.wait(300)
    assert len(bench.starts()) == done + 1
    assert_fault(bench, "misfire")
    assert [row.outcome for row in bench.operator.shots] == [*done * ["done"], "misfire"]


@pytest.mark.requirement("R7", "R25")
def test_at_250_a_second_nothing_follows_a_needle_that_sticks(bench: Bench):
    bench.strike_on(FAST, 20)
    bench.until_needle_is(NeedleState.OUT)
    done = len(bench.starts())
    bench.rig.injector.set_sticking(True)
    bench.operator.wait(300)
    bench.rig.injector.set_sticking(False)
    assert len(bench.starts()) == done  # this one never came back
    assert_fault(bench, "needle_stuck")
    rows = bench.operator.shots
    assert [row.outcome for row in rows] == [*(done - 1) * ["done"], "stopped"]
    assert (rows[-1].back_us, rows[-1].why) == (None, "the needle was not seen back")


@pytest.mark.parametrize("sensor", NEEDLE)
def test_a_bouncing_needle_contact_takes_no_dose_away(bench: Bench, sensor: Sensor):
    bench.strike_on(DOSED, 2)
    moves = bounce_and_let_go(bench, sensor, 180)
    assert moves >= 2 * 5
    assert_all_told_and_on_time(bench, 30.0)


def assert_no_dose_was_given(bench: Bench, wrong_ms: float, pushed_ul: float) -> None:
    """Only one more strike after `wrong_ms`, told as a misfire, and nothing came out of it."""
    assert len([ms for ms in bench.starts() if ms > wrong_ms]) == 1
    assert [ms for ms in bench.edges.rises(Output.PLUNGER_STEP) if ms > wrong_ms] == []
    assert bench.rig.truth().pushed_ul == pushed_ul
    assert bench.rig.truth().needle is NeedleState.BACK
    assert_fault(bench, "misfire")
    *well, last = bench.operator.shots
    assert {row.outcome for row in well} == {"done"}
    assert (last.outcome, last.dose_nl, last.audit) == ("misfire", 0, 0)
    assert last.steps == pytest.approx(1_000 / NL_PER_STEP, abs=1)
    assert last.why == "the needle was not seen at its stop"


def needle_is_back(bench: Bench) -> tuple[float, float]:
    """Wait for a strike's end; return the time, and what has been pushed until then."""
    bench.until_needle_is(NeedleState.OUT)
    bench.until_needle_is(NeedleState.BACK)
    return bench.rig.now_ms(), bench.rig.truth().pushed_ul


@pytest.mark.requirement("R7", "R25")
def test_no_dose_is_given_in_a_misfire_and_the_series_ends(bench: Bench):
    bench.strike_on(DOSED, 3)
    wrong_ms, pushed_ul = needle_is_back(bench)
    bench.rig.injector.set_misfiring(True)
    bench.operator.wait(200)
    bench.rig.injector.set_misfiring(False)
    assert_no_dose_was_given(bench, wrong_ms, pushed_ul)


@pytest.mark.requirement("R25")
def test_no_dose_is_given_to_a_needle_that_comes_out_too_late(bench: Bench):
    bench.strike_on(DOSED, 3)
    wrong_ms, pushed_ul = needle_is_back(bench)

    def late(drive: Drive, level: bool) -> None:
        bench.later(LATE_MS, partial(drive, bench.rig.gpio(Sensor.NEEDLE_OUT), level))

    with bench.wire(Sensor.NEEDLE_OUT, late):
        bench.operator.wait(200)
    out = bench.operator.shots[-1].out_us
    assert out
    assert out / 1000 == pytest.approx(1.6 + LATE_MS, abs=0.1)
    assert_no_dose_was_given(bench, wrong_ms, pushed_ul)
