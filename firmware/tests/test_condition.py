"""What the machine senses of itself is told in full, and once."""

import pytest
from situations import alarms, in_state, striking
from stand_ins import DEPTH, PLUNGER, Machine

from injector.causes import OCCLUDED, UNSEATED
from injector.condition import Condition


@pytest.mark.requirement("R10")
@pytest.mark.parametrize(("axis", "name"), [(PLUNGER, "plunger"), (DEPTH, "depth")])
@pytest.mark.parametrize("steps", [1, 7, 1 << 29])
def test_stray_steps_are_told_with_their_number_and_only_once(axis: int, name: str, steps: int):
    machine = in_state("SAFE")
    machine.port.stray(axis, steps)
    machine.run(20)
    assert alarms(machine) == ["free_running"]
    assert f"The {name} axis was given {steps} steps" in machine.controller.alarm["text"]
    assert machine.request("ack")[1] is None
    machine.run(500)
    assert machine.state == "SAFE"
    assert alarms(machine) == ["free_running"]


@pytest.mark.requirement("R10", "R12")
@pytest.mark.parametrize("axis", [PLUNGER, DEPTH])
@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("striking", [True, False])
def test_the_plunger_alone_pushes_only_forward_and_may_step_only_in_strikes(
    axis: int, forward: bool, striking: bool
):
    machine = Machine().boot()
    condition = Condition(
        machine.port, machine.inputs, machine.sensors, machine.site, machine.drives
    )
    for moved in (machine.plunger, machine.depth):
        moved.forward = forward
    pushed: list[int] = []
    machine.port.stray(axis, 400)
    trouble = condition.stray(striking, pushed.append)
    if axis == PLUNGER and striking:
        assert trouble is None
    else:
        assert trouble is not None
        assert trouble.code == "free_running"
    assert pushed == ([400] if axis == PLUNGER and forward and not striking else [])


@pytest.mark.requirement("R12", "R24")
def test_steps_unasked_of_the_depth_axis_take_nothing_from_the_syringe():
    machine = in_state("READY")
    left_nl = machine.job.left_nl
    machine.port.stray(DEPTH, 400)
    machine.run(20)
    assert (alarms(machine), machine.job.left_nl) == (["free_running"], left_nl)


@pytest.mark.requirement("R22")
def test_a_count_of_edges_that_begins_anew_is_no_motion():
    machine = in_state("READY")
    port, axis = machine.port, machine.plunger
    counted = port.edges
    port.edges = lambda axis: counted(axis) & (1 << 30) - 1  # as the chip counts
    more = (1 << 30) - 100 - axis.edges
    port._edges[port.PLUNGER] += more
    axis.edges += more
    assert machine.request("prime", {"volume_nl": 10_000})[1] is None
    machine.run_while("HOMING")
    machine.run(100)
    assert counted(port.PLUNGER) > 1 << 30
    assert (machine.state, alarms(machine)) == ("READY", [])


@pytest.mark.requirement("R5")
def test_too_much_force_is_told_by_what_was_under_way():
    machine = striking(mode="drip", dwell_us=2_000_000, period_us=3_000_000, dose_nl=100_000)
    machine.run(20)
    machine.port.force_mn = 39_000
    machine.run(60)
    assert machine.controller.alarm == {"code": "occlusion", "text": OCCLUDED[1]}
    machine = in_state("HOMING")
    machine.port.pressed_too_hard = True
    machine.run(20)
    assert machine.controller.alarm == {"code": "occlusion", "text": UNSEATED}


@pytest.mark.requirement("R13")
def test_a_force_that_cannot_be_is_a_broken_sensor_and_no_occlusion():
    machine = striking(mode="drip", dwell_us=2_000_000, period_us=3_000_000, dose_nl=100_000)
    machine.run(20)
    machine.port.counts["force"] = 4095
    machine.run(60)
    assert machine.controller.alarm["code"] == "sensor"
    assert "plunger force" in machine.controller.alarm["text"]


@pytest.mark.requirement("R13")
def test_a_force_that_stops_the_axes_and_cannot_be_is_told_at_once_as_a_broken_sensor():
    machine = in_state("HOMING")
    machine.port.counts["force"] = 4095
    machine.port.pressed_too_hard = True
    machine.port.halt()
    machine.look()
    assert (machine.state, alarms(machine)) == ("FAULT", ["sensor"])
    assert "plunger force" in machine.controller.alarm["text"]


@pytest.mark.requirement("R13")
def test_coil_and_supply_are_judged_to_the_tenth_and_the_millivolt():
    machine = in_state("READY")
    condition, sensors = machine.commands._condition, machine.sensors
    sensors.coil.value = 549
    assert condition.sensed() is None
    sensors.coil.value = 550
    assert condition.sensed().code == "over_temperature"
    assert "at 55 °C" in condition.sensed().sentence
    sensors.coil.value = 250
    least_mv = 24_000 * 85 // 100
    sensors.supply.value = least_mv
    assert condition.sensed() is None
    sensors.supply.value = least_mv - 1
    assert condition.sensed().code == "supply_low"
    machine.inputs.now &= ~machine.inputs.masks["rail"]
    assert condition.sensed() is None


@pytest.mark.requirement("R5", "R18")
@pytest.mark.parametrize("state", ["HOMING", "DELIVERING"])
def test_a_force_that_stops_the_tracks_in_the_midst_of_a_look_is_told_as_that(state: str):
    machine = in_state(state)
    port, connected = machine.port, machine.port.line.connected

    def pressed_meanwhile():  # asked after the force and before the tracks
        port.halt()
        port.pressed_too_hard = True
        return connected()

    port.line.connected = pressed_meanwhile
    machine.look()
    port.line.connected = connected
    machine.look()
    assert (machine.state, alarms(machine)) == ("FAULT", ["occlusion"])
