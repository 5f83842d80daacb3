"""How long exactly a strike, its dose and what comes after it are waited for."""

from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace

import pytest
from situations import MODES, QUICK, alarms, in_state, striking, to_the_end
from stand_ins import HZ, PROFILE, TICKS_US, Machine

DRY = MODES["dry"]
FINE = {"syringe_nl_per_mm": 1_000, "flow_nl_s": 300, "pressure_pa": 0}  # 3.2 steps a nl


def look_at_us(machine: Machine, us: int) -> str:
    """The state after a look at an uptime in µs."""
    machine.port.advance_us(us - machine.port.now_us)
    machine.look()
    return machine.state


def look_at_ms(machine: Machine, ms: int) -> str:
    return look_at_us(machine, 1_000 * ms)


def first_is_back_ms(machine: Machine) -> int:
    """Looked at each ms until the first strike has ended: the uptime at which it had."""
    while not machine.rows:
        machine.port.advance(1)
        machine.look()
    ((_, t_us, *_, back_us, _),) = machine.rows
    return (t_us + back_us) // 1_000


def begun(machine: Machine) -> Machine:
    """Looked at each ms until the pull begins."""
    machine.port.set("contact", 1)
    machine.port.set("trigger", 1)
    while machine.state != "DELIVERING":
        machine.port.advance(1)
        machine.look()
    return machine


@pytest.mark.requirement("R7")
def test_the_needle_may_be_3_ms_late_at_its_stop():
    machine = striking(**DRY)
    machine.port.set("needle_jams", 1)
    due_us = machine.port.now_us + machine.job.plan.travel_us + 3_000
    assert look_at_us(machine, due_us) == "DELIVERING"
    assert look_at_us(machine, due_us + 1) == "FAULT"
    assert alarms(machine) == ["misfire"]


@pytest.mark.requirement("R7")
def test_a_needle_that_comes_while_memory_is_freed_is_no_misfire():
    machine = striking(dwell_us=100_000, period_us=200_000)
    machine.port.advance(1)
    seen = machine.port.strike_under_way

    def freed_meanwhile() -> tuple[int, int | None]:
        read = seen()
        machine.port.advance(27)
        return read

    machine.port.strike_under_way = freed_meanwhile
    machine.look()
    machine.port.strike_under_way = seen
    machine.look()
    assert machine.port.needle.is_out
    assert (machine.state, alarms(machine)) == ("DELIVERING", [])


@pytest.mark.requirement("R7")
def test_the_needle_may_be_20_ms_late_at_its_rest():
    machine = striking(**DRY)
    machine.port.set("needle_sticks", 1)
    plan = machine.job.plan
    due_us = machine.port.now_us + plan.on_us + plan.return_us + 20_000
    assert look_at_us(machine, due_us) == "DELIVERING"
    assert look_at_us(machine, due_us + 1) == "FAULT"
    assert alarms(machine) == ["needle_stuck"]


@pytest.mark.requirement("R7")
def test_a_first_strike_has_100_ms_to_show_itself():
    machine = in_state("ARMED")
    machine.port.start_strikes = machine.port.go_on = lambda: None
    begun_ms = begun(machine).port.now_ms
    assert look_at_ms(machine, begun_ms + 100) == "DELIVERING"
    assert look_at_ms(machine, begun_ms + 101) == "FAULT"
    assert "Strike 1 did not begin" in machine.controller.alarm["text"]


@pytest.mark.requirement("R7")
def test_a_later_strike_has_its_period_and_100_ms():
    machine = striking(**{**DRY, "period_us": 999_000})
    machine.port._let_one_go = lambda: None
    while not machine.rows:
        machine.port.advance(1)
        machine.look()
    ended_ms = machine.port.now_ms
    for ms in range(0, 999 + 101, 100):
        assert look_at_ms(machine, ended_ms + ms) == "DELIVERING"
    assert look_at_ms(machine, ended_ms + 999 + 100) == "DELIVERING"
    assert look_at_ms(machine, ended_ms + 999 + 101) == "FAULT"
    assert "Strike 2 did not begin" in machine.controller.alarm["text"]


@pytest.mark.requirement("R5")
def test_a_line_has_50_ms_to_let_go_of_its_pressure():
    machine = striking(period_us=400_000)
    back_ms = first_is_back_ms(machine)
    machine.port.force_mn = machine.job.plan.forces.rest_mn + 200
    for ms in range(machine.port.now_ms + 1, back_ms + 51):
        assert look_at_ms(machine, ms) == "DELIVERING"
    assert not machine.job.relieved
    assert look_at_ms(machine, back_ms + 51) == "FAULT"
    assert alarms(machine) == ["occlusion"]


@pytest.mark.requirement("R5")
@pytest.mark.parametrize("looks_ms", [(10, 55, 60), (49, 95, 96), (20, 51, 97)])
def test_a_force_read_before_the_50_ms_are_over_is_held_against_no_line(
    looks_ms: tuple[int, ...],
):
    machine = striking(period_us=400_000)
    back_ms = first_is_back_ms(machine)
    rest_mn = machine.job.plan.forces.rest_mn
    for ms in (2, 4, 6, *looks_ms):
        machine.port.force_mn = rest_mn + (200 if ms < 50 else -200)
        assert look_at_ms(machine, back_ms + ms) == "DELIVERING"


def test_memory_freed_between_force_and_look_makes_no_blocked_line():
    machine = striking(period_us=400_000)
    ended_ms = first_is_back_ms(machine)
    machine.port.force_mn = machine.job.plan.forces.rest_mn + 200
    for ms in (20, 30, 40):
        assert look_at_ms(machine, ended_ms + ms) == "DELIVERING"
    poll = machine.sensors.poll

    def freed_after() -> None:
        poll()
        machine.port.advance(27)

    machine.sensors.poll = freed_after
    machine.look()
    machine.sensors.poll = poll
    machine.port.force_mn -= 400
    machine.look()
    assert (machine.state, alarms(machine)) == ("DELIVERING", [])


def test_a_line_at_rest_may_be_pressed_with_just_the_rest_force():
    job = in_state("READY").job
    rest_mn = job.plan.forces.rest_mn
    for value, latest, relieved in ((0, 0, True), (1, 0, True), (0, 1, True), (1, 1, False)):
        job._force = SimpleNamespace(value=rest_mn + value, latest=rest_mn + latest)
        assert job.relieved is relieved


@pytest.mark.requirement("R12")
def test_half_a_microlitre_pushed_without_resistance_is_air():
    machine = in_state(
        "ARMED", **FINE, mode="drip", shots=1, dose_nl=1_000, dwell_us=10_000_000,
        period_us=20_000_000, fill_nl=2_000,
    )  # fmt: skip
    machine.port.force_mn = 0
    begun(machine)
    counted = [0]
    while machine.state == "DELIVERING":
        counted.append(machine.port.counted_in_strikes())
        machine.look()
        machine.port.advance(1)
    assert alarms(machine) == ["air"]
    # the force that was read at a look stands for what was counted at the one before
    assert counted[-3] < 1_600 <= counted[-2] < 1_603


@pytest.mark.requirement("R8")
def test_no_more_and_no_less_than_32_strikes_are_queued_after_a_late_look():
    machine = striking(**QUICK)
    machine.port.advance(180)  # as long as the rail is held
    machine.look()
    assert machine.port._queued - machine.port.finished == 32


def test_a_soft_start_slows_the_first_strikes_and_no_other():
    machine = to_the_end(striking(**{**QUICK, "soft_strikes": 3, "shots": 6}))
    apart = [Fraction(b - a, TICKS_US) for a, b in pairwise(machine.port.begun)]
    assert apart == [7_000, 6_000, 5_000, 4_000, 4_000]


@pytest.mark.requirement("R25")
def test_the_shortest_dwell_that_is_accepted_lets_the_dose_end_within_it_and_no_us_sooner():
    machine = Machine().boot()

    def accepted(dwell_us: int) -> bool:
        profile = {**PROFILE, "dwell_us": dwell_us}
        return machine.request("profile.load", {"profile": profile})[1] is None

    short_us, long_us = 10_000, 40_000
    while long_us - short_us > 1:
        middle_us = (short_us + long_us) // 2
        if accepted(middle_us):
            long_us = middle_us
        else:
            short_us = middle_us
    assert accepted(long_us)
    plan = machine.job.plan
    last = max(move.last for move in plan.moves.values())  # counts after the gate
    ends_us = plan.travel_us + PROFILE["settle_us"] + Fraction(1_000_000 * last, HZ)
    assert 0 < plan.on_us - ends_us <= 1


def test_the_time_told_of_a_dose_is_that_from_its_first_step_to_its_last():
    machine = Machine().boot()
    told = machine.request("profile.load", {"profile": PROFILE})[0]
    move = machine.job.plan.moves[told["dose_steps"]]
    assert 0 <= Fraction(1_000_000 * (move.last - move.first), HZ) - told["dose_us"] < 1
    ideal_us = 1_000_000 * PROFILE["dose_nl"] // PROFILE["flow_nl_s"]
    assert ideal_us < told["dose_us"] < 2 * ideal_us


# what is kept of what was given


@pytest.mark.parametrize(("changes", "limited"), [({"dose_nl": 1}, True), (DRY, False)])
def test_the_force_is_limited_from_the_smallest_dose_on(changes: dict[str, object], limited: bool):
    machine = in_state("ARMED", **changes)
    limits: list[int] = []
    machine.port.limit_force = limits.append
    machine.pull(40)
    assert [limit > 0 for limit in limits] == [limited]


@pytest.mark.requirement("R24")
def test_priming_makes_the_doses_begin_afresh():
    machine = in_state("ARMED", mode="single")
    machine.pull(200)
    assert machine.request("disarm")[1] is None
    machine.port.set("contact", 0)
    machine.run(20)
    assert machine.request("prime", {"volume_nl": 2_000})[1] is None
    machine.run_while("HOMING")
    machine.port.set("trigger", 0)
    machine.run(20)
    assert machine.request("arm")[1] is None
    machine.pull(200)
    assert [row[4] for row in machine.rows] == [184, 184]  # 185 with the residue of the first


def test_steps_that_were_not_made_take_nothing_up():
    job = in_state("READY").job
    left_nl = job.left_nl
    job.retreat = 5
    for steps in (0, -3):
        job.prime_done(steps)
        assert job.retreat == 5
    assert job.left_nl == left_nl + job.meter.nl(3)
    job.prime_done(8)
    assert job.retreat == 0
    assert job.left_nl == left_nl


def test_what_came_of_a_dose_is_told_from_its_announcement_on():
    machine = to_the_end(striking())
    job = machine.job
    assert job.since_mark() == (3, job.delivered_nl)
    job.mark()
    assert job.since_mark() == (0, 0)
    job.prime_done(-2)  # what the plunger takes back was not given
    assert job.since_mark() == (0, 0)


# what begins, and what is over


@pytest.mark.requirement("R9")
@pytest.mark.parametrize("period_us", [200_000, 200_999])
def test_the_next_pull_begins_2_ms_after_the_whole_ms_of_the_period(period_us: int):
    machine = begun(in_state("ARMED", mode="single", period_us=period_us))
    begun_ms = machine.port.now_ms
    machine.run(60)
    machine.port.set("trigger", 0)
    machine.run(30)
    machine.port.set("trigger", 1)
    machine.run(60)
    for ms in range(machine.port.now_ms + 1, begun_ms + 202):
        assert look_at_ms(machine, ms) == "ARMED"
    assert look_at_ms(machine, begun_ms + 202) == "DELIVERING"


@pytest.mark.requirement("R3")
def test_nothing_is_begun_or_queued_when_an_input_has_fallen_before():
    machine = in_state("ARMED")
    machine.job.watch()
    machine.port.halt()
    machine.job.start(machine.port.now_ms, 1)
    machine.job.step(machine.port.now_ms)
    assert not machine.job.running
    assert machine.port._queued == 0


@pytest.mark.requirement("R7")
def test_a_direction_that_does_not_follow_leaves_nothing_under_way():
    machine = in_state("ARMED")
    machine.port.dir_wire = 0
    machine.pull(60)
    assert alarms(machine) == ["driver_fault"]
    assert not machine.job.running


def test_what_falls_after_the_last_strike_stops_nothing_any_more():
    machine = to_the_end(striking())
    noted = len(machine.port.events)
    machine.port.set("contact", 0)
    machine.port.set("trigger", 0)
    assert len(machine.port.events) == noted


@pytest.mark.requirement("R3")
def test_a_delivery_that_is_stopped_moves_nothing_from_that_moment_on():
    machine = striking()
    machine.run(12)
    assert machine.port.moving
    machine.job.stop("a test wants it")
    assert not machine.port.moving
    assert not machine.job.running


def test_a_first_strike_begins_at_once_however_long_its_period():
    machine = begun(in_state("ARMED", **{**DRY, "period_us": 12_000_000}))
    assert machine.port.begun == [machine.port.now]


@pytest.mark.requirement("R9")
@pytest.mark.parametrize("period_us", [45_500, 45_999])
def test_a_bursts_periods_are_added_up_to_the_us(period_us: int):
    machine = begun(in_state("ARMED", mode="burst", burst=6, shots=12, period_us=period_us))
    begun_ms = machine.port.now_ms
    to_the_end(machine)
    assert machine.state == "ARMED"
    assert machine.job.next_ms == begun_ms + 6 * period_us // 1_000 + 2


@pytest.mark.requirement("R9")
@pytest.mark.parametrize("period_us", [99_000, 99_900])
def test_a_strike_that_was_queued_and_never_began_takes_no_time(period_us: int):
    machine = begun(in_state("ARMED", period_us=period_us))
    begun_ms = machine.port.now_ms
    machine.run(20)
    assert machine.port._queued == 2
    machine.port.set("trigger", 0)
    machine.run(20)
    assert machine.state == "PAUSED"
    in_two_ms = 2 * period_us // 1_000
    assert machine.job.next_ms == begun_ms + in_two_ms - period_us // 1_000 + 2


FAILURES = {
    "steps_lost": ("lost_steps", 2),
    "misfire": ("needle_jams", 1),
    "needle_stuck": ("needle_sticks", 1),
    "air": ("force_mn", 0),
    "occlusion": ("force_mn", 6_000),
}


@pytest.mark.requirement("R7")
@pytest.mark.parametrize("code", [*FAILURES, "not begun"])
def test_a_delivery_that_fails_has_stopped_before_anybody_counts(code: str):
    machine = in_state("ARMED", period_us=400_000, shots=40)
    port = machine.port
    stopped: list[bool] = []
    unwatch = port.unwatch

    def witness() -> None:
        stopped.append(port.stopped)
        unwatch()

    port.unwatch = witness
    if code == "not begun":
        port.start_strikes = port.go_on = lambda: None
    elif code != "occlusion":
        port.set(*FAILURES[code])
    machine.pull(40)
    machine.run(20)
    if code == "occlusion":  # the line keeps its pressure after the shot
        assert machine.rows
        port.set(*FAILURES[code])
    machine.run(400)
    assert alarms(machine) == ["misfire" if code == "not begun" else code]
    assert stopped[0]
    assert all(stopped)
    assert not machine.job.running
    assert len(machine.rows) == port.strikes


@pytest.mark.requirement("R5")
def test_the_pressure_within_a_shot_is_not_taken_for_one_that_stays():
    machine = striking()
    machine.run(90)
    assert (machine.port.strikes, len(machine.rows)) == (2, 1)
    machine.port.force_mn = machine.job.plan.forces.rest_mn + 200
    machine.run(15)
    assert machine.state == "DELIVERING"
    machine.port.force_mn = 2_000
    to_the_end(machine)
    assert alarms(machine) == []


def test_a_line_that_lets_go_goes_on_after_a_long_pause():
    machine = to_the_end(striking(period_us=400_000))
    assert (machine.state, alarms(machine)) == ("READY", [])


def dripping(**changes: object) -> Machine:
    drip = {"mode": "drip", "shots": 1, "dwell_us": 10_000_000, "period_us": 20_000_000}
    drip["pressure_pa"] = 20_000  # too little to be felt: see test_stalled.py
    return begun(in_state("ARMED", **{**drip, **changes}))


@pytest.mark.requirement("R12")
def test_resistance_that_is_missing_for_two_looks_again_and_again_is_no_air():
    machine = dripping(dose_nl=400_000)
    for force_mn in [2_000] * 4 + [0, 0, 2_000, 2_000, 2_000] * 4:
        machine.port.force_mn = force_mn
        machine.port.advance(15)  # 276 steps, and 92 are too many
        machine.look()
        assert machine.state == "DELIVERING"


@pytest.mark.requirement("R12")
def test_what_was_pushed_before_the_resistance_went_does_not_count_as_air():
    machine = dripping(**FINE, dose_nl=1_000, fill_nl=2_000)
    while machine.port.pushed < 1_000:
        machine.run(10)
    machine.port.force_mn = 0
    machine.run(100)
    assert machine.state == "DELIVERING"


def test_a_plunger_that_resists_with_just_the_least_force_is_no_air():
    machine = dripping(dose_nl=400_000)
    machine.job.plan.forces.air_mn = machine.sensors.force_mn
    machine.run(200)
    assert machine.state == "DELIVERING"
    machine.job.plan.forces.air_mn = machine.sensors.force_mn + 1
    machine.run(200)
    assert alarms(machine) == ["air"]


def test_what_falls_in_a_pause_stops_nothing_any_more():
    machine = striking()
    machine.run(20)
    machine.port.set("trigger", 0)
    machine.run(20)
    assert machine.state == "PAUSED"
    noted = len(machine.port.events)
    machine.port.set("contact", 0)
    assert len(machine.port.events) == noted


@pytest.mark.requirement("R10")
def test_steps_that_come_between_two_strikes_are_counted_as_given():
    machine = striking(period_us=200_000)
    machine.run(60)
    ((*_, dose_nl, _, _, _, _, _),) = machine.rows
    machine.port._counted += 3
    machine.port.set("trigger", 0)
    machine.run(20)
    assert machine.job.delivered_nl == pytest.approx(
        dose_nl + 3 * PROFILE["syringe_nl_per_mm"] / 3_200, abs=1
    )


def test_a_syringe_is_low_below_a_tenth_of_its_fill():
    small = {"syringe_nl_per_mm": 3_200, "flow_nl_s": 20_000, "dwell_us": 80_000}
    job = in_state("READY", **small, period_us=200_000, fill_nl=100_000).job
    job.prime_done(90_000)  # a nl each
    assert (job.left_nl, job.low) == (10_000, False)
    job.prime_done(1)
    assert job.low


def test_a_dry_profile_wants_nothing_in_the_syringe():
    job = in_state("READY", **{**DRY, "fill_nl": 100_000}).job
    job.prime_done(18_400)
    assert job.left_nl < 1_000
    assert not job.low
