"""Keeps the book of strikes: when each happened, how deep it went, what came out in it."""

from dataclasses import dataclass

from mesodrive_rig.plant.clock import NS_PER_MS
from mesodrive_rig.plant.fluid import FluidPath
from mesodrive_rig.plant.skin import SkinSpec
from mesodrive_rig.plant.strike import NeedleEvent
from mesodrive_rig.plant.truth import StrikeTruth


@dataclass
class _OpenStrike:
    start_ms: float
    skin_before_ul: float
    lost_before_ul: float
    out_ms: float | None = None
    release_ms: float | None = None


class StrikeLog:
    """Turns needle events into StrikeTruths. Of several releases in one strike the last counts."""

    def __init__(self, path: FluidPath, skin: SkinSpec):
        self._path = path
        self._skin = skin
        self._open: _OpenStrike | None = None
        self._closed: list[StrikeTruth] = []

    def note(self, event: NeedleEvent, time_ns: float, max_depth_mm: float) -> None:
        """Take one event; `max_depth_mm` is the deepest point of the strike so far."""
        time_ms = time_ns / NS_PER_MS
        if event is NeedleEvent.LEFT_BACK:
            self._path.settle(time_ns)
            self._open = _OpenStrike(time_ms, self._path.skin_ul, self._path.lost_ul)
        if self._open is None:
            return
        if event is NeedleEvent.REACHED_STOP and self._open.out_ms is None:
            self._open.out_ms = time_ms
        elif event is NeedleEvent.RELEASED:
            self._open.release_ms = time_ms
        elif event is NeedleEvent.REACHED_BACK:
            self._path.settle(time_ns)
            self._closed.append(self._account(self._open, max_depth_mm, time_ms))
            self._open = None

    def strikes(self, max_depth_mm: float) -> tuple[StrikeTruth, ...]:
        """Return all strikes, the one under way last; settle the fluid path before."""
        if self._open is None:
            return tuple(self._closed)
        return (*self._closed, self._account(self._open, max_depth_mm, None))

    def _account(
        self, strike: _OpenStrike, max_depth_mm: float, back_ms: float | None
    ) -> StrikeTruth:
        depth_mm = max(0.0, max_depth_mm)
        return StrikeTruth(
            start_ms=strike.start_ms,
            out_ms=strike.out_ms,
            release_ms=strike.release_ms,
            back_ms=back_ms,
            depth_mm=depth_mm,
            skin_ul=self._path.skin_ul - strike.skin_before_ul,
            lost_ul=self._path.lost_ul - strike.lost_before_ul,
            layer=self._skin.layer(depth_mm),
        )
