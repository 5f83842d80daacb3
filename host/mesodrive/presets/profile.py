"""The final numbers of a session, and the profile that the device gets of them.

The strike: the needle travels out, settles at depth, the dose is given, the needle returns and
rests. Settle and dose fit within the dwell; travel, dwell, return and rest within the period.
"""

import math
from dataclasses import dataclass

from mesodrive.presets.models import Cartridge, Mode, Syringe

TRAVEL_MS = 8  # needle out
RETURN_MS = 12  # needle back
RAMP_MS = 20  # the plunger speeds up and slows down

_DEVICE_MODES: dict[Mode, str] = {
    "single": "single",
    "series": "series",
    "stamp": "series",
    "dry": "series",
}


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
    """Every number of a session, final. Times are whole ms because the device counts those."""

    preset: str
    title: str
    technique: str
    mode: Mode
    depth_mm: float
    dose_ul: float
    rate_hz: float
    flow_ul_s: float
    settle_ms: int
    dwell_ms: int
    rest_ms: int
    period_ms: int
    shots: int
    fill_ul: float
    viscosity_cp: float
    cartridge: Cartridge
    syringe: Syringe
    changes: tuple[Change, ...]

    @property
    def pressure_kpa(self) -> float:
        """What the needles take at this flow, without skin and friction."""
        return self.cartridge.pressure_kpa(self.flow_ul_s, self.viscosity_cp)

    @property
    def least_period_ms(self) -> int:
        """The shortest time from shot to shot with this dwell and rest."""
        return least_period_ms(self.dwell_ms, self.rest_ms)

    def to_profile(self) -> dict[str, object]:
        """Return the device's profile: the keys and whole units of docs/protocol.md."""
        return {
            "version": 1,
            "name": self.preset,
            "mode": _DEVICE_MODES[self.mode],
            "shots": self.shots,
            "depth_um": thousandths(self.depth_mm),
            "dose_nl": thousandths(self.dose_ul),
            "flow_nl_s": thousandths(self.flow_ul_s),
            "settle_ms": self.settle_ms,
            "dwell_ms": self.dwell_ms,
            "rest_ms": self.rest_ms,
            "period_ms": self.period_ms,
            "cartridge_um": thousandths(self.cartridge.usable_length.value),
            "needles": int(self.cartridge.needles.value),
            "syringe_nl_per_mm": thousandths(self.syringe.ul_per_mm),
            "fill_nl": thousandths(self.fill_ul),
        }


def least_dwell_ms(settle_ms: float, dose_ul: float, flow_ul_s: float) -> int:
    """Return the shortest dwell in whole ms that holds settle, dose and the plunger's ramps."""
    if dose_ul == 0:
        return math.ceil(settle_ms)
    return math.ceil(settle_ms + dose_ul / flow_ul_s * 1000 + RAMP_MS - 1e-6)  # float noise


def least_period_ms(dwell_ms: int, rest_ms: int) -> int:
    """Return the shortest time from shot to shot, in ms."""
    return TRAVEL_MS + dwell_ms + RETURN_MS + rest_ms


def thousandths(value: float) -> int:
    """Return mm as µm, µL as nL, µL/s as nL/s: the device counts whole ones."""
    return round(value * 1000)
