"""What a session has seen of the board's pins and of the person's hands."""

import math
from itertools import pairwise

from mesodrive_rig.emulated.edges import Edge
from mesodrive_rig.plant import Output

_LATE_MS = 2.0  # a strike that begins so soon after a hand let go
_PAUSE_MS = 20.0  # longer than this between two steps: another move
_ENDS = (Output.STRIKE, Output.ENABLE)


class Seen:
    """All times are emulated ms."""

    def __init__(self) -> None:
        self.held: list[list[float]] = []  # trigger: when it was pulled, and let go
        self.touched: list[list[float]] = []  # skin: when it was touched, and left
        self.edges: list[Edge] = []  # of the board's pins, but step edges
        self.steps: dict[Output, list[float]] = {Output.PLUNGER_STEP: [], Output.DEPTH_STEP: []}

    def was_asked_for(self, start_ms: float) -> bool:
        """Whether the person held the trigger and touched the skin when a strike began, whatever
        the wires of either said."""
        return all(
            any(since < start_ms <= until + _LATE_MS for since, until in times)
            for times in (self.held, self.touched)
        )

    def touches(self, is_true: bool, now_ms: float) -> None:
        """The person touches the skin from now on, or not any more."""
        is_touching = bool(self.touched) and self.touched[-1][1] == math.inf
        if is_true and not is_touching:
            self.touched.append([now_ms, math.inf])
        elif is_touching and not is_true:
            self.touched[-1][1] = now_ms

    def time_of_last_edge(self, since_ms: float) -> float | None:
        """When the last step was made, or STRIKE or ENABLE fell; None if not after `since_ms`."""
        last = [times[-1] for times in self.steps.values() if times]
        last += [e.time_ms for e in self.edges if e.output in _ENDS and not e.level]
        found = max(last, default=0.0)
        return found if found > since_ms else None

    def moved_after(self, ms: float) -> int:
        """Steps, and strikes begun, since then."""
        steps = sum(sum(1 for t in times if t > ms) for times in self.steps.values())
        return steps + sum(
            1 for e in self.edges if e.output is Output.STRIKE and e.level and e.time_ms > ms
        )

    def was_held(self, start_ms: float, end_ms: float) -> bool:
        """Whether the person held the trigger all the time."""
        return any(since < start_ms and end_ms <= until for since, until in self.held)

    def was_let_go(self, start_ms: float, end_ms: float) -> bool:
        """Whether the person let the trigger go between the two."""
        return any(start_ms < until <= end_ms for _, until in self.held)

    def beginnings(self) -> list[float]:
        """When strikes and moves began."""
        found = [
            edge.time_ms for edge in self.edges if edge.output is Output.STRIKE and edge.level
        ]
        for times in self.steps.values():
            found += times[:1] + [b for a, b in pairwise(times) if b - a > _PAUSE_MS]
        return found

    def still_moves(self, now_ms: float) -> bool:
        """Whether anything has moved in the last few ms."""
        last = [times[-1] for times in self.steps.values() if times]
        last += [edge.time_ms for edge in self.edges if edge.output is Output.STRIKE]
        return bool(last) and max(last) > now_ms - _PAUSE_MS
