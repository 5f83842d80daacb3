"""What the words of a move ask for, worked out apart from the planner that wrote them."""

from collections.abc import Sequence
from typing import NamedTuple

from mesodrive_rig.bench.motion.pins import Bench


class Timing(NamedTuple):
    """What the step program costs, as `injector.motion.StepTiming` says it."""

    hz: int
    first: int
    between: int

    @property
    def count_ns(self) -> int:
        return 1_000_000_000 // self.hz


def step_timing(bench: Bench) -> Timing:
    return Timing(*bench.ask("(timing.hz, timing.first, timing.between)"))


def move_words(bench: Bench, move: str) -> list[int]:
    """The words of the move that the chip knows as `move`."""
    return bench.ask(f"list({move}.words)")


def planned_rises_ns(words: Sequence[int], timing: Timing) -> list[int]:
    """When each rise is due, in ns after the first."""
    counts: list[int] = []
    now = 0
    for steps_less_1, delay in zip(words[::2], words[1::2], strict=True):
        for _ in range(steps_less_1 + 1):
            now += delay + (timing.between if counts else timing.first)
            counts.append(now)
    return [(count - counts[0]) * timing.count_ns for count in counts]


def deviations_ns(rises_ns: Sequence[int], planned_ns: Sequence[int]) -> list[int]:
    """How far each edge is from its plan, the first edge taken as the plan's first.

    Raises ValueError when there are more or fewer edges than planned.
    """
    return [at - rises_ns[0] - due for at, due in zip(rises_ns, planned_ns, strict=True)]
