"""The watchdog is fed only while every part lives, and a dead part costs the rail first."""

from itertools import pairwise

import pytest
from situations import in_state
from stand_ins import Machine, StandInPort
from stand_ins.machine import with_ledger

from injector.limits import RAIL_HOLD_MS
from injector.supervisor import Supervisor

WATCHDOG_MS = 250


class Parts:
    def __init__(self):
        self.beats = {"a": 0, "b": 0}
        self.fed = 0
        parts = [(name, lambda name=name: self.beats[name]) for name in self.beats]
        self.supervisor = Supervisor(self.feed, parts)
        self.supervisor.look()

    def feed(self) -> None:
        self.fed += 1


@pytest.mark.requirement("R14")
@pytest.mark.parametrize("dead", ["a", "b"])
def test_one_part_that_does_not_move_keeps_the_watchdog_hungry_and_is_named(dead: str):
    parts = Parts()
    parts.beats["b" if dead == "a" else "a"] += 1
    assert not parts.supervisor.look()
    assert (parts.fed, parts.supervisor.dead) == (1, dead)
    parts.beats[dead] += 1
    assert parts.supervisor.look()
    assert (parts.fed, parts.supervisor.dead) == (2, None)


@pytest.mark.requirement("R14")
def test_a_part_counts_as_living_when_it_moved_since_the_last_feeding():
    parts = Parts()
    parts.beats["a"] += 1
    assert not parts.supervisor.look()
    parts.beats["b"] += 1
    assert parts.supervisor.look()


def supervised(state: str) -> tuple[Machine, list[int]]:
    machine = in_state(state)
    fed: list[int] = []
    machine.supervise(lambda: fed.append(machine.port.now_ms))
    machine.run(100)
    return machine, fed


@pytest.mark.requirement("R14")
@pytest.mark.parametrize("state", ["SAFE", "HOMING", "READY", "ARMED", "DELIVERING", "FAULT"])
def test_a_sound_machine_feeds_the_watchdog_at_each_look(state: str):
    _machine, fed = supervised(state)
    assert len(fed) > 4
    assert max(b - a for a, b in pairwise(fed)) <= 20


def stand_still(*_: object) -> None:
    return None


def kill(machine: Machine, part: str) -> None:
    if part == "inputs":
        machine.inputs.poll = stand_still
    elif part == "sensors":
        machine.sensors.poll = stand_still
    elif part == "controller":
        machine.controller.step = stand_still
    elif part == "link":
        machine.link.step = stand_still
    elif part == "timer":
        now = machine.port.timer_us()
        machine.port.timer_us = lambda: now
    else:
        machine.port.interrupts_live = False


@pytest.mark.requirement("R14")
@pytest.mark.parametrize(
    "part", ["inputs", "sensors", "controller", "link", "timer", "interrupts"]
)
def test_a_dead_part_starves_the_watchdog_and_the_rail_falls_before_it_bites(part: str):
    machine, fed = supervised("READY")
    kill(machine, part)
    died_ms = machine.port.now_ms
    machine.run(WATCHDOG_MS)
    assert fed[-1] <= died_ms + 20
    assert not machine.port.enable
    assert RAIL_HOLD_MS < WATCHDOG_MS


@pytest.mark.requirement("R1", "R14")
def test_a_restart_by_the_watchdog_is_a_fault_that_names_the_state_it_hung_in():
    hung = in_state("DELIVERING")
    machine = Machine()
    machine.port.restarted_in = hung.port.remembered
    machine.boot()
    assert machine.state == "FAULT"
    assert machine.controller.alarm["code"] == "restarted"
    assert "DELIVERING" in machine.controller.alarm["text"]
    assert machine.port.strikes == 0
    assert machine.request("ack")[1] is None
    assert machine.state == "SAFE"


@pytest.mark.requirement("R1", "R14")
def test_a_restart_is_told_although_the_trigger_is_still_held():
    machine = Machine()
    machine.port.restarted_in = in_state("DELIVERING").port.remembered
    machine.port.set("trigger", 1)
    machine.boot()
    assert machine.state == "FAULT"
    alarm = machine.controller.alarm
    assert alarm["code"] == "restarted"
    assert "DELIVERING" in alarm["text"]
    assert "trigger is pressed" in alarm["text"]
    assert machine.request("ack")[1] is not None
    machine.port.set("trigger", 0)
    machine.run(20)
    assert machine.request("ack")[1] is None


@pytest.mark.requirement("R14")
def test_a_start_that_hangs_is_told_by_the_next_and_hides_no_hang_before_it():
    for before in (None, in_state("DELIVERING").port.remembered):
        port = with_ledger(StandInPort())
        port.restarted_in = port.remembered = before
        hung = Machine(port)
        hung.sensors.settle = _hang
        with pytest.raises(_HungError):
            hung.boot()
        machine = Machine()
        machine.port.restarted_in = port.remembered
        machine.boot()
        state = "SELF_TEST" if before is None else "DELIVERING"
        assert state in machine.controller.alarm["text"]


class _HungError(Exception):
    pass


def _hang():
    raise _HungError
