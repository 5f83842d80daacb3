"""A logic analyser on the device's outputs: every edge with its emulated time."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.plant import Output

DRIVING = tuple(
    output
    for output in Output
    if output not in (Output.ALARM_RED, Output.ALARM_YELLOW, Output.BUZZER)
)
"""All but lights and buzzer."""

MOVING = (Output.PLUNGER_STEP, Output.DEPTH_STEP, Output.STRIKE, Output.STRIKE_PEAK)


@dataclass(frozen=True)
class Edge:
    time_ms: float
    output: Output
    level: bool


class EdgeLog:
    """Keeps all edges of `outputs` from when it is made until `clear`."""

    def __init__(self, rig: EmulatedRig, outputs: Iterable[Output] = MOVING):
        self.edges: list[Edge] = []
        self._rig = rig
        for output in outputs:
            rig.chip.on_edge(rig.gpio(output), partial(self._note, output))

    def clear(self) -> None:
        self.edges.clear()

    def after(self, time_ms: float) -> list[Edge]:
        """The edges later than `time_ms`."""
        return [edge for edge in self.edges if edge.time_ms > time_ms]

    def rises(self, output: Output) -> list[float]:
        """When `output` rose, in emulated ms."""
        return [edge.time_ms for edge in self.edges if edge.output is output and edge.level]

    def falls(self, output: Output) -> list[float]:
        """When `output` fell, in emulated ms."""
        return [edge.time_ms for edge in self.edges if edge.output is output and not edge.level]

    def _note(self, output: Output, level: bool) -> None:
        self.edges.append(Edge(self._rig.now_ms(), output, level))
