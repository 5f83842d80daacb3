"""How the faults campaign judges what it has seen."""

import re
from dataclasses import replace

import pytest

from mesodrive_rig.campaigns.faults.catalogue import FAULTS
from mesodrive_rig.campaigns.faults.evidence import ANEW, Note, name_in, not_heeded, started_anew
from mesodrive_rig.campaigns.faults.excess import SLACK_UL, excess_ul
from mesodrive_rig.campaigns.faults.fault import Fault
from mesodrive_rig.campaigns.faults.seen import Seen
from mesodrive_rig.campaigns.faults.treatment import DOSE_UL, NEARBY
from mesodrive_rig.campaigns.pure_firmware import firmware
from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.plant import (
    Contact,
    Injector,
    Layer,
    ManualClock,
    Sensor,
    StrikeTruth,
    Truth,
)
from mesodrive_rig.plant.interlock import Interlock
from mesodrive_rig.plant.supply import Veto

PRIORITY = firmware("injector.alarms").PRIORITY
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


def _pins(contact: Contact, *, welded: bool) -> set[str]:
    """Those that read 0 with this pair at fault, welded with its switch opened."""
    levels: dict[str, bool] = {}
    interlock = Interlock(
        lambda sensor, level, _: levels.update({sensor: bool(level)}),
        lambda veto, closed, _: levels.update({veto.name: closed}),
    )
    if welded:
        interlock.weld(contact, 0)
        interlock.move(Sensor.STOP if "stop" in contact else Sensor.GUARD, False, 0)
    else:
        interlock.burn(contact, 0)
    levels["rail"] = levels[Veto.STOP.name] and levels[Veto.GUARD.name]
    return {name for name in ("stop", "guard", "interlock", "rail") if not levels[name]}


@pytest.mark.parametrize("welded", [True, False])
@pytest.mark.parametrize("contact", list(Contact))
def test_a_contact_is_named_by_what_the_pins_behind_it_tell(contact: Contact, welded: bool):
    causes = firmware("injector.causes")
    masks = {name: 1 << place for place, name in enumerate(causes.HOT_INPUTS)}
    low = _pins(contact, welded=welded)
    code, why = causes.first_fallen(sum(masks.values()) - sum(masks[n] for n in low), masks)
    agrees = ("interlock" in low) == bool(low & {"stop", "guard"})
    fault = BY_NAME[f"{contact} {'welded' if welded else 'burnt'}"]
    assert set(fault.codes) == ({code} if agrees else {code, "selftest"})
    assert name_in([why, "SAFE"], fault, ()) == why
    others = {reason for name, _, reason in causes._CAUSES if name not in low}
    assert name_in([*others, "SAFE"], fault, ()) == ""


def test_an_analog_sensor_is_named_by_its_own_alarms():
    drives = firmware("drives")
    for sensor, name, sensed in (
        ("coil_temp", "coil temperature", drives.COIL_SENSOR),
        ("supply", "motor supply", drives.SUPPLY_SENSOR),
        ("force", "plunger force", drives.FORCE_SENSOR),
    ):
        sentence = firmware("injector.causes").sensor_sentence(name)
        for way, count in (("open", 0), ("grounded", 0), ("shorted to 3V3", 4095)):
            fault = BY_NAME[f"{sensor} {way}"]
            count = 4095 if sensor == "coil_temp" and way == "open" else count
            possible = sensed.least <= count <= sensed.most
            assert fault.codes == (("supply_low",) if possible else ("sensor", "selftest"))
            assert name_in([sentence, "SAFE"], fault, ()) == sentence
    assert "over_temperature" in BY_NAME["coil_temp is stuck"].codes
    assert "occlusion" in BY_NAME["force is noisy"].codes
    assert "occlusion" not in BY_NAME["supply is noisy"].codes


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


# what nobody asked for


def _strike(skin_ul: float, lost_ul: float = 0.0) -> StrikeTruth:
    return StrikeTruth(0.0, 3.0, 60.0, 63.0, 0.25, skin_ul, lost_ul, Layer.EPIDERMIS)


def _truth(pushed_ul: float, line_ul: float = 2.0) -> Truth:
    return replace(
        Injector(NEARBY, ManualClock(), lambda _sensor, _level, _ns: None).truth(),
        pushed_ul=pushed_ul,
        line_ul=line_ul,
    )


def test_a_strike_that_ended_early_leaves_no_room_for_excess():
    strikes = [_strike(DOSE_UL), _strike(1.0)]
    pushed_ul = 2.5 + DOSE_UL + 1.0
    assert excess_ul(_truth(pushed_ul), strikes, 2.5) == 0.0
    assert excess_ul(_truth(pushed_ul + 1.0), strikes, 2.5) == pytest.approx(1.0 - SLACK_UL)


def test_of_a_strike_that_gave_too_much_a_dose_was_asked_for():
    strikes = [_strike(DOSE_UL, 1.5)]
    assert excess_ul(_truth(DOSE_UL + 4.0), strikes, 2.5) == pytest.approx(1.5 - SLACK_UL)


def test_what_a_blocked_line_holds_is_allowed_as_far_as_doses_fell_short():
    strikes = [_strike(0.0)]
    assert excess_ul(_truth(2.5 + 3.0, line_ul=5.0), strikes, 2.5) == 0.0
    held = _truth(2.5 + 6.0, line_ul=8.0)
    assert excess_ul(held, strikes, 2.5) == pytest.approx(6.0 - DOSE_UL - SLACK_UL)
    assert excess_ul(held, [], 2.5) == pytest.approx(6.0 - SLACK_UL)
