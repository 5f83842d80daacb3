"""A lead-screw axis fed by step edges: screw, play, hard stops, home switch, pull-out."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from mesodrive.errors import MesodriveError


@dataclass(frozen=True)
class AxisSpec:
    """One screw axis. Positions are of the nut, in mm from the home switch, forward positive.

    The hard stop at `min_mm` lies a little behind home, as a switch is mounted before the end.
    """

    lead_mm: float
    max_mm: float
    initial_mm: float
    min_mm: float = -0.5
    home_mm: float = 0.0
    steps_per_rev: int = 200 * 16
    backlash_mm: float = 0.02
    max_step_hz: float | None = None  # pull-out: steps that come faster are lost

    def __post_init__(self) -> None:
        if self.lead_mm <= 0 or self.steps_per_rev <= 0 or self.backlash_mm < 0:
            raise MesodriveError(
                "An axis needs a lead and steps per turn above 0 and a backlash of 0 or more."
            )
        if not self.min_mm <= self.initial_mm <= self.max_mm:
            raise MesodriveError(
                f"The initial position {self.initial_mm} mm lies outside the travel "
                f"{self.min_mm} to {self.max_mm} mm; start the axis within its travel."
            )

    @property
    def steps_per_mm(self) -> float:
        return self.steps_per_rev / self.lead_mm


class Axis:
    """Where the nut of one screw truly is.

    Play: the nut is dragged by the screw and may lie up to half the backlash either side of it.
    `step` runs tens of thousands of times in an emulated second, so it works in steps, on slots,
    and allocates nothing but the numbers themselves.
    """

    __slots__ = (
        "_half_play",
        "_home",
        "_last_edge_ns",
        "_max",
        "_min",
        "_min_interval_ns",
        "_mm_per_step",
        "_motor",
        "_nut",
        "_on_home",
        "at_home",
        "lost_steps",
        "position_mm",
        "powered",
        "stalled",
        "unpowered_steps",
    )

    def __init__(self, spec: AxisSpec, on_home: Callable[[bool, float], None]):
        """`on_home(at_home, now_ns)` is called when the home switch changes."""
        steps_per_mm = spec.steps_per_mm
        self._mm_per_step = 1 / steps_per_mm
        self._motor = spec.initial_mm * steps_per_mm
        self._nut = self._motor
        self._half_play = spec.backlash_mm * steps_per_mm / 2
        self._min = spec.min_mm * steps_per_mm
        self._max = spec.max_mm * steps_per_mm
        self._home = spec.home_mm * steps_per_mm
        self._min_interval_ns = 1e9 / spec.max_step_hz if spec.max_step_hz else 0.0
        self._on_home = on_home
        self.position_mm = spec.initial_mm
        self.at_home = spec.initial_mm <= spec.home_mm
        self.powered = False
        self.stalled = False  # the motor does not follow
        self._last_edge_ns = -math.inf
        self.lost_steps = 0  # at a hard stop, or past pull-out
        self.unpowered_steps = 0

    def step(self, direction: int, now_ns: float) -> bool:
        """Take one rising edge of STEP; `direction` 1 is forward. Returns whether the nut moved.

        An edge without supply or past pull-out moves nothing; one against a hard stop neither.
        """
        interval_ns = now_ns - self._last_edge_ns
        self._last_edge_ns = now_ns
        if not self.powered:
            self.unpowered_steps += 1
            return False
        if interval_ns < self._min_interval_ns or self.stalled:
            self.lost_steps += 1
            return False
        if direction:
            motor = self._motor + 1.0
            nut = motor - self._half_play
            if nut <= self._nut:
                self._motor = motor
                return False
            if nut > self._max:
                self.lost_steps += 1
                return False
        else:
            motor = self._motor - 1.0
            nut = motor + self._half_play
            if nut >= self._nut:
                self._motor = motor
                return False
            if nut < self._min:
                self.lost_steps += 1
                return False
        self._motor = motor
        self._nut = nut
        self.position_mm = nut * self._mm_per_step
        if (nut <= self._home) is not self.at_home:
            self.at_home = not self.at_home
            self._on_home(self.at_home, now_ns)
        return True
