"""What came of a part of the campaign; parts are added up."""

from collections import Counter
from dataclasses import dataclass, field

_KEPT = 20

CRASHED = "crashed"
ACCEPTED = "wrongly accepted"
REFUSED = "wrongly refused"
MOVED = "moved"
UNBOUNDED = "memory not bounded"
MISANSWERED = "answered wrongly"
CHANGED = "changed although refused"
WRONG = (CRASHED, ACCEPTED, REFUSED, MOVED, UNBOUNDED, MISANSWERED, CHANGED)


@dataclass
class Findings:
    """Counts, and the first of what was wrong, in words."""

    frames: Counter[str] = field(default_factory=Counter[str])  # by part
    accepted: int = 0
    wrong: Counter[str] = field(default_factory=Counter[str])
    first: list[str] = field(default_factory=list[str])

    def blame(self, what: str, how: str) -> None:
        self.wrong[what] += 1
        if len(self.first) < _KEPT:
            self.first.append(f"{what}: {how}")

    def add(self, other: "Findings") -> None:
        self.frames += other.frames
        self.accepted += other.accepted
        self.wrong += other.wrong
        self.first = (self.first + other.first)[:_KEPT]
