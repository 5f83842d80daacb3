"""What is looked at all the time, whoever does what: needle, steps, outputs, rail, interrupts."""

import drives
import pytest
from situations import MODES, QUICK, STEP_NL, alarms, in_state, refused, striking
from stand_ins import DEPTH, PLUNGER

from injector.ledger import record
from injector.limits import NEEDLE_AWAY_MS

HANDS = {"trigger": "the trigger was released", "contact": "skin contact was lost"}


# the needle


@pytest.mark.requirement("R7", "R25")
@pytest.mark.parametrize("state", ["HOMING", "READY", "ARMED", "PAUSED"])
def test_a_needle_that_leaves_its_rest_unasked_stops_the_machine(state: str):
    machine = in_state(state)
    machine.run(30)  # the needle of a strike that was stopped has come back
    machine.port.set("needle_is_back", False)
    machine.run(NEEDLE_AWAY_MS)
    assert (machine.state, alarms(machine)) == (state, [])
    machine.run(30)
    assert (machine.state, alarms(machine)) == ("FAULT", ["needle_stuck"])
    assert not machine.port.enable


@pytest.mark.requirement("R25")
def test_a_needle_that_sticks_in_the_skin_after_a_stop_is_told():
    machine = striking()
    machine.port.needle.sticks = 1
    machine.run(10)
    machine.port.set("trigger", 0)
    machine.run(20)
    assert machine.state == "PAUSED"
    machine.run(NEEDLE_AWAY_MS + 20)
    assert (machine.state, alarms(machine)) == ("FAULT", ["needle_stuck"])


def test_a_rest_sensor_that_bounces_makes_a_pull_wait_and_no_alarm():
    machine = in_state("ARMED", mode="single", shots=4)
    for pull in (1, 2):
        machine.port.set("needle_is_back", False)
        machine.pull(60)
        assert (machine.state, machine.port.strikes) == ("ARMED", pull - 1)
        machine.port.set("needle_is_back", True)
        machine.run(200)
        assert (machine.port.strikes, alarms(machine)) == (pull, [])


@pytest.mark.requirement("R7")
def test_a_needle_that_leaves_between_two_strikes_is_seen_before_the_next():
    machine = striking(period_us=20_000_000)
    machine.run(1_000)
    assert (machine.state, machine.job.done) == ("DELIVERING", 1)
    machine.port.set("needle_is_back", False)
    machine.run(20)
    assert (machine.state, alarms(machine)) == ("FAULT", ["needle_stuck"])
    assert machine.port.strikes == 1


def test_a_rest_sensor_that_bounces_between_two_strikes_ends_nothing():
    machine = striking(period_us=1_000_000)
    machine.run(300)
    machine.port.set("needle_is_back", False)
    machine.look()
    machine.port.set("needle_is_back", True)
    machine.run(2_500)
    assert ([row[2] for row in machine.rows], alarms(machine)) == (["done"] * 3, [])


@pytest.mark.requirement("R25")
def test_a_bounce_in_one_strike_and_another_in_the_next_are_no_needle_that_left():
    machine = striking(**QUICK)
    machine.run(10)
    for strike in (6, 7):  # with no look in between
        while machine.port.started < strike or not machine.port.needle.is_out:
            machine.port.advance_us(100)
        machine.port.set("needle_is_out", False)
        machine.look()
        machine.port.set("needle_is_out", True)
    assert (machine.state, alarms(machine)) == ("DELIVERING", [])


@pytest.mark.requirement("R25")
def test_two_looks_within_one_bounce_are_one():
    machine = striking()
    machine.run(12)
    machine.port.set("needle_is_out", False)
    for _ in range(9):
        machine.look()
        machine.port.advance_us(200)
    machine.port.set("needle_is_out", True)
    machine.run(400)
    assert ([row[2] for row in machine.rows], alarms(machine)) == (["done"] * 3, [])


@pytest.mark.requirement("R25")
def test_a_carriage_that_rebounds_after_a_strike_ends_nothing():
    machine = striking(period_us=200_000)
    while not machine.port.finished:
        machine.port.advance_us(500)
        machine.look()
    machine.port.set("needle_is_back", False)
    for _ in range(15):
        machine.port.advance(1)
        machine.look()
    machine.port.set("needle_is_back", True)
    machine.run(600)
    assert ([row[2] for row in machine.rows], alarms(machine)) == (["done"] * 3, [])


@pytest.mark.requirement("R7", "R25")
def test_a_needle_that_comes_back_in_mid_dose_ends_the_dose():
    machine = striking(mode="drip", dose_nl=100_000, dwell_us=3_000_000, period_us=4_000_000)
    machine.port.push_mn = 1_000
    machine.run(100)
    machine.port.set("needle_is_out", False)
    pushed = machine.port.pushed
    machine.run(20)
    assert (machine.state, alarms(machine)) == ("FAULT", ["misfire"])
    assert (machine.port.pushed - pushed) * STEP_NL < 2_000
    (row,) = machine.rows
    assert row[2] == "misfire"
    assert row[3] == machine.job.meter.nl(machine.port.pushed)


def test_a_bounce_of_the_contact_that_sees_the_needle_out_ends_nothing():
    machine = striking()
    machine.run(12)
    machine.port.set("needle_is_out", False)
    machine.look()
    machine.port.set("needle_is_out", True)
    machine.run(400)
    assert ([row[2] for row in machine.rows], alarms(machine)) == (["done"] * 3, [])


# steps that nobody asked for


@pytest.mark.requirement("R7", "R11")
def test_the_depth_axis_may_not_move_while_strikes_are_given():
    machine = striking()
    machine.run(10)
    machine.port.stray(DEPTH, 20)
    machine.run(15)
    assert (machine.state, alarms(machine)) == ("FAULT", ["free_running"])


@pytest.mark.requirement("R7")
def test_the_plunger_may_not_move_while_the_depth_axis_homes():
    machine = in_state("HOMING")
    machine.port.stray(PLUNGER, 5)
    machine.run(20)
    assert (machine.state, alarms(machine)) == ("FAULT", ["free_running"])
    assert not machine.port.moving


@pytest.mark.requirement("R12", "R24")
@pytest.mark.parametrize(("state", "counts"), [("ARMED", True), ("SAFE", False)])
def test_what_the_plunger_pushed_unasked_has_left_the_syringe(state: str, counts: bool):
    machine = in_state(state)
    left_nl = machine.job.left_nl
    place = machine.plunger.position
    machine.port.stray(PLUNGER, 400)
    machine.run(20)
    assert alarms(machine) == ["free_running"]
    pushed_nl = machine.job.meter.nl(400) if counts else 0  # the motor had no power
    assert left_nl - machine.job.left_nl == pytest.approx(pushed_nl, abs=1)
    assert machine.plunger.position - place in (400, -400)


@pytest.mark.requirement("R12")
def test_no_more_is_pushed_unasked_than_there_is():
    machine = in_state("ARMED")
    machine.port.stray(PLUNGER, 1 << 29)
    machine.run(20)
    assert abs(machine.job.left_nl) < machine.job.step_nl


# where the axes are


@pytest.mark.requirement("R11")
@pytest.mark.parametrize("axis", [PLUNGER, DEPTH])
@pytest.mark.parametrize("state", ["READY", "ARMED", "DELIVERING", "PAUSED"])
def test_an_axis_that_is_at_home_where_it_should_not_be_stops_the_machine(state: str, axis: int):
    machine = in_state(state)
    machine.port.at[axis] = -3_000  # its DIR wire was open on the way
    machine.run(60)
    assert (machine.state, alarms(machine)) == ("FAULT", ["home_stuck"])


@pytest.mark.requirement("R11")
def test_a_home_switch_that_flickers_stops_nothing():
    machine = in_state("ARMED")
    for _ in range(9):
        machine.port.set("home_open", True)
        machine.run(20)
        machine.port.set("home_open", False)
        machine.run(10)
    assert (machine.state, alarms(machine)) == ("ARMED", [])


@pytest.mark.requirement("R11")
@pytest.mark.parametrize(("open_um", "told"), [(150, True), (80, True), (30, False)])
def test_a_home_switch_that_is_found_at_two_places_is_not_believed(open_um: int, told: bool):
    machine = in_state("HOMING")
    per_mm = drives.DEPTH.steps_per_mm
    at = machine.port.at
    for wanted in (lambda: at[DEPTH] <= 0, lambda: at[DEPTH] > 170 * per_mm // 1_000):
        while not wanted():
            machine.run(1)
    while at[DEPTH] > open_um * per_mm // 1_000:
        machine.run(1)
    machine.port.set("home_open", True)
    machine.run(30)
    machine.port.set("home_open", False)
    machine.run_while("HOMING")
    if told:
        assert (machine.state, alarms(machine)) == ("FAULT", ["home_stuck"])
        assert "two places" in machine.controller.why
    else:
        assert (machine.state, alarms(machine)) == ("READY", [])


# outputs


@pytest.mark.requirement("R2")
@pytest.mark.parametrize("state", ["SAFE", "READY"])
def test_a_strike_wire_that_is_shorted_high_fails_the_self_test(state: str):
    machine = in_state(state)
    machine.port.set("strike_high", True)
    machine.run(1_100)
    assert (machine.state, alarms(machine)) == ("FAULT", ["selftest"])
    assert "an output that moves something is high" in machine.controller.why


@pytest.mark.requirement("R7", "R23")
def test_a_strike_wire_that_is_shorted_high_gives_no_strike_and_no_dose():
    machine = in_state("ARMED")
    machine.port.set("strike_high", True)
    machine.pull(60)
    assert (machine.state, alarms(machine)) == ("FAULT", ["misfire"])
    assert (machine.port.strikes, machine.port.pushed) == (0, 0)
    assert machine.job.left_nl == machine.job.plan.profile.fill_nl


# what must have become safe


@pytest.mark.requirement("R3", "R18")
def test_a_rail_that_stays_on_in_a_fault_is_told_once():
    machine = in_state("FAULT")
    machine.port.set("rail_stays", True)
    machine.run(400)
    assert alarms(machine) == ["guard_open"]
    machine.run(3_000)
    assert alarms(machine) == ["guard_open", "rail_on"]
    assert machine.controller.alarm["code"] == "rail_on"
    assert machine.repeats.times("rail_on") == 1
    last = record.read(list(machine.journal.ledger.records())[-1])
    assert (last[0], last[3][0].rstrip(b"\0")) == (record.FAULT, b"rail_on")
    assert refused(machine, "ack").data == {"input": "rail"}
    machine.port.set("rail_stays", False)
    machine.run(20)
    assert machine.request("ack")[1] is None
    machine.run(3_000)
    assert alarms(machine) == ["guard_open", "rail_on"]


@pytest.mark.requirement("R18", "R25")
def test_a_needle_that_stays_out_in_a_fault_is_told_once():
    machine = striking()
    machine.port.needle.sticks = 1
    machine.run(5)
    machine.port.set("guard", 0)
    machine.run(3_000)
    assert alarms(machine) == ["guard_open", "needle_stuck"]
    assert "lift the device" in machine.controller.alarm["text"]


# interrupts


@pytest.mark.requirement("R3", "R14")
@pytest.mark.parametrize("hand", HANDS)
def test_an_interrupt_that_does_not_come_is_noticed_and_the_look_stops_instead(hand: str):
    machine = striking()
    machine.run(10)
    machine.port.set("deaf", True)
    machine.port.set(hand, 0)
    machine.run(15)
    assert (machine.state, alarms(machine)) == ("FAULT", ["selftest"])
    assert "interrupt" in machine.controller.why
    assert not machine.port.moving


@pytest.mark.requirement("R7", "R14")
@pytest.mark.parametrize("before", [0, 2])
def test_a_strike_that_no_interrupt_tells_of_is_told_as_just_that(before: int):
    machine = in_state("ARMED", **MODES["series"], shots=6)
    machine.port.set("contact", 1)
    machine.port.set("trigger", 1)
    while machine.port.finished < before:
        machine.run(1)
    machine.port.set("deaf", True)
    strikes = len(machine.port.begun)
    while len(machine.port.begun) == strikes:
        machine.run(1)
    machine.run(16)
    assert (machine.state, alarms(machine)) == ("FAULT", ["selftest"])
    assert "interrupt" in machine.controller.why
    assert not machine.port.moving


@pytest.mark.requirement("R7", "R14")
@pytest.mark.parametrize(
    ("part", "told"), [("deaf", "selftest"), ("needle_sticks", "needle_stuck")]
)
def test_a_needle_that_no_interrupt_tells_of_is_no_needle_that_sticks(part: str, told: str):
    machine = striking()
    machine.run(30)
    machine.port.set(part, True)
    machine.run(150)
    assert (machine.state, alarms(machine)) == ("FAULT", [told])
    assert [row[2] for row in machine.rows] == ["stopped"]


@pytest.mark.requirement("R7", "R14")
def test_a_home_switch_that_no_interrupt_tells_of_is_not_missing():
    machine = in_state("SAFE")
    machine.port.set("deaf", True)
    machine.request("home")
    machine.run_while("HOMING", 30_000)
    assert (machine.state, alarms(machine)) == ("FAULT", ["selftest"])


# the rail


@pytest.mark.requirement("R18")
@pytest.mark.parametrize(
    ("hand", "why"), [("guard", "the guard was opened"), ("stop", "the stop was pulled")]
)
def test_a_stop_while_the_rail_comes_up_is_told_as_what_it_is(hand: str, why: str):
    machine = in_state("SAFE")
    machine.request("home")
    machine.port.set(hand, 0)
    machine.run(300)
    assert (machine.state, machine.controller.why, alarms(machine)) == ("SAFE", why, [])
