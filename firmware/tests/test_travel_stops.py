"""Each input that stops a move does so alone, and what is then known of the place."""

from collections.abc import Iterator

import pytest
from situations import in_state
from stand_ins import DEPTH, Machine

from injector.errors import Trouble
from injector.travel import Interrupted


def carry_out(machine: Machine, activity: Iterator[None]) -> None:
    for _ in activity:
        machine.port.hold_rail()
        machine.port.advance(1)


@pytest.mark.requirement("R4")
@pytest.mark.parametrize("name", ["interlock", "guard", "stop", "rail", "driver_ok"])
def test_one_input_that_falls_alone_stops_a_move(name: str):
    machine = in_state("READY")
    port, drive = machine.port, machine.drives[1]
    activity = drive.go_by(-500, drive.speed_um_s)
    next(activity)
    port.advance(20)
    assert port.moving
    read, mask = port.read, machine.inputs.masks[name]
    port.read = lambda: read() & ~mask
    port.advance(1)
    assert not port.moving
    with pytest.raises(Interrupted):
        next(activity)
    assert not drive.axis.homed


@pytest.mark.requirement("R10")
def test_the_place_is_lost_when_steps_were_lost():
    machine = in_state("READY")
    drive = machine.drives[1]
    machine.port.lost_steps = 1
    with pytest.raises(Trouble, match="planned 628 steps and 627 were"):
        carry_out(machine, drive.go_by(-500, drive.speed_um_s))
    assert not drive.axis.homed


@pytest.mark.requirement("R10")
def test_a_move_that_does_not_end_in_its_time_is_told_soon_after():
    def time_of_a_move(*, stands: bool) -> int:
        machine = in_state("READY")
        drive = machine.drives[1]
        machine.port.stands = stands
        began_ms = machine.uptime()
        if stands:
            with pytest.raises(Trouble, match="depth axis did not end in its time"):
                carry_out(machine, drive.go_by(-500, drive.speed_um_s))
        else:
            carry_out(machine, drive.go_by(-500, drive.speed_um_s))
        return machine.uptime() - began_ms

    late_ms = time_of_a_move(stands=True) - time_of_a_move(stands=False)
    assert 140 <= late_ms <= 160


@pytest.mark.requirement("R10")
def test_homing_with_a_step_machine_that_stands_ends_in_a_fault():
    machine = in_state("SAFE")
    machine.port.stands = True
    machine.request("home")
    machine.run_while("HOMING")
    assert machine.state == "FAULT"
    assert machine.controller.alarm["code"] == "steps_lost"
    assert not machine.port.moving


def test_facing_forward_takes_up_the_backlash_and_moves_nothing():
    machine = in_state("READY")
    drive = machine.drives[1]
    carry_out(machine, drive.go_by(-500, drive.speed_um_s))
    place, motor = drive.axis.position, machine.port.at[DEPTH]
    carry_out(machine, drive.face_forward())
    assert drive.axis.position == place
    assert machine.port.at[DEPTH] == motor + drive.axis.backlash_steps
    carry_out(machine, drive.face_forward())
    assert machine.port.at[DEPTH] == motor + drive.axis.backlash_steps


def test_an_input_that_falls_when_a_move_has_ended_stops_nothing_more():
    machine = in_state("READY")
    drive = machine.drives[1]
    carry_out(machine, drive.go_by(-500, drive.speed_um_s))
    machine.port.set("guard", 0)
    machine.port.advance(5)
    assert not machine.port.stopped
    assert drive.axis.homed
