"""Which part of a ledger is which session's: from its profile record to the next one."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from mesodrive.ledger import Row
from mesodrive.ledger.doses import Dose, doses_of
from mesodrive.ledger.rows import ProfileLoaded
from mesodrive.records.models import LedgerHeadRow, LedgerRecordRow, SessionLedgerRow

_DOSE_KINDS = ("profile", "intent", "outcome", "resolved")


def link_sessions(db: Session, key: int) -> None:
    """Give each session that has none its profile record, if that is here by now.

    That is the first profile record after what the ledger held when the session began: no other
    is sure to be its own, for any host may load the same profile later. Where a record in between
    is missing nobody knows which was the first; the session then keeps the bound that it has.
    """
    waiting = db.scalars(
        sa.select(SessionLedgerRow)
        .where(SessionLedgerRow.ledger_key == key, SessionLedgerRow.sequence.is_(None))
        .order_by(SessionLedgerRow.session_key)
    ).all()
    for link in waiting:
        later = sa.and_(LedgerRecordRow.ledger_key == key, LedgerRecordRow.sequence > link.after)
        raw = db.scalar(
            sa.select(LedgerRecordRow.raw)
            .where(later, LedgerRecordRow.kind == "profile")
            .order_by(LedgerRecordRow.sequence)
            .limit(1)
        )
        if raw is None:
            continue
        first = Row.parse(raw)
        here = db.scalar(
            sa.select(sa.func.count()).where(later, LedgerRecordRow.sequence <= first.sequence)
        )
        is_own = isinstance(first.event, ProfileLoaded) and first.event.profile == link.profile
        if is_own and here == first.sequence - link.after:
            link.sequence = first.sequence
            db.flush()


def session_doses(db: Session, link: SessionLedgerRow) -> list[Dose]:
    """The doses under the profile record of `link`, with the ends that came of them since."""
    assert link.sequence is not None
    rows = dose_rows(db, link.ledger_key, link.sequence, _following(db, link))
    return [dose for dose in doses_of(rows) if dose.session == link.sequence]


def is_complete(db: Session, link: SessionLedgerRow) -> bool:
    """Whether a fetch came to its end after the session began, and no record is missing."""
    assert link.sequence is not None
    seen = db.scalar(
        sa.select(sa.func.max(LedgerHeadRow.sequence)).where(
            LedgerHeadRow.ledger_key == link.ledger_key
        )
    )
    end = _following(db, link) or seen or 0
    here = db.scalar(
        sa.select(sa.func.count()).where(
            LedgerRecordRow.ledger_key == link.ledger_key,
            LedgerRecordRow.sequence.between(link.sequence, end),
        )
    )
    return bool(seen) and link.sequence <= seen and here == end - link.sequence + 1


def _following(db: Session, link: SessionLedgerRow) -> int | None:
    """The next profile record."""
    return db.scalar(
        sa.select(sa.func.min(LedgerRecordRow.sequence)).where(
            LedgerRecordRow.ledger_key == link.ledger_key,
            LedgerRecordRow.kind == "profile",
            LedgerRecordRow.sequence > link.sequence,
        )
    )


def dose_rows(db: Session, key: int, first: int, following: int | None) -> list[Row]:
    """The rows about doses from record `first` on; of those from `following` on only what became
    of an intent before it."""
    late = sa.and_(
        LedgerRecordRow.kind.in_(("outcome", "resolved")),
        LedgerRecordRow.intent.between(first, following or 0),
    )
    within = LedgerRecordRow.sequence >= first
    if following is not None:
        within = sa.or_(sa.and_(within, LedgerRecordRow.sequence < following), late)
    query = sa.select(LedgerRecordRow.raw).where(
        LedgerRecordRow.ledger_key == key, LedgerRecordRow.kind.in_(_DOSE_KINDS), within
    )
    return [Row.parse(raw) for raw in db.scalars(query.order_by(LedgerRecordRow.sequence))]
