"""What arming again takes into account of what was given before."""

import pytest
from situations import in_state, refused, striking
from stand_ins import PROFILE, Machine

from injector.errors import Refusal
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


# one session for one removal of the cartridge


def load_another(machine: Machine, cartridge: str = "") -> Refusal | None:
    """What is said to a profile of one shot of 1 µL."""
    changes = {"shots": 1, "dose_nl": 1_000, "cartridge": cartridge}
    profile = {"profile": {**PROFILE, **changes}}
    return machine.request("profile.load", profile)[1]


def take_the_cartridge_out(machine: Machine) -> None:
    machine.port.set("cartridge", 0)
    machine.run(1_100)


@pytest.mark.requirement("R8")
def test_a_cartridge_that_was_out_before_and_after_a_profile_was_loaded_begins_one_session():
    machine = in_state("SAFE")
    take_the_cartridge_out(machine)
    assert load_another(machine) is None
    machine.run(1_100)
    machine.port.set("cartridge", 1)
    machine.run(20)
    given_nl = machine.journal.session_nl
    assert machine.request("home")[1] is None
    machine.run_while("HOMING")
    assert machine.request("arm")[1] is None
    machine.pull(300)
    given_nl += 1_000
    machine.port.set("trigger", 0)
    machine.port.set("contact", 0)
    machine.run(50)
    assert abs(machine.journal.session_nl - given_nl) < 10
    machine.journal.max_session_nl = given_nl
    refusal = load_another(machine)
    assert refusal is not None
    assert refusal.data["name"] == "session_nl"


@pytest.mark.requirement("R8")
def test_what_is_given_since_a_cartridge_was_changed_stays_in_its_session():
    machine = after_one_of_two()
    take_the_cartridge_out(machine)
    machine.port.set("cartridge", 1)
    machine.run(20)
    machine.request("home")
    machine.run_while("HOMING")
    assert machine.request("arm")[1] is None
    machine.pull(300)
    machine.port.set("trigger", 0)
    machine.port.set("contact", 0)
    machine.run(50)
    machine.journal.max_session_nl = machine.journal.session_nl
    refusal = load_another(machine)
    assert refusal is not None
    assert refusal.data["name"] == "session_nl"
    take_the_cartridge_out(machine)
    assert load_another(machine) is None


@pytest.mark.requirement("R11")
def test_a_cartridge_put_in_after_its_number_was_loaded_is_the_one_in_use():
    machine = in_state("SAFE")
    take_the_cartridge_out(machine)
    assert load_another(machine, "12ab") is None
    machine.run(1_100)
    machine.port.set("cartridge", 1)
    machine.run(20)
    assert load_another(machine, "12ab") is None
    take_the_cartridge_out(machine)
    refusal = load_another(machine, "12ab")
    assert refusal is not None
    assert "has been used" in refusal.sentence
