"""A plunger that gets its steps and does not push: motor, coupling, STEP wire, air in the line."""

import pytest
from situations import alarms, striking, to_the_end
from stand_ins import Machine

pytestmark = pytest.mark.requirement("R10", "R13")

DRIP = {"mode": "drip", "shots": 1, "dose_nl": 400_000, "flow_nl_s": 20_000,
        "dwell_us": 25_000_000, "period_us": 40_000_000}  # fmt: skip
LONG = {"dose_nl": 10_000, "dwell_us": 160_000, "period_us": 300_000}  # pushed for 100 ms
SHORT = {"dose_nl": 2_000, "dwell_us": 50_000, "period_us": 100_000}  # for 20 ms
RISE_MN = 277  # a quarter of 64 kPa on 17.349 mm², and a count to be sure
FELT_MN = RISE_MN + 16


def pulling(push_mn: int, **changes: object) -> Machine:
    machine = striking(**changes)
    machine.port.push_mn = push_mn
    return machine


def test_a_plunger_that_is_felt_to_push_goes_on():
    machine = to_the_end(pulling(FELT_MN, **LONG, shots=5))
    assert (machine.state, alarms(machine), len(machine.rows)) == ("READY", [], 5)


def test_a_plunger_that_is_not_felt_stops_within_its_first_long_dose():
    machine = to_the_end(pulling(RISE_MN - 16, **LONG))
    assert (machine.state, alarms(machine)) == ("FAULT", ["stalled"])
    ((_, _, outcome, _, planned, made, *_, why),) = machine.rows
    assert (outcome, why) == ("stopped", "the plunger was not felt to push")
    assert made < planned
    assert "strike 1" in machine.controller.alarm["text"]


def test_a_plunger_that_leaves_off_in_the_midst_of_a_long_dose_is_told_with_that_strike():
    machine = pulling(FELT_MN, **{**LONG, "dose_nl": 5_000}, shots=5)
    while machine.port.pushed < 500:  # of 922
        machine.port.advance(1)
        machine.look()
    machine.port.push_mn = 0
    to_the_end(machine)
    assert (machine.state, alarms(machine)) == ("FAULT", ["stalled"])
    assert (machine.port.strikes, [row[2] for row in machine.rows]) == (1, ["stopped"])
    assert "strike 1" in machine.controller.alarm["text"]


def test_a_plunger_that_leaves_off_in_a_drip_is_told_before_its_end():
    machine = pulling(FELT_MN, **DRIP)
    while machine.port.pushed < 1_000:
        machine.port.advance(1)
        machine.look()
    machine.port.push_mn = 0
    pushed = machine.port.pushed
    to_the_end(machine)
    assert alarms(machine) == ["stalled"]
    assert machine.port.pushed - pushed < 200 + 93 + 461  # two looks, 0.5 µL, 25 ms of flow


def test_doses_too_short_for_their_end_to_be_felt_are_told_after_3_ul():
    machine = to_the_end(pulling(0, **SHORT, shots=5))
    assert (machine.state, alarms(machine)) == ("FAULT", ["stalled"])
    assert machine.port.strikes == 2
    machine = to_the_end(pulling(FELT_MN, **SHORT, shots=5))
    assert (machine.state, alarms(machine)) == ("READY", [])


def test_where_a_push_is_too_weak_to_be_felt_nothing_is_made_of_it():
    machine = to_the_end(pulling(0, **LONG, pressure_pa=20_750, shots=3))
    assert (machine.state, alarms(machine)) == ("READY", [])


def test_a_syringe_that_sticks_less_from_strike_to_strike_is_felt_against_its_least():
    machine = pulling(FELT_MN, **LONG, shots=5)
    ended = 0
    while machine.state == "DELIVERING":
        if machine.port.finished > ended:
            ended = machine.port.finished
            machine.port.force_mn -= 60
        machine.port.advance(5)
        machine.look()
    assert (machine.state, alarms(machine), ended) == ("READY", [], 4)  # the fifth is the last


def test_pressure_that_is_still_there_when_the_pull_begins_does_not_hide_a_push():
    machine = pulling(FELT_MN, **LONG, shots=3)
    machine.port.force_mn += 400
    machine.run(30)
    machine.port.force_mn -= 400
    to_the_end(machine)
    assert (machine.state, alarms(machine)) == ("READY", [])


def test_one_look_at_a_force_is_no_push():
    machine = pulling(0, **LONG)
    while machine.state == "DELIVERING":
        machine.port.force_mn = 2_000 + FELT_MN * (machine.port.now_ms % 8 < 4)
        machine.port.advance(1)
        if machine.port.now_ms % 10 == 0:
            machine.look()
    assert alarms(machine) == ["stalled"]


@pytest.mark.parametrize("last", [1_844, 1_200])
def test_a_push_that_nobody_could_look_at_is_no_stall(last: int):
    """Memory is collected, and more: at the end of the dose, or in its midst."""
    machine = pulling(FELT_MN, **LONG)
    while machine.port.pushed < last - 35 * 18:
        machine.port.advance(1)
        machine.look()
    machine.port.force_unseen = True
    machine.port.advance(45)
    machine.port.force_unseen = False
    machine.look()
    to_the_end(machine)
    assert (machine.state, alarms(machine)) == ("READY", [])
