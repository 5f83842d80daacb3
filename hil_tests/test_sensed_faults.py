"""What the machine senses of itself stops it: force, heat, supply, drivers, stray steps."""

from dataclasses import replace

import pytest

from mesodrive.link.client import RefusedError
from mesodrive_rig.emulated.edges import EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, PRIME_UL, Operator, profile
from mesodrive_rig.plant import (
    CartridgeSpec,
    NeedleState,
    Output,
    Sensor,
    Truth,
    WireFault,
)

pytestmark = pytest.mark.hil

COMPLIANCE_UL_KPA = 0.05  # of a small syringe with its line
MOST_UL = 2.0
FULLER_NL = 1_040_000  # more than the syringe holds: the pusher stays short of the plunger


class Person(Operator):
    def __init__(self):
        cartridge = CartridgeSpec(dead_volume_ul=2.0, compliance_ul_kpa=COMPLIANCE_UL_KPA)
        self.emulated = EmulatedRig(replace(NEAR_HOME, cartridge=cartridge))
        self.edges = EdgeLog(self.emulated)
        super().__init__(self.emulated)

    @property
    def truth(self) -> Truth:
        return self.emulated.truth()

    def arm(self) -> None:
        self.make_ready(profile(depth_um=250))
        self.device.prime(PRIME_UL)
        self.wait(300)  # until the line has let go of its pressure
        self.device.arm()
        self.touch()
        self.forget()
        self.edges.clear()

    def to_mid_dose(self) -> None:
        self.press()
        self.wait_until(lambda: len(self.edges.rises(Output.PLUNGER_STEP)) > 300, 300)

    def fault(self, code: str, within_ms: float = 200) -> None:
        """The machine is safe, and `code` has been told."""
        self.wait_until(lambda: bool(self.told("alarm")), within_ms)
        status = self.device.status()
        assert status.alarm
        assert (status.state, status.alarm.code) == ("FAULT", code)
        self.wait(20)
        assert not self.truth.rail_on
        assert self.truth.needle is NeedleState.BACK


@pytest.fixture(scope="module")
def person() -> Person:
    return Person()


@pytest.mark.requirement("R2")
def test_the_self_test_is_over_in_time(person: Person):
    assert person.device.info.safe_ms <= 3000


@pytest.mark.requirement("R5", "R6")
def test_a_blocked_needle_stops_the_stroke_and_its_pressure_reaches_nobody(person: Person):
    person.arm()
    injector = person.emulated.injector
    person.to_mid_dose()
    injector.set_blocked(True)
    blocked = person.truth
    person.fault("occlusion")
    assert len(person.truth.strikes) == len(blocked.strikes)
    assert person.truth.pressure_kpa is not None
    assert person.truth.pressure_kpa < 300
    assert person.shots[-1].outcome == "stopped"

    # Homing presses nothing.
    person.rest()
    pressed = person.truth.pressure_kpa
    person.device.home()
    assert (person.truth.pressure_kpa or 0) <= pressed
    with pytest.raises(RefusedError, match="prime into the air") as refused:
        person.device.arm()
    relief_ul = refused.value.data["prime_nl"] / 1000
    with pytest.raises(RefusedError, match="the line is blocked"):
        person.device.prime(relief_ul)  # still blocked: it is felt again
    person.fault("occlusion")
    person.rest()
    person.device.home()

    # The needle comes free with the device on the skin: nothing is in reach of it.
    person.touch()
    injector.set_blocked(False)
    person.wait(300)
    person.touch(False)
    person.device.prime(relief_ul)
    person.wait(300)
    person.device.arm()
    assert person.truth.skin_ul - blocked.skin_ul <= MOST_UL
    before = person.truth.skin_ul
    person.touch()
    person.shoot(1)
    assert person.truth.skin_ul - before <= 10.0 + MOST_UL
    person.disarm()


@pytest.mark.requirement("R13")
def test_a_drivers_error_ends_the_edges_within_ten_ms(person: Person):
    person.arm()
    person.to_mid_dose()
    at_ms = person.rig.now_ms()
    person.emulated.injector.set_driver_error(True)
    person.wait(50)
    assert all(edge.time_ms <= at_ms + 10.0 for edge in person.edges.edges)
    person.fault("driver_fault")
    person.emulated.injector.set_driver_error(False)


@pytest.mark.requirement("R10", "R13")
@pytest.mark.parametrize("broken", ["motor", "wire"])
def test_a_plunger_that_stands_still_in_mid_dose_is_told_with_that_strike(
    person: Person, broken: str
):
    person.arm()
    person.to_mid_dose()
    before = person.truth
    if broken == "motor":
        person.emulated.injector.set_stalled(Output.PLUNGER_STEP, True)
    else:
        person.emulated.break_wire(Output.PLUNGER_STEP, WireFault.OPEN)
    person.fault("stalled")
    assert len(person.truth.strikes) == len(before.strikes)
    assert person.truth.skin_ul - before.skin_ul <= MOST_UL
    if broken == "motor":
        person.emulated.injector.set_stalled(Output.PLUNGER_STEP, False)
    else:
        person.emulated.mend_wire(Output.PLUNGER_STEP)
    person.wait(300)
    person.rest()
    person.forget()


@pytest.mark.requirement("R10", "R13", "R18")
def test_a_sagging_supply_and_a_stray_step_are_faults_with_their_lights(person: Person):
    person.arm()
    person.emulated.injector.set_supply_v(20.0)
    person.fault("supply_low")
    assert person.truth.outputs[Output.ALARM_YELLOW].rises > 1
    person.emulated.injector.set_supply_v(24.0)
    person.wait(100)
    person.rest()
    person.forget()
    lit = person.truth.outputs[Output.ALARM_RED].rises
    person.emulated.break_wire(Output.DEPTH_STEP, WireFault.HIGH)
    person.fault("free_running")
    person.wait(600)
    assert person.truth.outputs[Output.ALARM_RED].rises > lit + 1
    person.emulated.mend_wire(Output.DEPTH_STEP)


@pytest.mark.requirement("R12")
def test_a_pusher_that_meets_no_plunger_is_air_and_gives_nothing(person: Person):
    person.rest()
    person.device.load(profile(depth_um=250, fill_nl=FULLER_NL, shots=5))
    person.device.home()
    person.device.arm()
    person.touch()
    person.forget()
    before = person.truth.skin_ul
    person.press()
    person.fault("air", 600)
    assert person.truth.skin_ul - before <= MOST_UL
    person.rig.set(Sensor.TRIGGER, False)
