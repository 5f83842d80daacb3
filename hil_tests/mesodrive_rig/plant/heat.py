"""The strike coil warms with the current and cools with time."""

import math
from dataclasses import dataclass

_NS_PER_S = 1e9


@dataclass(frozen=True)
class HeatSpec:
    """One thermal mass: `k_per_w` above the ambient in the long run, `time_s` to 63 % of it."""

    ambient_c: float = 25.0
    peak_w: float = 20.0
    hold_w: float = 3.0
    k_per_w: float = 2.0
    time_s: float = 120.0


class Coil:
    """Its temperature, exact between two changes of the current."""

    def __init__(self, spec: HeatSpec):
        self._spec = spec
        self._since_ns = 0.0
        self._above_k = 0.0  # at `since`
        self._w = 0.0

    def set_current(self, driven: bool, peak: bool, now_ns: float) -> None:
        """The strike is driven or not, with its full current or what holds it."""
        spec = self._spec
        self._above_k = self._at(now_ns)
        self._since_ns = now_ns
        self._w = (spec.peak_w if peak else spec.hold_w) if driven else 0.0

    def heat_to(self, celsius: float, now_ns: float) -> None:
        """Make it so warm, whatever the reason; it cools from there."""
        self._above_k = celsius - self._spec.ambient_c
        self._since_ns = now_ns

    def celsius(self, now_ns: float) -> float:
        return self._spec.ambient_c + self._at(now_ns)

    def _at(self, now_ns: float) -> float:
        spec = self._spec
        end_k = self._w * spec.k_per_w
        passed = math.exp(-(now_ns - self._since_ns) / _NS_PER_S / spec.time_s)
        return end_k + (self._above_k - end_k) * passed
