"""What a look makes of strikes that went wrong: the first is told, and all stand still by then."""

import pytest
from situations import MODES, alarms, in_state, striking
from stand_ins import Machine

LONG = {"dose_nl": 10_000, "dwell_us": 160_000, "period_us": 300_000}  # pushed for 100 ms
QUICK = {"dose_nl": 4_000, "dwell_us": 55_000, "period_us": 75_000, "shots": 5}  # for 40 ms
UNFELT = "the plunger was not felt to push"
IMPOSSIBLE = 4_095  # counts


def stops(machine: Machine) -> list[bool]:
    """Whether all had stopped, each time that nothing is watched for any more."""
    stopped: list[bool] = []
    unwatch = machine.port.unwatch

    def witness() -> None:
        stopped.append(machine.port.stopped)
        unwatch()

    machine.port.unwatch = witness
    return stopped


def felt(machine: Machine) -> Machine:
    machine.port.push_mn = 300  # a quarter of the pressure is 277
    return machine


def two_ended_and_one_under_way() -> Machine:
    """Since the last look."""
    machine = felt(striking(**QUICK))
    machine.run(55)
    machine.port.advance(100)
    assert (machine.port.finished, machine.port.started, len(machine.rows)) == (2, 3, 0)
    return machine


@pytest.mark.requirement("R10", "R13")
def test_the_first_of_two_strikes_that_were_not_felt_is_told_and_the_third_ends():
    machine = two_ended_and_one_under_way()
    stopped = stops(machine)
    strike = machine.port.strike
    machine.port.strike = lambda number: (*strike(number)[:4], 10_000)
    machine.look()
    assert "in strike 1," in machine.controller.alarm["text"]
    assert [row[2] for row in machine.rows] == ["stopped"] * 3
    whys = [row[-1] for row in machine.rows]
    assert whys[:2] == [UNFELT] * 2
    assert whys[2] == UNFELT + " before"
    assert stopped[0]


@pytest.mark.requirement("R10")
def test_the_first_of_two_strikes_that_lost_steps_is_told_and_the_third_ends():
    machine = two_ended_and_one_under_way()
    stopped = stops(machine)
    strike = machine.port.strike

    def two_steps_less(number: int) -> tuple[int, ...]:
        start, out, back, counted, unfelt = strike(number)
        return start, out, back, counted - 2 * (number + 1), unfelt

    machine.port.strike = two_steps_less
    machine.look()
    assert "Strike 1 planned" in machine.controller.alarm["text"]
    assert [row[2] for row in machine.rows] == ["done", "done", "stopped"]
    assert stopped[0]


@pytest.mark.requirement("R10", "R13")
def test_a_force_that_cannot_be_says_nothing_of_a_push():
    machine = felt(striking(**LONG))
    machine.run(20)
    port = machine.port
    port.unfelt = 10_000
    port.counts["force"] = IMPOSSIBLE
    machine.look()
    assert machine.state == "DELIVERING"
    del port.counts["force"]
    machine.look()
    assert alarms(machine) == ["stalled"]


@pytest.mark.requirement("R10", "R13")
def test_a_force_that_cannot_be_says_nothing_of_a_doses_end():
    machine = felt(striking(**LONG))
    port = machine.port
    strike = port.strike
    port.strike = lambda number: (*strike(number)[:4], 10_000)
    port.advance(180)
    port.counts["force"] = IMPOSSIBLE
    machine.look()
    assert (machine.state, [row[2] for row in machine.rows]) == ("DELIVERING", ["done"])


@pytest.mark.requirement("R10", "R13")
def test_a_strike_without_a_step_has_no_end_to_be_felt():
    # 18 nl/s, so slow that even such a dose is long
    machine = striking(dose_nl=2, flow_nl_s=18, dwell_us=3_000_000, period_us=6_000_000, shots=2)
    strike = machine.port.strike
    machine.port.strike = lambda number: (*strike(number)[:4], 10_000)
    while not machine.rows:
        machine.run(100)
        assert machine.state == "DELIVERING"
    assert [(row[2], row[4]) for row in machine.rows] == [("done", 0)]


@pytest.mark.requirement("R10", "R13")
def test_3_microlitres_may_not_be_pushed_without_being_felt():
    machine = felt(striking(**LONG))
    machine.run(20)
    for steps, state in ((552, "DELIVERING"), (553, "FAULT")):
        machine.port.unfelt = steps
        machine.look()
        assert machine.state == state
    assert alarms(machine) == ["stalled"]


@pytest.mark.requirement("R25")
def test_a_needle_that_came_after_its_dose_was_refused_is_a_misfire_at_the_next_look():
    machine = in_state("ARMED", dwell_us=40_000)
    machine.port.set("needle_late_us", 6_000)  # the dose is due 5 ms after the needle
    machine.pull(20)
    while not machine.port.needle.is_out:
        machine.port.advance(1)
    machine.look()
    assert alarms(machine) == ["misfire"]


@pytest.mark.requirement("R7")
@pytest.mark.parametrize(
    ("part", "late_ms", "code"),
    [("needle_jams", 10, "misfire"), ("needle_sticks", 70, "needle_stuck")],
)
def test_a_needle_that_does_not_follow_has_stopped_before_anybody_counts(
    part: str, late_ms: int, code: str
):
    machine = striking(**MODES["dry"])
    machine.port.set(part, 1)
    stopped = stops(machine)
    machine.port.advance(late_ms)
    machine.look()
    assert alarms(machine) == [code]
    assert stopped[0]


@pytest.mark.requirement("R7", "R25")
def test_a_needle_that_left_its_stop_has_stopped_before_anybody_counts():
    machine = striking(**MODES["dry"])
    machine.port.advance(12)
    machine.look()
    stopped = stops(machine)
    machine.port.set("needle_is_out", False)
    for _ in range(2):
        machine.look()
        machine.port.advance(2)
    assert alarms(machine) == ["misfire"]
    assert stopped[0]


@pytest.mark.requirement("R5")
def test_a_line_that_keeps_its_pressure_ends_the_pull():
    machine = striking(period_us=400_000)
    machine.run(60)
    # more than a line at rest may have, and less than what stops a stroke
    machine.port.force_mn = machine.job.plan.forces.rest_mn + 200
    machine.run(100)
    assert alarms(machine) == ["occlusion"]
    assert not machine.job.running


@pytest.mark.requirement("R23", "R24")
def test_a_strike_that_was_cut_short_is_watched_no_more_and_owes_nothing():
    machine = striking(period_us=400_000)  # no other is queued yet
    stopped = stops(machine)
    machine.port.advance(12)
    machine.port.set("trigger", 0)
    machine.look()
    assert stopped == [True]
    # 184.45 steps a dose: with the residue of the first it would be 185
    assert machine.job.meter.next_steps(1_000) == 184
