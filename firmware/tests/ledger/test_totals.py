"""The sums that a sector carries on, and the hour that moves on with the time."""

import pytest
from stand_ins.flash import Clock, StandInFlash

from injector.ledger import Ledger
from injector.ledger.totals import Totals

pytestmark = pytest.mark.requirement("R8", "R17")

SLICE_MS = 600_000


def give(ledger: Ledger, nl: int) -> None:
    number = ledger.intend(1, 1, nl)
    ledger.outcome(number, 1, nl, b"done")


def test_what_is_given_drops_out_of_the_hour_by_itself_and_takes_nothing_else_with_it():
    clock = Clock()
    ledger = Ledger.create(StandInFlash(8), clock, b"seed")
    for number in range(7):
        clock.ms = number * SLICE_MS
        give(ledger, 10**number)
    assert ledger.hour_nl == 1_111_111
    clock.ms = 7 * SLICE_MS
    give(ledger, 2)
    assert ledger.hour_nl == 1_111_112
    clock.ms = 20 * SLICE_MS
    give(ledger, 3)
    assert ledger.hour_nl == 3


def test_what_was_known_before_is_forgotten_when_sums_are_taken_from_a_sector():
    page = bytearray(256)
    Totals().store(page, 28)
    totals = Totals()
    totals.pending = [(1, 2, 3)]
    totals.cartridges = [b"01234567"]
    totals.load(page, 28)
    assert (totals.pending, totals.cartridges) == ([], [])


def test_priming_and_dry_strikes_in_doubt_are_carried_over_to_the_next_sector():
    totals = Totals()
    totals.pending = [(7, 0, 5_000), (8, 3, 0)]
    page = bytearray(256)
    totals.store(page, 28)
    again = Totals()
    again.load(page, 28)
    assert again.pending == [(7, 0, 5_000), (8, 3, 0)]
