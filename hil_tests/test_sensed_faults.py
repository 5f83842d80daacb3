"""What the machine senses of itself stops it: force, heat, supply, drivers, stray steps."""

from collections.abc import Callable
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
RELIEF_UL = 20.0  # more than the pusher stays behind


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

    # Homing presses nothing, and while the needle is blocked priming is no way on.
    person.rest()
    pressed = person.truth.pressure_kpa
    person.device.home()
    assert (person.truth.pressure_kpa or 0) <= pressed
    with pytest.raises(RefusedError, match="prime into the air"):
        person.device.arm()
    person.forget()
    with pytest.raises(RefusedError):
        person.device.prime(RELIEF_UL)
    person.fault("occlusion")

    # The needle comes free with the device on the skin: nothing is in reach of it.
    person.rest()
    person.touch()
    injector.set_blocked(False)
    person.wait(500)
    person.touch(False)
    person.device.home()
    with pytest.raises(RefusedError, match="prime into the air"):
        person.device.arm()
    person.device.prime(RELIEF_UL)
    person.wait(500)
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


def _sag(person: Person) -> Callable[[], None]:
    person.emulated.injector.set_supply_v(20.0)
    return lambda: person.emulated.injector.set_supply_v(24.0)


def _stray(person: Person) -> Callable[[], None]:
    person.emulated.break_wire(Output.DEPTH_STEP, WireFault.HIGH)
    return lambda: person.emulated.mend_wire(Output.DEPTH_STEP)


@pytest.mark.requirement("R10", "R13", "R18")
@pytest.mark.parametrize(
    ("cause", "code"),
    [(_sag, "supply_low"), (_stray, "free_running")],
)
def test_what_is_sensed_while_armed_is_a_fault_with_its_light(
    person: Person, cause: Callable[[Person], Callable[[], None]], code: str
):
    person.arm()
    mend = cause(person)
    person.fault(code)
    light = Output.ALARM_YELLOW if code == "supply_low" else Output.ALARM_RED
    lit = person.truth.outputs[light].rises
    person.wait(2_000)
    assert person.truth.outputs[light].rises > lit
    mend()
    person.wait(100)
    person.rest()


@pytest.mark.requirement("R12")
def test_a_pusher_that_meets_no_plunger_is_air_and_gives_nothing(person: Person):
    person.rest()
    more_nl = int(1000 * person.truth.left_ul) + 100_000
    person.device.load(profile(depth_um=250, fill_nl=more_nl, shots=5))
    person.device.home()
    person.device.arm()
    person.touch()
    person.forget()
    before = person.truth.skin_ul
    person.press()
    person.fault("air", 600)
    assert person.truth.skin_ul - before <= MOST_UL
    person.rig.set(Sensor.TRIGGER, False)
