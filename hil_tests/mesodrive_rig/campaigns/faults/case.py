"""What came of one fault in one phase."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """`verdict` is "" when all is well, else what is wrong."""

    fault: str
    phase: str
    outcome: str  # named, harmless, or what is wrong
    named: str
    evidence: tuple[str, ...]
    latency_ms: float | None  # from the cause, or the motion that shows it, to the alarm
    safe_ms: float | None  # … to the last edge that drives anything; None: there was none
    excess_ul: float
    wrong_shots: int
    unasked_shots: int
    verdict: str
    seconds: float  # that it took to find out

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Case":
        """From `asdict` of one, as JSON keeps it."""
        values["evidence"] = tuple(values["evidence"])
        return cls(**values)
