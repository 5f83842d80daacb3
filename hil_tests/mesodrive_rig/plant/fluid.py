"""The way of the liquid: cartridge, needles, and where it comes out."""

import math
from dataclasses import dataclass

from mesodrive.errors import MesodriveError

_NS_PER_S = 1e9


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
    blocked_ul_kpa: float = 0.02  # nothing is rigid enough to hold a blocked needle's pressure

    def __post_init__(self) -> None:
        if min(self.needles, self.inner_diameter_mm, self.length_mm, self.viscosity_cp) <= 0:
            raise MesodriveError(
                "A cartridge needs needles, inner diameter, length and viscosity above 0."
            )
        if self.dead_volume_ul < 0 or self.compliance_ul_kpa < 0:
            raise MesodriveError("Dead volume and compliance are 0 or more; correct them.")
        if self.blocked_ul_kpa <= 0:
            raise MesodriveError("A blocked line has a compliance above 0; correct it.")

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
    a plunger drawn back past zero pressure draws air into the tips. While the needles are blocked
    nothing comes out. All calls take emulated ns, never falling.
    """

    __slots__ = (
        "_air_ul",
        "_blocked",
        "_blocked_ul_kpa",
        "_compliance_ul_kpa",
        "_dead_volume_ul",
        "_floor_in_skin_ul",
        "_floor_ul",
        "_flow_ul_s",
        "_in_skin",
        "_last_push_ns",
        "_push_ul",
        "_rate_per_ns",
        "_resistance_kpa_s_ul",
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
        self._blocked = False
        self._blocked_ul_kpa = compliance or spec.blocked_ul_kpa
        self._resistance_kpa_s_ul = spec.resistance_kpa_s_ul
        self._last_push_ns = -math.inf  # in a rigid line, with the flow since the push before
        self._push_ul = 0.0
        self._flow_ul_s = 0.0
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
        elif self._compliance_ul_kpa or self._blocked:
            self._stored_ul = surplus_ul
        else:
            if now_ns > self._last_push_ns:
                self._flow_ul_s = surplus_ul / (now_ns - self._last_push_ns) * _NS_PER_S
            self._push_ul = surplus_ul
            self._last_push_ns = now_ns
            if self._in_skin:
                self.skin_ul += surplus_ul
            else:
                self.lost_ul += surplus_ul

    def set_blocked(self, blocked: bool, now_ns: float) -> None:
        """Block the needles, or free them: a rigid line then lets all go at once."""
        self.settle(now_ns)
        self._blocked = blocked
        if not (blocked or self._compliance_ul_kpa):
            if self._in_skin:
                self.skin_ul += self._stored_ul
            else:
                self.lost_ul += self._stored_ul
            self._stored_ul = 0.0

    def pressure_at(self, now_ns: float) -> float:
        """What presses on the plunger, in kPa gauge. In a rigid line it is what the flow of the
        last push takes, which fades when no other follows."""
        if self._compliance_ul_kpa or self._blocked:
            self.settle(now_ns)
            return self._stored_ul / self._blocked_ul_kpa
        since_ns = now_ns - self._last_push_ns
        flow_ul_s = self._flow_ul_s
        if since_ns > 0:
            flow_ul_s = min(flow_ul_s, self._push_ul / since_ns * _NS_PER_S)
        return flow_ul_s * self._resistance_kpa_s_ul

    def most_back_ul(self, pressure_kpa: float) -> float:
        """What has to be drawn back until the pressure has fallen to `pressure_kpa`."""
        return max(0.0, self._stored_ul - pressure_kpa * self._blocked_ul_kpa)

    def settle(self, now_ns: float) -> None:
        """Let out what has flowed since the last call."""
        elapsed_ns = now_ns - self._settled_ns
        if elapsed_ns <= 0:
            return
        self._settled_ns = now_ns
        if self._blocked:
            return
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
