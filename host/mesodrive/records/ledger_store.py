"""Ledgers in the records: each record of a device once, where each ledger was seen to end, and
which part of it is which session's."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from mesodrive.ledger import Head, Row
from mesodrive.ledger.doses import Dose, doses_of
from mesodrive.ledger.join import Recorded
from mesodrive.ledger.rows import (
    Boot,
    Cartridge,
    Change,
    Countersigned,
    Event,
    Fault,
    Intent,
    Outcome,
    ProfileLoaded,
    Resolved,
    Syringe,
)
from mesodrive.ledger.verify import Flaw, FlawKind
from mesodrive.records.database import writer
from mesodrive.records.errors import RecordsError, in_one_sentence
from mesodrive.records.ledger_accounts import recorded_of
from mesodrive.records.ledger_links import dose_rows, link_sessions
from mesodrive.records.models import (
    LedgerFlawRow,
    LedgerHeadRow,
    LedgerRecordRow,
    LedgerRow,
    SessionLedgerRow,
    SessionRow,
)

KINDS: dict[type[Event], str] = {
    Boot: "boot",
    ProfileLoaded: "profile",
    Syringe: "syringe",
    Cartridge: "cartridge",
    Intent: "intent",
    Outcome: "outcome",
    Resolved: "resolved",
    Fault: "fault",
    Change: "change",
    Countersigned: "countersigned",
}


@dataclass(frozen=True)
class KnownLedger:
    """A ledger in the records; `head` is its last record there, None while there is none."""

    key: int
    serial: str
    began_at: datetime
    head: Head | None


@dataclass(frozen=True)
class SeenHead:
    """Where a ledger ended when it was fetched. `host_key` is the number of the key with which
    this host countersigned that, or None."""

    head: Head
    seen_at: datetime
    host_key: int | None


@dataclass(frozen=True)
class LedgerMark:
    """Where a session begins: its profile, of checksum `profile`, was loaded after record
    `after` of the ledger of key `ledger`."""

    ledger: int
    after: int
    profile: int


class LedgerStore:
    """The ledgers of one database file; `Records.ledgers` has it."""

    def __init__(self, path: Path, engine: sa.Engine) -> None:
        self._path = path
        self._engine = engine
        self._writer = writer(engine)

    def known(self) -> list[KnownLedger]:
        """The ledger in use of each device."""
        with self._transaction(self._engine) as db:
            rows = db.scalars(sa.select(LedgerRow).where(LedgerRow.retired_at.is_(None)))
            return [self._known(db, row) for row in rows]

    def current(self, serial: str) -> KnownLedger | None:
        """The ledger in use of the device `serial`; None when none was fetched yet."""
        with self._transaction(self._engine) as db:
            row = _in_use(db, serial)
            return row and self._known(db, row)

    def begin(self, serial: str, *, anew: bool = False) -> KnownLedger:
        """The ledger in use of the device `serial`, begun now if there is none. With `anew` the
        one there is is retired: nothing of it is lost, and nothing more is compared with it."""
        with self._transaction(self._writer) as db:
            row = _in_use(db, serial)
            if row and anew:
                row.retired_at = datetime.now(UTC)
                row = None
            if row is None:
                row = LedgerRow(serial=serial, began_at=datetime.now(UTC))
                db.add(row)
                db.flush()
            return self._known(db, row)

    def add(self, key: int, raws: Sequence[bytes], flaws: Sequence[Flaw] = ()) -> int:
        """Record whole records of a ledger with what was wrong between them, all or nothing;
        return how many were new.

        The same record again changes nothing; another one under the same number is refused.
        """
        with self._transaction(self._writer) as db:
            rows = {row.sequence: (raw, row) for raw in raws for row in [Row.parse(raw)]}
            stored = db.execute(
                sa.select(LedgerRecordRow.sequence, LedgerRecordRow.raw).where(
                    LedgerRecordRow.ledger_key == key,
                    LedgerRecordRow.sequence.between(min(rows, default=1), max(rows, default=0)),
                )
            ).all()
            for sequence, raw in stored:
                if sequence in rows and rows.pop(sequence)[0] != raw:
                    raise RecordsError(
                        f"Record {sequence} of the ledger is already recorded with other values;"
                        " the first record stands: keep the device out of use until service has"
                        " looked at it."
                    )
            now = datetime.now(UTC)
            if rows:
                values = [_columns(raw, row, key, now) for raw, row in rows.values()]
                db.execute(sa.insert(LedgerRecordRow), values)
            _add_flaws(db, key, flaws)
            link_sessions(db, key)
            return len(rows)

    def note_flaws(self, key: int, flaws: Sequence[Flaw]) -> None:
        """Keep what was found wrong with a ledger, each flaw once."""
        with self._transaction(self._writer) as db:
            _add_flaws(db, key, flaws)

    def see(self, key: int, head: Head) -> None:
        """Record that the ledger was seen to end at `head`; again changes nothing."""
        with self._transaction(self._writer) as db:
            if _head_row(db, key, head.sequence) is None:
                db.add(
                    LedgerHeadRow(
                        ledger_key=key,
                        sequence=head.sequence,
                        chain=head.chain,
                        seen_at=datetime.now(UTC),
                    )
                )

    def countersign(self, key: int, head: Head, host_key: int) -> None:
        """Record that this host has countersigned the head, which it has seen."""
        with self._transaction(self._writer) as db:
            row = _head_row(db, key, head.sequence)
            if row is not None and row.countersigned_at is None:
                row.countersigned_at = datetime.now(UTC)
                row.host_key = host_key

    def heads(self, key: int) -> list[SeenHead]:
        """Where the ledger was seen to end, the latest last."""
        with self._transaction(self._engine) as db:
            rows = db.scalars(
                sa.select(LedgerHeadRow)
                .where(LedgerHeadRow.ledger_key == key)
                .order_by(LedgerHeadRow.sequence)
            )
            return [SeenHead(Head(r.sequence, r.chain), r.seen_at, r.host_key) for r in rows]

    def flaws(self, key: int) -> list[Flaw]:
        """What was ever found wrong with the ledger."""
        with self._transaction(self._engine) as db:
            rows = db.scalars(
                sa.select(LedgerFlawRow)
                .where(LedgerFlawRow.ledger_key == key)
                .order_by(LedgerFlawRow.key)
            )
            return [Flaw(FlawKind(row.kind), row.sequence, row.text) for row in rows]

    def row(self, key: int, sequence: int) -> Row | None:
        """A record of a ledger; None when it is not here."""
        with self._transaction(self._engine) as db:
            query = sa.select(LedgerRecordRow.raw).where(
                LedgerRecordRow.ledger_key == key, LedgerRecordRow.sequence == sequence
            )
            raw = db.scalar(query)
            return None if raw is None else Row.parse(raw)

    def raws(self, key: int) -> list[bytes]:
        """All records of a ledger, in order."""
        with self._transaction(self._engine) as db:
            query = sa.select(LedgerRecordRow.raw).where(LedgerRecordRow.ledger_key == key)
            return list(db.scalars(query.order_by(LedgerRecordRow.sequence)))

    def doses(self, key: int) -> list[Dose]:
        """Every dose of the ledger."""
        with self._transaction(self._engine) as db:
            return doses_of(dose_rows(db, key, 0, None))

    def sessions(self, key: int) -> dict[int, str]:
        """Profile record → id of the session whose it is."""
        with self._transaction(self._engine) as db:
            query = (
                sa.select(SessionLedgerRow.sequence, SessionRow.id)
                .join(SessionRow, SessionRow.key == SessionLedgerRow.session_key)
                .where(SessionLedgerRow.ledger_key == key)
            )
            return {sequence: session for sequence, session in db.execute(query) if sequence}

    def recorded(self, key: int, number: int) -> tuple[str, Recorded] | None:
        """Of a dose by its number: the session, and what this host recorded of it; None when no
        session of this host made it."""
        with self._transaction(self._engine) as db:
            return recorded_of(db, key, number)

    def _known(self, db: Session, row: LedgerRow) -> KnownLedger:
        query = sa.select(LedgerRecordRow.raw).where(LedgerRecordRow.ledger_key == row.key)
        raw = db.scalar(query.order_by(LedgerRecordRow.sequence.desc()).limit(1))
        last = None if raw is None else Row.parse(raw)
        head = last and Head(last.sequence, last.chain)
        return KnownLedger(row.key, row.serial, row.began_at, head)

    @contextmanager
    def _transaction(self, engine: sa.Engine) -> Generator[Session]:
        with in_one_sentence(self._path), Session(engine) as db, db.begin():
            yield db


def _in_use(db: Session, serial: str) -> LedgerRow | None:
    query = sa.select(LedgerRow).where(LedgerRow.serial == serial, LedgerRow.retired_at.is_(None))
    return db.scalar(query)


def _head_row(db: Session, key: int, sequence: int) -> LedgerHeadRow | None:
    query = sa.select(LedgerHeadRow).where(
        LedgerHeadRow.ledger_key == key, LedgerHeadRow.sequence == sequence
    )
    return db.scalar(query)


def _add_flaws(db: Session, key: int, flaws: Sequence[Flaw]) -> None:
    for flaw in flaws:
        query = sa.select(LedgerFlawRow.key).where(
            LedgerFlawRow.ledger_key == key,
            LedgerFlawRow.kind == flaw.kind,
            LedgerFlawRow.sequence == flaw.sequence,
        )
        if db.scalar(query) is None:
            db.add(
                LedgerFlawRow(
                    ledger_key=key,
                    kind=flaw.kind,
                    sequence=flaw.sequence,
                    text=flaw.text,
                    found_at=datetime.now(UTC),
                )
            )
            db.flush()


def _columns(raw: bytes, row: Row, key: int, now: datetime) -> dict[str, object]:
    event = row.event
    intent = strikes = volume = None
    if isinstance(event, Intent):
        intent, strikes = row.sequence, event.strikes
        volume = max(1, event.strikes) * event.dose_nl
    elif isinstance(event, Outcome):
        intent, strikes, volume = event.intent, event.strikes, event.given_nl
    return {
        "ledger_key": key,
        "sequence": row.sequence,
        "raw": raw,
        "kind": KINDS[type(event)],
        "boot": row.boot,
        "on_ms": row.on_ms,
        "intent": intent,
        "strikes": strikes,
        "volume_nl": volume,
        "fetched_at": now,
    }
