"""The motor and coil supply: on only while everything that may veto it agrees."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from mesodrive_rig.plant.clock import NS_PER_MS, Clock, Scheduled


@dataclass(frozen=True)
class SupplySpec:
    """How long the rail takes to follow, in ms; below `least_v` it is no rail."""

    rise_ms: float = 1.0
    fall_ms: float = 0.2
    volts: float = 24.0
    least_v: float = 16.0  # the rail's divider then reads 0
    sag_v: float = 0.0  # while the strike draws its full current


class Veto(Enum):
    """What must be on for the rail to be on."""

    GUARD = auto()
    STOP = auto()
    ENABLE = auto()
    PRESENT = auto()


class Supply:
    """The rail is the AND of its four inputs, `rise_ms` or `fall_ms` later.

    A glitch shorter than that leaves the rail as it was, as its capacitors would.
    """

    def __init__(self, spec: SupplySpec, clock: Clock, on_rail: Callable[[bool, float], None]):
        """`on_rail(on, now_ns)` is called when the rail changes."""
        self.on = False
        self._spec = spec
        self._clock = clock
        self._on_rail = on_rail
        self._inputs = dict.fromkeys(Veto, False)
        self._pending: Scheduled | None = None
        self._shorted = False

    def short_switch(self, now_ns: float) -> None:
        """The transistor that ENABLE switches conducts from now on, whatever ENABLE says."""
        self.set(Veto.ENABLE, True, now_ns)
        self._shorted = True

    def set(self, veto: Veto, on: bool, now_ns: float) -> None:
        if veto is Veto.ENABLE and self._shorted:
            return
        self._inputs[veto] = on
        wanted = all(self._inputs.values())
        if wanted == self.on:
            if self._pending:
                self._pending.cancel()
                self._pending = None
        elif not self._pending:
            delay_ms = self._spec.rise_ms if wanted else self._spec.fall_ms
            due_ns = now_ns + delay_ms * NS_PER_MS
            self._pending = self._clock.call_at(due_ns, lambda: self._switch(due_ns))

    def _switch(self, now_ns: float) -> None:
        self._pending = None
        self.on = not self.on
        self._on_rail(self.on, now_ns)
