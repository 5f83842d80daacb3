"""A profile worked out for the machine, and its strikes carried out one after another."""

from fractions import Fraction
from itertools import pairwise

import board
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stand_ins import PROFILE, STRIKE_TIMING, TICKS_PER_MS, Machine

from injector.errors import Refusal

STEP_NL = Fraction(PROFILE["syringe_nl_per_mm"], board.PLUNGER_STEPS_PER_MM)


def delivering(**changes: object) -> Machine:
    """A machine whose first strike has just begun."""
    machine = Machine().boot().make_ready(**changes)
    machine.request("arm")
    machine.pull()
    assert machine.state == "DELIVERING"
    return machine


def to_the_end(machine: Machine, at_most_ms: int = 20_000) -> Machine:
    while machine.state == "DELIVERING":
        machine.run(10)
        at_most_ms -= 10
        assert at_most_ms > 0
    return machine


def shots(machine: Machine) -> list[dict[str, object]]:
    return [params for method, params in machine.told if method == "shot"]


def load(**changes: object) -> dict[str, int]:
    plan, refusal = Machine().boot().request("profile.load", {"profile": {**PROFILE, **changes}})
    if refusal:
        raise refusal
    return plan


def test_every_strike_is_reported_with_what_was_commanded_counted_and_seen():
    machine = to_the_end(delivering())
    assert machine.state == "READY"
    reports = shots(machine)
    assert [report["shot"] for report in reports] == [1, 2, 3]
    for report in reports:
        assert (report["outcome"], report["why"]) == ("done", "")
        assert report["commanded_nl"] == PROFILE["dose_nl"]
        assert report["depth_um"] == PROFILE["depth_um"]
        assert report["steps"] == report["audit"]
        assert report["out_us"] == 1_000 * board.STRIKE_TRAVEL_MS
        back_ms = board.STRIKE_TRAVEL_MS + PROFILE["dwell_ms"] + board.STRIKE_RETURN_MS
        assert report["back_us"] == 1_000 * back_ms


@given(st.data(), st.integers(1_000, 60_000), st.integers(1, 8), st.integers(0, 5_000))
@settings(max_examples=30)
def test_the_doses_add_up_to_within_half_a_step(
    data: st.DataObject, nl_per_mm: int, number: int, spare_nl: int
):
    step_nl = nl_per_mm // board.PLUNGER_STEPS_PER_MM + 1
    dose_nl = data.draw(st.integers(step_nl, nl_per_mm // 2))
    machine = to_the_end(
        delivering(
            dose_nl=dose_nl,
            shots=number,
            syringe_nl_per_mm=nl_per_mm,
            fill_nl=dose_nl * number + spare_nl,
            flow_nl_s=8 * nl_per_mm,
            dwell_ms=100,
            period_ms=140,
        )
    )
    asked = Fraction(dose_nl * number * board.PLUNGER_STEPS_PER_MM, nl_per_mm)
    assert abs(machine.port.pushed - asked) <= Fraction(1, 2)
    assert sum(report["steps"] for report in shots(machine)) == machine.port.pushed
    assert len(shots(machine)) == number


def test_the_volume_told_does_not_drift_away_from_the_volume_pushed():
    machine = to_the_end(delivering(shots=200, fill_nl=200_000, period_ms=60))
    status = machine.commands.status()
    assert abs(status["delivered_nl"] - machine.port.pushed * STEP_NL) <= Fraction(1, 2)
    assert status["left_nl"] == 200_000 - status["delivered_nl"]


def test_strikes_begin_a_period_apart():
    machine = to_the_end(delivering())
    starts = [report["t_ms"] for report in shots(machine)]
    assert [b - a for a, b in pairwise(starts)] == [PROFILE["period_ms"]] * 2


def test_a_single_profile_gives_one_strike_a_pull():
    machine = delivering(mode="single")
    machine.run(1_000)
    assert machine.state == "ARMED"
    assert machine.port.strikes == 1
    for strikes in (2, 3):
        machine.pull()
        machine.run(1_000)
        assert machine.port.strikes == strikes
    assert machine.state == "READY"


def test_a_dry_profile_strikes_and_moves_no_plunger():
    machine = to_the_end(delivering(dose_nl=0, fill_nl=0))
    assert machine.port.strikes == 3
    assert machine.port.pushed == 0
    assert [(report["dose_nl"], report["steps"]) for report in shots(machine)] == [(0, 0)] * 3


@pytest.mark.parametrize("ms", [2, 8, 14, 20, 30, 44, 49])
@pytest.mark.parametrize("hand", ["contact", "trigger", "guard", "stop", "cartridge", "supply"])
def test_a_strike_that_is_stopped_reports_what_was_counted(hand: str, ms: int):
    machine = Machine().boot().make_ready(dwell_ms=30)
    machine.request("arm")
    machine.pull(20)
    while not machine.port.strikes:
        machine.run(1)
    machine.port.advance(ms)
    machine.port.set(hand, 0)
    pushed = machine.port.pushed
    machine.run(200)
    assert machine.port.pushed == pushed
    (report,) = shots(machine)
    assert report["outcome"] == "stopped"
    assert report["audit"] == pushed
    assert abs(report["dose_nl"] - pushed * STEP_NL) <= Fraction(1, 2)
    assert machine.state == ("PAUSED" if hand in ("contact", "trigger") else "FAULT")


def test_a_stopped_dose_leaves_no_residue_to_the_next():
    machine = delivering()
    machine.port.set("trigger", 0)
    machine.run(100)
    machine.pull(200)
    reports = shots(machine)
    assert reports[0]["outcome"] == "stopped"
    # 184.45 steps a dose: with the residue of the first it would be 185
    assert [report["steps"] for report in reports] == [184, 184, 185]


def test_after_the_last_shot_nothing_more_is_struck_whoever_asks():
    machine = to_the_end(delivering())
    machine.controller.delivery.start()
    assert machine.port.strikes == PROFILE["shots"]


def test_a_needle_that_does_not_reach_its_stop_is_a_misfire():
    machine = Machine().boot().make_ready()
    machine.request("arm")
    machine.port.set("needle_jams", 1)
    machine.pull(60)
    assert machine.state == "FAULT"
    assert machine.controller.alarm["code"] == "misfire"
    (report,) = shots(machine)
    assert (report["outcome"], report["depth_um"], report["out_us"]) == ("misfire", None, None)
    assert machine.port.pushed == 0


def test_a_needle_that_does_not_come_back_is_told():
    machine = delivering()
    machine.port.set("needle_sticks", 1)
    machine.run(200)
    assert machine.controller.alarm["code"] == "needle_stuck"
    (report,) = shots(machine)
    assert (report["outcome"], report["back_us"]) == ("done", None)


def test_steps_that_the_audit_does_not_count_are_told():
    machine = delivering()
    machine.port.set("lost_steps", 2)
    machine.run(200)
    assert machine.controller.alarm["code"] == "steps_lost"
    (report,) = shots(machine)
    assert report["steps"] - report["audit"] == 2


def test_no_strike_begins_until_the_needle_is_back():
    machine = delivering()
    while machine.port.moving:
        machine.run(1)
    machine.run(30)
    machine.port._needle_is_back = 0
    machine.run(500)
    assert machine.port.strikes == 1
    machine.port._needle_is_back = 1
    machine.run(20)
    assert machine.port.strikes == 2


def test_a_loaded_profile_is_told_as_it_was_worked_out():
    plan = load(dose_nl=10_000, dwell_ms=150, period_ms=400)
    assert plan["dose_steps"] == 1_844
    at_flow_us = 10_000 * 1_000_000 // PROFILE["flow_nl_s"]
    assert at_flow_us <= plan["dose_us"] <= at_flow_us + 15_000
    assert plan["strike_ms"] == board.STRIKE_TRAVEL_MS + 150
    assert plan["min_period_ms"] == plan["strike_ms"] + board.STRIKE_RETURN_MS + 10
    assert plan["depth_steps"] == 3 * board.DEPTH_STEPS_PER_MM


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"period_ms": 59}, r"period_ms is 59 .* take 60 ms"),
        ({"flow_nl_s": 17}, "plunger speed of 0 um/s"),
        ({"flow_nl_s": 209_000}, "plunger speed of 120[0-9]{2} um/s"),
        ({"dwell_ms": 15}, r"needle leaves after 23 ms.*longer dwell_ms"),
        ({"dose_nl": 100_000}, "higher flow_nl_s"),
    ],
)
def test_a_profile_that_cannot_be_true_here_is_refused(changes: dict[str, int], cause: str):
    with pytest.raises(Refusal, match=cause):
        load(**changes)


def test_the_whole_dose_lies_within_settling_and_dwell():
    machine = delivering()
    plan = machine.controller.delivery.plan
    settled_ms = board.STRIKE_TRAVEL_MS + PROFILE["settle_ms"]
    for move in plan.moves.values():
        assert move.first_tick >= settled_ms * TICKS_PER_MS
        assert move.last_tick <= plan.on_ms * STRIKE_TIMING.ticks(1)


def test_the_host_may_ask_for_the_shortest_period_and_gets_it():
    assert load(period_ms=60)["min_period_ms"] == 60
