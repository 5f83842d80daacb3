"""What a session's record holds, as frozen values in the units that people use: µL, mm, ms.

`SessionFacts` and `ShotReport` go into the records; `SessionSummary` and `SessionRecord` come
out of them.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, StrictInt
from pydantic_core import to_jsonable_python

from mesodrive.presets import Coverage, Prescription, Preset
from mesodrive.records.ledger_facts import SessionLedger
from mesodrive.records.values import MAX_WHOLE, Amount, Count, Frozen, JsonObject, Whole
from mesodrive.telemetry import Shot


class ShotOutcome(StrEnum):
    """How a shot ended, in the words of the wire."""

    DONE = "done"
    STOPPED = "stopped"
    MISFIRE = "misfire"


class SessionOutcome(StrEnum):
    """How a session ended; `running` until it has."""

    RUNNING = "running"
    COMPLETE = "complete"
    STOPPED = "stopped"
    FAULT = "fault"
    LINK_LOST = "link_lost"
    INTERRUPTED = "interrupted"


class EventKind(StrEnum):
    """What an event tells of: a change of state, an alarm, a person's note, a gap in what came."""

    STATE = "state"
    ALARM = "alarm"
    NOTE = "note"
    GAP = "gap"


class Change(Frozen):
    """One value of the preset that this session changed, as text with its unit."""

    name: str
    preset: str
    used: str
    beyond_range: bool


class PresetAsRun(Frozen):
    """A prescription of `mesodrive.presets`, in a form that stays readable when that changes.

    Sessions of the first mesodrive have neither `burst` nor `soft_strikes`.
    """

    preset: str
    title: str
    technique: str
    mode: str
    depth_mm: Amount
    dose_ul: Amount
    rate_hz: Amount
    flow_ul_s: Amount
    settle_ms: Amount
    dwell_ms: Amount
    rest_ms: Amount
    period_ms: Amount
    shots: Count
    burst: Count = 1
    soft_strikes: Count = 0
    fill_ul: Amount
    viscosity_cp: Amount
    cartridge: JsonObject
    syringe: JsonObject
    changes: tuple[Change, ...]

    @classmethod
    def of(cls, p: Prescription) -> Self:
        """`p` with its times in ms."""
        return cls(
            preset=p.preset,
            title=p.title,
            technique=p.technique,
            mode=p.mode,
            depth_mm=p.depth_mm,
            dose_ul=p.dose_ul,
            rate_hz=p.rate_hz,
            flow_ul_s=p.flow_ul_s,
            settle_ms=p.settle_us / 1000,
            dwell_ms=p.dwell_us / 1000,
            rest_ms=p.rest_us / 1000,
            period_ms=p.period_us / 1000,
            shots=p.shots,
            burst=p.burst,
            soft_strikes=p.soft_strikes,
            fill_ul=p.fill_ul,
            viscosity_cp=p.viscosity_cp,
            cartridge=to_jsonable_python(p.cartridge, by_alias=True),
            syringe=to_jsonable_python(p.syringe, by_alias=True),
            changes=tuple(Change.model_validate(change) for change in p.changes),
        )


class DeviceIdentity(Frozen):
    """Which device it was; takes the whole result of `info` and keeps these five."""

    model_config = ConfigDict(extra="ignore")

    product: str
    version: str
    board: str
    serial: str
    micropython: str


class SessionFacts(Frozen):
    """What is known when a session starts.

    `preset` is the preset as the library has it, `as_run` what this session made of it, `profile`
    the device profile exactly as it was sent. `planned_…` is what all shots come to on the zone;
    None where the zone's area, or how far apart the points lie, was not said.
    """

    operator: str | None = None
    preset: JsonObject
    as_run: PresetAsRun
    profile: JsonObject
    device: DeviceIdentity
    zone_area_cm2: Amount | None = None
    planned_passes: Amount | None = None
    planned_coverage_percent: Amount | None = None

    @classmethod
    def of(
        cls,
        preset: Preset,
        prescription: Prescription,
        info: Mapping[str, object],
        operator: str | None = None,
    ) -> Self:
        """The facts of a session that gives `prescription` on the device whose `info` this is."""
        planned = prescription.coverage(prescription.shots)
        return cls(
            operator=operator,
            preset=to_jsonable_python(preset, by_alias=True, exclude_none=True),
            as_run=PresetAsRun.of(prescription),
            profile=to_jsonable_python(prescription.to_profile()),
            device=DeviceIdentity.model_validate(info),
            zone_area_cm2=prescription.zone_area_cm2,
            planned_passes=planned.passes if planned else None,
            planned_coverage_percent=planned.percent if planned else None,
        )

    def coverage(self, strikes: int) -> Coverage | None:
        """What `strikes` of the planned shots come to on the zone; None when it is not known."""
        if self.zone_area_cm2 is None or self.planned_coverage_percent is None:
            return None
        planned = Coverage(self.zone_area_cm2, self.planned_passes, self.planned_coverage_percent)
        return planned.scaled(strikes / self.as_run.shots)


class ShotReport(Frozen):
    """One shot as the device reported it.

    `t_ms` is the device's uptime at the start of the shot; `depth_mm`, `out_ms` and `back_ms`
    are None when the sensor did not see the needle; `dose_ul` comes from counted steps, `depth_mm`
    from where the depth stop stands. The `true_…` values are there only when the shot was made on
    the emulated rig: what the virtual injector itself measured.
    """

    number: Annotated[StrictInt, Field(ge=1, le=MAX_WHOLE)]
    t_ms: Amount
    outcome: ShotOutcome
    why: str
    commanded_ul: Amount
    dose_ul: float
    commanded_depth_mm: Amount
    depth_mm: float | None
    steps: Count
    audit: Whole
    out_ms: Amount | None
    back_ms: Amount | None
    true_skin_ul: float | None = None
    true_depth_mm: float | None = None
    true_lost_ul: float | None = None

    @classmethod
    def of(cls, shot: Shot, *, commanded_nl: int, commanded_depth_um: int) -> Self:
        """The device's report of a strike whose profile had this dose and depth."""
        return cls(
            number=shot.shot,
            t_ms=shot.t_us / 1000,
            outcome=ShotOutcome(shot.outcome),
            why=shot.why,
            commanded_ul=commanded_nl / 1000,
            dose_ul=shot.dose_nl / 1000,
            commanded_depth_mm=commanded_depth_um / 1000,
            depth_mm=None if shot.out_us is None else commanded_depth_um / 1000,
            steps=shot.steps,
            audit=shot.audit,
            out_ms=_thousandth(shot.out_us),
            back_ms=_thousandth(shot.back_us),
        )

    def with_truth(self, skin_ul: float, depth_mm: float, lost_ul: float) -> Self:
        """This report with what the virtual injector measured: volume into the skin, depth
        reached, volume lost outside."""
        return self.model_copy(
            update={"true_skin_ul": skin_ul, "true_depth_mm": depth_mm, "true_lost_ul": lost_ul}
        )


def _thousandth(value: int | None) -> float | None:
    return None if value is None else value / 1000


class ShotRecord(ShotReport):
    """A recorded shot; `received_at` is the host's time, UTC."""

    received_at: datetime


class EventRecord(Frozen):
    """Something that happened in a session; `at` is the host's time, UTC."""

    at: datetime
    kind: EventKind
    text: str


class _SessionHead(Frozen):
    id: str
    started_at: datetime
    ended_at: datetime | None
    host_version: str
    outcome: SessionOutcome
    reason: str
    uncertain_shots: Count | None
    uncertain_ul: Amount | None
    lost_shots: Count | None


class SessionSummary(_SessionHead):
    """One line of the list of sessions.

    `reason` is a sentence. `uncertain_…` is what may have been delivered beyond what is recorded;
    None while nobody knows, as when the host was killed and the device's ledger was not fetched
    since. `lost_shots` of the uncertain ones were given, but the device does not have their
    reports any more.
    """

    operator: str | None
    preset_name: str
    preset_title: str
    device_serial: str
    planned_shots: Count
    recorded_shots: Count
    reported_ul: float


class SessionRecord(_SessionHead):
    """All that is recorded of one session; outcome, reason and `uncertain_…` as in its summary.

    `ledger` is None as long as the session's part of the device's ledger was not fetched; then
    `uncertain_…` and `lost_shots` follow from it.
    """

    facts: SessionFacts
    ledger: SessionLedger | None
    shots: tuple[ShotRecord, ...]
    events: tuple[EventRecord, ...]
