"""What a start has found is told whole: one thing after another, as each is acknowledged."""

import pytest
from situations import alarms, in_state
from stand_ins import Machine, StandInPort
from stand_ins.machine import Memory

from injector import selftest
from injector.controller import STATES
from injector.ledger import record
from mesodrive_wire import FAULTED

pytestmark = pytest.mark.requirement("R17", "R18")


def with_a_lost_record() -> StandInPort:
    """The flash of a device whose ledger lost a record while it was off."""
    before = in_state("SAFE")
    port = StandInPort()
    port.ledger_flash.data[:] = before.port.ledger_flash.data
    port.settings_flash.data[:] = before.port.settings_flash.data
    lost = before.journal.ledger.head[0] - 2
    data = port.ledger_flash.data
    for at in range(0, len(data), record.SIZE):
        raw = data[at : at + record.SIZE]
        if record.is_whole(raw) and record.sequence_of(raw) == lost:
            data[at : at + record.SIZE] = bytes(record.SIZE)
    return port


def acknowledged(machine: Machine) -> list[object]:
    """What is told one after another until it is over."""
    told = [machine.controller.alarm["code"]]
    while machine.state == "FAULT":
        assert machine.request("ack")[1] is None
        if machine.state == "FAULT":
            told.append(machine.controller.alarm["code"])
    assert machine.controller.alarm is None
    return told


def test_lost_records_are_told_alone():
    assert acknowledged(Machine(with_a_lost_record()).boot()) == ["ledger"]


def test_lost_records_are_told_though_a_check_fails_as_well():
    port = with_a_lost_record()
    port.set("trigger", 1)
    machine = Machine(port).boot()
    port.set("trigger", 0)
    machine.run(50)
    assert acknowledged(machine) == ["ledger", "selftest"]


def test_a_restart_is_told_though_records_are_lost_as_well():
    port = with_a_lost_record()
    port.restarted_in = STATES.index("DELIVERING")
    machine = Machine(port).boot()
    assert acknowledged(machine) == ["ledger", "restarted"]
    assert "DELIVERING" in str(machine.told)


def test_what_waits_to_be_told_is_not_hidden_by_a_more_urgent_fault_before_it():
    port = with_a_lost_record()
    port.restarted_in = STATES.index("SAFE")
    machine = Machine(port).boot()
    machine.controller.fault("driver_fault", "A test.")
    assert acknowledged(machine) == ["driver_fault", "restarted"]


def test_what_was_told_once_is_not_told_after_a_later_fault():
    port = with_a_lost_record()
    port.restarted_in = STATES.index("SAFE")
    machine = Machine(port).boot()
    acknowledged(machine)
    machine.controller.fault("guard_open", "A test.")
    assert acknowledged(machine) == ["guard_open"]
    assert alarms(machine) == ["ledger", "restarted", "guard_open"]


@pytest.mark.requirement("R2")
@pytest.mark.parametrize("size", [selftest.TESTED_RAM, 1_024])  # at the start, while idle
def test_memory_that_has_failed_is_not_acknowledged_away(
    monkeypatch: pytest.MonkeyPatch, size: int
):
    machine = Machine()
    holds = selftest.memory_holds
    monkeypatch.setattr(selftest, "memory_holds", lambda asked: asked != size)
    machine.boot().run(1_100)
    assert alarms(machine) == ["selftest"]
    monkeypatch.setattr(selftest, "memory_holds", holds)
    refusal = machine.request("ack")[1]
    assert refusal is not None
    assert (refusal.code, machine.state) == (FAULTED, "FAULT")
    assert refusal.sentence.endswith("; restart the device.")
    assert Machine(machine.port).boot().state == "SAFE"


@pytest.mark.requirement("R2")
def test_a_start_with_too_little_memory_is_not_acknowledged_away(
    monkeypatch: pytest.MonkeyPatch,
):
    free = 64 * 1024 - 1
    monkeypatch.setattr(Memory, "mem_free", lambda _: free)
    machine = Machine().boot()
    assert alarms(machine) == ["selftest"]
    refusal = machine.request("ack")[1]
    assert refusal is not None
    assert refusal.sentence == f"Only {free} bytes are free; restart the device."
    assert machine.state == "FAULT"
