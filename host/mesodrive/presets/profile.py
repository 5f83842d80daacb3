"""The final numbers of a session, and the profile that the device gets of them.

The strike: the needle travels out, settles at depth, the dose is given, the needle returns and
rests. Settle and dose fit within the dwell; travel, dwell, return and rest within the period.
"""

import math
from dataclasses import dataclass

from mesodrive.presets import mechanics
from mesodrive.presets.coverage import Coverage, warnings
from mesodrive.presets.models import Cartridge, Syringe
from mesodrive.presets.modes import Mode

# mesodrive default: of a small plastic syringe with its lubricant; ISO 7886-1 lets it be more, and
# nobody has measured ours
PLUNGER_FRICTION_N = 2.0
LEAST_SETTLE_US = 1_000  # before a dose: time to see that the needle is out
LEAST_DWELL_US = 100
LEAST_PERIOD_US = 4_000

_STEP_US = 100  # a dwell that follows from the dose is rounded up to this


@dataclass(frozen=True)
class Change:
    """One value that differs from the preset, as text with its unit.

    `beyond_range`: the preset's source recommends a range and the value used lies outside it.
    """

    name: str
    preset: str
    used: str
    beyond_range: bool


@dataclass(frozen=True)
class Prescription:
    """Every number of a session, final. Times are whole µs because the device counts those.

    `spacing_mm` from point to point, `zone_area_cm2` of the skin to be treated: None where
    nobody has said.
    """

    preset: str
    title: str
    technique: str
    mode: Mode
    depth_mm: float
    dose_ul: float
    rate_hz: float
    flow_ul_s: float
    settle_us: int
    dwell_us: int
    rest_us: int
    period_us: int
    shots: int
    burst: int
    soft_strikes: int
    fill_ul: float
    viscosity_cp: float
    cartridge_number: str
    spacing_mm: float | None
    zone_area_cm2: float | None
    cartridge: Cartridge
    syringe: Syringe
    changes: tuple[Change, ...]

    @property
    def pressure_kpa(self) -> float:
        """What the needles take at this flow, without skin and friction."""
        return self.cartridge.pressure_kpa(self.flow_ul_s, self.viscosity_cp)

    @property
    def least_dwell_us(self) -> int:
        """The shortest dwell that holds settle and dose."""
        return least_dwell_us(self.settle_us, self.dose_ul, self.flow_ul_s, self.syringe)

    @property
    def least_period_us(self) -> int:
        """The shortest time from strike to strike with this depth, dwell and rest."""
        return least_period_us(self.depth_mm, self.dwell_us, self.rest_us)

    def coverage(self, strikes: int) -> Coverage | None:
        """What `strikes` come to on the zone; None when its area is not known.

        Several needles are as far apart as the cartridge has them; the points of a single one as
        the person sets them.
        """
        if self.zone_area_cm2 is None:
            return None
        spacing = self.cartridge.spacing
        return Coverage.of(
            strikes,
            needles=int(self.cartridge.needles.value),
            diameter_mm=self.cartridge.outer_diameter.value,
            spacing_mm=self.spacing_mm if spacing is None else spacing.value,
            zone_area_cm2=self.zone_area_cm2,
        )

    @property
    def warnings(self) -> list[str]:
        """What a person should think about before it is given, each as one sentence."""
        planned = self.coverage(self.shots)
        return list(warnings(planned, self.technique)) if planned else []

    def to_profile(self) -> dict[str, object]:
        """Return the device's profile: the keys and whole units of docs/protocol.md."""
        return {
            "version": 2,
            "name": self.preset,
            "mode": self.mode,
            "shots": self.shots,
            "burst": self.burst,
            "depth_um": thousandths(self.depth_mm),
            "dose_nl": thousandths(self.dose_ul),
            "flow_nl_s": thousandths(self.flow_ul_s),
            "settle_us": self.settle_us,
            "dwell_us": self.dwell_us,
            "rest_us": self.rest_us,
            "period_us": self.period_us,
            "soft_strikes": self.soft_strikes,
            "cartridge_um": thousandths(self.cartridge.usable_length.value),
            "needles": int(self.cartridge.needles.value),
            "syringe_nl_per_mm": thousandths(self.syringe.ul_per_mm),
            "fill_nl": thousandths(self.fill_ul),
            "pressure_pa": thousandths(self.pressure_kpa) if self.dose_ul else 0,
            "bears_pa": thousandths(self.syringe.max_pressure.value),
            "friction_mn": thousandths(PLUNGER_FRICTION_N),
            "cartridge": self.cartridge_number,
        }


def least_dwell_us(settle_us: int, dose_ul: float, flow_ul_s: float, syringe: Syringe) -> int:
    """Return the shortest dwell that holds settle, dose and the plunger's ramps."""
    if dose_ul == 0:
        return max(settle_us, LEAST_DWELL_US)
    dose_us = mechanics.dose_us(
        thousandths(dose_ul), thousandths(flow_ul_s), thousandths(syringe.ul_per_mm)
    )
    return _STEP_US * math.ceil((settle_us + dose_us + mechanics.SPARE_US) / _STEP_US)


def least_period_us(depth_mm: float, dwell_us: int, rest_us: int) -> int:
    """Return the shortest time from strike to strike: travel, dwell, return and rest."""
    depth_um = thousandths(depth_mm)
    strike_us = mechanics.travel_us(depth_um) + dwell_us + mechanics.return_us(depth_um)
    return max(LEAST_PERIOD_US, strike_us + rest_us)


def thousandths(value: float) -> int:
    """Return mm as µm, µL as nL, ms as µs: the device counts whole ones."""
    return round(value * 1000)
