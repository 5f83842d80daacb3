"""What is kept in flash is read again at the start and while idle: a bit that has turned over is
told, and nothing is on before it is put right."""

import pytest
from situations import alarms, in_state, refused
from stand_ins import Machine

from injector.audit import Audit
from injector.ledger import record
from mesodrive_wire import FAULTED

ROUND_MS = 2_000  # of the stand-in's image and ledger, with room
IDLE = ["SAFE", "READY"]
SLOTS = 60  # for records in a sector of the stand-in's flash


def turn_over(machine: Machine, at: int) -> None:
    """Bit 0 of a byte of the image."""
    machine.port.image.bytes[at] ^= 1


@pytest.mark.requirement("R2")
@pytest.mark.parametrize("at", [0, 2_047, 2_048, 5_119])
def test_an_image_that_is_not_what_was_built_never_leaves_fault(at: int):
    machine = Machine()
    turn_over(machine, at)
    machine.boot()
    assert machine.state == "FAULT"
    assert "flashed again" in machine.controller.alarm["text"]
    refusal = refused(machine, "ack")
    assert (refusal.code, "flashed again" in refusal.sentence) == (FAULTED, True)
    failed = [one for one in machine.request("selftest")[0]["checks"] if not one["ok"]]
    assert [one["name"] for one in failed] == ["image"]


@pytest.mark.requirement("R2")
def test_an_image_that_nobody_knows_the_checksum_of_is_not_trusted():
    machine = Machine()
    machine.port.image.size = 0
    assert machine.boot().state == "FAULT"


@pytest.mark.requirement("R2")
@pytest.mark.parametrize("state", IDLE)
@pytest.mark.parametrize("at", [0, 2_048, 5_119])
def test_an_image_that_changes_while_idle_is_noticed(state: str, at: int):
    machine = in_state(state)
    turn_over(machine, at)
    machine.run(ROUND_MS)
    assert (machine.state, alarms(machine)[-1]) == ("FAULT", "selftest")
    assert not machine.port.enable
    assert refused(machine, "ack").code == FAULTED


@pytest.mark.requirement("R2")
@pytest.mark.parametrize("state", ["HOMING", "ARMED", "DELIVERING"])
def test_nothing_is_read_again_while_something_may_move(state: str):
    machine = in_state(state)
    read: list[str] = []
    part = machine.port.image.part

    def watched(at: int, size: int):
        read.append(machine.state)
        return part(at, size)

    machine.port.image.part = watched
    machine.run(200)
    machine.request("disarm")
    machine.run_while("HOMING")
    machine.run(200)
    assert set(read) <= {*IDLE}
    assert read


def spoil_record(machine: Machine, sequence: int) -> None:
    """Make zeros of a record in flash."""
    flash = machine.port.ledger_flash
    for at in range(0, flash.size, record.SIZE):
        raw = flash.data[at : at + record.SIZE]
        if record.is_whole(raw) and record.sequence_of(raw) == sequence:
            flash.data[at : at + record.SIZE] = bytes(record.SIZE)


@pytest.mark.requirement("R2", "R17")
@pytest.mark.parametrize("state", IDLE)
def test_a_record_that_is_spoilt_while_idle_is_told_once(state: str):
    machine = in_state(state)
    spoil_record(machine, machine.journal.ledger.head[0] - 1)
    machine.run(20_000)
    assert (machine.state, alarms(machine)[-1]) == ("FAULT", "ledger")
    assert "do not read as they were written" in machine.controller.alarm["text"]
    assert machine.request("ack")[1] is None
    machine.run(20_000)
    assert machine.state == "SAFE"


@pytest.mark.requirement("R2", "R17")
@pytest.mark.parametrize("past", range(-2, 3))
def test_a_record_that_comes_during_the_audit_is_not_taken_for_a_lost_one(past: int):
    machine = in_state("SAFE")
    ledger = machine.journal.ledger
    audit = Audit(machine.port.image, machine.journal)
    # The ledger is in its second sector; the slot after its last record, and some about it.
    for _ in range(SLOTS + ledger.head[0] + past):
        assert audit.look() is None
    for _ in range(2):  # one into a slot that was passed, one into a slot that was not
        ledger.append(record.FAULT, code=b"trigger", state=b"SAFE")
    for _ in range(4 * SLOTS):
        assert audit.look() is None


@pytest.mark.requirement("R2")
def test_settings_that_change_while_idle_are_noticed():
    machine = in_state("SAFE")
    flash = machine.port.settings_flash
    flash.data[:] = bytes(len(flash.data))
    machine.run(1_500)
    assert (machine.state, alarms(machine)[0]) == ("FAULT", "selftest")
