"""A request to load holds the profile and nothing else; memory is tidied before it is planned."""

import pytest
from situations import alarms, in_state, refused
from stand_ins import PROFILE

from mesodrive_wire import BAD_PARAMS, FAULTED


@pytest.mark.requirement("R26")
def test_a_profile_comes_with_nothing_beside_it():
    machine = in_state("READY")
    refusal = refused(machine, "profile.load", {"profile": PROFILE, "more": 1})
    assert refusal.code == BAD_PARAMS
    assert "'more'" in refusal.sentence


@pytest.mark.requirement("R22")
def test_memory_is_tidied_before_a_profile_is_planned(monkeypatch: pytest.MonkeyPatch):
    machine = in_state("SAFE")
    done: list[str] = []
    machine.commands._collect = lambda: done.append("tidied")

    def plan(*_: object) -> None:
        done.append("planned")
        raise ValueError("it cannot be.")

    monkeypatch.setattr("injector.commands.Plan", plan)
    refused(machine, "profile.load", {"profile": PROFILE})
    assert done == ["tidied", "planned"]


def test_a_loaded_profile_is_answered_with_what_was_planned():
    machine = in_state("SAFE")
    told = machine.request("profile.load", {"profile": PROFILE})[0]
    plan = machine.job.plan
    assert told == {
        "profile": plan.profile.id,
        "dose_steps": plan.dose_steps,
        "dose_us": plan.dose_us,
        "travel_us": plan.travel_us,
        "strike_us": plan.on_us,
        "return_us": plan.return_us,
        "period_us": PROFILE["period_us"],
        "min_period_us": plan.cycle_us,
        "depth_steps": 19_200,
        "push_felt": plan.forces.rise_mn > 0,
    }


@pytest.mark.requirement("R8")
def test_a_cartridge_that_was_used_before_another_one_is_not_loaded_again():
    machine = in_state("SAFE", cartridge="a1")
    assert machine.request("profile.load", {"profile": {**PROFILE, "cartridge": "b2"}})[1] is None
    refusal = refused(machine, "profile.load", {"profile": {**PROFILE, "cartridge": "a1"}})
    assert refusal.code == BAD_PARAMS
    assert "has been used" in refusal.sentence


@pytest.mark.requirement("R17")
def test_a_profile_whose_record_the_flash_does_not_keep_is_refused_as_a_fault():
    machine = in_state("SAFE")
    flash = machine.port.ledger_flash
    flash.stuck = dict.fromkeys(range(flash.size), 0xFF)
    refusal = machine.request("profile.load", {"profile": PROFILE})[1]
    assert refusal.code == FAULTED
    assert refusal.sentence == machine.journal.trouble
    assert (machine.state, alarms(machine)) == ("FAULT", ["ledger"])
    assert machine.controller.alarm["text"] == refusal.sentence


@pytest.mark.requirement("R17")
def test_nothing_is_loaded_while_nothing_can_be_written_down():
    machine = in_state("SAFE")
    machine.journal.trouble = "The ledger's flash failed; restart the device."
    refusal = refused(machine, "profile.load", {"profile": PROFILE})
    assert (refusal.code, refusal.sentence) == (FAULTED, machine.journal.trouble)
