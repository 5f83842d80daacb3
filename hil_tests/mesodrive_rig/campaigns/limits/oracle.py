"""What of a profile may be, after docs/protocol.md and docs/safety/requirements.toml.

Nothing of the firmware is used: figures stand here anew, and the mechanics are those of the
reference machine's data sheet (boards/pico/drives.py), in real numbers.
"""

from dataclasses import dataclass
from math import inf, sqrt
from typing import Any

MODES = ("single", "burst", "series", "stamp", "drip", "dry")
SEVERAL = ("burst", "series", "dry")

Values = dict[str, Any]

# key: lowest, highest; then what some modes have instead
_TABLE: dict[str, tuple[int, int]] = {
    "shots": (1, 2_000),
    "burst": (1, 1),
    "depth_um": (0, 6_000),
    "dose_nl": (1, 100_000),
    "flow_nl_s": (1, 2_000_000),
    "settle_us": (1_000, 1_000_000),
    "dwell_us": (100, 5_000_000),
    "rest_us": (200, 60_000_000),
    "period_us": (4_000, 60_000_000),
    "soft_strikes": (0, 0),
    "cartridge_um": (1, 13_000),
    "needles": (1, 25),
    "syringe_nl_per_mm": (1_000, 500_000),
    "fill_nl": (0, 10_000_000),
    "pressure_pa": (0, 1_000_000),
    "bears_pa": (10_000, 1_000_000),
    "friction_mn": (0, 20_000),
}
_OF_MODE: dict[str, dict[str, tuple[int, int]]] = {
    "single": {},
    "burst": {"burst": (2, 100), "soft_strikes": (0, 50)},
    "series": {"soft_strikes": (0, 50)},
    "stamp": {},
    "drip": {"dose_nl": (1, 500_000), "dwell_us": (100, 30_000_000)},
    "dry": {
        "shots": (1, 100_000),
        "dose_nl": (0, 0),
        "settle_us": (0, 1_000_000),
        "soft_strikes": (0, 50),
    },
}
KEYS = tuple(_TABLE)

# the machine
_CLEARANCE_UM, _COIL_M_S2, _SPRING_M_S2, _PULL_IN_US = 1_000, 1_000, 800, 300
_WAY_UM = 60_000  # of the plunger, from a full syringe to an empty one
_FASTEST_UM_S = 12_000
_STRONGEST_MN = 40_000
_STEPS_MM = 3_200
_RAMPS_US = 45_000  # more than the plunger takes to its full speed, and from it
_ROUNDING_US = 8  # all that is rounded up, together


def bounds(mode: str) -> dict[str, tuple[int, int]]:
    """Lowest and highest of each key, whatever the others are."""
    return {**_TABLE, **_OF_MODE[mode]}


@dataclass(frozen=True)
class Verdict:
    """`wrong` are the keys that are past a limit of their own or of another key; `never` says that
    the machine cannot carry it out, `perhaps` that it is too near to tell."""

    ill: frozenset[str]  # of the wrong kind, or missing
    wrong: frozenset[str]
    never: bool
    perhaps: bool

    @property
    def must_be_taken(self) -> bool:
        return not (self.ill or self.wrong or self.never or self.perhaps)

    @property
    def must_be_refused(self) -> bool:
        return bool(self.ill or self.wrong or self.never)


def judge(values: Values) -> Verdict:
    """What must become of a profile; keys that are not named here are taken to be good."""
    mode = values.get("mode")
    if mode not in MODES:
        return Verdict(frozenset({"mode"}), frozenset(), False, False)
    ill = {key for key in KEYS if type(values.get(key)) is not int}
    limits = bounds(mode)
    wrong = {key for key in set(KEYS) - ill if not limits[key][0] <= values[key] <= limits[key][1]}
    if ill or wrong:
        return Verdict(frozenset(ill), frozenset(wrong), False, False)
    if values["depth_um"] > values["cartridge_um"]:
        wrong.add("depth_um")
    if values["shots"] * values["dose_nl"] > values["fill_nl"]:
        wrong.add("shots")
    if values["pressure_pa"] > values["bears_pa"]:
        wrong.add("pressure_pa")
    never, perhaps = _carried_out(values)
    return Verdict(frozenset(), frozenset(wrong), never, perhaps)


def cycle_us(values: Values) -> float:
    """Travel, dwell, return and rest."""
    way_um = _CLEARANCE_UM + values["depth_um"]
    out = _PULL_IN_US + sqrt(2 * way_um / _COIL_M_S2 * 1e6)
    back = sqrt(2 * way_um / _SPRING_M_S2 * 1e6)
    return out + values["dwell_us"] + back + values["rest_us"]


def _carried_out(values: Values) -> tuple[bool, bool]:
    """(never, perhaps)"""
    spare_us = values["period_us"] - cycle_us(values)
    fill_um = values["fill_nl"] * 1_000 / values["syringe_nl_per_mm"]
    slack: list[tuple[float, float]] = [(spare_us, _ROUNDING_US), (_WAY_UM + 1 - fill_um, 1)]
    # 1 Pa on 1 mm² is 1 µN
    force_mn = values["friction_mn"] + values["pressure_pa"] * values["syringe_nl_per_mm"] / 1e6
    slack.append((_STRONGEST_MN + 1 - force_mn, 1))
    if values["dose_nl"]:
        speed_um_s = values["flow_nl_s"] * 1_000 / values["syringe_nl_per_mm"]
        slack.append((speed_um_s - 1, 0))
        slack.append((_FASTEST_UM_S + 1 - speed_um_s, 1))
        least_us, most_us = _dose_us(values, speed_um_s)
        slack.append((values["dwell_us"] - least_us, most_us - least_us))
    # Each: what is left, below 0 never; and how much of it is sure to do.
    never = any(left < 0 for left, _ in slack)
    return never, any(left < enough for left, enough in slack)


def _dose_us(values: Values, speed_um_s: float) -> tuple[float, float]:
    """From the needle's arrival to the dose's end: no less, no more."""
    if speed_um_s < 1:
        return 0, inf
    step_us = 1e6 / (speed_um_s * _STEPS_MM / 1_000)
    steps = values["dose_nl"] * _STEPS_MM / values["syringe_nl_per_mm"]
    least = values["settle_us"] + max(0.0, steps - 3) * step_us
    # Speeds are whole µm/s and whole steps/s: a slow one may be half as fast.
    slowest = max(1.0, min(speed_um_s - 1, (speed_um_s * _STEPS_MM / 1_000 - 1) / 3.2))
    step_us = 1e6 / (slowest * _STEPS_MM / 1_000)
    most = values["settle_us"] + (steps + 4) * 1.001 * step_us + _RAMPS_US
    return least, max(least, most)
