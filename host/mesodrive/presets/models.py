"""The three kinds of file in the catalogue: presets, cartridges and syringes.

Least and most of each value are the device's hard limits (docs/protocol.md, "The profile"): past
them no source can be right for this device.
"""

import math
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mesodrive.presets.mechanics import PLUNGER_WAY_MM
from mesodrive.presets.modes import MODES, Mode
from mesodrive.presets.quantity import Kind, Quantity, sentence_error

DEPTH = Kind("mm", 0.01, 6)
DOSE = Kind("µL", 0.001, 500)
RATE = Kind("Hz", 0.017, 250)  # the device waits at most 60 s from strike to strike
FLOW = Kind("µL/s", 0.001, 2000)
SETTLE = Kind("ms", 0, 1000)
DWELL = Kind("ms", 0.1, 30_000)
REST = Kind("ms", 0.2, 60_000)
SHOTS = Kind("shots", 1, 100_000, whole=True)
BURST = Kind("strikes", 2, 100, whole=True)
SOFT_STRIKES = Kind("strikes", 0, 50, whole=True)
ZONE_AREA = Kind("cm²", 0.1, 5000)

ADJUSTABLE = {
    "depth": DEPTH,
    "dose": DOSE,
    "rate": RATE,
    "flow": FLOW,
    "settle": SETTLE,
    "dwell": DWELL,
    "rest": REST,
    "burst": BURST,
    "soft_strikes": SOFT_STRIKES,
}
"""The values of a preset that a person may change for one session."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=40)]
Text = Annotated[str, Field(min_length=1)]


class Entry(BaseModel):
    """What every file of the catalogue has."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    SCHEMA: ClassVar[int] = 1

    schema_version: int = Field(alias="schema")  # `toml_file.read` has compared it
    name: Name
    title: Text


class Preset(Entry):
    """A technique as a clinician would set it. Without a dose, the person must give one."""

    SCHEMA: ClassVar[int] = 2  # 1 had fewer modes, and no value of it was in µs

    technique: Text
    mode: Mode
    cartridge: Name
    syringe: Name
    notes: list[Text] = []
    shots: Annotated[Quantity, SHOTS.validator()]
    depth: Annotated[Quantity, DEPTH.validator()]
    dose: Annotated[Quantity, DOSE.validator()] | None = None
    rate: Annotated[Quantity, RATE.validator()]
    flow: Annotated[Quantity, FLOW.validator()] | None = None
    settle: Annotated[Quantity, SETTLE.validator()]
    dwell: Annotated[Quantity, DWELL.validator()] | None = None
    rest: Annotated[Quantity, REST.validator()]
    burst: Annotated[Quantity, BURST.validator()] | None = None
    soft_strikes: Annotated[Quantity, SOFT_STRIKES.validator()] | None = None
    spacing: Annotated[Quantity, Kind("mm", 0.1, 100).validator()] | None = None
    zone_area: Annotated[Quantity, ZONE_AREA.validator()] | None = None

    @model_validator(mode="after")
    def _values_fit_the_mode(self) -> Self:
        for name, value in self.values.items():
            if value is not None and not self.takes(name):
                raise sentence_error(
                    f"{name} has no place in the mode '{self.mode}'; remove it or change mode."
                )
        for name in ("flow", "burst"):
            if self.values[name] is None and self.takes(name):
                raise sentence_error(f"{name} is missing in the mode '{self.mode}'; add it.")
        return self

    def takes(self, name: str) -> bool:
        """Whether the value called `name` has a meaning in this preset's mode."""
        match name:
            case "dose" | "flow":
                return self.mode != "dry"
            case "burst":
                return self.mode == "burst"
            case "soft_strikes":
                return MODES[self.mode].paced
            case _:
                return True

    @property
    def values(self) -> dict[str, Quantity | None]:
        """The values named in `ADJUSTABLE`; None where the preset leaves one open."""
        return {name: getattr(self, name) for name in ADJUSTABLE}


class Cartridge(Entry):
    """A single needle or a nozzle with several, as it is bought."""

    needles: Annotated[Quantity, Kind("needles", 1, 25, whole=True).validator()]
    outer_diameter: Annotated[Quantity, Kind("mm", 0.05, 1).validator()]
    inner_diameter: Annotated[Quantity, Kind("mm", 0.02, 0.8).validator()]
    bore_length: Annotated[Quantity, Kind("mm", 0.5, 50).validator()]
    usable_length: Annotated[Quantity, Kind("mm", 0.1, 13).validator()]
    dead_volume: Annotated[Quantity, Kind("µL", 0, 1000).validator()]
    spacing: Annotated[Quantity, Kind("mm", 0.1, 20).validator()] | None = None

    @model_validator(mode="after")
    def _bore_is_a_hole_in_the_needle(self) -> Self:
        if self.inner_diameter.value >= self.outer_diameter.value:
            raise sentence_error("inner_diameter must be less than outer_diameter; correct them.")
        if self.bore_length.value < self.usable_length.value:
            raise sentence_error("bore_length must be at least usable_length; correct them.")
        return self

    def pressure_kpa(self, flow_ul_s: float, viscosity_cp: float) -> float:
        """Return what drives `flow_ul_s` through all needles, in kPa.

        Hagen-Poiseuille for laminar flow of a Newtonian liquid: ΔP = Q · 128 µ L / (π d⁴ n).
        The pressure in the skin and the friction of the plunger are not in it.
        """
        length_m = self.bore_length.value * 1e-3
        diameter_m = self.inner_diameter.value * 1e-3
        resistance_pa_s_m3 = (
            128 * (viscosity_cp * 1e-3) * length_m / (math.pi * diameter_m**4 * self.needles.value)
        )
        return resistance_pa_s_m3 * (flow_ul_s * 1e-9) * 1e-3


class Syringe(Entry):
    """A syringe of one make and size."""

    make: Text
    volume: Annotated[Quantity, Kind("mL", 0.1, 10).validator()]
    inner_diameter: Annotated[Quantity, Kind("mm", 1.2, 25).validator()]
    max_pressure: Annotated[Quantity, Kind("kPa", 1, 10_000).validator()]

    @property
    def volume_ul(self) -> float:
        """The nominal volume in µL."""
        return self.volume.value * 1000

    @property
    def usable_ul(self) -> float:
        """What of it the plunger's way is long enough for, in whole µL."""
        return min(self.volume_ul, math.floor(PLUNGER_WAY_MM * self.ul_per_mm))

    @property
    def ul_per_mm(self) -> float:
        """Volume for 1 mm of plunger travel, in µL: the area of the bore in mm²."""
        return math.pi * self.inner_diameter.value**2 / 4
