"""Someone who works with the firmware's ledger, and writes down what it has promised."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from random import Random
from typing import Any, NamedTuple

from mesodrive.ledger import verify
from mesodrive.ledger.rows import (
    LAYOUTS,
    SIZE,
    Event,
    Intent,
    Outcome,
    Resolved,
    Row,
)
from mesodrive_rig.campaigns.flash_model import ModelFlash, Operation
from mesodrive_rig.campaigns.ledger_oracle import Entry, Sums, pending, sums
from mesodrive_rig.emulated.provision import firmware_module

_KIND = {event: kind for kind, (_, event) in LAYOUTS.items()}


class Firmware(NamedTuple):
    """The modules of the image, run here."""

    Ledger: Any
    LedgerError: Any
    NoLedger: Any


def rows_in(data: bytes) -> dict[int, Row]:
    """Whatever reads as a record, by its address."""
    found: dict[int, Row] = {}
    for address in range(0, len(data), SIZE):
        with suppress(ValueError):
            found[address] = Row.parse(data[address : address + SIZE])
    return found


def load_firmware() -> Firmware:
    errors = firmware_module("ledger.errors")
    return Firmware(firmware_module("ledger").Ledger, errors.LedgerError, errors.NoLedger)


@dataclass(frozen=True)
class Promise:
    """What a ledger that is opened now must know: `done` entries for certain, `in_flight` wholly
    or not at all. Records up to `erased` may have made room. `creating`: perhaps there is none."""

    entries: list[Entry]
    done: int
    in_flight: Entry | None
    erased: int
    creating: bool

    def adopted(self, count: int) -> "list[Entry] | None":
        """The entries of a ledger that knows `count` of them; None if it must not."""
        if count == self.done:
            return self.entries[:count]
        if self.in_flight and count == self.done + 1:
            return [*self.entries[: self.done], self.in_flight]
        return None


@dataclass
class Moment:
    """A flash operation, and what had been promised when it began."""

    operation: Operation
    promise: Promise


@dataclass
class Work:
    """Calls the ledger, and keeps every flash operation with what was promised at the time."""

    firmware: Firmware
    flash: ModelFlash
    random: Random
    entries: list[Entry] = field(default_factory=list[Entry])
    moments: list[Moment] = field(default_factory=list[Moment])
    erased: int = 0
    ledger: Any = None
    _boot: int = 1
    _was_on_ms: int = 0
    _uptime_ms: int = 0
    _announced: set[int] = field(default_factory=set[int])

    @property
    def on_ms(self) -> int:
        return self._was_on_ms + self._uptime_ms

    def create(self) -> None:
        with self._step(creating=True, may_erase=True):
            self.ledger = self.firmware.Ledger.create(self.flash, self._uptime, b"any seed")

    def open(self) -> None:
        with self._step():
            self.ledger = self.firmware.Ledger.open(self.flash, self._uptime)
        self.opened()

    def open_after_cut(self, promise: Promise) -> str | None:
        """Open what a cut left behind. None, or what is wrong with it."""
        self.erased = promise.erased
        self.entries = promise.entries[: promise.done]
        try:
            with self._step(promise=promise):
                self.ledger = self.firmware.Ledger.open(self.flash, self._uptime)
        except self.firmware.LedgerError as error:
            if promise.creating:
                self._create_or_open()
                return None
            what = "reformatted" if isinstance(error, self.firmware.NoLedger) else "refused"
            return f"{what}: {error}"
        count = self.ledger.head[0]
        adopted = promise.adopted(count)
        if adopted is None:
            what = "lost" if count < promise.done else "doubled"
            return f"{what}: {count} records where {promise.done} were written"
        self.entries = adopted
        self.opened()
        return None

    def _create_or_open(self) -> None:
        """A head in doubt may be there for one and not for the other; a person tries both."""
        for _ in range(20):
            with suppress(self.firmware.LedgerError):
                self.create()
                return
            with suppress(self.firmware.LedgerError):
                self.open()
                return
        raise AssertionError("The ledger can be neither created nor opened.")

    def opened(self) -> None:
        """Take up the count of boots and the time where the entries end."""
        if self.entries:
            self._was_on_ms = self.entries[-1].on_ms
        self._boot = self.entries[-1].boot + 1 if self.entries else 1
        self._uptime_ms = 0
        self._announced = set()

    def prepare(self, records: int) -> None:
        """Until there is room for so many."""
        ready = False
        while not ready:
            with self._step(may_erase=True):
                ready = self.ledger.prepare(records)

    def write(self, event: Event) -> None:
        """A record that is not about a dose."""
        with self._step(event):
            self.ledger.append(_KIND[type(event)], **_values(event))

    def intend(self, intent: Intent) -> None:
        with self._step(intent):
            number = self.ledger.intend(**_values(intent))
        self._announced.add(number)

    def close(self) -> None:
        """Say what became of one intent that has no outcome yet."""
        number, intent = self.random.choice(sorted(pending(self.entries).items()))
        strikes = self.random.randint(0, intent.strikes)
        given_nl = max(1, strikes) * intent.dose_nl * self.random.choice([0, 1])
        how = self.random.choice(["done", "stopped", "misfire"])
        kind = Outcome if number in self._announced else Resolved
        event = kind(number, intent.strikes, intent.dose_nl, strikes, given_nl, how)
        call = self.ledger.outcome if number in self._announced else self.ledger.resolve
        with self._step(event):
            call(number, strikes, given_nl, how.encode())

    def faults(self) -> Iterator[str]:
        """What the ledger says that is not what it was told."""
        verdict = verify(bytes(raw) for raw in self.ledger.records())
        for flaw in verdict.flaws:
            yield f"chain: {flaw.text}"
        wrong = [row for row in verdict.rows if not self._is_entry(row)]
        if wrong:
            yield f"invented: record {wrong[0].sequence} is {wrong[0]}"
        there = {row.sequence for row in verdict.rows}
        must = set(range(self.erased + 1, len(self.entries) + 1))
        if must - there:
            yield f"lost: records {sorted(must - there)} cannot be read"
        if (
            self.entries
            and verdict.head
            and self.ledger.head
            != (
                verdict.head.sequence,
                verdict.head.chain,
            )
        ):
            yield "lost: the head is not the last record"
        told, added_up = self._told(), sums(self.entries, self.on_ms)
        for name in Sums._fields:
            if told[name] != getattr(added_up, name):
                yield f"totals: {name} is {told[name]} instead of {getattr(added_up, name)}"

    def _told(self) -> dict[str, Any]:
        totals = self.ledger.totals
        told = {name: getattr(totals, name) for name in Sums._fields if name != "hour_nl"}
        return {**told, "hour_nl": self.ledger.hour_nl}

    def _is_entry(self, row: Row) -> bool:
        if row.sequence > len(self.entries):
            return False
        entry = self.entries[row.sequence - 1]
        return (row.event, row.boot, row.on_ms) == entry

    @contextmanager
    def _step(
        self,
        event: Event | None = None,
        *,
        creating: bool = False,
        may_erase: bool = False,
        promise: Promise | None = None,
    ) -> Generator[None]:
        """One call of the ledger. `promise` is what must hold if it is cut, if that is not what
        has been promised up to now."""
        self._uptime_ms += self.random.randint(1, 400_000)
        in_flight = Entry(event, self._boot, self.on_ms) if event else None
        before = len(self.flash.operations)
        promise = promise or Promise(
            self.entries, len(self.entries), in_flight, self.erased, creating
        )
        self.flash.may_erase = may_erase
        try:
            yield
        finally:
            self.flash.may_erase = False
            made = self.flash.operations[before:]
            if may_erase and made:
                self.erased = max(self.erased, self._youngest_in_sector_of(made[0]))
                promise = replace(promise, erased=self.erased)
            self.moments += [Moment(operation, promise) for operation in made]
        if in_flight:
            self.entries.append(in_flight)

    def _youngest_in_sector_of(self, operation: Operation) -> int:
        """The sequence of the last record that making room takes away."""
        sector = self.flash.sector
        start = operation.address // sector * sector
        data = operation.before.data[start : start + sector]
        return max((row.sequence for row in rows_in(data).values()), default=0)

    def _uptime(self) -> int:
        return self._uptime_ms


def _values(event: Event) -> dict[str, Any]:
    """As the firmware takes them: text as bytes."""
    return {
        name: value.encode() if isinstance(value, str) else value
        for name, value in asdict(event).items()
    }
