"""The way of the liquid: syringe, cartridge, needles, and where it comes out."""

import math
from dataclasses import dataclass

from mesodrive.errors import MesodriveError


@dataclass(frozen=True)
class SyringeSpec:
    """A syringe in the drive. `empty_mm`: pusher position at which the last of it is out."""

    inner_diameter_mm: float = 12.0
    fill_ul: float = 2000.0
    empty_mm: float = 60.0
    coupled: bool = False  # the pusher also pulls the plunger back, once it has touched it

    def __post_init__(self) -> None:
        if self.inner_diameter_mm <= 0 or self.fill_ul < 0:
            raise MesodriveError(
                "A syringe needs an inner diameter above 0 and a fill of 0 or more; correct it."
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

    __slots__ = ("_coupled", "_empty_mm", "_start_mm", "_touched", "_ul_per_mm", "plunger_mm")

    def __init__(self, spec: SyringeSpec):
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

    def follow(self, pusher_mm: float) -> float:
        """Follow the pusher; return the volume pushed out in µL, negative when drawn back."""
        travel_mm = pusher_mm - self.plunger_mm
        if travel_mm > 0:
            self._touched = True
            if pusher_mm > self._empty_mm:
                pusher_mm = self._empty_mm
                travel_mm = pusher_mm - self.plunger_mm
        elif not (self._coupled and self._touched):
            return 0.0
        self.plunger_mm = pusher_mm
        return travel_mm * self._ul_per_mm


def needle_resistance_kpa_s_ul(
    *, viscosity_cp: float, needles: int, inner_diameter_mm: float, length_mm: float
) -> float:
    """Return the flow resistance of `needles` in parallel, in kPa·s/µL.

    Hagen–Poiseuille for a Newtonian liquid in laminar flow: R = 8 µ L / (π r⁴ n); Bird, Stewart,
    Lightfoot, Transport Phenomena, 2nd ed., section 2.3.
    """
    radius_mm = inner_diameter_mm / 2
    # cP·mm/mm⁴ is 1e6 Pa·s/m³, and 1 Pa·s/m³ is 1e-12 kPa·s/µL
    return 1e-6 * 8 * viscosity_cp * length_mm / (math.pi * radius_mm**4 * needles)


@dataclass(frozen=True)
class CartridgeSpec:
    """Needle cartridge and the liquid in it; `compliance` is of syringe and line together."""

    dead_volume_ul: float = 30.0
    needles: int = 1
    inner_diameter_mm: float = 0.159  # 30G
    length_mm: float = 13.0
    viscosity_cp: float = 1.0
    compliance_ul_kpa: float = 0.0  # 0: rigid, what is pushed comes out at once

    def __post_init__(self) -> None:
        if min(self.needles, self.inner_diameter_mm, self.length_mm, self.viscosity_cp) <= 0:
            raise MesodriveError(
                "A cartridge needs needles, inner diameter, length and viscosity above 0."
            )
        if self.dead_volume_ul < 0 or self.compliance_ul_kpa < 0:
            raise MesodriveError("Dead volume and compliance are 0 or more; correct them.")

    @property
    def resistance_kpa_s_ul(self) -> float:
        return needle_resistance_kpa_s_ul(
            viscosity_cp=self.viscosity_cp,
            needles=self.needles,
            inner_diameter_mm=self.inner_diameter_mm,
            length_mm=self.length_mm,
        )


class FluidPath:
    """Liquid between plunger and needle tips, and the account of where it went.

    Air in the dead volume is filled first, without resistance. After that the pressure
    p = stored / C drives the flow (p - p_skin) / R, so the stored volume falls exponentially with
    tau = R·C towards the back-pressure; between two calls that is exact. There is no reflux, and
    a plunger drawn back past zero pressure draws air into the tips. All calls take emulated ns,
    never falling.
    """

    __slots__ = (
        "_air_ul",
        "_compliance_ul_kpa",
        "_dead_volume_ul",
        "_floor_in_skin_ul",
        "_floor_ul",
        "_in_skin",
        "_rate_per_ns",
        "_settled_ns",
        "_stored_ul",
        "lost_ul",
        "skin_ul",
    )

    def __init__(self, spec: CartridgeSpec, back_pressure_kpa: float):
        compliance = spec.compliance_ul_kpa
        self._compliance_ul_kpa = compliance
        self._rate_per_ns = 1e-9 / (spec.resistance_kpa_s_ul * compliance) if compliance else 0.0
        self._dead_volume_ul = spec.dead_volume_ul
        self._air_ul = spec.dead_volume_ul
        self._stored_ul = 0.0  # over-full by pressure
        self._floor_ul = 0.0  # what the back-pressure keeps in
        self._floor_in_skin_ul = compliance * back_pressure_kpa
        self._settled_ns = 0.0
        self._in_skin = False
        self.skin_ul = 0.0
        self.lost_ul = 0.0

    @property
    def line_ul(self) -> float:
        """Liquid that left the barrel and has not come out; as of the last call."""
        return self._dead_volume_ul - self._air_ul + self._stored_ul

    @property
    def pressure_kpa(self) -> float | None:
        """Gauge pressure as of the last call; None when rigid, where it is not defined."""
        return self._stored_ul / self._compliance_ul_kpa if self._compliance_ul_kpa else None

    def push(self, volume_ul: float, now_ns: float) -> None:
        """Take `volume_ul` from the barrel at once; negative draws back."""
        if self._compliance_ul_kpa:
            self.settle(now_ns)
        volume_ul -= self._air_ul
        self._air_ul = 0.0
        surplus_ul = self._stored_ul + volume_ul
        if surplus_ul < 0:
            self._air_ul = -surplus_ul
            self._stored_ul = 0.0
        elif self._compliance_ul_kpa:
            self._stored_ul = surplus_ul
        elif self._in_skin:
            self.skin_ul += surplus_ul
        else:
            self.lost_ul += surplus_ul

    def settle(self, now_ns: float) -> None:
        """Let out what has flowed since the last call."""
        elapsed_ns = now_ns - self._settled_ns
        if elapsed_ns <= 0:
            return
        self._settled_ns = now_ns
        excess_ul = self._stored_ul - self._floor_ul
        if excess_ul > 0:
            out_ul = -excess_ul * math.expm1(-elapsed_ns * self._rate_per_ns)
            self._stored_ul -= out_ul
            if self._in_skin:
                self.skin_ul += out_ul
            else:
                self.lost_ul += out_ul

    def set_in_skin(self, in_skin: bool, now_ns: float) -> None:
        """Tell on which side of the skin's surface the needle tips are from now on."""
        self.settle(now_ns)
        self._in_skin = in_skin
        self._floor_ul = self._floor_in_skin_ul if in_skin else 0.0
