"""What strikes come to on the treated zone: passes over each place, and holes in its area.

One strike treats a square of `spacing` around each needle, and makes a hole as wide as the
needle. A zone has had one pass when the squares add up to its area.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

MOST_PASSES = 4  # mesodrive requirements: at most 3 to 4 passes on one place
MOST_FRACTIONAL_PERCENT = 25  # the same: about 25 % of the area in one session

_MM2_PER_CM2 = 100


@dataclass(frozen=True)
class Coverage:
    """`percent` of the zone's area are holes; `passes` is None where nothing says how far apart
    the points lie."""

    zone_area_cm2: float
    passes: float | None
    percent: float

    @classmethod
    def of(
        cls,
        strikes: int,
        *,
        needles: int,
        diameter_mm: float,
        spacing_mm: float | None,
        zone_area_cm2: float,
    ) -> "Coverage":
        """Coverage by `strikes` spread evenly over the zone.

        percent = strikes × needles × hole area ÷ zone area,
        passes = strikes × needles × spacing² ÷ zone area.
        """
        zone_mm2 = zone_area_cm2 * _MM2_PER_CM2
        points = strikes * needles
        return cls(
            zone_area_cm2,
            None if spacing_mm is None else points * spacing_mm**2 / zone_mm2,
            100 * points * math.pi / 4 * diameter_mm**2 / zone_mm2,
        )

    def scaled(self, share: float) -> "Coverage":
        """What `share` of the strikes come to; both figures grow with their number."""
        passes = None if self.passes is None else self.passes * share
        return replace(self, passes=passes, percent=self.percent * share)

    @property
    def text(self) -> str:
        """The figures as a person reads them."""
        passes = "" if self.passes is None else f"{self.passes:.2f} passes, "
        return f"{passes}{self.percent:.2f} % of {self.zone_area_cm2:g} cm²"


def warnings(planned: Coverage, technique: str) -> Iterator[str]:
    """Yield what a person should think about before a session of `planned` coverage."""
    zone = f"{planned.zone_area_cm2:g} cm²"
    if planned.passes is not None and planned.passes > MOST_PASSES:
        yield (
            f"All strikes come to {planned.passes:.1f} passes over {zone} and at most "
            f"{MOST_PASSES} are advised; plan fewer shots or treat a larger zone."
        )
    if technique == "fractional" and planned.percent > MOST_FRACTIONAL_PERCENT:
        yield (
            f"All strikes cover {planned.percent:.1f} % of {zone} and about "
            f"{MOST_FRACTIONAL_PERCENT} % is advised in one session; plan fewer shots or treat a "
            "larger zone."
        )
