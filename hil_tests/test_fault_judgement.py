"""How the faults campaign judges what it has seen."""

import re

import pytest

from mesodrive_rig.campaigns.faults.catalogue import FAULTS
from mesodrive_rig.campaigns.faults.evidence import ANEW, Note, name_in, not_heeded, started_anew
from mesodrive_rig.campaigns.faults.fault import Fault
from mesodrive_rig.campaigns.faults.seen import Seen
from mesodrive_rig.emulated.provision import firmware_module
from mesodrive_rig.emulated.rig import ROOT

PRIORITY = firmware_module("alarms").PRIORITY
BY_NAME = {fault.name: fault for fault in FAULTS}


def _fault(*codes: str, words: tuple[str, ...] = ()) -> Fault:
    return Fault("a", "b", lambda _: None, codes, words)


# what names a fault


def test_faults_are_named_by_alarms_that_there_are_and_by_starts():
    codes = {code for fault in FAULTS for code in fault.codes}
    assert codes <= {*PRIORITY, ANEW}


def test_a_reset_names_itself_only_by_an_uptime_that_began_with_it():
    assert started_anew(uptime_ms=700, since_reset_ms=700.4)
    assert started_anew(uptime_ms=702, since_reset_ms=700.4)
    assert not started_anew(uptime_ms=2_100, since_reset_ms=700.4)
    for name in ("RUN pin pulled", "brown-out", "watchdog reset"):
        assert name_in(["self-test passed", "SAFE"], BY_NAME[name], ()) == ""
        assert name_in([ANEW, "self-test passed", "SAFE"], BY_NAME[name], ()) == ANEW
    assert name_in([ANEW, "SAFE"], BY_NAME["DMA stands"], ()) == ""


def test_an_alarm_is_known_by_its_code_and_not_by_the_words_of_its_sentence():
    fault = _fault("needle_stuck", words=("needle",))
    sentence = "The needle was not seen; check it."
    assert name_in(["needle_stuck", sentence, "FAULT"], fault, {sentence}) == "needle_stuck"
    assert name_in(["misfire", sentence, "FAULT"], fault, {sentence}) == ""
    again = f"A fault is latched ({sentence}); acknowledge it."
    assert name_in(["misfire", again, sentence, "FAULT"], fault, {sentence}) == ""
    refusal = "The needle is not back at its rest; put that right first."
    assert name_in([refusal, "in position", "READY"], fault, {sentence}) == refusal


def test_a_code_of_another_alarm_is_no_word():
    assert name_in(["guard_open", "FAULT"], _fault(words=("guard",)), ()) == ""


def test_what_a_person_does_all_the_time_names_no_trigger():
    trigger = _fault(words=("trigger",))
    assert name_in(["the trigger was pulled", "DELIVERING"], trigger, ()) == ""
    ended = "a strike that was held on: the trigger was released"
    assert name_in([ended, "PAUSED"], trigger, ()) == ended


# what an alarm leads to


def _alarm(code: str) -> Note:
    return "alarm", {"code": code, "priority": PRIORITY[code], "text": "…"}


def _state(was: str, state: str, why: str = "…") -> Note:
    return "state", {"state": state, "was": was, "why": why}


@pytest.mark.parametrize("code", [code for code in PRIORITY if code != "syringe_low"])
def test_after_an_alarm_nothing_is_live(code: str):
    for state in ("ARMED", "DELIVERING", "PAUSED"):
        assert not_heeded([_alarm(code)], "", state) == code
        assert not_heeded([], code, state) == code
    assert not_heeded([_alarm(code)], "", "SAFE") == ""
    assert not_heeded([_alarm(code)], code, "FAULT") == ""


def test_the_alarms_that_the_documents_say_lead_elsewhere_than_to_fault():
    elsewhere = {code for code in PRIORITY if not not_heeded([], code, "SAFE")}
    text = (ROOT / "docs" / "alarms.md").read_text()
    said = re.search(r"Every alarm but (.*?) latches `FAULT`", text, re.DOTALL)
    assert said
    assert elsewhere == set(re.findall(r"`(\w+)`", said[1]))
    assert not_heeded([_alarm("syringe_low")], "syringe_low", "DELIVERING") == ""
    assert not_heeded([_alarm("dose_in_doubt"), _state("SAFE", "HOMING")], "", "READY") == ""


def test_what_a_person_has_acknowledged_is_over():
    told = [_alarm("misfire"), _state("FAULT", "SAFE", "fault acknowledged")]
    assert not_heeded(told, "", "ARMED") == ""
    assert not_heeded([*told, _alarm("guard_open")], "", "ARMED") == "guard_open"
    by_itself = [_alarm("misfire"), _state("FAULT", "HOMING"), _state("HOMING", "READY")]
    assert not_heeded(by_itself, "", "READY") == "misfire"


# which strikes were asked for


def test_a_strike_is_asked_for_by_a_trigger_and_a_touch_at_its_start():
    seen = Seen()
    seen.held = [[100.0, 200.0]]
    assert not seen.was_asked_for(150.0)  # whatever the wire of the contact says
    seen.touches(True, 90.0)
    seen.touches(True, 95.0)
    assert seen.was_asked_for(150.0)
    assert not seen.was_asked_for(99.0)
    seen.touches(False, 150.0)
    seen.touches(False, 160.0)
    assert seen.touched == [[90.0, 150.0]]
    assert seen.was_asked_for(151.0)  # it was on its way
    assert not seen.was_asked_for(153.0)
    seen.touches(True, 170.0)
    assert seen.was_asked_for(180.0)
    assert not seen.was_asked_for(203.0)
