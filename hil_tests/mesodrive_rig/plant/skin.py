"""Skin: layers by depth, and where its surface lies for the needle."""

import math
from dataclasses import dataclass
from enum import StrEnum

from mesodrive.errors import MesodriveError


class Layer(StrEnum):
    """Where a needle tip ended. Depths after the sources in docs/rig-physics.md."""

    AIR = "air"
    EPIDERMIS = "epidermis"
    SUPERFICIAL_DERMIS = "superficial dermis"
    DEEP_DERMIS = "deep dermis"
    HYPODERMIS = "hypodermis"


@dataclass(frozen=True)
class SkinSpec:
    """Lower bounds of the layers in mm, and what the skin does to needle and liquid."""

    epidermis_mm: float = 0.5  # published: 0.5 to 1
    superficial_dermis_mm: float = 2.0
    deep_dermis_mm: float = 4.0
    back_pressure_kpa: float = 0.0  # against the liquid while the tip is in the skin
    pressing_mm: float = 0.0  # how far the operator presses the nozzle into the skin

    def __post_init__(self) -> None:
        if not 0 < self.epidermis_mm < self.superficial_dermis_mm < self.deep_dermis_mm:
            raise MesodriveError("The skin's layers must lie one below the other; order them.")
        if self.back_pressure_kpa < 0 or self.pressing_mm < 0:
            raise MesodriveError("Back-pressure and pressing are 0 or more; correct the skin.")

    def layer(self, depth_mm: float) -> Layer:
        """Return the layer that holds a tip `depth_mm` below the surface; 0 or less is air."""
        if depth_mm <= 0:
            return Layer.AIR
        if depth_mm <= self.epidermis_mm:
            return Layer.EPIDERMIS
        if depth_mm <= self.superficial_dermis_mm:
            return Layer.SUPERFICIAL_DERMIS
        if depth_mm <= self.deep_dermis_mm:
            return Layer.DEEP_DERMIS
        return Layer.HYPODERMIS


class Skin:
    """The skin under the nozzle: touched or not, and pressed in by so much."""

    def __init__(self, spec: SkinSpec):
        self.contact = False
        self.pressing_mm = spec.pressing_mm

    def surface_mm(self, clearance_mm: float, needle_fitted: bool) -> float:
        """Return the needle's travel from its back stop to the surface, in mm.

        `clearance_mm`: the same for skin that is touched without pressing. Without contact, or
        without a needle, nothing reaches the skin: infinity.
        """
        return clearance_mm - self.pressing_mm if self.contact and needle_fitted else math.inf
