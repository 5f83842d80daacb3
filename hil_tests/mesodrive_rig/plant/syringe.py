"""The syringe in the drive: its plunger, and what it takes to push it."""

import math
from dataclasses import dataclass

from mesodrive.errors import MesodriveError

_BOTTOM_N_MM = 200.0  # of a barrel whose bottom is reached
_TOUCH_MM = 1e-6


@dataclass(frozen=True)
class SyringeSpec:
    """A syringe in the drive. `empty_mm`: pusher position at which the last of it is out."""

    inner_diameter_mm: float = 12.0
    fill_ul: float = 2000.0
    empty_mm: float = 60.0
    coupled: bool = False  # the pusher also pulls the plunger back, once it has touched it
    friction_n: float = 2.0  # of the plunger, sliding or stuck

    def __post_init__(self) -> None:
        numbers = (self.inner_diameter_mm, self.fill_ul, self.empty_mm, self.friction_n)
        if (
            not all(map(math.isfinite, numbers))
            or self.inner_diameter_mm <= 0
            or min(self.fill_ul, self.friction_n) < 0
        ):
            raise MesodriveError(
                "A syringe needs an inner diameter above 0, and a fill and a friction of 0 or "
                "more, all of them finite; correct it."
            )

    @classmethod
    def from_ul_per_mm(
        cls, ul_per_mm: float, *, fill_ul: float, empty_mm: float = 60.0, coupled: bool = False
    ) -> "SyringeSpec":
        """Return the syringe that holds `ul_per_mm` µL for each mm of plunger travel."""
        return cls(2 * math.sqrt(ul_per_mm / math.pi), fill_ul, empty_mm, coupled)

    @property
    def ul_per_mm(self) -> float:
        """Cross-section in mm², which is µL for each mm."""
        return math.pi * self.inner_diameter_mm**2 / 4

    @property
    def contact_mm(self) -> float:
        """Pusher position at which a syringe filled with `fill_ul` is touched."""
        return self.empty_mm - self.fill_ul / self.ul_per_mm


class Syringe:
    """The plunger, pushed by the nut, and pulled by it only when coupled."""

    __slots__ = (
        "_coupled",
        "_empty_mm",
        "_friction_n",
        "_pressed",
        "_start_mm",
        "_touched",
        "_ul_per_mm",
        "plunger_mm",
    )

    def __init__(self, spec: SyringeSpec):
        self._friction_n = spec.friction_n
        self._pressed = False  # the pusher was last moved against it
        self._coupled = spec.coupled
        self._empty_mm = spec.empty_mm
        self._ul_per_mm = spec.ul_per_mm
        self._start_mm = spec.contact_mm
        self._touched = False
        self.plunger_mm = spec.contact_mm  # pusher position at which the plunger is touched

    @property
    def pushed_ul(self) -> float:
        """Volume pushed out of the barrel so far, less what was drawn back in."""
        return (self.plunger_mm - self._start_mm) * self._ul_per_mm

    @property
    def left_ul(self) -> float:
        return (self._empty_mm - self.plunger_mm) * self._ul_per_mm

    def take_out(self) -> None:
        """There is nothing in front of the pusher any more."""
        travel_mm = self._empty_mm - self.plunger_mm
        self.plunger_mm += travel_mm
        self._start_mm += travel_mm  # nothing was pushed

    def come_to_its_end(self) -> None:
        """The plunger meets the bottom of the barrel where it stands."""
        self._empty_mm = self.plunger_mm

    def follow(self, pusher_mm: float) -> float:
        """Follow the pusher; return the volume pushed out in µL, negative when drawn back."""
        travel_mm = pusher_mm - self.plunger_mm
        self._pressed = travel_mm > 0
        if travel_mm > 0:
            self._touched = True
            if pusher_mm > self._empty_mm:
                pusher_mm = self._empty_mm
                travel_mm = pusher_mm - self.plunger_mm
        elif not (self._coupled and self._touched):
            return 0.0
        self.plunger_mm = pusher_mm
        return travel_mm * self._ul_per_mm

    def give_way(self, pusher_mm: float, pressure_kpa: float) -> float:
        """The most that the liquid can press the plunger back, in µL, with the pusher drawn
        back to `pusher_mm` and the friction against it."""
        # 1 kPa on 1 mm² is 1 mN
        if pressure_kpa * self._ul_per_mm <= self._friction_n * 1000:
            return 0.0
        return max(0.0, (self.plunger_mm - pusher_mm) * self._ul_per_mm)

    def pressed_back(self, volume_ul: float) -> None:
        """The liquid has pressed the plunger back by `volume_ul`."""
        self.plunger_mm -= volume_ul / self._ul_per_mm

    @property
    def friction_kpa(self) -> float:
        """The pressure that the friction alone holds."""
        return self._friction_n * 1000 / self._ul_per_mm

    def force_n(self, pusher_mm: float, pressure_kpa: float) -> float:
        """What the pusher presses on the plunger. The screw does not give way, so what it has
        pressed against the friction stays; at the bottom the barrel itself resists."""
        beyond_mm = pusher_mm - self._empty_mm
        if beyond_mm > 0:
            return self._friction_n + _BOTTOM_N_MM * beyond_mm
        if pusher_mm < self.plunger_mm - _TOUCH_MM:
            return 0.0
        friction_n = self._friction_n if self._pressed else -self._friction_n
        return max(0.0, pressure_kpa * self._ul_per_mm / 1000 + friction_n)
