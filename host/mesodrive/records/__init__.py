"""What was done, kept: sessions, their shots and events, safe on disk as they happen."""

from mesodrive.records.database import default_path
from mesodrive.records.errors import RecordsError
from mesodrive.records.facts import (
    Change,
    DeviceIdentity,
    EventKind,
    EventRecord,
    PresetAsRun,
    SessionFacts,
    SessionOutcome,
    SessionRecord,
    SessionSummary,
    ShotOutcome,
    ShotRecord,
    ShotReport,
)
from mesodrive.records.ledger_facts import LedgerDose, SessionLedger
from mesodrive.records.ledger_store import KnownLedger, LedgerMark, LedgerStore
from mesodrive.records.store import Records

__all__ = [
    "Change",
    "DeviceIdentity",
    "EventKind",
    "EventRecord",
    "KnownLedger",
    "LedgerDose",
    "LedgerMark",
    "LedgerStore",
    "PresetAsRun",
    "Records",
    "RecordsError",
    "SessionFacts",
    "SessionLedger",
    "SessionOutcome",
    "SessionRecord",
    "SessionSummary",
    "ShotOutcome",
    "ShotRecord",
    "ShotReport",
    "default_path",
]
