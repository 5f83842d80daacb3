"""Which sectors a log goes on with after a cut."""

import pytest
from stand_ins.flash import Clock, StandInFlash

from injector.ledger import Ledger

pytestmark = pytest.mark.requirement("R17")


def test_sector_0_is_given_no_records_although_its_head_was_cut():
    flash = StandInFlash()
    Ledger.create(flash, Clock(), b"seed")
    flash.data[:240] = b"\xff" * 240  # the last head that is written; the one in use was there
    ledger = Ledger.open(flash, Clock())
    assert ledger.room == 12 - 1 + 3 * 12
    assert ledger.head[0] == 0
