"""The audit goes round and round, a little at a time, and sees whatever is wrong with a record."""

import pytest
from situations import alarms, in_state
from stand_ins import Machine
from stand_ins.flash import Clock, StandInFlash
from stand_ins.port import StandInImage

from injector.audit import Audit
from injector.journal import Journal
from injector.ledger import Ledger, record

pytestmark = pytest.mark.requirement("R2", "R17")

ALL = 300  # looks: more than a round of image and ledger here takes
FIRST = 256 + 1024  # where the first record is


def audited(records: int = 5) -> tuple[StandInFlash, Audit]:
    """A ledger of so many records, and its audit."""
    flash, clock = StandInFlash(), Clock()
    Ledger.create(flash, clock, b"seed")
    journal = Journal(flash, clock)
    assert journal.open(1, 2) is None
    for number in range(records):
        journal.ledger.append(record.CHANGE, what=b"lock", was=number, becomes=0)
    return flash, Audit(StandInImage(), journal)


def told(audit: Audit) -> list[str]:
    """The codes of what a round and more finds."""
    found = [audit.look() for _ in range(ALL)]
    return [one[0] for one in found if one]


def test_a_record_that_is_exchanged_for_another_whole_one_is_told():
    flash, audit = audited()
    at = next(
        at for at in range(FIRST, 2048, 64) if record.sequence_of(flash.data[at : at + 64]) == 5
    )
    raw = bytearray(64)
    values = record.in_order(record.CHANGE, {"what": b"lock", "was": 99, "becomes": 0})
    record.write(raw, record.CHANGE, 5, 1, 0, values, b"another chain...")
    flash.data[at : at + 64] = raw
    assert told(audit) == ["ledger"]


def test_a_record_that_is_there_twice_is_told():
    flash, audit = audited()
    flash.data[2048 - 64 : 2048] = flash.data[FIRST + 64 : FIRST + 128]
    assert told(audit) == ["ledger"]


def test_what_goes_bad_after_any_number_of_rounds_is_told():
    flash, audit = audited()
    assert told(audit) == []
    assert told(audit) == []
    flash.data[FIRST + 128 : FIRST + 192] = bytes(64)
    assert told(audit) == ["ledger"]


def test_the_image_is_read_2_kib_at_a_time_to_its_end_and_from_its_beginning_again():
    _, audit = audited()
    image = audit._image
    read: list[tuple[int, int]] = []
    part = image.part
    image.part = lambda at, size: read.append((at, size)) or part(at, size)
    once = [(0, 2_048), (2_048, 2_048), (4_096, 1_024)]
    assert audit.read_image() == ""
    assert read == once
    for _ in range(6):
        audit.look()
    assert read == 3 * once


def test_an_image_of_which_nothing_is_known_is_not_trusted():
    machine = Machine()
    machine.port.image.size = machine.port.image.crc = 0
    assert machine.boot().state == "FAULT"


def test_without_a_ledger_the_image_is_read_all_the_same():
    machine = in_state("SAFE")
    machine.journal.trouble = "The ledger's flash failed; restart the device."
    machine.run(500)
    machine.port.image.bytes[5_000] ^= 1
    machine.run(2_000)
    assert alarms(machine)[-1] == "selftest"


def test_one_wrong_bit_that_can_be_put_right_is_no_alarm():
    flash, audit = audited()
    flash.data[FIRST + 100] ^= 4
    assert told(audit) == []


def test_of_a_ledger_that_has_failed_nothing_more_is_told():
    flash, audit = audited()
    audit._journal.trouble = "The ledger's flash failed; restart the device."
    flash.data[FIRST + 64 : FIRST + 128] = bytes(64)
    assert told(audit) == []


def test_a_sector_that_is_erased_in_the_midst_of_a_round_is_no_loss():
    flash, clock = StandInFlash(12), Clock()
    Ledger.create(flash, clock, b"seed")
    journal = Journal(flash, clock)
    assert journal.open(1, 2) is None
    ledger = journal.ledger
    while ledger.first < 100:  # it has gone round
        ledger.prepare(1)
        ledger.append(record.CHANGE, what=b"lock", was=1, becomes=0)
    audit = Audit(StandInImage(), journal)
    for _ in range(3):
        audit.look()
    while ledger.room >= 60:
        ledger.append(record.CHANGE, what=b"lock", was=1, becomes=0)
    audit.look()  # begins anew
    audit.look()
    while not journal.erases:
        journal.tend(rail_off=True, faulted=False)
    assert told(audit) == []
    assert ledger.damage == []
