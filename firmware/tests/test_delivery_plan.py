"""The figures of a plan and of a delivery that has just been made, each at its edge."""

import pytest
from situations import MODES, in_state, striking
from stand_ins import PROFILE, Machine, strike_level

from injector.errors import Refusal

TRAVEL_US, RETURN_US = 2_750, 2_739  # nominal, at 2 mm
ON_US = TRAVEL_US + PROFILE["dwell_us"]
CYCLE_US = ON_US + RETURN_US + PROFILE["rest_us"]
WORD_US = 8_000_000  # what one word is sure to hold
FINE = {"syringe_nl_per_mm": 1_000, "flow_nl_s": 300, "pressure_pa": 0}  # 3.2 steps a nl
LONG = {"dose_nl": 10_000, "dwell_us": 160_000, "period_us": 300_000}  # pushed for 100 ms


def load(**changes: object) -> tuple[Machine, dict[str, int]]:
    machine = Machine().boot()
    told, refusal = machine.request("profile.load", {"profile": {**PROFILE, **changes}})
    if refusal:
        raise refusal
    return machine, told


# what is planned


@pytest.mark.requirement("R29")
def test_a_period_may_be_just_as_long_as_all_that_it_holds():
    assert load(period_us=CYCLE_US)[1]["min_period_us"] == CYCLE_US
    with pytest.raises(Refusal, match=f"period_us is {CYCLE_US - 1} .* take {CYCLE_US} at"):
        load(period_us=CYCLE_US - 1)


@pytest.mark.requirement("R29")
def test_a_syringe_may_be_filled_for_all_of_the_plungers_way():
    syringe = {**FINE, "dose_nl": 10, "dwell_us": 100_000, "period_us": 200_000}
    plan = load(**syringe, fill_nl=60_000)[0].job.plan
    assert [plan.seat_um(left_nl) for left_nl in (60_000, 30_000, 0)] == [0, 30_000, 60_000]
    with pytest.raises(Refusal, match=r"fill_nl is 60001 .* too short"):
        load(**syringe, fill_nl=60_001)


@pytest.mark.requirement("R29")
def test_a_plunger_stands_still_for_no_dose_and_may_be_as_fast_as_it_can():
    with pytest.raises(Refusal, match="speed of 0 um/s"):
        load(flow_nl_s=17)
    assert load(flow_nl_s=208_188)[1]["dose_steps"] == 184  # 12 mm/s


def test_a_profile_without_a_dose_takes_no_time_for_one():
    assert load(**MODES["dry"])[1]["dose_us"] == 0


def test_a_dose_of_one_step_has_words_for_the_strikes_that_get_none():
    plan = load(dose_nl=5)[0].job.plan
    assert plan.dose_steps == 1
    for steps in (0, 1):
        gates = [strike_level(word)[1] for word in plan.words_of(1, steps)]
        assert gates.count(True) == steps


@pytest.mark.parametrize(
    ("soft", "period_us", "ahead_ms"),
    [
        (0, ON_US + WORD_US, 100),
        (0, ON_US + WORD_US + 1, -2),
        (1, 6_000_000, -2),  # the first is half as long again
    ],
)
def test_strikes_are_queued_ahead_when_the_longest_period_is_covered_by_its_words(
    soft: int, period_us: int, ahead_ms: int
):
    plan = load(soft_strikes=soft, period_us=period_us)[0].job.plan
    assert plan.ahead_ms == ahead_ms


# what a delivery begins with


def test_a_new_delivery_has_given_nothing_and_has_all_that_was_filled():
    machine, _ = load()
    job = machine.job
    assert (job.running, job.done, job.low) == (False, 0, False)
    assert (job.left_nl, job.delivered_nl) == (PROFILE["fill_nl"], 0)
    assert (job.since_mark(), job.next_pull) == ((0, 0), PROFILE["shots"])
    job.done = 1
    assert job.next_pull == PROFILE["shots"] - 1


# what a plunger may push without being felt


@pytest.mark.requirement("R12")
def test_half_a_microlitre_without_resistance_is_air_and_a_step_less_is_none():
    machine = striking(
        **FINE, mode="drip", shots=1, dose_nl=1_000, dwell_us=10_000_000, period_us=20_000_000,
        fill_nl=2_000,
    )  # fmt: skip
    machine.port.force_mn = 0
    steps = [0]
    machine.port.counted_in_strikes = lambda: steps[-1]
    for _ in range(10):  # until the force is believed
        machine.look()
    states: list[str] = []
    for made in (1_599, 1_600, 1_601):  # held against the force of the next look
        steps.append(made)
        machine.look()
        states.append(machine.state)
    assert states == ["DELIVERING", "DELIVERING", "FAULT"]
    assert machine.controller.alarm["code"] == "air"


@pytest.mark.requirement("R10", "R13")
@pytest.mark.parametrize(("unfelt", "outcome"), [(223, "done"), (224, "stopped")])
def test_the_last_three_looks_of_a_long_dose_may_go_unfelt(unfelt: int, outcome: str):
    machine = striking(**LONG, shots=2)
    port = machine.port
    port.push_mn = 300  # a quarter of the pressure is 277
    strike = port.strike
    port.strike = lambda number: (*strike(number)[:4], unfelt)  # 221 steps in 12 ms, and 2
    port.advance(180)
    machine.look()
    assert [row[2] for row in machine.rows] == [outcome]
    assert machine.state == ("DELIVERING" if outcome == "done" else "FAULT")


@pytest.mark.requirement("R10", "R13")
def test_a_push_is_expected_above_the_force_with_which_the_pull_begins():
    machine = in_state("ARMED", **LONG)
    machine.port.force_mn = 2_500
    machine.run(60)
    expected: list[int] = []
    machine.port.expect_force = expected.append
    machine.pull()
    force = machine.sensors.force
    assert expected == [force.count(force.value + machine.job.plan.forces.rise_mn)]
