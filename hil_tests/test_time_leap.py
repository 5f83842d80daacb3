"""Leaps in time on the emulated rig: the device's clock follows, over every wrap."""

import pytest

from mesodrive.errors import MesodriveError
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, Operator, profile
from mesodrive_rig.plant import Output
from mesodrive_wire import encode, request

MS_PER_MIN = 60_000


@pytest.fixture(scope="module")
def operator() -> Operator:
    rig = EmulatedRig(NEAR_HOME)
    rig.run_for(300)
    return Operator(rig)


def lag_ms(operator: Operator) -> float:
    """By how much the device's clock is behind the rig's."""
    asked_ms = operator.rig.now_ms()
    uptime_ms = operator.device.ping().uptime_ms
    told_ms = operator.rig.now_ms()
    assert told_ms - asked_ms < 40
    return told_ms - uptime_ms


def test_the_devices_clock_follows_a_leap(operator: Operator):
    rig = operator.rig
    assert isinstance(rig, EmulatedRig)
    before_ms = lag_ms(operator)
    for minutes in (1, 17, 18, 72, 24 * 60, 13 * 24 * 60):
        then_ms = rig.now_ms()
        rig.leap(minutes * MS_PER_MIN)
        assert rig.now_ms() - then_ms == pytest.approx(minutes * MS_PER_MIN, abs=60)
        assert abs(lag_ms(operator) - before_ms) < 40
    assert operator.state() == "SAFE"
    assert not operator.told("alarm")


def test_an_appointment_that_a_leap_passes_is_kept_at_its_end_and_in_order():
    rig = EmulatedRig(NEAR_HOME)
    rig.run_for(300)
    kept: list[tuple[str, float]] = []
    begin_ms = rig.now_ms()
    for name, after_ms in (("third", 61_500), ("second", 4_000), ("first", 3_000)):
        due_ns = (begin_ms + after_ms) * 1e6
        rig.chip.call_at(due_ns, lambda name=name: kept.append((name, rig.now_ms())))
    called_off = rig.chip.call_at((begin_ms + 5_000) * 1e6, lambda: kept.append(("no", 0)))
    called_off.cancel()
    rig.leap(MS_PER_MIN)
    leapt_ms = rig.now_ms()
    rig.run_for(1)
    assert [name for name, _ in kept] == ["first", "second"]
    assert all(at_ms == pytest.approx(leapt_ms, abs=0.01) for _, at_ms in kept)
    rig.run_for(2_000)
    assert kept[2][0] == "third"
    assert kept[2][1] == pytest.approx(begin_ms + 61_500, abs=0.01)


def test_nothing_is_leapt_while_something_moves():
    rig = EmulatedRig(NEAR_HOME)
    rig.run_for(300)
    operator = Operator(rig)
    operator.device.load(profile())
    # Without waiting for the answer, as a Device would.
    number = operator.device.client.call("info")["last_id"] + 2  # not the client's own next
    rig.chip.send(encode(request(number, "home", {})))
    assert rig.run_until(lambda: rig.truth().outputs[Output.DEPTH_STEP].rises > 20, within_ms=500)
    with pytest.raises(MesodriveError, match="under way"):
        rig.leap(1_000)
