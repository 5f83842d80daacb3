"""What a session's record holds, as frozen values in the units that people use: µL, mm, ms.

`SessionFacts` and `ShotReport` go into the records; `SessionSummary` and `SessionRecord` come
out of them.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictInt, ValidationError
from pydantic_core import to_jsonable_python

from mesodrive.presets import Prescription, Preset
from mesodrive.records.errors import RecordsError

_MAX_WHOLE = (1 << 53) - 1  # the largest whole number that JSON and a float both keep exactly

Count = Annotated[StrictInt, Field(ge=0, le=_MAX_WHOLE)]
Whole = Annotated[StrictInt, Field(ge=-_MAX_WHOLE, le=_MAX_WHOLE)]
Amount = Annotated[float, Field(ge=0)]
JsonObject = dict[str, JsonValue]


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


class _Frozen(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, from_attributes=True
    )


class Change(_Frozen):
    """One value of the preset that this session changed, as text with its unit."""

    name: str
    preset: str
    used: str
    beyond_range: bool


class PresetAsRun(_Frozen):
    """A prescription of `mesodrive.presets`, in a form that stays readable when that changes."""

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
    fill_ul: Amount
    viscosity_cp: Amount
    cartridge: JsonObject
    syringe: JsonObject
    changes: tuple[Change, ...]


class DeviceIdentity(_Frozen):
    """Which device it was; takes the whole result of `info` and keeps these five."""

    model_config = ConfigDict(extra="ignore")

    product: str
    version: str
    board: str
    serial: str
    micropython: str


class SessionFacts(_Frozen):
    """What is known when a session starts.

    `preset` is the preset as the library has it, `as_run` what this session made of it, `profile`
    the device profile exactly as it was sent.
    """

    operator: str | None = None
    preset: JsonObject
    as_run: PresetAsRun
    profile: JsonObject
    device: DeviceIdentity

    @classmethod
    def of(
        cls,
        preset: Preset,
        prescription: Prescription,
        info: Mapping[str, object],
        operator: str | None = None,
    ) -> Self:
        """The facts of a session that gives `prescription` on the device whose `info` this is."""
        return cls(
            operator=operator,
            preset=to_jsonable_python(preset, by_alias=True, exclude_none=True),
            as_run=PresetAsRun.model_validate(to_jsonable_python(prescription, by_alias=True)),
            profile=to_jsonable_python(prescription.to_profile()),
            device=DeviceIdentity.model_validate(info),
        )


class ShotReport(_Frozen):
    """One shot as the device reported it.

    `t_ms` is the device's uptime at the start of the shot; `depth_mm`, `out_ms` and `back_ms`
    are None when the sensor did not see the needle; `dose_ul` comes from counted steps. The
    `true_…` values are there only when the shot was made on the emulated rig: what the virtual
    injector itself measured.
    """

    number: Annotated[StrictInt, Field(ge=1, le=_MAX_WHOLE)]
    t_ms: Count
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
    def from_wire(cls, params: Mapping[str, object], depth_commanded_um: int) -> Self:
        """The `shot` notification (or one item of `shots`) of docs/protocol.md as a report.

        Raises RecordsError when a value is missing, unknown, of another kind or out of range.
        """
        try:
            wire = _WireShot.model_validate(dict(params))
            return cls(
                number=wire.shot,
                t_ms=wire.t_ms,
                outcome=ShotOutcome(wire.outcome),
                why=wire.why,
                commanded_ul=wire.commanded_nl / 1000,
                dose_ul=wire.dose_nl / 1000,
                commanded_depth_mm=depth_commanded_um / 1000,
                depth_mm=_thousandth(wire.depth_um),
                steps=wire.steps,
                audit=wire.audit,
                out_ms=_thousandth(wire.out_us),
                back_ms=_thousandth(wire.back_us),
            )
        except ValidationError as e:
            wrong = e.errors(include_url=False, include_context=False)[0]
            raise RecordsError(
                f"The device's report of a shot is not as docs/protocol.md says"
                f" ('{'.'.join(map(str, wrong['loc']))}': {wrong['msg']}); put the same version"
                f" of mesodrive on the device and on this computer."
            ) from e

    def with_truth(self, skin_ul: float, depth_mm: float, lost_ul: float) -> Self:
        """This report with what the virtual injector measured: volume into the skin, depth
        reached, volume lost outside."""
        return self.model_copy(
            update={"true_skin_ul": skin_ul, "true_depth_mm": depth_mm, "true_lost_ul": lost_ul}
        )


class _WireShot(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seq: Count | None = None
    shot: Count
    t_ms: Count
    outcome: Literal["done", "stopped", "misfire"]
    why: str
    depth_um: Whole | None
    commanded_nl: Count
    dose_nl: Whole
    steps: Count
    audit: Whole
    out_us: Count | None
    back_us: Count | None


def _thousandth(value: int | None) -> float | None:
    return None if value is None else value / 1000


class ShotRecord(ShotReport):
    """A recorded shot; `received_at` is the host's time, UTC."""

    received_at: datetime


class EventRecord(_Frozen):
    """Something that happened in a session; `at` is the host's time, UTC."""

    at: datetime
    kind: EventKind
    text: str


class _SessionHead(_Frozen):
    id: str
    started_at: datetime
    ended_at: datetime | None
    host_version: str
    outcome: SessionOutcome
    reason: str
    uncertain_shots: Count | None
    uncertain_ul: Amount | None


class SessionSummary(_SessionHead):
    """One line of the list of sessions.

    `reason` is a sentence. `uncertain_…` is what may have been delivered beyond what is recorded;
    None while nobody knows, as when the host was killed.
    """

    operator: str | None
    preset_name: str
    preset_title: str
    device_serial: str
    planned_shots: Count
    recorded_shots: Count
    reported_ul: float


class SessionRecord(_SessionHead):
    """All that is recorded of one session; outcome, reason and `uncertain_…` as in its summary."""

    facts: SessionFacts
    shots: tuple[ShotRecord, ...]
    events: tuple[EventRecord, ...]
