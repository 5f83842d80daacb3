"""A device that comes up does nothing by itself, and says what is wrong with it."""

import random

import pytest

from mesodrive.link.port import PortLostError
from mesodrive_rig.emulated.edges import DRIVING, EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, PRIME_UL, Operator, profile
from mesodrive_rig.plant import NeedleState, Output, Sensor

pytestmark = pytest.mark.hil

BOOT_MS = 400.0
FILE_SYSTEM = 0x0A0000  # first byte of what MicroPython keeps for files on a Pico, of 2 MiB


@pytest.mark.requirement("R1")
@pytest.mark.parametrize("flash", ["as built", "with a broken file system"])
def test_power_up_leads_to_safe_moves_nothing_and_writes_nothing(flash: str):
    rig = EmulatedRig(NEAR_HOME)
    edges = EdgeLog(rig, DRIVING)
    if flash != "as built":
        size = len(rig.chip.mcu.flash) - FILE_SYSTEM
        rig.chip.mcu.flash[FILE_SYSTEM:] = random.Random(1).randbytes(size)
    before = bytes(rig.chip.mcu.flash)
    rig.run_for(BOOT_MS)
    operator = Operator(rig)
    operator.wait(500)
    assert operator.state() == "SAFE"
    assert edges.edges == []
    assert not rig.truth().rail_on
    assert bytes(rig.chip.mcu.flash) == before


@pytest.fixture(scope="module")
def struck() -> tuple[EmulatedRig, EdgeLog, float]:
    """A device that lost its power in mid-dose, trigger and contact held on: rig, edges, when."""
    rig = EmulatedRig(NEAR_HOME)
    edges = EdgeLog(rig)
    operator = Operator(rig)
    operator.make_ready(profile(depth_um=250))
    operator.device.prime(PRIME_UL)
    operator.device.arm()
    operator.touch()
    edges.clear()
    operator.press()
    operator.wait_until(lambda: len(edges.rises(Output.PLUNGER_STEP)) > 300, 200)
    rig.reset()
    with pytest.raises(PortLostError):
        operator.wait(1)
    return rig, edges, rig.now_ms()


@pytest.mark.requirement("R1")
def test_a_power_cut_in_mid_dose_lets_the_needle_go_at_once(
    struck: tuple[EmulatedRig, EdgeLog, float],
):
    rig, edges, cut_ms = struck
    rig.run_for(20)
    assert rig.truth().needle is NeedleState.BACK
    assert not rig.truth().rail_on
    assert edges.after(cut_ms) == []


@pytest.mark.requirement("R1")
def test_after_a_power_cut_in_mid_dose_nothing_resumes(
    struck: tuple[EmulatedRig, EdgeLog, float],
):
    rig, edges, cut_ms = struck
    rig.set(Sensor.TRIGGER, False)
    rig.run_for(BOOT_MS)
    operator = Operator(rig)
    assert operator.state() == "SAFE"
    rig.set(Sensor.TRIGGER, True)
    operator.wait(1200)
    status = operator.device.status()
    assert (status.state, status.homed, status.profile) == ("SAFE", False, None)
    assert edges.after(cut_ms) == []
    assert not rig.truth().rail_on


@pytest.mark.requirement("R2")
@pytest.mark.parametrize(
    ("sensor", "level", "sentence"),
    [
        (Sensor.TRIGGER, True, "the trigger is pressed or shorted"),
        (Sensor.NEEDLE_BACK, False, "the needle is not seen at its rest"),
        (Sensor.NEEDLE_OUT, True, "the needle is seen at its stop"),
        (Sensor.RAIL, True, "the motor rail is on although it was not asked for"),
        (Sensor.INTERLOCK, False, "the interlock line does not agree with guard and stop"),
    ],
)
def test_a_failed_self_test_is_a_fault_with_one_sentence(
    sensor: Sensor, level: bool, sentence: str
):
    rig = EmulatedRig(NEAR_HOME)
    edges = EdgeLog(rig, DRIVING)
    rig.chip.drive(rig.gpio(sensor), level)
    status = Operator(rig).device.status()
    assert status.state == "FAULT"
    assert status.why == f"The self-test failed: {sentence}; put it right and restart."
    assert status.alarm
    assert status.alarm.code == "selftest"
    assert edges.edges == []
