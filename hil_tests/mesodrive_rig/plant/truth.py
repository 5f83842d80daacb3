"""What truly happened, as nobody but the virtual injector can know it."""

from collections.abc import Mapping
from dataclasses import dataclass

from mesodrive_rig.plant.lines import EdgeTruth, Output
from mesodrive_rig.plant.skin import Layer
from mesodrive_rig.plant.strike import NeedleState


@dataclass(frozen=True)
class StrikeTruth:
    """One strike: from the needle leaving home until it is home again. Emulated ms.

    `out_ms`, `release_ms`, `back_ms` are None while (or because) it has not happened.
    `depth_mm` is the deepest point of the tip below the skin's surface, 0 when it stayed outside.
    `skin_ul` and `lost_ul` came out of the needles within the strike.
    """

    start_ms: float
    out_ms: float | None
    release_ms: float | None
    back_ms: float | None
    depth_mm: float
    skin_ul: float
    lost_ul: float
    layer: Layer


@dataclass(frozen=True)
class Truth:
    """The whole account at `time_ms`. pushed_ul = skin_ul + lost_ul + line_ul, always."""

    time_ms: float
    pushed_ul: float  # out of the syringe, less what was drawn back
    skin_ul: float
    lost_ul: float  # came out of the needles outside the skin
    line_ul: float  # fills the cartridge, and stretches syringe and line
    left_ul: float  # in the syringe
    pressure_kpa: float | None  # None in a rigid line, where it is not defined
    strikes: tuple[StrikeTruth, ...]
    needle: NeedleState
    needle_travel_mm: float  # from the back stop
    rail_on: bool
    plunger_axis_mm: float  # pusher, from its home switch
    plunger_lost_steps: int
    depth_axis_mm: float  # depth stop's nut, from its home switch
    depth_lost_steps: int
    outputs: Mapping[Output, EdgeTruth]
