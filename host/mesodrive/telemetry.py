"""What a device tells by itself, checked and typed: strikes, status and the trace of a stop.

The names, units and places are those of docs/protocol.md, "Notifications".
"""

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mesodrive.errors import MesodriveError

State = Literal["SELF_TEST", "SAFE", "HOMING", "READY", "ARMED", "DELIVERING", "PAUSED", "FAULT"]

INPUTS = (
    *("guard", "stop", "interlock", "cartridge", "contact", "trigger"),
    *("rail", "needle_out", "needle_back", "driver_ok"),
)
"""The inputs in the order of `status`; in `LiveStatus.inputs` the first is bit 0."""

_MAX_WHOLE = (1 << 53) - 1  # the largest whole number that every JSON library keeps exact
_Whole = Annotated[int, Field(ge=-_MAX_WHOLE, le=_MAX_WHOLE)]
_Count = Annotated[int, Field(ge=0, le=_MAX_WHOLE)]


class TelemetryError(MesodriveError):
    """A device that tells what this host cannot understand."""


class Shot(NamedTuple):
    """One strike, as a row of `shots`: `t_us` is the uptime at its start, `out_us` and `back_us`
    count from there and are None when the needle was not seen."""

    shot: Annotated[int, Field(ge=1, le=_MAX_WHOLE)]
    t_us: _Count
    outcome: Literal["done", "stopped", "misfire"]
    dose_nl: _Whole
    steps: _Count
    audit: _Whole
    out_us: _Count | None
    back_us: _Count | None
    why: str


class TraceEvent(NamedTuple):
    """One row of `trace`: uptime, what happened, and a number that belongs to it."""

    t_us: _Count
    event: str
    value: _Whole


class _Told(BaseModel):
    # A newer device may say more than this host knows; that is no reason to refuse it.
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    @classmethod
    def of(cls, params: Mapping[str, object]) -> Self:
        """`params` of the wire, checked. Raises TelemetryError."""
        try:
            return cls.model_validate(dict(params))
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_context=False)[0]
            raise TelemetryError(
                f"What the device tells is not as docs/protocol.md says"
                f" ('{'.'.join(map(str, wrong['loc']))}': {wrong['msg']}); put the same version"
                f" of mesodrive on the device and on this computer."
            ) from error


class Shots(_Told):
    """Some strikes in order. `lost`: how many before them the device does not have any more,
    since the profile was loaded."""

    lost: _Count
    rows: list[Shot]


class Trace(_Told):
    """Some of the `total` events before the last stop."""

    total: _Count
    rows: list[TraceEvent]


class LiveStatus(_Told):
    """How a session stands; told ten times a second while the rail may be on."""

    state: State
    uptime_ms: _Count
    shots_done: _Count
    delivered_nl: _Whole
    left_nl: _Whole
    inputs: _Count

    def on(self, name: str) -> bool:
        """Whether the input called `name` (of `INPUTS`) is closed, present, pressed or on."""
        return bool(self.inputs >> INPUTS.index(name) & 1)
