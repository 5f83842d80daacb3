"""The tables. `migrations/` creates and changes them; a test compares the two."""

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Double,
    Enum,
    ForeignKey,
    MetaData,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from mesodrive.records.facts import EventKind, SessionOutcome, ShotOutcome
from mesodrive.records.values import JsonObject


class UtcTime(TypeDecorator[datetime]):
    """A time that knows its zone outside the database and is stored as UTC."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 (SQLAlchemy's signature)
    ) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 (SQLAlchemy's signature)
    ) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def _values(words: type[StrEnum]) -> list[str]:
    return [word.value for word in words]


def _words(kind: type[StrEnum], name: str) -> Enum:
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=20,
        values_callable=_values,
    )


class Base(DeclarativeBase):
    """What all tables share; constraints are named so that a later migration can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy's own declaration)
        datetime: UtcTime,
        float: Double,
        JsonObject: JSON,
        SessionOutcome: _words(SessionOutcome, "outcome"),
        ShotOutcome: _words(ShotOutcome, "outcome"),
        EventKind: _words(EventKind, "kind"),
    }


class SessionRow(Base):
    """A session; `key` counts up in the order of starting, `id` is the UUID that people use."""

    __tablename__ = "session"

    key: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    host_version: Mapped[str]
    outcome: Mapped[SessionOutcome]
    reason: Mapped[str]
    uncertain_shots: Mapped[int | None]
    uncertain_ul: Mapped[float | None]
    lost_shots: Mapped[int | None]

    operator: Mapped[str | None]
    preset_name: Mapped[str]
    preset_title: Mapped[str]
    planned_shots: Mapped[int]
    preset: Mapped[JsonObject]
    as_run: Mapped[JsonObject]
    profile: Mapped[JsonObject]
    device: Mapped[JsonObject]
    zone_area_cm2: Mapped[float | None]
    planned_passes: Mapped[float | None]
    planned_coverage_percent: Mapped[float | None]

    shots: Mapped[list["ShotRow"]] = relationship(order_by="ShotRow.number")
    events: Mapped[list["EventRow"]] = relationship(order_by="EventRow.key")


class ShotRow(Base):
    """A shot of a session, by the device's number."""

    __tablename__ = "shot"
    __table_args__ = (UniqueConstraint("session_key", "number"),)

    key: Mapped[int] = mapped_column(primary_key=True)
    session_key: Mapped[int] = mapped_column(ForeignKey("session.key"))
    number: Mapped[int]
    t_ms: Mapped[float]
    outcome: Mapped[ShotOutcome]
    why: Mapped[str]
    commanded_ul: Mapped[float]
    dose_ul: Mapped[float]
    commanded_depth_mm: Mapped[float]
    depth_mm: Mapped[float | None]
    steps: Mapped[int]
    audit: Mapped[int]
    out_ms: Mapped[float | None]
    back_ms: Mapped[float | None]
    true_skin_ul: Mapped[float | None]
    true_depth_mm: Mapped[float | None]
    true_lost_ul: Mapped[float | None]
    received_at: Mapped[datetime]


class EventRow(Base):
    """An event of a session, in the order in which it came."""

    __tablename__ = "event"

    key: Mapped[int] = mapped_column(primary_key=True)
    session_key: Mapped[int] = mapped_column(ForeignKey("session.key"), index=True)
    at: Mapped[datetime]
    kind: Mapped[EventKind]
    text: Mapped[str]


class LedgerRow(Base):
    """A ledger of a device; a device that was given another one has two, the older retired."""

    __tablename__ = "ledger"

    key: Mapped[int] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(index=True)
    began_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class LedgerRecordRow(Base):
    """A record of a ledger, all of its bytes; the columns beside them are what they say."""

    __tablename__ = "ledger_record"
    __table_args__ = (UniqueConstraint("ledger_key", "sequence"),)

    key: Mapped[int] = mapped_column(primary_key=True)
    ledger_key: Mapped[int] = mapped_column(ForeignKey("ledger.key"))
    sequence: Mapped[int]
    raw: Mapped[bytes]
    kind: Mapped[str]
    boot: Mapped[int]
    on_ms: Mapped[int]
    intent: Mapped[int | None]
    strikes: Mapped[int | None]
    volume_nl: Mapped[int | None]
    fetched_at: Mapped[datetime]


class LedgerHeadRow(Base):
    """Where a ledger ended when it was fetched, and whether this host has countersigned that."""

    __tablename__ = "ledger_head"
    __table_args__ = (UniqueConstraint("ledger_key", "sequence"),)

    key: Mapped[int] = mapped_column(primary_key=True)
    ledger_key: Mapped[int] = mapped_column(ForeignKey("ledger.key"))
    sequence: Mapped[int]
    chain: Mapped[bytes]
    seen_at: Mapped[datetime]
    countersigned_at: Mapped[datetime | None]
    host_key: Mapped[int | None]


class LedgerFlawRow(Base):
    """Something that was wrong with a ledger; told once, kept for good."""

    __tablename__ = "ledger_flaw"
    __table_args__ = (UniqueConstraint("ledger_key", "kind", "sequence"),)

    key: Mapped[int] = mapped_column(primary_key=True)
    ledger_key: Mapped[int] = mapped_column(ForeignKey("ledger.key"))
    kind: Mapped[str]
    sequence: Mapped[int]
    text: Mapped[str]
    found_at: Mapped[datetime]


class SessionLedgerRow(Base):
    """Where a session is in its device's ledger: the profile record `sequence`, the first with
    the checksum `profile` after record `after`; empty until that record was fetched."""

    __tablename__ = "session_ledger"
    __table_args__ = (UniqueConstraint("ledger_key", "sequence"),)

    key: Mapped[int] = mapped_column(primary_key=True)
    session_key: Mapped[int] = mapped_column(ForeignKey("session.key"), unique=True)
    ledger_key: Mapped[int] = mapped_column(ForeignKey("ledger.key"))
    after: Mapped[int]
    profile: Mapped[int]
    sequence: Mapped[int | None]
