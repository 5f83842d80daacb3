"""What arming again takes into account of what was given before."""

import pytest
from situations import in_state, refused, restarted, striking
from stand_ins import PROFILE, Machine

from injector.errors import Refusal
from mesodrive_wire import INTERLOCK


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


@pytest.mark.requirement("R8", "R11")
def test_a_cartridge_that_was_taken_out_is_armed_only_once_its_profile_is_loaded():
    machine = after_one_of_two()
    take_the_cartridge_out(machine)
    put_a_cartridge_in(machine)
    if machine.state == "SAFE":
        machine.request("home")
        machine.run_while("HOMING")
    refusal = refused(machine, "arm")
    assert (refusal.code, refusal.data) == (INTERLOCK, {"input": "cartridge"})
    assert "load the profile again" in refusal.sentence
    assert load_another(machine) is None
    machine.request("home")
    machine.run_while("HOMING")
    assert machine.request("arm")[1] is None


@pytest.mark.requirement("R11")
def test_a_contact_of_the_cartridge_that_bounces_needs_no_profile_again():
    machine = after_one_of_two()
    machine.port.set("cartridge", 0)
    machine.run(900)
    machine.port.set("cartridge", 1)
    machine.run(20)
    assert machine.request("arm")[1] is None


def test_arming_disarming_and_homing_answer_with_the_state_they_lead_to():
    machine = in_state("READY")
    assert machine.answers[-1] == ({"state": "READY"}, None)
    assert machine.request("arm") == ({"state": "ARMED"}, None)
    assert machine.request("disarm") == ({"state": "READY"}, None)
    assert machine.request("disarm") == ({"state": "SAFE"}, None)


@pytest.mark.requirement("R6")
@pytest.mark.parametrize("taken_up_nl", [0, 1_000])
def test_a_blocked_line_is_free_once_one_priming_was_as_much_as_arming_asks_for(taken_up_nl: int):
    machine = blocked_and_homed()
    if taken_up_nl:
        prime(machine, taken_up_nl)
    nl = asked_nl(machine)
    # A millimetre to the plunger, and more than 300 kPa press into a line of 0.05 µL/kPa.
    assert nl == pytest.approx(17_349 - taken_up_nl + 20_000, abs=8)
    prime(machine, nl - 12)
    assert machine.job.retreat == 0
    again_nl = asked_nl(machine)
    assert again_nl == pytest.approx(20_000, abs=8)
    prime(machine, again_nl)
    assert machine.request("arm")[1] is None


@pytest.mark.requirement("R6")
def test_a_priming_of_what_homing_drew_back_shows_nothing_not_even_in_small_parts():
    machine = blocked_and_homed()
    prime(machine, machine.job.meter.nl(machine.job.retreat))
    assert machine.job.retreat == 0
    for _ in range(20):
        prime(machine, 1_000)
    assert "The line was blocked" in refused(machine, "arm").sentence


@pytest.mark.requirement("R6")
def test_where_a_site_allows_less_than_a_blocked_line_takes_up_the_most_it_allows_is_enough():
    machine = blocked_and_homed()
    machine.settings.values["prime_nl"] = 5_000
    for _ in range(5):  # the fourth comes to the plunger, the fifth is whole beyond it
        assert asked_nl(machine) == 5_000
        prime(machine, 5_000)
    assert machine.job.retreat == 0
    assert machine.request("arm")[1] is None


@pytest.mark.requirement("R6")
def test_twenty_microlitres_at_once_show_that_a_line_is_free_and_a_nanolitre_less_does_not():
    machine = in_state(
        "READY",
        syringe_nl_per_mm=1_000,  # three steps a nl
        dose_nl=100,
        flow_nl_s=8_000,
        shots=2,
        dwell_us=40_000,
        fill_nl=50_000,
    )
    machine.controller.pressed = True
    assert asked_nl(machine) == 20_001  # rounding may cost a step
    prime(machine, 19_999)
    assert "The line was blocked" in refused(machine, "arm").sentence
    prime(machine, 20_000)
    assert machine.request("arm")[1] is None


@pytest.mark.requirement("R6")
@pytest.mark.parametrize(("limit_nl", "free"), [(2, False), (3, True)])  # 5.4 nl a step
def test_a_priming_that_pushes_no_step_shows_nothing_whatever_a_site_allows(
    limit_nl: int, free: bool
):
    machine = in_state("READY")
    machine.settings.values["prime_nl"] = limit_nl
    machine.controller.pressed = True
    assert asked_nl(machine) == limit_nl
    prime(machine, limit_nl)
    assert (machine.request("arm")[1] is None) == free


@pytest.mark.requirement("R6")
@pytest.mark.parametrize("freed", [False, True])
def test_that_the_line_was_blocked_outlives_a_power_cut_until_priming_has_shown_it_free(
    freed: bool,
):
    machine = blocked_and_homed()
    if freed:
        prime(machine, 50_000)
    machine.request("disarm")
    machine.run(20)
    after = restarted(machine)
    after.make_ready()
    assert (after.job.retreat > 0) == (not freed)
    refusal = after.request("arm")[1]
    assert (refusal is None) == freed
    assert freed or (refusal and "The line was blocked" in refusal.sentence)


def blocked_and_homed() -> Machine:
    """In READY after an occlusion, with the pusher behind the plunger."""
    machine = in_state("SAFE")
    machine.controller.pressed = True
    machine.run(20)
    machine.request("home")
    machine.run_while("HOMING")
    assert machine.job.retreat > 0
    return machine


def asked_nl(machine: Machine) -> int:
    """How much arming wants to be primed."""
    refusal = refused(machine, "arm")
    nl = refusal.data["prime_nl"]
    assert isinstance(nl, int)
    assert refusal.sentence.endswith(f"prime into the air first, {nl} nl at once.")
    return nl


def prime(machine: Machine, nl: int) -> None:
    assert machine.request("prime", {"volume_nl": nl})[1] is None
    machine.run_while("HOMING")
    assert machine.state == "READY"


# one session for one removal of the cartridge


def load_another(machine: Machine, cartridge: str = "") -> Refusal | None:
    """What is said to a profile of one shot of 1 µL."""
    changes = {"shots": 1, "dose_nl": 1_000, "cartridge": cartridge}
    profile = {"profile": {**PROFILE, **changes}}
    return machine.request("profile.load", profile)[1]


def take_the_cartridge_out(machine: Machine) -> None:
    machine.port.set("cartridge", 0)
    machine.run(1_100)


def put_a_cartridge_in(machine: Machine) -> None:
    machine.port.set("cartridge", 1)
    machine.run(20)


def loaded_with_the_cartridge_out(cartridge: str = "") -> Machine:
    """A device whose profile was loaded while it had no cartridge; now it has one."""
    machine = in_state("SAFE")
    take_the_cartridge_out(machine)
    assert load_another(machine, cartridge) is None
    machine.run(1_100)
    put_a_cartridge_in(machine)
    return machine


@pytest.mark.requirement("R8")
def test_a_cartridge_that_was_out_before_and_after_a_profile_was_loaded_begins_one_session():
    machine = loaded_with_the_cartridge_out()
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


@pytest.mark.requirement("R11")
def test_a_cartridge_put_in_after_its_number_was_loaded_is_the_one_in_use():
    machine = loaded_with_the_cartridge_out("12ab")
    assert load_another(machine, "12ab") is None
    take_the_cartridge_out(machine)
    refusal = load_another(machine, "12ab")
    assert refusal is not None
    assert "has been used" in refusal.sentence


@pytest.mark.requirement("R8", "R11")
@pytest.mark.parametrize("method", ["home", "prime"])
def test_nothing_is_homed_or_primed_for_a_cartridge_that_was_taken_out(method: str):
    machine = in_state("READY")
    take_the_cartridge_out(machine)
    put_a_cartridge_in(machine)
    refusal = refused(machine, method, {"volume_nl": 1_000} if method == "prime" else {})
    assert (refusal.code, refusal.data) == (INTERLOCK, {"input": "cartridge"})
    assert "load the profile again" in refusal.sentence


@pytest.mark.requirement("R11")
def test_a_cartridge_put_in_after_its_profile_and_taken_out_wants_it_again():
    machine = loaded_with_the_cartridge_out()
    take_the_cartridge_out(machine)
    put_a_cartridge_in(machine)
    assert "was taken out" in refused(machine, "home").sentence
