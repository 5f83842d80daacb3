"""Which sectors a log goes on with after a cut."""

import pytest
from stand_ins.flash import Clock, StandInFlash

from injector.ledger import Ledger, record

pytestmark = pytest.mark.requirement("R17")


def test_sector_0_is_given_no_records_although_its_head_was_cut():
    flash = StandInFlash()
    Ledger.create(flash, Clock(), b"seed")
    flash.data[:240] = b"\xff" * 240  # the last head that is written; the one in use was there
    ledger = Ledger.open(flash, Clock())
    assert ledger.room == 12 - 1 + 3 * 12
    assert ledger.head[0] == 0


def test_a_slot_of_which_any_stretch_was_overwritten_with_zeros_is_no_record():
    flash = StandInFlash()
    Ledger.create(flash, Clock(), b"seed")
    ledger = Ledger.open(flash, Clock())
    ledger.append(record.BOOT, cause=1, image=2)
    head, after = ledger.head, flash.data.index(b"\xff" * record.SIZE, 1024 + 256)
    before = bytes(flash.data)
    for first in range(record.SIZE):
        for end in range(first + 1, record.SIZE + 1):
            flash.data[after + first : after + end] = bytes(end - first)
            again = Ledger.open(flash, Clock())
            assert (again.head, again.damage) == (head, [])
            flash.data[:] = before
