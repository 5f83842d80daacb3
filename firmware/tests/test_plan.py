"""A profile worked out for the machine: what is told of it, what is refused, and why."""

from fractions import Fraction
from itertools import pairwise

import drives
import pytest
from hypothesis import given
from hypothesis import strategies as st
from situations import MODES, STEPS_PER_MM, in_state, refused
from stand_ins import PROFILE, STEP_TIMING, TICKS_US, Machine, Pulses, strike_level

from injector.errors import Refusal
from mesodrive_wire import LIMIT

TRAVEL_US, RETURN_US = 2_750, 2_739  # nominal, at 2 mm


def load(**changes: object) -> dict[str, int]:
    plan, refusal = Machine().boot().request("profile.load", {"profile": {**PROFILE, **changes}})
    if refusal:
        raise refusal
    return plan


def test_a_loaded_profile_is_told_as_it_was_worked_out():
    plan = load(dose_nl=10_000, dwell_us=150_000, period_us=400_000)
    at_flow_us = 10_000 * 1_000_000 // PROFILE["flow_nl_s"]
    assert at_flow_us <= plan.pop("dose_us") <= at_flow_us + 15_000
    assert len(str(plan.pop("profile"))) == 8
    assert plan == {
        "dose_steps": 1_844,
        "travel_us": TRAVEL_US,
        "strike_us": TRAVEL_US + 150_000,
        "return_us": RETURN_US,
        "period_us": 400_000,
        "min_period_us": TRAVEL_US + 150_000 + RETURN_US + 10_000,
        "depth_steps": 3 * drives.DEPTH.steps_per_mm,
        "push_felt": True,
    }


@pytest.mark.requirement("R10", "R13")
@pytest.mark.parametrize("weak", [{"pressure_pa": 20_750}, {"dose_nl": 1_199}, MODES["dry"]])
def test_a_push_too_weak_or_too_short_to_be_felt_is_told(weak: dict[str, object]):
    assert load(**weak)["push_felt"] is False


def test_a_dry_profile_has_no_dose():
    plan = load(**MODES["dry"])
    assert (plan["dose_steps"], plan["dose_us"]) == (0, 0)


def test_the_host_may_ask_for_the_shortest_period_and_gets_it():
    shortest_us = TRAVEL_US + 30_000 + RETURN_US + 10_000
    assert load(period_us=shortest_us)["min_period_us"] == shortest_us
    with pytest.raises(Refusal, match=f"period_us is {shortest_us - 1} .* take {shortest_us} at"):
        load(period_us=shortest_us - 1)


@pytest.mark.requirement("R29")
@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"period_us": 4_000}, "period_us is 4000 .* take 45489 at this depth; strike slower"),
        ({"period_us": 45_489, "depth_um": 2_100}, r"take \d+ at this depth"),
        ({"flow_nl_s": 17}, "plunger speed of 0 um/s; this machine makes 1 to 12000"),
        ({"flow_nl_s": 209_000}, r"plunger speed of 120\d\d um/s; this machine makes 1 to 12000"),
        ({"dwell_us": 15_000}, r"needle leaves after 17750; choose a longer dwell_us"),
        ({"dose_nl": 100_000, "shots": 1}, "higher flow_nl_s"),
        ({"syringe_nl_per_mm": 1_000, "fill_nl": 60_001}, "fill_nl is 60001 .* too short"),
        ({"settle_us": 30_000}, "dose ends .* after the start but the needle leaves after 32750"),
    ],
    ids=["rate", "deeper", "too-slow", "too-fast", "dwell", "dose", "syringe", "settling"],
)
def test_a_profile_that_cannot_be_true_here_is_refused_with_reason_and_limit(
    changes: dict[str, int], cause: str
):
    machine = in_state("READY")
    refusal = refused(machine, "profile.load", {"profile": {**PROFILE, **changes}})
    assert refusal.code == LIMIT
    with pytest.raises(Refusal, match=cause):
        raise refusal


DOSES = st.integers(1, 2_500)
FLOWS = st.integers(10_000, 208_000)
SETTLES = st.integers(1_000, 8_000)


def plan_of(machine: Machine):
    return machine.job.plan


@pytest.mark.requirement("R25", "R29")
@given(DOSES, FLOWS, SETTLES, st.integers(100, 40_000))
def test_a_dose_is_either_refused_or_lies_wholly_between_settling_and_release(
    dose_nl: int, flow_nl_s: int, settle_us: int, dwell_us: int
):
    machine = Machine().boot()
    changes = {
        "dose_nl": dose_nl,
        "flow_nl_s": flow_nl_s,
        "settle_us": settle_us,
        "dwell_us": dwell_us,
    }
    _, refusal = machine.request("profile.load", {"profile": {**PROFILE, **changes}})
    if refusal:
        assert "the dose ends" in refusal.sentence
        return
    plan = plan_of(machine)
    released_ticks = plan.on_us * TICKS_US
    for steps, move in plan.moves.items():
        pulses = Pulses(move.words)
        assert pulses.gated
        assert pulses.rises == move.steps == steps
        gate_ticks = (plan.travel_us + settle_us) * TICKS_US
        assert gate_ticks + pulses.last_tick + 16 <= released_ticks  # the last pulse is whole
        assert pulses.ticks()[-1] - pulses.ticks()[0] == 2 * (move.last - move.first)


@pytest.mark.parametrize(("dose_nl", "flow_nl_s"), [(100, 20_000), (1_000, 100_000), (3, 10_000)])
def test_the_shortest_dwell_that_is_taken_ends_within_3_us_of_the_doses_last_step(
    dose_nl: int, flow_nl_s: int
):
    machine = Machine().boot()

    def taken(dwell_us: int) -> bool:
        changes = {"dose_nl": dose_nl, "flow_nl_s": flow_nl_s, "dwell_us": dwell_us}
        profile = {**PROFILE, **changes}
        return machine.request("profile.load", {"profile": profile})[1] is None

    refused_us, taken_us = 5_000, 60_000
    while taken_us - refused_us > 1:
        middle_us = (taken_us + refused_us) // 2
        if taken(middle_us):
            taken_us = middle_us
        else:
            refused_us = middle_us
    assert taken(taken_us)
    longest = max(Pulses(move.words).last_tick for move in plan_of(machine).moves.values())
    gate_us = PROFILE["settle_us"]  # after the travel, as the dwell is
    assert 0 <= taken_us - gate_us - Fraction(longest, TICKS_US) < 3


@given(DOSES)
def test_a_move_is_planned_for_every_number_of_steps_that_a_residue_can_ask_for(dose_nl: int):
    machine = Machine().boot()
    profile = {**PROFILE, "dose_nl": dose_nl, "dwell_us": 60_000, "period_us": 90_000}
    machine.request("profile.load", {"profile": profile})
    exact = Fraction(dose_nl * STEPS_PER_MM, PROFILE["syringe_nl_per_mm"])
    nearest = round(exact)
    wanted = {steps for steps in (nearest - 1, nearest, nearest + 1) if steps > 0}
    moves = plan_of(machine).moves
    assert wanted <= set(moves)
    meter = machine.job.meter
    assert all(meter.next_steps(dose_nl) in {0, *moves} for _ in range(300))


@given(st.integers(10, 90))
def test_the_plunger_is_never_faster_than_the_flow_asked_for(percent: int):
    machine = Machine().boot()
    flow_nl_s = 2_000 * percent
    machine.request(
        "profile.load",
        {"profile": {**PROFILE, "dose_nl": 100, "flow_nl_s": flow_nl_s, "dwell_us": 90_000,
                     "period_us": 200_000}},
    )  # fmt: skip
    steps_s = Fraction(flow_nl_s * STEPS_PER_MM, PROFILE["syringe_nl_per_mm"])
    for move in plan_of(machine).moves.values():
        ticks = Pulses(move.words).ticks()
        shortest = min(b - a for a, b in pairwise(ticks))
        assert Fraction(2 * STEP_TIMING.hz, shortest) <= steps_s


@pytest.mark.parametrize("soft", [0, 1, 7, 50])
def test_each_strike_of_a_soft_start_has_words_of_its_own_period(soft: int):
    machine = Machine().boot()
    machine.request("profile.load", {"profile": {**PROFILE, "soft_strikes": soft}})
    plan = plan_of(machine)
    for strike in range(1, soft + 4):
        words = plan.words_of(strike, plan.dose_steps)
        ticks = sum(strike_level(word)[2] for word in words)
        counts = plan.profile.period_after_us(strike) * STEP_TIMING.hz // 1_000_000
        assert ticks == 2 * counts


@pytest.mark.parametrize("mode", sorted(MODES))
def test_a_strike_lets_the_dose_begin_once_and_only_when_there_is_one(mode: str):
    machine = Machine().boot()
    machine.request("profile.load", {"profile": {**PROFILE, **MODES[mode]}})
    plan = plan_of(machine)
    gates = [strike_level(word)[1] for word in plan.words_of(1, plan.dose_steps)]
    assert gates.count(True) == (mode != "dry")


@given(st.integers(1, 16), st.integers(0, 2))
def test_a_strike_whose_dose_is_no_step_opens_no_gate(dose_nl: int, steps: int):
    machine = Machine().boot()
    machine.request("profile.load", {"profile": {**PROFILE, "dose_nl": dose_nl}})
    plan = plan_of(machine)
    if steps in (0, *plan.moves) and abs(steps - plan.dose_steps) <= 1:
        gates = [strike_level(word)[1] for word in plan.words_of(1, steps)]
        assert gates.count(True) == bool(steps)


SLOW = {"dose_nl": 5, "dwell_us": 3_000_000, "period_us": 6_000_000}


@pytest.mark.requirement("R29")
def test_the_plungers_speed_is_taken_from_1_um_s_to_its_fastest_and_not_beyond():
    # 17,349 nl a mm
    assert load(**SLOW, flow_nl_s=18)["dose_steps"] == 1
    with pytest.raises(Refusal, match="speed of 0 um/s"):
        load(**SLOW, flow_nl_s=17)
    assert load(flow_nl_s=208_188)["dose_steps"] == 184
    with pytest.raises(Refusal, match="speed of 12001 um/s"):
        load(flow_nl_s=208_206)


@pytest.mark.parametrize(("soft", "longest"), [(0, 1), (1, 1.5), (3, 1.75)])
def test_strikes_are_queued_ahead_only_when_each_is_covered_by_its_words(
    soft: int, longest: float
):
    machine = Machine().boot()
    word_us = machine.port.strike_timing.longest_us
    on_us = TRAVEL_US + 30_000
    for over_us, ahead_ms in ((-2, 100), (0, 100), (2, -2)):
        period_us = int((on_us + word_us + over_us) / longest)
        profile = {**PROFILE, "soft_strikes": soft, "period_us": period_us}
        assert machine.request("profile.load", {"profile": profile})[1] is None
        longest_us = machine.job.plan.profile.period_after_us(1)
        assert abs(longest_us - on_us - word_us - over_us) <= 2
        expected = ahead_ms if longest_us != on_us + word_us else 100
        assert machine.job.plan.ahead_ms == expected


def test_a_dose_of_about_a_step_has_words_for_strikes_with_and_without_one():
    machine = Machine().boot()
    for dose_nl in (2, 3, 5, 8):  # 5.4 nl a step
        machine.request("profile.load", {"profile": {**PROFILE, "dose_nl": dose_nl}})
        for steps in (0, 1):
            gates = [strike_level(word)[1] for word in machine.job.plan.words_of(1, steps)]
            assert gates.count(True) == steps
