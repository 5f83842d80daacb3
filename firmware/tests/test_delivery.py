"""The strikes of a profile, let go one after another, and the volumes told of them."""

from fractions import Fraction
from itertools import pairwise

import drives
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from situations import MODES, QUICK, STEP_NL, STEPS_PER_MM, in_state, striking, to_the_end
from stand_ins import NEEDLE, PROFILE, TICKS_US, Machine

AHEAD_US = 102_000  # 100 ms, reckoned in whole ones


def between(machine: Machine) -> list[Fraction]:
    """µs from the start of each strike to that of the next."""
    return [Fraction(b - a, TICKS_US) for a, b in pairwise(machine.port.begun)]


def test_every_strike_is_reported_with_what_was_planned_counted_and_seen():
    machine = striking()
    started_us = machine.port.now_us
    to_the_end(machine)
    assert machine.state == "READY"
    out_us = NEEDLE.travel_us(2_000)
    back_us = drives.ACTUATOR.travel_us(2_000) + PROFILE["dwell_us"] + NEEDLE.return_us(2_000)
    for n, row in enumerate(machine.rows):
        shot, t_us, outcome, dose_nl, steps, audit, *sensors, why = row
        assert (shot, t_us) == (n + 1, started_us + n * PROFILE["period_us"])
        assert (outcome, why) == ("done", "")
        assert steps == audit == (184, 185, 184)[n]  # 184.45 a dose
        assert abs(dose_nl - steps * STEP_NL) <= 1
        assert sensors == pytest.approx([out_us, back_us], abs=2)
    assert len(machine.rows) == 3


@pytest.mark.requirement("R22")
def test_the_timer_that_wraps_within_a_strike_changes_no_report():
    machine = in_state("ARMED", shots=1)
    machine.run(4_980 - machine.port.now_ms)  # it wraps 5 s after the start
    machine.port.set("contact", 1)
    machine.port.set("trigger", 1)
    before = machine.port.timer_us()
    machine.run(100)
    assert machine.port.timer_us() < before
    ((_, t_us, outcome, *_, out_us, back_us, _),) = machine.rows
    assert t_us * TICKS_US == machine.port.begun[0]
    assert outcome == "done"
    assert 0 < out_us < back_us < 60_000


# when they begin


def test_strikes_begin_exactly_a_period_apart():
    assert between(to_the_end(striking(shots=20))) == [PROFILE["period_us"]] * 19


def test_250_strikes_a_second_are_4_ms_apart_to_the_tick():
    machine = striking(**QUICK)
    to_the_end(machine)
    assert between(machine) == [4_000] * 199
    assert [row[0] for row in machine.rows] == [*range(1, 201)]
    assert {row[2] for row in machine.rows} == {"done"}


def test_20_doses_of_2_microlitres_a_second():
    machine = striking(
        dose_nl=2_000, flow_nl_s=200_000, period_us=50_000, shots=40, dwell_us=33_000
    )
    to_the_end(machine)
    assert between(machine) == [50_000] * 39
    assert abs(machine.port.pushed * STEP_NL - 80_000) <= STEP_NL / 2


@given(st.integers(45_489, 300_000), st.integers(0, 6), st.integers(1, 9))
@settings(max_examples=25)
def test_a_soft_start_is_what_the_hardware_makes_to_the_count(
    period_us: int, soft: int, shots: int
):
    machine = striking(period_us=period_us, soft_strikes=soft, shots=shots)
    to_the_end(machine)
    profile = machine.job.plan.profile
    expected = [profile.period_after_us(k) for k in range(1, shots)]
    assert all(
        0 <= asked - made <= Fraction(1, 62)  # whole counts of 16 ns
        for asked, made in zip(expected, between(machine), strict=True)
    )


@pytest.mark.parametrize("period_us", [8_000_000, 8_500_000, 12_000_000, 60_000_000])
def test_a_period_longer_than_a_word_is_never_cut_short(period_us: int):
    machine = striking(period_us=period_us, shots=2, **MODES["dry"])
    to_the_end(machine, 2 * period_us // 1_000)
    (made_us,) = between(machine)
    assert 0 <= made_us - period_us <= (0 if period_us <= 8_000_000 else 20_000)


@given(st.integers(2_000, 15_000), st.integers(1, 50))
@settings(max_examples=20)
def test_no_more_than_32_strikes_are_queued_and_none_102_ms_before_its_turn(
    half_period_us: int, look_ms: int
):
    period_us = 2 * half_period_us  # a whole number of counts of 16 ns
    machine = in_state("ARMED", **{**QUICK, "period_us": period_us, "shots": 60})
    port = machine.port
    queue_strike = port.queue_strike
    queued_us: list[int] = []

    def witness(words: object, move: object) -> None:
        queued_us.append(port.now_us)
        assert len(queued_us) - port.finished <= 32
        queue_strike(words, move)

    port.queue_strike = witness
    machine.pull()
    while machine.state == "DELIVERING":
        port.advance(look_ms)
        machine.look()
    begin_us = port.begun[0] // TICKS_US
    assert all(begin_us + n * period_us <= us + AHEAD_US for n, us in enumerate(queued_us))
    assert [row[0] for row in machine.rows] == [*range(1, 61)]
    assert between(machine) == [period_us] * 59


def test_a_loop_that_looks_late_only_makes_strikes_late():
    machine = striking(**QUICK)
    machine.port.advance(150)  # far beyond the 100 ms that were queued
    assert machine.port.strikes == 26
    machine.run(1)
    to_the_end(machine)
    assert [row[0] for row in machine.rows] == [*range(1, 201)]
    assert min(between(machine)) == 4_000


@pytest.mark.requirement("R9")
def test_no_pull_begins_before_the_last_strikes_period_is_over():
    machine = in_state("ARMED", mode="single", period_us=2_000_000)
    machine.pull(500)
    assert (machine.state, machine.port.strikes) == ("ARMED", 1)
    machine.pull(1_000)
    assert machine.port.strikes == 1
    machine.run(2_000)
    assert machine.port.strikes == 2
    assert 2_000_000 <= between(machine)[0] <= 2_010_000


@pytest.mark.requirement("R25")
def test_no_strike_begins_while_the_needle_is_not_back():
    machine = in_state("ARMED", mode="single")
    machine.pull(200)
    machine.port.needle.is_back = False
    machine.pull(500)
    machine.port.needle.is_back = True
    machine.pull(500)
    assert machine.port.strikes == 1


# what is given


@pytest.mark.requirement("R24")
@given(st.data(), st.integers(1_000, 60_000), st.integers(1, 8), st.integers(0, 5_000))
@settings(max_examples=30)
def test_the_doses_add_up_to_within_half_a_step(
    data: st.DataObject, nl_per_mm: int, number: int, spare_nl: int
):
    step_nl = nl_per_mm // STEPS_PER_MM + 1
    dose_nl = data.draw(st.integers(1, 5 * step_nl) | st.integers(step_nl, nl_per_mm // 2))
    machine = to_the_end(
        striking(
            dose_nl=dose_nl,
            shots=number,
            syringe_nl_per_mm=nl_per_mm,
            fill_nl=dose_nl * number + spare_nl,
            flow_nl_s=8 * nl_per_mm,
            pressure_pa=0,
            dwell_us=100_000,
            period_us=140_000,
        )
    )
    assert machine.state == "READY"
    asked = Fraction(dose_nl * number * STEPS_PER_MM, nl_per_mm)
    assert abs(machine.port.pushed - asked) <= Fraction(1, 2)
    assert sum(row[4] for row in machine.rows) == machine.port.pushed
    assert [row[4] for row in machine.rows] == [row[5] for row in machine.rows]
    assert len(machine.rows) == number


@pytest.mark.requirement("R24")
def test_doses_smaller_than_a_step_are_given_when_they_make_one():
    nl_per_mm = 60_000  # 18.75 nL a step
    machine = striking(dose_nl=8, shots=10, syringe_nl_per_mm=nl_per_mm, flow_nl_s=60_000)
    to_the_end(machine)
    assert [row[2] for row in machine.rows] == ["done"] * 10
    assert [row[4] for row in machine.rows] == [0, 1, 0, 1, 0, 1, 0, 0, 1, 0]
    assert machine.port.pushed == 4  # 80 nL are 4.27 steps


@pytest.mark.requirement("R24")
def test_the_volume_told_does_not_drift_away_from_the_volume_pushed():
    machine = to_the_end(striking(shots=200, fill_nl=200_000, period_us=60_000))
    status = machine.commands.status()
    assert abs(status["delivered_nl"] - machine.port.pushed * STEP_NL) <= Fraction(1, 2)
    assert abs(200_000 - machine.port.pushed * STEP_NL) <= STEP_NL / 2
    assert status["left_nl"] == 200_000 - status["delivered_nl"]
    assert sum(row[3] for row in machine.rows) == status["delivered_nl"]


@pytest.mark.requirement("R25")
@pytest.mark.parametrize("mode", [name for name in MODES if name != "dry"])
def test_no_step_is_made_but_while_the_needle_is_in(mode: str):
    machine = in_state("ARMED", **MODES[mode])
    port = machine.port
    port.set("contact", 1)
    port.set("trigger", 1)
    pushed, steps_out = 0, 0
    for _ in range(1_500):
        machine.look()
        for _ in range(10):
            port.advance_us(100)
            steps_out += (port.pushed - pushed) * (not port.needle.is_out)
            pushed = port.pushed
    assert pushed >= 184
    assert steps_out == 0


def test_a_dry_profile_strikes_and_moves_no_plunger():
    machine = to_the_end(striking(**{**MODES["dry"], "fill_nl": 0}))
    assert machine.port.strikes == 3
    assert machine.port.pushed == 0
    assert [row[3:6] for row in machine.rows] == [[0, 0, 0]] * 3


def test_a_drip_flows_slowly_while_the_needle_stays_in():
    machine = striking(
        mode="drip",
        shots=1,
        dose_nl=400_000,
        flow_nl_s=20_000,
        dwell_us=25_000_000,
        period_us=40_000_000,
    )
    machine.port.push_mn = 300
    machine.run(10_000)
    assert machine.port.needle.is_out
    assert abs(machine.port.pushed * STEP_NL - 10 * 20_000) <= 500
    machine.run_while("DELIVERING", 20_000)
    ((_, _, outcome, dose_nl, _, _, _, back_us, _),) = machine.rows
    assert outcome == "done"
    assert abs(dose_nl - 400_000) <= STEP_NL / 2 + Fraction(1, 2)
    assert 25_000_000 < back_us < 25_010_000


@pytest.mark.requirement("R8")
def test_after_the_last_shot_nothing_more_is_struck_whoever_asks():
    machine = to_the_end(striking())
    machine.job.watch()
    machine.job.start(machine.port.now_ms, 1)
    assert not machine.job.running
    assert machine.port.strikes == PROFILE["shots"]
