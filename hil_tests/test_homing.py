"""Finding home: what is wrong with a switch, a guard or the supply is found out and told, and
where the axes then stand is where they truly stand.
"""

from dataclasses import replace

import pytest

from mesodrive.link.client import RefusedError
from mesodrive_rig.emulated.edges import EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, NL_PER_MM, Operator, profile
from mesodrive_rig.plant import AxisSpec, Output, PlantSpec, Sensor, SyringeSpec

pytestmark = pytest.mark.hil

STOP_MS = 2.0
RAIL_UP_MS = 100.0
TOLD_MS = 130.0  # to ask and to be told, memory freed twice and a record written in between
PLUNGER_MM, DEPTH_MM = 1 / 3200, 1 / 6400  # one step
# Steps that a homing axis makes between the switch's edge and the stop: 500 µm/s, 20 µs.
OVERRUN_MM = 0.0005
BOARD_BACKLASH_MM = 0.020
DEPTH_OFFSET_MM = 1.0


def operator_of(spec: PlantSpec) -> Operator:
    operator = Operator(EmulatedRig(spec))
    operator.device.load(profile())
    return operator


def home_fails(operator: Operator, code: str) -> str:
    """Home in vain; return the sentence of the alarm."""
    with pytest.raises(RefusedError):
        operator.device.home()
    status = operator.device.status()
    assert (status.state, status.homed) == ("FAULT", False)
    assert status.alarm
    assert status.alarm.code == code
    assert not operator.rig.truth().rail_on
    return status.alarm.text


@pytest.mark.requirement("R11")
def test_a_home_switch_that_always_reads_at_home_is_a_fault():
    # Far beyond the travel it is always closed; a broken wire reads the same.
    spec = replace(NEAR_HOME, depth=replace(NEAR_HOME.depth, home_mm=20.0))
    sentence = home_fails(operator_of(spec), "home_stuck")
    assert "depth home switch still says home" in sentence


@pytest.mark.requirement("R11")
def test_a_home_switch_that_never_closes_is_a_fault_within_the_travel():
    spec = replace(NEAR_HOME, depth=replace(NEAR_HOME.depth, home_mm=-1.0))
    operator = operator_of(spec)
    sentence = home_fails(operator, "home_missing")
    assert "depth axis did not find its home switch" in sentence
    rises = operator.rig.truth().outputs[Output.DEPTH_STEP].rises
    assert 15.0 <= rises * DEPTH_MM <= 15.0 + BOARD_BACKLASH_MM


def test_a_supply_that_never_comes_is_a_fault_and_nothing_steps():
    rig = EmulatedRig(NEAR_HOME)
    rig.injector.set_supply_present(False)
    operator = Operator(rig)
    edges = EdgeLog(rig)
    operator.device.load(profile())
    asked_ms = rig.now_ms()
    sentence = home_fails(operator, "rail_dead")
    assert "check the supply" in sentence
    assert rig.now_ms() - asked_ms < RAIL_UP_MS + TOLD_MS
    assert edges.edges == []


@pytest.mark.requirement("R4")
@pytest.mark.parametrize("sensor", [Sensor.GUARD, Sensor.STOP])
def test_an_interlock_that_opens_while_homing_stops_the_axis(sensor: Sensor):
    rig = EmulatedRig(NEAR_HOME)
    operator = Operator(rig)
    operator.device.load(profile())
    edges = EdgeLog(rig)
    opened_ms: list[float] = []

    def open_it() -> None:
        rig.set(sensor, False)
        opened_ms.append(rig.now_ms())

    rig.chip.call_at((rig.now_ms() + 400) * 1e6, open_it)
    with pytest.raises(RefusedError, match=r"The move was stopped: the (guard|stop) was"):
        operator.device.home()
    assert rig.truth().outputs[Output.DEPTH_STEP].rises > 100
    assert edges.rises(Output.DEPTH_STEP)[-1] > opened_ms[0] - 10  # it was moving
    operator.wait(100)
    rig.set(sensor, True)
    operator.wait(1000)
    assert edges.after(opened_ms[0] + STOP_MS) == []
    status = operator.device.status()
    assert (status.state, status.homed) == ("SAFE", False)
    assert not rig.truth().rail_on


def plant(backlash_mm: float, plunger_mm: float, depth_mm: float) -> PlantSpec:
    """A full syringe, axes left at these positions, both with this backlash."""
    return PlantSpec(
        plunger=AxisSpec(1.0, max_mm=62.0, initial_mm=plunger_mm, backlash_mm=backlash_mm),
        depth=AxisSpec(0.5, max_mm=15.0, initial_mm=depth_mm, backlash_mm=backlash_mm),
        syringe=SyringeSpec.from_ul_per_mm(NL_PER_MM / 1000, fill_ul=950.0),
    )


@pytest.mark.requirement("R11")
@pytest.mark.parametrize(
    ("backlash_mm", "plunger_mm", "depth_mm"),
    [
        (0.020, 2.0, 0.7),  # as the board file says
        (0.020, 0.0, -0.1),  # left on or behind their switches
        (0.0, 0.3, 0.3),
        (0.035, 0.3, 0.3),
    ],
)
def test_the_axes_stand_where_the_profile_wants_them(
    backlash_mm: float, plunger_mm: float, depth_mm: float
):
    operator = Operator(EmulatedRig(plant(backlash_mm, plunger_mm, depth_mm)))
    operator.make_ready(profile(depth_um=500))
    truth = operator.rig.truth()
    # The device takes the board's backlash as given: what the screw has less or more is an error.
    off_mm = BOARD_BACKLASH_MM - backlash_mm
    assert truth.depth_axis_mm == pytest.approx(
        DEPTH_OFFSET_MM + 0.5 + off_mm, abs=DEPTH_MM + OVERRUN_MM
    )
    seat_mm = 60.0 - 950.0 / (NL_PER_MM / 1000)
    assert truth.plunger_axis_mm == pytest.approx(seat_mm + off_mm, abs=PLUNGER_MM + OVERRUN_MM)
    assert truth.depth_lost_steps == truth.plunger_lost_steps == 0
    status = operator.device.status()
    assert (status.state, status.homed, status.depth_um) == ("READY", True, 500)
