"""Doses between their announcement and their outcome."""

import pytest
from stand_ins.flash import Clock, StandInFlash

from injector.ledger import Ledger

pytestmark = pytest.mark.requirement("R17")


def test_a_dose_is_announced_until_its_outcome_is_written_and_no_longer():
    ledger = Ledger.create(StandInFlash(), Clock(), b"seed")
    first, second = ledger.intend(1, 1, 500), ledger.intend(2, 0, 900)
    assert ledger.announced == [first, second]
    ledger.outcome(first, 1, 500, b"done")
    assert ledger.announced == [second]
    ledger.outcome(second, 0, 900, b"done")
    assert ledger.announced == []
