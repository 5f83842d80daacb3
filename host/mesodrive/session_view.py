"""How a session is watched, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mesodrive.ledger.told import Doubt
from mesodrive.presets import Coverage
from mesodrive.records import SessionOutcome, ShotReport
from mesodrive.telemetry import LiveStatus


class View(Protocol):
    """Where a session is watched."""

    def step(self, text: str) -> None:
        """A step of the preparation begins."""
        ...

    def state(self, state: str, why: str) -> None:
        """The device has changed its state."""
        ...

    def shot(self, report: ShotReport) -> None:
        """A shot has been recorded."""
        ...

    def live(self, status: LiveStatus, coverage: Coverage | None) -> None:
        """How it stands, ten times a second; `coverage` of the zone so far, if it is known."""
        ...

    def alarm(self, code: str, text: str) -> None:
        """The device raises an alarm."""
        ...


@dataclass(frozen=True)
class Result:
    """How the session ended. `warnings` are what the device's ledger says otherwise than this
    host's record, what is wrong with it, and whether it could not be asked. `unread` says why the
    view could not be written to its end, or is empty."""

    session_id: str
    outcome: SessionOutcome
    reason: str
    shots: int
    dose_ul: float
    cut_short: int
    uncertain_shots: int
    uncertain_ul: float
    lost_shots: int
    warnings: tuple[str, ...]
    unread: str

    @property
    def as_planned(self) -> bool:
        """Whether every shot was given in full, and that is certain and borne out by the device's
        ledger."""
        complete = self.outcome is SessionOutcome.COMPLETE
        certain = not self.cut_short and not self.uncertain_shots
        return complete and certain and not self.warnings


def doubts(doses: Sequence[Doubt]) -> str:
    """The sentence about doses of which nobody knows what was given."""
    volume_ul = sum(dose.total_nl for dose in doses) / 1000
    many = "A dose of before has" if len(doses) == 1 else f"{len(doses)} doses of before have"
    return (
        f"{many} no known outcome, up to {volume_ul:.3f} µL in all; say what was given with"
        " mesodrive ledger resolve, then begin again."
    )
