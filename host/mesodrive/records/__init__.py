"""What was done, kept: sessions, their shots and events, safe on disk as they happen."""

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
from mesodrive.records.store import Records, default_path

__all__ = [
    "Change",
    "DeviceIdentity",
    "EventKind",
    "EventRecord",
    "PresetAsRun",
    "Records",
    "RecordsError",
    "SessionFacts",
    "SessionOutcome",
    "SessionRecord",
    "SessionSummary",
    "ShotOutcome",
    "ShotRecord",
    "ShotReport",
    "default_path",
]
