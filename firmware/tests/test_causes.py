"""What is said of each input that is not as it should be."""

import pytest

from injector.alarms import PRIORITY
from injector.causes import (
    GLITCH,
    HELD_INPUTS,
    HOT_INPUTS,
    OCCLUDED,
    absence,
    alarm_sentence,
    first_fallen,
    presence,
)

# The first that applies is told: an open guard, for one, takes interlock and rail with it.
FALLEN = {
    "stop": ("stop_pulled", "the stop was pulled"),
    "guard": ("guard_open", "the guard was opened"),
    "cartridge": ("cartridge_out", "the cartridge was removed"),
    "interlock": ("interlock", "the interlock line fell"),
    "rail": ("rail_dead", "the motor rail fell"),
    "driver_ok": ("driver_fault", "a motor driver reports an error"),
}
WAYS_OUT = {
    "stop": "release the stop",
    "guard": "close the guard",
    "cartridge": "put in a new cartridge",
    "interlock": "check the wires of stop and guard",
    "rail": "check the supply and the stop loop",
    "driver_ok": "let it cool and check motors and their wires",
}
ABSENT = {
    "guard": "The guard is open",
    "stop": "The stop is pulled",
    "interlock": "The interlock line is down although stop and guard look closed",
    "cartridge": "There is no cartridge",
    "needle_back": "The needle is not back at its rest",
    "rail": "The motor rail is off",
    "driver_ok": "A motor driver reports an error",
}
PRESENT = {
    "trigger": "The trigger is pressed; release it",
    "contact": "The device touches the skin; lift it off",
    "needle_out": "The needle is seen at its stop; check its sensor",
    "rail": "The motor rail is on although it was not asked for; check its wiring",
}
MASKS = {name: 1 << place for place, name in enumerate(FALLEN)}
ALL = (1 << len(MASKS)) - 1


@pytest.mark.requirement("R4", "R18")
@pytest.mark.parametrize("name", FALLEN)
def test_each_input_that_has_fallen_is_told_by_its_own_code_and_sentence(name: str):
    code, why = FALLEN[name]
    assert first_fallen(ALL & ~MASKS[name], MASKS) == (code, why)
    sentence = alarm_sentence(code, why)
    assert sentence == f"{why[0].upper()}{why[1:]}; {WAYS_OUT[name]}, then acknowledge."
    assert code in PRIORITY


@pytest.mark.requirement("R18")
def test_of_several_inputs_that_have_fallen_the_one_that_took_the_others_with_it_is_told():
    names = list(FALLEN)
    assert first_fallen(ALL, MASKS) is None
    for place, name in enumerate(names):
        up = sum(MASKS[one] for one in names[:place])
        assert first_fallen(up, MASKS) == FALLEN[name]


@pytest.mark.requirement("R4")
def test_a_cartridge_must_be_there_while_a_person_may_strike_and_not_to_hold_the_axes():
    assert set(HOT_INPUTS) == set(FALLEN)
    assert set(HELD_INPUTS) == set(FALLEN) - {"cartridge"}
    assert first_fallen(ALL & ~MASKS["cartridge"], MASKS, HELD_INPUTS) is None


@pytest.mark.requirement("R18")
@pytest.mark.parametrize(
    ("alarm", "code", "what"),
    [
        (GLITCH, "interlock", "The interlock line fell for a moment"),
        (OCCLUDED, "occlusion", "The plunger resists too much"),
    ],
)
def test_what_no_input_tells_any_more_has_a_code_and_a_sentence_too(
    alarm: tuple[str, str], code: str, what: str
):
    told, sentence = alarm
    assert (told, told in PRIORITY) == (code, True)
    assert sentence.startswith(what)
    assert "acknowledge" in sentence


@pytest.mark.parametrize("name", ABSENT)
def test_what_is_missing_is_told_by_its_own_sentence(name: str):
    assert absence(name) == f"{ABSENT[name]}; put that right first."


@pytest.mark.parametrize("name", PRESENT)
def test_what_must_not_be_there_is_told_by_its_own_sentence(name: str):
    assert presence(name) == f"{PRESENT[name]} first."
