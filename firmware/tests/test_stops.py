"""Strikes that are cut short or go wrong: what was given is told, and no other follows."""

from fractions import Fraction

import drives
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from situations import MODES, QUICK, STEP_NL, STEPS_PER_MM, alarms, in_state, striking, to_the_end
from stand_ins import PROFILE, TICKS_US, Machine

HANDS = ["contact", "trigger", "guard", "stop", "cartridge", "supply"]
# when, after the start of a strike of 2 mm whose dose takes 17.6 ms
PHASES = {
    "before-out": 1_000,
    "settling": 5_000,
    "first-step": 9_500,
    "in-dose": 18_000,
    "last-step": 27_000,
    "after-dose": 29_000,
    "released": 33_500,
    "between": 40_000,
}
OUT_AT_US, RELEASED_AT_US = 2_400, 32_750  # the needle's way there, and the end of the current


def told_after(machine: Machine, ms: int) -> list[list[object]]:
    machine.run(ms)
    return machine.rows


# a person lets go, or a part of the interlock falls


@pytest.mark.requirement("R3", "R7", "R23")
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("hand", HANDS)
@pytest.mark.parametrize("look_ms", [0, 20])
def test_a_strike_that_is_stopped_ends_at_once_and_tells_what_was_counted(
    hand: str, phase: str, look_ms: int
):
    machine = striking()
    port = machine.port
    machine.look()
    port.advance_us(PHASES[phase])
    port.set(hand, 0)
    assert not port.moving
    pushed = port.pushed
    port.advance(look_ms)  # the interrupt stops; the loop comes later, the needle is back by then
    machine.run(300)
    assert (port.pushed, port.strikes) == (pushed, 1)
    assert machine.state == ("PAUSED" if hand in ("contact", "trigger") else "FAULT")
    assert "steps_lost" not in alarms(machine)
    (row,) = machine.rows
    shot, _, outcome, dose_nl, steps, audit, out_us, back_us, why = row
    assert (shot, steps, audit) == (1, 184, pushed)
    assert abs(dose_nl - pushed * STEP_NL) <= Fraction(1, 2)
    assert (out_us is None) == (phase == "before-out")
    if phase == "between":
        assert (outcome, why) == ("done", "")
        assert isinstance(back_us, int)
    else:
        assert (outcome, back_us) == ("stopped", None)
        assert why


def test_the_phases_are_what_their_names_say():
    pushed = []
    for us in PHASES.values():
        machine = striking()
        machine.port.advance_us(us)
        pushed.append(machine.port.pushed)
    assert pushed[:2] == [0, 0]
    assert pushed[2] == 1
    assert 1 < pushed[3] < 183
    assert 180 <= pushed[4] < 184
    assert pushed[5:] == [184] * 3


@pytest.mark.requirement("R24")
@given(
    st.integers(0, 200_000), st.sampled_from(["trigger", "contact"]), st.integers(0, 20), st.data()
)
@settings(max_examples=60)
def test_whenever_a_series_is_stopped_it_has_told_all_strikes_once_and_all_volume(
    us: int, hand: str, look_ms: int, data: st.DataObject
):
    mode = data.draw(st.sampled_from(["series", "burst", "quick"]))
    machine = striking(
        **(
            QUICK
            if mode == "quick"
            else {**MODES[mode], "burst": 4 if mode == "burst" else 1, "shots": 12}
        )
    )
    port = machine.port
    while us > 0:
        machine.look()
        port.advance_us(min(us, 20_000))
        us -= 20_000
    port.set(hand, 0)
    struck = port.strikes
    port.advance(look_ms)
    machine.run(100)
    assert port.strikes == struck
    assert [row[0] for row in machine.rows] == [*range(1, struck + 1)]
    assert sum(row[5] for row in machine.rows) == port.pushed
    starts = [row[1] for row in machine.rows]
    assert starts == [tick // TICKS_US for tick in port.begun]
    assert machine.commands.status()["shots_done"] == struck


@pytest.mark.requirement("R3")
def test_a_stop_from_the_host_ends_the_strike_at_once():
    machine = striking()
    machine.port.advance(12)
    machine.port.host_stop()
    assert not machine.port.moving
    machine.run(40)
    assert machine.state == "READY"
    ((_, _, outcome, *_, why),) = machine.rows
    assert (outcome, why) == ("stopped", "stopped by the host")


@pytest.mark.requirement("R24")
def test_a_stopped_dose_leaves_no_residue_to_the_next():
    machine = striking()
    machine.port.advance(12)
    machine.port.set("trigger", 0)
    machine.run(100)
    machine.pull(30)
    to_the_end(machine)
    assert machine.rows[0][2] == "stopped"
    # 184.45 steps a dose: with the residue of the first it would be 185
    assert [row[4] for row in machine.rows] == [184, 184, 185]


@pytest.mark.requirement("R24")
def test_a_dose_that_was_queued_and_not_begun_leaves_no_residue():
    machine = striking(shots=10)
    machine.port.advance(40)
    machine.run(1)  # 184 given, 185 queued
    assert machine.port.waiting or machine.port._fifo
    machine.port.set("trigger", 0)
    machine.run(200)
    machine.pull(60)
    assert [row[4] for row in machine.rows] == [184, 184]


@pytest.mark.requirement("R7", "R9")
def test_a_trigger_wire_that_is_shorted_gives_no_strike_and_ends_in_an_alarm():
    machine = Machine().boot().make_ready()
    assert machine.request("arm")[1] is None
    machine.port.hands["trigger_2"] = 1
    machine.port.set("contact", 1)
    machine.run(400)
    assert machine.port.strikes == 0
    assert (machine.state, machine.controller.alarm["code"]) == ("FAULT", "trigger")


@pytest.mark.requirement("R7", "R23")
def test_a_trigger_wire_that_is_shorted_in_mid_series_does_not_keep_it_going():
    machine = striking(shots=10)
    machine.port.hands["trigger_2"] = 1
    machine.port.set("trigger", 0)
    machine.run(10)
    strikes = machine.port.strikes
    machine.run(400)
    assert machine.port.strikes == strikes
    assert (machine.state, machine.controller.alarm["code"]) == ("FAULT", "trigger")


@pytest.mark.requirement("R7")
def test_a_plunger_whose_direction_is_stuck_forward_does_not_push_while_it_seeks_home():
    machine = Machine().boot()
    at = machine.port.at[machine.port.PLUNGER]
    machine.port.dir_wire = 1
    assert machine.request("profile.load", {"profile": PROFILE})[1] is None
    assert machine.request("home")[1] is None
    machine.run_while("HOMING")
    assert (machine.state, machine.controller.alarm["code"]) == ("FAULT", "driver_fault")
    assert machine.port.at[machine.port.PLUNGER] == at


@pytest.mark.requirement("R7")
def test_a_plunger_whose_direction_is_stuck_backward_gives_no_strike():
    machine = Machine().boot().make_ready()
    assert machine.request("arm")[1] is None
    machine.port.dir_wire = 0
    machine.pull(60)
    assert machine.port.strikes == 0
    assert (machine.state, machine.controller.alarm["code"]) == ("FAULT", "driver_fault")


@pytest.mark.requirement("R7")
def test_a_strike_that_does_not_show_itself_at_its_pin_is_told():
    machine = Machine().boot().make_ready()
    assert machine.request("arm")[1] is None
    machine.port.start_strikes = lambda: None  # the wire is shorted: no edge is seen
    machine.port.go_on = lambda: None
    machine.pull(200)
    assert (machine.state, machine.controller.alarm["code"]) == ("FAULT", "misfire")


@pytest.mark.requirement("R23")
@pytest.mark.parametrize("mode", sorted(MODES))
@pytest.mark.parametrize("hand", ["trigger", "contact"])
def test_letting_go_within_the_last_strike_gives_no_strike_more(hand: str, mode: str):
    shots = 2 if mode == "burst" else 1
    machine = striking(**{**MODES[mode], "shots": shots})
    machine.run(80 * (shots - 1))
    machine.port.set(hand, 0)
    machine.run(100)
    for _ in range(3):
        machine.pull(200)
        machine.port.set("contact", 0)
    assert machine.port.strikes == shots
    assert machine.state == "READY"


# what goes wrong by itself


@pytest.mark.requirement("R7", "R25")
def test_a_needle_that_does_not_reach_its_stop_is_a_misfire_and_gives_nothing():
    machine = in_state("ARMED")
    machine.port.set("needle_jams", 1)
    machine.pull(200)
    assert machine.state == "FAULT"
    assert alarms(machine) == ["misfire"]
    (row,) = machine.rows
    assert row[2:] == ["misfire", 0, 184, 0, None, None, "the needle was not seen at its stop"]
    assert (machine.port.pushed, machine.port.strikes) == (0, 1)
    assert not machine.port.enable


@pytest.mark.requirement("R7", "R25")
@pytest.mark.parametrize("mode", ["quick", *sorted(MODES)])
def test_a_misfire_in_the_midst_of_a_pull_is_its_last_strike(mode: str):
    machine = striking(**(QUICK if mode == "quick" else MODES[mode]))
    if mode in ("quick", "series", "dry", "burst"):
        while len(machine.rows) < 1:
            machine.run(1)
    machine.port.set("needle_jams", 1)
    struck = machine.port.strikes
    machine.run(300)
    assert alarms(machine) == ["misfire"]
    assert machine.port.strikes <= struck + 1
    assert [row[2] for row in machine.rows][-1] == "misfire"
    assert [row[0] for row in machine.rows] == [*range(1, machine.port.strikes + 1)]
    assert "Strike %d did not" % machine.port.strikes in machine.controller.alarm["text"]  # noqa: UP031


@pytest.mark.requirement("R25")
@pytest.mark.parametrize("late_us", [6_000, 20_000, 28_000])
def test_a_needle_that_is_out_only_after_the_dose_was_due_gets_none_and_is_the_last(late_us: int):
    machine = in_state("ARMED", shots=5, dwell_us=40_000)
    machine.port.set("needle_late_us", late_us)
    machine.pull(20)
    assert machine.port.strikes == 1
    machine.port.advance(110)  # a loop that comes late changes nothing
    machine.run(50)
    assert alarms(machine) == ["misfire"]
    assert (machine.port.pushed, machine.port.strikes) == (0, 1)
    ((_, _, outcome, dose_nl, *_),) = machine.rows
    assert (outcome, dose_nl) == ("misfire", 0)


@pytest.mark.requirement("R7", "R25")
@pytest.mark.parametrize("mode", ["quick", *sorted(MODES)])
def test_a_needle_that_does_not_come_back_is_told_and_lets_no_other_strike_begin(mode: str):
    machine = striking(**(QUICK if mode == "quick" else MODES[mode]))
    machine.port.set("needle_sticks", 1)
    machine.run(300)
    assert alarms(machine) == ["needle_stuck"]
    assert machine.port.strikes == 1
    ((_, _, outcome, *_, out_us, back_us, why),) = machine.rows
    assert (outcome, back_us, why) == ("stopped", None, "the needle was not seen back")
    assert isinstance(out_us, int)


def test_a_slow_but_sound_spring_is_no_fault():
    machine = striking(shots=2)
    machine.port.set("needle_sticks", 1)
    machine.port.advance(50)  # back is due 36 ms after the start
    machine.look()
    machine.port.set("needle_sticks", 0)
    machine.run(200)
    assert (alarms(machine), machine.state) == ([], "READY")
    assert [row[2] for row in machine.rows] == ["done", "done"]


@pytest.mark.requirement("R7", "R10")
def test_steps_that_the_audit_does_not_count_are_told():
    machine = striking()
    machine.port.set("lost_steps", 2)
    machine.run(200)
    assert alarms(machine) == ["steps_lost"]
    assert "Strike 1 planned 184 plunger steps and 182" in machine.controller.alarm["text"]
    row = machine.rows[0]
    assert (row[2], row[4] - row[5]) == ("done", 2)


@pytest.mark.requirement("R10")
def test_steps_lost_between_two_looks_leave_no_strike_untold():
    machine = striking(
        dose_nl=20, dwell_us=7_000, settle_us=1_000, period_us=23_000, shots=50, flow_nl_s=60_000
    )
    machine.port.set("lost_steps", 1)
    machine.port.advance(50)  # three strikes, the third under way
    assert machine.port.strikes == 3
    machine.run(50)
    assert alarms(machine) == ["steps_lost"]
    assert "Strike 1 planned" in machine.controller.alarm["text"]
    assert [(row[0], row[2]) for row in machine.rows[:2]] == [(1, "done"), (2, "done")]
    assert len(machine.rows) == machine.port.strikes
    assert [row[1] for row in machine.rows] == [tick // TICKS_US for tick in machine.port.begun]


@pytest.mark.requirement("R10")
@pytest.mark.parametrize("how", ["disarm", "open", "stop_byte", "trigger", "guard"])
def test_lost_steps_that_a_stop_finds_are_a_fault_and_an_answer_is_given(how: str):
    machine = striking()
    machine.port.set("lost_steps", 2)
    machine.port.advance(40)  # the first strike is over and nobody has looked
    if how == "disarm":
        assert machine.request("disarm") == ({"state": "FAULT"}, None)
    elif how == "stop_byte":
        machine.port.host_stop()
    else:
        machine.port.set(how, 0)
    machine.run(20)
    assert machine.state == "FAULT"
    assert alarms(machine) == ["steps_lost"]
    assert len(machine.rows) == 1


# what is missing from the syringe


@pytest.mark.requirement("R12")
@pytest.mark.parametrize("done", range(1, 12))
def test_a_syringe_filled_for_just_the_shots_can_be_armed_again_between_them(done: int):
    machine = striking(shots=12, fill_nl=12_000)
    while machine.job.done < done:
        machine.run(1)
    machine.request("disarm")
    machine.port.set("trigger", 0)
    machine.port.set("contact", 0)
    machine.run(10)
    assert machine.request("arm")[1] is None


@pytest.mark.requirement("R24")
@given(st.lists(st.integers(0, 70_000), min_size=1, max_size=4))
@settings(max_examples=30)
def test_after_any_stops_what_is_left_and_what_was_given_are_what_the_plunger_made(
    stops_us: list[int],
):
    machine = in_state("ARMED", shots=30)
    for us in stops_us:
        machine.pull(30)
        machine.port.advance_us(us)
        machine.port.set("trigger", 0)
        machine.run(120)
        assert machine.state == "PAUSED"
    status = machine.commands.status()
    given_nl = Fraction(machine.port.pushed * PROFILE["syringe_nl_per_mm"], STEPS_PER_MM)
    assert abs(status["delivered_nl"] - given_nl) <= Fraction(1, 2)
    assert status["left_nl"] == PROFILE["fill_nl"] - status["delivered_nl"]
    assert sum(row[3] for row in machine.rows) == status["delivered_nl"]
    assert sum(row[5] for row in machine.rows) == machine.port.pushed


def test_the_reference_times_of_this_file_are_the_machines():
    assert drives.ACTUATOR.travel_us(2_000) + PROFILE["dwell_us"] == RELEASED_AT_US
    machine = striking()
    machine.port.advance_us(OUT_AT_US)
    assert machine.port.needle.is_out
