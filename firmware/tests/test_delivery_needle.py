"""A needle that is not where it should be while strikes are given: when it is told, and how."""

import board
import pytest
from situations import MODES, alarms, in_state, striking, to_the_end
from stand_ins import Machine

from injector.causes import NEEDLE_AWAY, NEEDLE_LEFT

DRY = MODES["dry"]


def later(machine: Machine, us: int) -> str:
    """The state after a look so much later."""
    machine.port.advance_us(us)
    machine.look()
    return machine.state


def at(machine: Machine, us: int) -> str:
    """The state after a look at an uptime."""
    return later(machine, us - machine.port.now_us)


def held_out(**profile: object) -> Machine:
    """A machine that was last looked at while its first needle was held at the stop."""
    machine = striking(**{**DRY, **profile})
    later(machine, 12_000)
    assert machine.port.needle.is_out
    return machine


def back(**profile: object) -> Machine:
    """A machine whose first needle is long back at its rest, and seen to be."""
    machine = striking(**{**DRY, "period_us": 1_000_000, **profile})
    machine.run(300)
    assert (machine.state, machine.job.done) == ("DELIVERING", 1)
    return machine


def not_begun() -> Machine:
    """A machine whose first strike does not begin, and that has not been looked at since."""
    machine = in_state("ARMED", **DRY)
    machine.port.start_strikes = machine.port.go_on = lambda: None
    pull(machine)
    return machine


def pull(machine: Machine) -> None:
    """Looked at each ms until the pull begins, and no longer."""
    machine.port.set("contact", 1)
    machine.port.set("trigger", 1)
    while machine.state != "DELIVERING":
        later(machine, 1_000)


# when


@pytest.mark.requirement("R7", "R25")
def test_a_needle_that_left_its_stop_is_told_2_ms_after_it_was_first_seen():
    machine = held_out()
    machine.port.set("needle_is_out", False)
    machine.look()
    assert later(machine, 1_999) == "DELIVERING"
    assert later(machine, 1) == "FAULT"
    assert alarms(machine) == ["misfire"]
    assert machine.controller.alarm["text"] == NEEDLE_LEFT % 1


@pytest.mark.requirement("R7", "R25")
def test_a_needle_that_left_its_rest_is_told_2_ms_after_it_was_first_seen():
    machine = back()
    machine.port.set("needle_is_back", False)
    machine.look()
    assert later(machine, 1_999) == "DELIVERING"
    assert later(machine, 1) == "FAULT"
    assert alarms(machine) == ["needle_stuck"]
    assert machine.controller.alarm["text"] == NEEDLE_AWAY


@pytest.mark.requirement("R7")
@pytest.mark.parametrize("looks", [0, 1])
def test_a_needle_that_left_its_rest_before_the_first_strike_is_told_no_sooner(looks: int):
    machine = not_begun()
    for _ in range(looks):
        later(machine, 1_000)
    machine.port.set("needle_is_back", False)
    assert later(machine, 1_000) == "DELIVERING"
    assert later(machine, 1_999) == "DELIVERING"
    assert later(machine, 1) == "FAULT"
    assert alarms(machine) == ["needle_stuck"]


@pytest.mark.requirement("R25")
@pytest.mark.parametrize(
    ("looks_ms", "state"),
    [((19, 21), "DELIVERING"), ((20, 21), "DELIVERING"), ((20, 22), "FAULT")],
)
def test_a_carriage_may_rebound_for_20_ms_after_it_came_back(
    looks_ms: tuple[int, int], state: str
):
    machine = striking(**DRY, period_us=1_000_000)
    while not machine.rows:
        later(machine, 500)
    ((_, t_us, *_, back_us, _),) = machine.rows
    back_ms = (t_us + back_us) // 1_000
    machine.port.set("needle_is_back", False)
    first, second = (1_000 * (back_ms + ms) for ms in looks_ms)
    assert at(machine, first) == "DELIVERING"
    assert at(machine, second) == state


@pytest.mark.requirement("R7")
@pytest.mark.parametrize(("before_us", "state"), [(1, "FAULT"), (0, "DELIVERING")])
def test_a_needle_need_not_be_at_its_stop_once_its_current_ends(before_us: int, state: str):
    machine = striking(**DRY)
    ends_us = machine.port.now_us + machine.job.plan.on_us
    at(machine, ends_us - 3_000)
    machine.port.set("needle_is_out", False)
    machine.look()
    assert at(machine, ends_us - before_us) == state


def test_the_loop_looks_every_2_ms_while_a_needle_is_in_doubt_and_every_15_otherwise():
    machine = in_state("ARMED", **DRY)
    pull(machine)
    paces = [machine.controller.pace_ms]
    later(machine, 12_000)
    for is_out in (True, False, True):
        machine.port.set("needle_is_out", is_out)
        machine.look()
        paces.append(machine.controller.pace_ms)
    assert paces == [15, 15, 2, 15]


# what are two bounces


@pytest.mark.requirement("R25")
def test_two_bounces_with_the_needle_in_place_in_between_are_no_needle_that_left():
    machine = held_out()
    for is_out in (False, True, False):
        machine.port.set("needle_is_out", is_out)
        assert later(machine, 2_000) == "DELIVERING"
    machine.port.set("needle_is_out", True)
    to_the_end(machine)
    assert ([row[2] for row in machine.rows], alarms(machine)) == (["done"] * 3, [])


@pytest.mark.requirement("R25")
@pytest.mark.parametrize("ended", [1, 2])
def test_a_bounce_at_the_stop_and_a_later_one_at_the_rest_are_no_needle_that_left(ended: int):
    machine = held_out(period_us=90_000, shots=4)
    machine.port.set("needle_is_out", False)
    machine.look()
    machine.port.set("needle_is_out", True)
    while machine.port.finished < ended:  # with no look in between
        machine.port.advance_us(500)
    machine.look()
    machine.port.advance(30)  # a rebound would be over
    machine.port.set("needle_is_back", False)
    machine.look()
    assert (machine.state, machine.port.started) == ("DELIVERING", ended)
    machine.port.set("needle_is_back", True)
    to_the_end(machine)
    assert ([row[2] for row in machine.rows], alarms(machine)) == (["done"] * 4, [])


@pytest.mark.requirement("R25")
def test_a_bounce_in_one_pull_and_another_in_the_next_are_no_needle_that_left():
    machine = held_out()
    machine.port.set("needle_is_out", False)
    machine.look()
    machine.port.set("trigger", 0)
    machine.run(100)
    assert machine.state == "PAUSED"
    pull(machine)
    machine.port.advance(12)
    assert machine.port.needle.is_out
    machine.port.set("needle_is_out", False)
    machine.look()
    assert (machine.state, alarms(machine)) == ("DELIVERING", [])


# needle or chip


@pytest.mark.requirement("R7", "R14")
@pytest.mark.parametrize("pulls", [0, 1])
def test_a_rest_sensor_that_is_shorted_is_not_laid_to_the_chip(pulls: int):
    machine = in_state("ARMED", mode="single")
    for _ in range(pulls):
        machine.pull(200)
    port = machine.port
    read = port.read
    port.read = lambda: read() | 1 << board.NEEDLE_BACK
    machine.pull(0)
    while not port.needle.is_out:
        machine.run(1)
    port.set("deaf", True)  # a line that does not move makes no interrupt
    machine.run(150)
    assert (machine.state, alarms(machine)) == ("FAULT", ["needle_stuck"])
    assert [row[2] for row in machine.rows] == ["done"] * pulls + ["stopped"]


@pytest.mark.requirement("R7", "R14")
def test_a_needle_that_comes_back_late_after_a_stop_is_not_laid_to_the_chip():
    machine = striking(**DRY)
    port, plan = machine.port, machine.job.plan
    port.set("needle_sticks", 1)
    due_us = port.now_us + plan.on_us + plan.return_us + 20_000
    assert at(machine, due_us) == "DELIVERING"
    seen = port.strike_under_way

    def lifted_meanwhile() -> tuple[int, int | None]:
        read = seen()
        port.set("trigger", 0)
        port.set("needle_sticks", 0)
        port.advance(1)
        return read

    port.strike_under_way = lifted_meanwhile
    assert later(machine, 1_000) == "FAULT"
    assert port.needle.is_back
    assert alarms(machine) == ["needle_stuck"]


# what was given


@pytest.mark.requirement("R7", "R10")
def test_what_a_strike_gave_that_no_interrupt_told_of_is_counted():
    machine = in_state("ARMED")
    machine.port.set("deaf", True)
    pull(machine)
    machine.port.advance(15)
    machine.look()
    job, pushed = machine.job, machine.port.pushed
    assert alarms(machine) == ["selftest"]
    assert pushed > 0
    assert job.delivered_nl == job.meter.nl(pushed)
    assert not job.running


@pytest.mark.requirement("R7", "R10")
def test_what_came_before_a_needle_was_seen_to_have_left_its_rest_is_counted():
    machine = back(**MODES["series"], dose_nl=1_000)
    job, port = machine.job, machine.port
    port._counted += 3
    port.set("needle_is_back", False)
    machine.run(20)
    assert alarms(machine) == ["needle_stuck"]
    assert job.delivered_nl == job.meter.nl(port.pushed + 3)
    assert not job.running
