"""A session of the records joined with its part of the device's ledger, each time it is read:
nothing is added up that is stored, so nothing can be counted twice."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from mesodrive.ledger.doses import Account, Dose
from mesodrive.ledger.join import Joined, Recorded, differences, join, suggested
from mesodrive.records.facts import PresetAsRun
from mesodrive.records.ledger_facts import LedgerDose, SessionLedger
from mesodrive.records.ledger_links import is_complete, session_doses
from mesodrive.records.models import (
    LedgerFlawRow,
    LedgerHeadRow,
    LedgerRow,
    SessionLedgerRow,
    SessionRow,
    ShotRow,
)

_INCOMPLETE = (
    "Not all of the device's ledger about this session could be fetched; what this host recorded"
    " and what it takes for uncertain stand."
)


@dataclass(frozen=True)
class Joining:
    """A session's doses by the ledger, and its shots, number → nL, by this host."""

    link: SessionLedgerRow
    doses: list[Dose]
    recorded: dict[int, int]
    complete: bool  # all that the device had to say of the session was fetched

    @property
    def joined(self) -> Joined:
        return join(self.doses, self.recorded)

    def differences(self) -> list[str]:
        """What the ledger and the record of this host do not agree on."""
        if not self.complete:
            return [_INCOMPLETE]
        return differences(Account.of(self.doses), self.joined, self.recorded)

    def figures(self) -> dict[str, object]:
        """What is uncertain of the session, if the ledger is known."""
        if not self.complete:
            return {}
        joined = self.joined
        return {
            "uncertain_shots": joined.uncertain_shots,
            "uncertain_ul": joined.uncertain_nl / 1000,
            "lost_shots": joined.lost_shots,
        }


def joining(db: Session, row: SessionRow) -> Joining | None:
    """The session `row` joined; None as long as its part of the ledger was not fetched."""
    link = db.scalar(sa.select(SessionLedgerRow).where(SessionLedgerRow.session_key == row.key))
    if link is None or link.sequence is None:
        return None
    shots = db.execute(
        sa.select(ShotRow.number, ShotRow.dose_ul).where(ShotRow.session_key == row.key)
    )
    recorded = {number: round(1000 * dose_ul) for number, dose_ul in shots}
    return Joining(link, session_doses(db, link), recorded, is_complete(db, link))


def recorded_of(db: Session, key: int, number: int) -> tuple[str, Recorded] | None:
    """See LedgerStore.recorded."""
    found = db.execute(
        sa.select(SessionRow, SessionLedgerRow)
        .join(SessionLedgerRow, SessionLedgerRow.session_key == SessionRow.key)
        .where(SessionLedgerRow.ledger_key == key, SessionLedgerRow.sequence < number)
        .order_by(SessionLedgerRow.sequence.desc())
        .limit(1)
    ).first()
    joined = joining(db, found[0]) if found else None
    if found is None or joined is None:
        return None
    if all(dose.number != number for dose in joined.doses):
        return None  # made under another host's profile
    period_ms = PresetAsRun.model_validate(found[0].as_run).period_ms
    return found[0].id, suggested(joined.doses, joined.recorded, number, period_ms)


def account(db: Session, joining: Joining) -> SessionLedger | None:
    """What the ledger says of the session, and what of the ledger itself."""
    key = joining.link.ledger_key
    head = db.scalar(
        sa.select(LedgerHeadRow)
        .where(LedgerHeadRow.ledger_key == key)
        .order_by(LedgerHeadRow.sequence.desc())
        .limit(1)
    )
    serial = db.scalar(sa.select(LedgerRow.serial).where(LedgerRow.key == key))
    texts = db.scalars(
        sa.select(LedgerFlawRow.text)
        .where(LedgerFlawRow.ledger_key == key)
        .order_by(LedgerFlawRow.key)
    ).all()
    sums = Account.of(joining.doses)
    joined = joining.joined
    return SessionLedger(
        serial=serial or "",
        complete=joining.complete,
        profile_record=joining.link.sequence or 0,
        head_sequence=head.sequence if head else 0,
        head_chain=head.chain.hex() if head else "",
        whole=not texts,
        flaws=tuple(texts),
        strikes=sums.strikes,
        given_ul=sums.given_nl / 1000,
        in_doubt_strikes=sums.doubt_strikes,
        in_doubt_ul=sums.doubt_nl / 1000,
        resolved_strikes=sums.resolved_strikes,
        resolved_ul=sums.resolved_nl / 1000,
        primed_ul=sums.primed_nl / 1000,
        unknown_shots=joined.unknown_shots,
        differences=tuple(joining.differences()),
        doses=tuple(map(_dose, joining.doses)),
    )


def _dose(dose: Dose) -> LedgerDose:
    end = "in_doubt" if dose.in_doubt else "resolved" if dose.by_person else "known"
    return LedgerDose(
        number=dose.number,
        planned_strikes=dose.planned_strikes,
        strikes=dose.strikes,
        given_ul=dose.given_nl / 1000,
        end=end,
    )
