"""What each mode gives, and what it allows: the device's own rules (docs/protocol.md)."""

from dataclasses import dataclass
from typing import Literal

Mode = Literal["single", "burst", "series", "stamp", "drip", "dry"]


@dataclass(frozen=True)
class ModeRules:
    """`gives`: what one pull of the trigger gives. `paced`: strikes follow each other by
    themselves, so that a soft start has a meaning."""

    gives: str
    paced: bool = False
    most_shots: int = 2_000
    most_dose_ul: float = 100
    most_dwell_us: int = 5_000_000


MODES: dict[Mode, ModeRules] = {
    "single": ModeRules("one strike a pull of the trigger"),
    "burst": ModeRules("a row of strikes a pull of the trigger", paced=True),
    "series": ModeRules("strikes while the trigger is held", paced=True),
    "stamp": ModeRules("one strike at each contact while the trigger is held"),
    "drip": ModeRules(
        "one strike a pull of the trigger, the needle in while the dose flows slowly",
        most_dose_ul=500,
        most_dwell_us=30_000_000,
    ),
    "dry": ModeRules(
        "strikes without a dose while the trigger is held", paced=True, most_shots=100_000
    ),
}
