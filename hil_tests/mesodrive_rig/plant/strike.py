"""The strike actuator: a coil drives the needle out to the depth stop, a spring takes it home."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from mesodrive.errors import MesodriveError
from mesodrive_rig.plant.clock import NS_PER_MS, Clock, Scheduled

_MM_MS2_PER_M_S2 = 1e-3


@dataclass(frozen=True)
class StrikeSpec:
    """A stroke s from rest takes √(2 s / a). The needle's travel is from its back stop, out."""

    coil_m_s2: float = 1300.0  # outwards, while the coil pulls
    spring_m_s2: float = 1000.0  # homewards, while it does not
    pull_in_ms: float = 0.2  # supply, STRIKE and PEAK together, before the needle leaves home
    clearance_mm: float = 1.0  # tip behind the surface of untouched skin, needle at home
    depth_offset_mm: float = 1.0  # depth axis position at which an out needle meets the surface
    bounce_ms: tuple[float, ...] = ()  # toggles of an end sensor after it closes

    def __post_init__(self) -> None:
        if self.pull_in_ms < 0 or self.coil_m_s2 <= 0 or self.spring_m_s2 <= 0:
            raise MesodriveError(
                "A strike needs accelerations above 0 and a pull-in of 0 or more; correct them."
            )

    def stop_mm(self, depth_axis_mm: float) -> float:
        """Return the needle's travel to the depth stop, the depth axis standing there.

        0 when the stop stands at or behind the needle's own back stop and lets it go nowhere.
        """
        return max(0.0, self.clearance_mm + depth_axis_mm - self.depth_offset_mm)


class NeedleState(StrEnum):
    BACK = "back"
    MOVING = "moving"
    OUT = "out"


class NeedleEvent(Enum):
    LEFT_BACK = auto()
    REACHED_STOP = auto()
    RELEASED = auto()  # coil off while the needle is away from home
    LEFT_STOP = auto()
    REACHED_BACK = auto()
    ENTERED_SKIN = auto()
    LEFT_SKIN = auto()


class StrikeActuator:
    """Where the needle is at each time, and what happens to it on the way.

    Coil and spring each give a constant acceleration, so that x(t) is a parabola between events
    and every event time has a closed form. Hitting either stop ends the motion without rebound.
    Events are reported at their own time even when the clock calls late, provided that `catch_up`
    is called before anything that depends on them.
    """

    def __init__(
        self,
        spec: StrikeSpec,
        clock: Clock,
        stop_mm: float,
        surface_mm: float,
        on_event: Callable[[NeedleEvent, float], None],
    ):
        """`on_event(event, time_ns)` is called at each NeedleEvent, in order of time."""
        self.state = NeedleState.BACK
        self.in_skin = False
        self.max_depth_mm = -math.inf  # below the surface, since the needle last left home
        self.next_event_ns = math.inf
        self._spec = spec
        self._clock = clock
        self._on_event = on_event
        self._stop_mm = stop_mm
        self._surface_mm = surface_mm
        self._powered = False
        self._strike = False
        self._peak = False
        self._pulled = False
        self._misfiring = False
        self._sticking = False
        self._pull_in_ns = math.inf
        self._motion_ns = math.inf
        self._motion_event = NeedleEvent.REACHED_BACK
        self._since_ns = 0.0
        self._x_mm = 0.0
        self._speed_mm_ms = 0.0
        self._acceleration_mm_ms2 = 0.0
        self._alarm: Scheduled | None = None

    def set_powered(self, on: bool, now_ns: float) -> None:
        self.catch_up(now_ns)
        self._powered = on
        self._drive_changed(now_ns)

    def set_strike(self, on: bool, now_ns: float) -> None:
        self.catch_up(now_ns)
        self._strike = on
        self._drive_changed(now_ns)

    def set_peak(self, on: bool, now_ns: float) -> None:
        self.catch_up(now_ns)
        self._peak = on
        self._drive_changed(now_ns)

    def set_misfiring(self, misfiring: bool, now_ns: float) -> None:
        """While misfiring the coil does not pull the needle out."""
        self.catch_up(now_ns)
        self._misfiring = misfiring

    def set_sticking(self, sticking: bool, now_ns: float) -> None:
        """While sticking a needle that is let go stays where it is."""
        self.catch_up(now_ns)
        self._sticking = sticking
        self._plan(now_ns)

    def set_stop(self, stop_mm: float, now_ns: float) -> None:
        """Move the depth stop; a needle that rests on it goes along."""
        self.catch_up(now_ns)
        if self.state is NeedleState.BACK:
            self._stop_mm = stop_mm
            self._plan(now_ns)
            return
        self._rebase(now_ns)
        self._stop_mm = stop_mm
        if self.state is NeedleState.OUT or self._x_mm > stop_mm:
            self._x_mm = stop_mm
        self._find_side(now_ns)
        self._plan(now_ns)

    def set_surface(self, surface_mm: float, now_ns: float) -> None:
        """Move the skin: `surface_mm` of travel reach its surface, infinity is no skin."""
        self.catch_up(now_ns)
        self._rebase(now_ns)
        self._surface_mm = surface_mm
        self._find_side(now_ns)
        self._plan(now_ns)

    def x_mm(self, now_ns: float) -> float:
        """Return the travel from the back stop in mm."""
        self.catch_up(now_ns)
        return self._at(now_ns)[0]

    def max_depth_until(self, now_ns: float) -> float:
        """Return `max_depth_mm`, brought up to now."""
        self.catch_up(now_ns)
        self._rebase(now_ns)
        return self.max_depth_mm

    def catch_up(self, now_ns: float) -> None:
        """Report every event up to and including now, each at its own time."""
        while self.next_event_ns <= now_ns:
            if self._pull_in_ns <= self._motion_ns:
                due_ns, self._pull_in_ns = self._pull_in_ns, math.inf
                if not self._misfiring:
                    self._pulled = True
                self._plan(due_ns)
            else:
                self._finish_motion(self._motion_ns)

    def _drive_changed(self, now_ns: float) -> None:
        holding = self._powered and self._strike
        if not (holding and self._peak):
            self._pull_in_ns = math.inf
        elif not self._pulled and self._pull_in_ns == math.inf:
            self._pull_in_ns = now_ns + self._spec.pull_in_ms * NS_PER_MS
        if self._pulled and not holding:
            self._pulled = False
            if self.state is not NeedleState.BACK:
                self._on_event(NeedleEvent.RELEASED, now_ns)
        self._plan(now_ns)
        self.catch_up(now_ns)

    def _finish_motion(self, time_ns: float) -> None:
        event = self._motion_event
        self._rebase(time_ns)
        if event is NeedleEvent.REACHED_STOP:
            self._x_mm, self._speed_mm_ms = self._stop_mm, 0.0
            self.state = NeedleState.OUT
        elif event is NeedleEvent.REACHED_BACK:
            self._x_mm, self._speed_mm_ms = 0.0, 0.0
            self.state = NeedleState.BACK
        else:
            self._x_mm = self._surface_mm
            self.in_skin = event is NeedleEvent.ENTERED_SKIN
        self._note_depth(self._x_mm)
        self._on_event(event, time_ns)
        self._plan(time_ns)

    def _find_side(self, now_ns: float) -> None:
        """Report it when the skin, and not the needle, has moved across the tip."""
        self._note_depth(self._x_mm)
        if (self._x_mm > self._surface_mm) is not self.in_skin:
            self.in_skin = not self.in_skin
            event = NeedleEvent.ENTERED_SKIN if self.in_skin else NeedleEvent.LEFT_SKIN
            self._on_event(event, now_ns)

    def _at(self, now_ns: float) -> tuple[float, float]:
        """Return travel in mm and speed in mm/ms."""
        t_ms = (now_ns - self._since_ns) / NS_PER_MS
        speed = self._speed_mm_ms + self._acceleration_mm_ms2 * t_ms
        return self._x_mm + (self._speed_mm_ms + speed) / 2 * t_ms, speed

    def _rebase(self, now_ns: float) -> None:
        """Start the parabola anew at now, keeping the deepest point of what lies behind."""
        x_mm, speed = self._at(now_ns)
        if self._speed_mm_ms > 0 > speed:
            self._note_depth(self._x_mm - self._speed_mm_ms**2 / (2 * self._acceleration_mm_ms2))
        self._x_mm, self._speed_mm_ms, self._since_ns = x_mm, speed, now_ns
        self._note_depth(x_mm)

    def _note_depth(self, x_mm: float) -> None:
        self.max_depth_mm = max(self.max_depth_mm, x_mm - self._surface_mm)

    def _plan(self, now_ns: float) -> None:
        """Choose the force from now on and find the next event of the motion."""
        self._rebase(now_ns)
        held_by_stop = self.state is NeedleState.BACK and self._stop_mm == 0.0
        if self._pulled and not held_by_stop:
            self._push_out(now_ns)
        elif self.state is NeedleState.BACK or self._sticking:
            self._acceleration_mm_ms2 = self._speed_mm_ms = 0.0
        else:
            if self.state is NeedleState.OUT:
                self.state = NeedleState.MOVING
                self._on_event(NeedleEvent.LEFT_STOP, now_ns)
            self._acceleration_mm_ms2 = -self._spec.spring_m_s2 * _MM_MS2_PER_M_S2
        self._motion_ns, self._motion_event = self._next_motion_event()
        self._schedule()

    def _push_out(self, now_ns: float) -> None:
        if self.state is NeedleState.OUT:
            self._acceleration_mm_ms2 = 0.0
            return
        if self.state is NeedleState.BACK:
            self.state = NeedleState.MOVING
            self.max_depth_mm = -math.inf
            self._on_event(NeedleEvent.LEFT_BACK, now_ns)
        self._acceleration_mm_ms2 = self._spec.coil_m_s2 * _MM_MS2_PER_M_S2

    def _next_motion_event(self) -> tuple[float, NeedleEvent]:
        if self.in_skin:
            surface = (self._falls_to(self._surface_mm), NeedleEvent.LEFT_SKIN)
        else:
            surface = (self._rises_to(self._surface_mm), NeedleEvent.ENTERED_SKIN)
        stop = (self._rises_to(self._stop_mm), NeedleEvent.REACHED_STOP)
        back = (self._falls_to(0.0), NeedleEvent.REACHED_BACK)
        return min(stop, surface, back, key=lambda candidate: candidate[0])

    def _rises_to(self, target_mm: float) -> float:
        """Return when the parabola passes `target_mm` outwards, in ns; infinity if never."""
        speed, acceleration = self._speed_mm_ms, self._acceleration_mm_ms2
        square = speed**2 + 2 * acceleration * (target_mm - self._x_mm)
        if acceleration == 0 or not 0 <= square < math.inf or (speed <= 0 > acceleration):
            return math.inf
        return self._since_ns + (math.sqrt(square) - speed) / acceleration * NS_PER_MS

    def _falls_to(self, target_mm: float) -> float:
        """Return when the parabola passes `target_mm` homewards, in ns; infinity if never."""
        speed, acceleration = self._speed_mm_ms, self._acceleration_mm_ms2
        square = speed**2 + 2 * acceleration * (target_mm - self._x_mm)
        if acceleration == 0 or not 0 <= square < math.inf or (speed >= 0 < acceleration):
            return math.inf
        return self._since_ns - (math.sqrt(square) + speed) / acceleration * NS_PER_MS

    def _schedule(self) -> None:
        due_ns = min(self._pull_in_ns, self._motion_ns)
        if due_ns == self.next_event_ns:
            return
        self.next_event_ns = due_ns
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
        if due_ns < math.inf:
            self._alarm = self._clock.call_at(due_ns, lambda: self.catch_up(due_ns))
