"""Whatever is done with a ledger, and however often it is started, it says what it was told.

The oracle is that of the power-cut campaign: it adds up all entries anew.
"""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
)
from stand_ins.flash import Clock, StandInFlash

from injector.ledger import Ledger, record
from injector.ledger.totals import PENDING_AT_MOST
from mesodrive.ledger import Head, verify
from mesodrive.ledger.rows import (
    Cartridge,
    Fault,
    Intent,
    Outcome,
    ProfileLoaded,
    Resolved,
    Syringe,
)
from mesodrive_rig.campaigns.ledger_oracle import Entry, Sums, pending, sums

pytestmark = pytest.mark.requirement("R17")

WORD = st.integers(0, 2**32 - 1)
NL = st.integers(0, 500_000)


class AnyWork(RuleBasedStateMachine):
    """A device's ledger, a host that fetches from time to time, and the oracle's entries."""

    intents = Bundle("intents")

    def __init__(self) -> None:
        super().__init__()
        self.flash = StandInFlash()
        self.clock = Clock()
        self.ledger = Ledger.create(self.flash, self.clock, b"seed")
        self.entries: list[Entry] = []
        self.announced: set[int] = set()
        self.seen: list[Head] = []
        self.boot = 1
        self.was_on_ms = 0

    @property
    def on_ms(self) -> int:
        return self.was_on_ms + self.clock.ms

    def make_room(self) -> None:
        while not self.ledger.prepare(1):
            pass

    def told(self, event: object) -> None:
        self.entries.append(Entry(event, self.boot, self.on_ms))  # type: ignore[arg-type]

    @rule(ms=st.integers(0, 5_000_000))
    def time_passes(self, ms: int) -> None:
        self.clock.ms += ms

    @rule(fill_nl=st.integers(0, 10_000_000))
    def syringe(self, fill_nl: int) -> None:
        self.make_room()
        self.ledger.append(record.SYRINGE, fill_nl=fill_nl, nl_per_mm=7)
        self.told(Syringe(fill_nl, 7))

    @rule(profile=WORD)
    def profile(self, profile: int) -> None:
        self.make_room()
        new = profile % 2
        values = {"profile": profile, "shots": 3, "dose_nl": 5, "depth_um": 9, "new_session": new}
        self.ledger.append(record.PROFILE, mode=b"single", **values)
        self.told(ProfileLoaded(profile, "single", 3, 5, 9, new))

    @rule(name=st.integers(0, 12))
    def cartridge(self, name: int) -> None:
        self.make_room()
        self.ledger.append(
            record.CARTRIDGE, cartridge=bytes([name] * 8), needles=1, length_um=4_000
        )
        self.told(Cartridge(bytes([name] * 8), 1, 4_000))

    @rule(times=st.integers(1, 25))
    def faults(self, times: int) -> None:
        for _ in range(times):
            self.make_room()
            self.ledger.append(record.FAULT, code=b"misfire", state=b"DELIVERING")
            self.told(Fault("misfire", "DELIVERING"))

    @precondition(lambda self: len(pending(self.entries)) < PENDING_AT_MOST)
    @rule(target=intents, command=st.integers(0, 2**53), strikes=st.integers(0, 50), dose_nl=NL)
    def intend(self, command: int, strikes: int, dose_nl: int) -> int:
        self.make_room()
        number = self.ledger.intend(command, strikes, dose_nl)
        self.told(Intent(command, strikes, dose_nl))
        assert number == len(self.entries)
        self.announced.add(number)
        return number

    @rule(target=intents, number=intents, strikes=st.integers(0, 60), given_nl=NL)
    def close(self, number: int, strikes: int, given_nl: int) -> object:
        open_ = pending(self.entries)
        if number in open_:
            self.make_room()
            own = number in self.announced
            call = self.ledger.outcome if own else self.ledger.resolve
            call(number, strikes, given_nl, b"stopped")
            planned = open_[number]
            values = (number, planned.strikes, planned.dose_nl, strikes, given_nl, "stopped")
            self.told((Outcome if own else Resolved)(*values))
        return multiple()

    @rule()
    def start_anew(self) -> None:
        self.was_on_ms = self.entries[-1].on_ms if self.entries else 0
        self.boot = self.entries[-1].boot + 1 if self.entries else 1
        self.announced = set()
        self.clock.ms = 0
        self.ledger = Ledger.open(self.flash, self.clock)
        assert self.ledger.damage == []

    @rule()
    def fetch(self) -> None:
        first = self.seen[-1].sequence + 1 if self.seen else 1
        verdict = verify(self.ledger.records(first), self.seen)
        for row in verdict.rows:
            assert (row.event, row.boot, row.on_ms) == self.entries[row.sequence - 1]
        if verdict.head:
            assert verdict.head == Head(*self.ledger.head)
            assert all(flaw.kind == "missing" for flaw in verdict.flaws)
            assert verdict.rows[0].sequence >= first
            self.seen = [verdict.head]

    @invariant()
    def totals_are_those_of_the_entries(self) -> None:
        expected = sums(self.entries, self.on_ms)
        totals = self.ledger.totals
        told = {name: getattr(totals, name) for name in Sums._fields if name != "hour_nl"}
        assert Sums(hour_nl=self.ledger.hour_nl, **told) == expected
        assert {number for number, _, _ in self.ledger.uncertain} == (
            set(pending(self.entries)) - self.announced
        )


AnyWork.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestAnyWork = AnyWork.TestCase
