"""What arming again takes into account of what was given before."""

import pytest
from situations import in_state, refused, striking
from stand_ins import Machine

from mesodrive_wire import LIMIT


def after_one_of_two(**profile: object) -> Machine:
    """A device in READY that has given the first of two single shots; nobody touches it."""
    machine = striking(mode="single", shots=2, **profile)
    while machine.state == "DELIVERING":
        machine.run(10)
    machine.port.set("trigger", 0)
    machine.port.set("contact", 0)
    machine.run(20)
    assert machine.request("disarm")[1] is None
    assert (machine.state, machine.job.done) == ("READY", 1)
    return machine


@pytest.mark.requirement("R12")
def test_only_the_shots_that_are_left_need_liquid():
    machine = after_one_of_two(fill_nl=2_000)
    assert machine.request("arm")[1] is None


@pytest.mark.requirement("R8")
def test_a_cartridge_that_was_out_begins_no_session_before_a_profile_is_loaded():
    machine = after_one_of_two()
    given_nl = machine.journal.session_nl
    machine.port.set("cartridge", 0)
    machine.run(1_100)
    machine.port.set("cartridge", 1)
    machine.run(20)
    if machine.state == "SAFE":
        machine.request("home")
        machine.run_while("HOMING")
    machine.journal.max_session_nl = given_nl + 999
    refusal = refused(machine, "arm")
    assert (refusal.code, refusal.data["name"]) == (LIMIT, "session_nl")
    machine.journal.max_session_nl = given_nl + 1_000
    assert machine.request("arm")[1] is None


def test_arming_disarming_and_homing_answer_with_the_state_they_lead_to():
    machine = in_state("READY")
    assert machine.answers[-1] == ({"state": "READY"}, None)
    assert machine.request("arm") == ({"state": "ARMED"}, None)
    assert machine.request("disarm") == ({"state": "READY"}, None)
    assert machine.request("disarm") == ({"state": "SAFE"}, None)


@pytest.mark.requirement("R6")
def test_a_blocked_line_is_free_once_priming_has_come_as_far_as_before_and_not_earlier():
    machine = in_state("SAFE")
    machine.controller.pressed = True
    machine.request("home")
    machine.run_while("HOMING")
    assert machine.job.retreat > 0
    machine.request("prime", {"volume_nl": 1_000})
    machine.run_while("HOMING")
    assert machine.state == "READY"
    assert machine.job.retreat > 0
    assert machine.controller.pressed
    machine.request("prime", {"volume_nl": 20_000})
    machine.run_while("HOMING")
    assert machine.job.retreat == 0
    assert not machine.controller.pressed
