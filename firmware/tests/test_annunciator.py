"""Lights and buzzer against the figures of IEC 60601-1-8, measured from what they do."""

from itertools import pairwise

import pytest
from situations import in_state
from stand_ins import Machine

from injector.alarms import HIGH, LOW, MEDIUM, PRIORITY
from injector.annunciator import BUZZER, LAMP_TEST_MS, RED, YELLOW, Annunciator, signals

STEP_MS = 1


def runs(priority: str, output: int, for_ms: int = 40_000) -> list[tuple[bool, int]]:
    """(on, how long in ms) of one output, one after the other."""
    found: list[tuple[bool, int]] = []
    for ms in range(0, for_ms, STEP_MS):
        on = bool(signals(priority, ms) & output)
        if found and found[-1][0] == on:
            found[-1] = (on, found[-1][1] + STEP_MS)
        else:
            found.append((on, STEP_MS))
    return found[:-1] or found


@pytest.mark.requirement("R18")
@pytest.mark.parametrize(
    ("priority", "light", "least_hz", "most_hz"),
    [(HIGH, RED, 1.4, 2.8), (MEDIUM, YELLOW, 0.4, 0.8)],
)
def test_the_light_flashes_as_often_and_as_long_as_the_standard_says(
    priority: str, light: int, least_hz: float, most_hz: float
):
    flashes = runs(priority, light)
    for (on, on_ms), (_, off_ms) in zip(flashes[::2], flashes[1::2], strict=False):
        assert on
        assert least_hz <= 1000 / (on_ms + off_ms) <= most_hz
        assert 0.2 <= on_ms / (on_ms + off_ms) <= 0.6


@pytest.mark.requirement("R18")
def test_low_is_constant_yellow_and_no_priority_shows_the_other_light():
    assert runs(LOW, YELLOW) == [(True, 40_000)]
    for priority, other in ((HIGH, YELLOW), (MEDIUM, RED), (LOW, RED)):
        assert runs(priority, other) == [(False, 40_000)]


@pytest.mark.requirement("R18")
@pytest.mark.parametrize(
    ("priority", "pulses", "pulse_ms", "again_ms"),
    [(HIGH, 10, (75, 200), (2_500, 15_000)), (MEDIUM, 3, (125, 250), (2_500, 30_000))],
)
def test_the_bursts_have_the_standards_pulses_and_pauses(
    priority: str, pulses: int, pulse_ms: tuple[int, int], again_ms: tuple[int, int]
):
    sounds = runs(priority, BUZZER)
    lengths = [ms for on, ms in sounds if on]
    pauses = [ms for on, ms in sounds if not on]
    assert all(pulse_ms[0] <= ms <= pulse_ms[1] for ms in lengths)
    long = [place for place, ms in enumerate(pauses) if ms >= again_ms[0]]
    assert long[0] == pulses - 1
    assert all(b - a == pulses for a, b in pairwise(long))
    assert all(again_ms[0] <= pauses[place] <= again_ms[1] for place in long)


@pytest.mark.requirement("R18")
def test_a_burst_of_high_priority_is_three_and_two_twice():
    pauses = [ms for on, ms in runs(HIGH, BUZZER) if not on][:9]
    short = [pauses[place] for place in (0, 1, 3, 5, 6, 8)]
    assert all(50 <= ms <= 125 for ms in short)
    assert pauses[2] == pauses[7] == 2 * short[0] + 150
    assert 350 <= pauses[4] <= 1_300


FIVE = [(0, 150), (250, 400), (500, 650), (1_000, 1_150), (1_250, 1_400)]
BEEPS = {  # ms from … to … within a burst, and when the next burst begins
    HIGH: (FIVE + [(on + 1_900, off + 1_900) for on, off in FIVE], 8_300),
    MEDIUM: ([(0, 200), (400, 600), (800, 1_000)], 11_000),
    LOW: ([(0, 200), (400, 600)], 10**9),
}
FLASHES = {HIGH: (200, 500), MEDIUM: (660, 1_660), LOW: (1, 1)}  # ms on, of so many


@pytest.mark.requirement("R18")
@pytest.mark.parametrize("priority", BEEPS)
def test_lights_and_buzzer_go_on_and_off_at_the_very_ms_that_is_documented(priority: str):
    beeps, again_ms = BEEPS[priority]
    on_ms, period_ms = FLASHES[priority]
    for ms in range(25_000):
        lit = ms % period_ms < on_ms
        sounds = any(on <= ms % again_ms < off for on, off in beeps)
        high = priority == HIGH
        light = RED if high else YELLOW
        assert signals(priority, ms) == light * lit + BUZZER * sounds, ms


@pytest.mark.requirement("R18")
@pytest.mark.parametrize("priority", BEEPS)
def test_each_pulse_of_the_first_burst_begins_and_ends_at_its_ms(priority: str):
    beeps, again_ms = BEEPS[priority]
    for on, off in beeps:
        heard = [bool(signals(priority, ms) & BUZZER) for ms in (on, off - 1, off)]
        assert heard == [True, True, False]
        assert not (on and signals(priority, on - 1) & BUZZER)
    assert bool(signals(priority, again_ms) & BUZZER) == (priority != LOW)


def test_a_lamp_is_told_only_when_something_changes_and_an_alarm_begins_its_pattern_anew():
    told: list[tuple[bool, ...]] = []
    lamps = Annunciator(lambda *lit: told.append(lit))
    lamps.look(0, None)
    assert told == []
    lamps.start(1_000)
    assert told == [(True, True, True)]
    lamps.look(1_499, None)
    assert len(told) == 1
    lamps.look(1_500, None)
    assert told[1:] == [(False, False, False)]
    first, second = {"code": "misfire"}, {"code": "misfire"}
    lamps.look(2_000, first)
    lamps.look(2_149, first)
    assert told[2:] == [(True, False, True)]
    lamps.look(2_150, first)
    assert told[3:] == [(True, False, False)]
    lamps.look(2_160, second)
    assert told[4:] == [(True, False, True)]
    lamps.look(2_170, None)
    lamps.look(2_180, None)
    assert told[5:] == [(False, False, False)]


def test_an_alarm_is_shown_at_once_where_no_lamps_are_tested():
    told: list[tuple[bool, ...]] = []
    lamps = Annunciator(lambda *lit: told.append(lit))
    lamps.look(0, {"code": "misfire"})
    assert told == [(True, False, True)]


@pytest.mark.requirement("R18")
def test_low_sounds_once_and_no_more():
    assert [on for on, _ in runs(LOW, BUZZER)] == [True, False, True]


@pytest.mark.requirement("R2", "R18")
def test_at_the_start_lights_and_buzzer_are_on_for_a_moment():
    machine = Machine().boot()
    assert machine.port.alarm == (1, 1, 1)
    assert LAMP_TEST_MS == 500
    machine.run(LAMP_TEST_MS - 10)
    assert machine.port.alarm == (1, 1, 1)
    machine.run(20)
    assert machine.port.alarm == (0, 0, 0)


@pytest.mark.requirement("R18")
def test_a_latched_alarm_is_shown_until_it_is_acknowledged():
    machine = in_state("FAULT")
    machine.run(LAMP_TEST_MS)
    seen = set()
    for _ in range(200):
        machine.run(10)
        seen.add(machine.port.alarm[:2])
    assert seen == {(0, 0), (1, 0)}
    assert PRIORITY[machine.controller.alarm["code"]] == HIGH
    machine.request("ack")
    machine.run(10)
    assert machine.port.alarm == (0, 0, 0)
