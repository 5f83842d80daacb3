"""The records: sessions are started, filled shot by shot, finished and read back."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from mesodrive import __version__
from mesodrive.lasting import make_folder
from mesodrive.ledger.join import Joined
from mesodrive.records.database import default_path, open_database, writer
from mesodrive.records.errors import RecordsError, in_one_sentence
from mesodrive.records.facts import (
    EventKind,
    EventRecord,
    SessionFacts,
    SessionOutcome,
    SessionRecord,
    SessionSummary,
    ShotRecord,
    ShotReport,
)
from mesodrive.records.ledger_accounts import Joining, account, joining
from mesodrive.records.ledger_store import LedgerMark, LedgerStore
from mesodrive.records.models import EventRow, SessionLedgerRow, SessionRow, ShotRow

_NO_END = (
    "No end was recorded: the program was killed or lost power, or it is still running this"
    " session."
)
_TRUTH = {"true_skin_ul", "true_depth_mm", "true_lost_ul"}


class Records:
    """All sessions of one database file; use it as a context manager.

    Every method raises RecordsError, with nothing changed, when the file cannot be read or
    written. What a method has recorded is on the disk when it returns.
    """

    def __init__(self, path: Path, engine: sa.Engine) -> None:
        self.path = path
        self._engine = engine
        self._writer = writer(engine)
        self._running: set[str] = set()
        self.ledgers = LedgerStore(path, engine)

    @classmethod
    def open(cls, path: Path | None = None, lock_timeout_s: float = 5.0) -> Self:
        """Open the records at `path`, or at `default_path()`; create or migrate them as needed.

        Raises RecordsError, and changes nothing, for a newer schema, a file that is not a
        database of records, or one that cannot be written.
        """
        path = path or default_path()
        with in_one_sentence(path):
            make_folder(path.parent)
        return cls(path, open_database(path, lock_timeout_s))

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self, facts: SessionFacts, mark: LedgerMark | None = None) -> str:
        """Record that a session starts now; return its id. `mark` is where it begins in its
        device's ledger."""
        id = str(uuid4())
        with self._transaction(self._writer) as db:
            row = SessionRow(
                id=id,
                started_at=datetime.now(UTC),
                host_version=__version__,
                outcome=SessionOutcome.RUNNING,
                reason="",
                operator=facts.operator,
                preset_name=facts.as_run.preset,
                preset_title=facts.as_run.title,
                planned_shots=facts.as_run.shots,
                preset=facts.preset,
                as_run=facts.as_run.model_dump(mode="json"),
                profile=facts.profile,
                device=facts.device.model_dump(),
                zone_area_cm2=facts.zone_area_cm2,
                planned_passes=facts.planned_passes,
                planned_coverage_percent=facts.planned_coverage_percent,
            )
            db.add(row)
            if mark:
                db.flush()
                db.add(
                    SessionLedgerRow(
                        session_key=row.key,
                        ledger_key=mark.ledger,
                        after=mark.after,
                        profile=mark.profile,
                    )
                )
        self._running.add(id)
        return id

    def add_shots(self, session_id: str, reports: Sequence[ShotReport]) -> None:
        """Record shots of a session that has not ended, all of them or none.

        The same report again changes nothing, and may then lack the virtual injector's values;
        another report under the same number is refused.
        """
        if not reports:
            return
        numbers = [report.number for report in reports]
        with self._transaction(self._writer) as db:
            row = self._started(db, session_id)
            recorded = db.scalars(
                sa.select(ShotRow).where(
                    ShotRow.session_key == row.key,
                    ShotRow.number.between(min(numbers), max(numbers)),
                )
            )
            known: dict[int, ShotReport] = {
                shot.number: ShotRecord.model_validate(shot) for shot in recorded
            }
            new: list[ShotReport] = []
            for report in reports:
                if report.number not in known:
                    known[report.number] = report
                    new.append(report)
                elif not _repeats(report, known[report.number]):
                    raise RecordsError(
                        f"Shot {report.number} of session {row.id} is already recorded with other"
                        f" values; the first record stands: disarm and look at the device."
                    )
            if new:
                _refuse_ended(row)
                now = datetime.now(UTC)
                db.execute(
                    sa.insert(ShotRow),
                    [
                        {"session_key": row.key, "received_at": now, **report.model_dump()}
                        for report in new
                    ],
                )

    def add_event(self, session_id: str, kind: EventKind, text: str) -> None:
        """Record that something has happened just now in a session that has not ended."""
        with self._transaction(self._writer) as db:
            row = self._started(db, session_id)
            _refuse_ended(row)
            db.add(EventRow(session_key=row.key, at=datetime.now(UTC), kind=kind, text=text))

    def finish(
        self,
        session_id: str,
        outcome: SessionOutcome,
        reason: str,
        uncertain_shots: int,
        uncertain_ul: float,
        lost_shots: int = 0,
    ) -> None:
        """Record that a session has ended now, and why in one sentence.

        `uncertain_…` is what may have been delivered beyond the recorded shots; of `lost_shots`
        of these it is certain that they were given, and their reports are gone for good.
        """
        if outcome is SessionOutcome.RUNNING:
            raise ValueError("a finished session is not running")
        with self._transaction(self._writer) as db:
            row = self._started(db, session_id)
            _refuse_ended(row)
            row.ended_at = datetime.now(UTC)
            row.outcome = outcome
            row.reason = reason
            row.uncertain_shots = uncertain_shots
            row.uncertain_ul = uncertain_ul
            row.lost_shots = lost_shots
        self._running.discard(session_id)

    def sessions(self) -> list[SessionSummary]:
        """All sessions, the latest first."""
        counted = (
            sa.select(
                ShotRow.session_key,
                sa.func.count().label("shots"),
                sa.func.total(ShotRow.dose_ul).label("dose_ul"),
            )
            .group_by(ShotRow.session_key)
            .subquery()
        )
        query = (
            sa.select(SessionRow, counted.c.shots, counted.c.dose_ul)
            .outerjoin(counted, counted.c.session_key == SessionRow.key)
            .order_by(SessionRow.key.desc())
        )
        with self._transaction(self._engine) as db:
            return [
                SessionSummary(
                    **self._head(db, row)[0],
                    operator=row.operator,
                    preset_name=row.preset_name,
                    preset_title=row.preset_title,
                    device_serial=str(row.device["serial"]),
                    planned_shots=row.planned_shots,
                    recorded_shots=shots or 0,
                    reported_ul=round(dose_ul or 0.0, 6),
                )
                for row, shots, dose_ul in db.execute(query)
            ]

    def session(self, id: str) -> SessionRecord:
        """One session by its id, the beginning of its id, or "last" for the latest.

        Raises RecordsError when there is none, or more than one that begins so.
        """
        with self._transaction(self._engine) as db:
            row = self._found(db, id)
            head, joined = self._head(db, row, always=True)
            return SessionRecord(
                **head,
                facts=SessionFacts.model_validate(row),
                ledger=joined and account(db, joined),
                shots=tuple(ShotRecord.model_validate(shot) for shot in row.shots),
                events=tuple(EventRecord.model_validate(event) for event in row.events),
            )

    def joined(self, session_id: str) -> Joined | None:
        """What is uncertain of a session by the device's ledger; None when that is not known."""
        with self._transaction(self._engine) as db:
            found = joining(db, self._started(db, session_id))
            return found.joined if found and found.complete else None

    def differences(self, session_id: str) -> list[str]:
        """What the device's ledger and the record of a session do not agree on."""
        with self._transaction(self._engine) as db:
            found = joining(db, self._started(db, session_id))
            return found.differences() if found else []

    @contextmanager
    def _transaction(self, engine: sa.Engine) -> Generator[Session]:
        with in_one_sentence(self.path), Session(engine) as db, db.begin():
            yield db

    def _started(self, db: Session, session_id: str) -> SessionRow:
        row = db.scalar(sa.select(SessionRow).where(SessionRow.id == session_id))
        if row is None:
            raise self._unknown(session_id)
        return row

    def _found(self, db: Session, id: str) -> SessionRow:
        query = sa.select(SessionRow).order_by(SessionRow.key.desc())
        if id == "last":
            query = query.limit(1)
        else:
            query = query.where(SessionRow.id.startswith(id.lower(), autoescape=True)).limit(2)
        rows = db.scalars(query).all()
        if not id or not rows:
            raise self._unknown(id)
        if len(rows) > 1:
            raise RecordsError(
                f"More than one session begins with '{id}'; type more of its id, which"
                f" 'mesodrive session list' shows."
            )
        return rows[0]

    def _unknown(self, id: str) -> RecordsError:
        return RecordsError(
            f"There is no session '{id}' in the records {self.path}; 'mesodrive session list'"
            f" shows those that are there."
        )

    def _head(
        self, db: Session, row: SessionRow, *, always: bool = False
    ) -> tuple[dict[str, Any], Joining | None]:
        """The values that summary and record share, in the words for a person; and the device's
        ledger beside them, which is asked where something is uncertain, or `always`.

        A session without an end that this object did not start is shown as interrupted; the
        database keeps what it has, because only whoever ran the session can know.
        """
        abandoned = row.outcome is SessionOutcome.RUNNING and row.id not in self._running
        open_ = row.ended_at is not None and row.uncertain_shots != 0
        joined = joining(db, row) if always or abandoned or open_ else None
        known = joined.figures() if joined and (abandoned or row.ended_at) else {}
        values = {
            "id": row.id,
            "started_at": row.started_at,
            "ended_at": row.ended_at,
            "host_version": row.host_version,
            "outcome": SessionOutcome.INTERRUPTED if abandoned else row.outcome,
            "reason": _NO_END if abandoned else row.reason,
            "uncertain_shots": row.uncertain_shots,
            "uncertain_ul": row.uncertain_ul,
            "lost_shots": row.lost_shots,
        }
        return values | known, joined


def _repeats(report: ShotReport, known: ShotReport) -> bool:
    stored = known.model_dump(exclude={"received_at"})
    truth = report.model_dump(include=_TRUTH)
    if all(value is None for value in truth.values()):
        stored |= truth
    return report.model_dump() == stored


def _refuse_ended(row: SessionRow) -> None:
    if row.ended_at is not None:
        raise RecordsError(
            f"Session {row.id} has ended and its record is closed; start a new session."
        )
