"""The three kinds of file in the catalogue: presets, cartridges and syringes.

Least and most of each value are the device's hard limits (docs/protocol.md, "The profile"): past
them no source can be right for this device.
"""

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mesodrive.presets.quantity import Kind, Quantity, sentence_error

SCHEMA = 1

DEPTH = Kind("mm", 0.01, 6)
DOSE = Kind("µL", 0.001, 100)
RATE = Kind("Hz", 0.017, 250)  # the device waits at most 60 s from shot to shot
FLOW = Kind("µL/s", 0.001, 2000)
SETTLE = Kind("ms", 5, 1000)
DWELL = Kind("ms", 1, 5000)
REST = Kind("ms", 5, 10_000)
SHOTS = Kind("shots", 1, 2000, whole=True)

ADJUSTABLE = {
    "depth": DEPTH,
    "dose": DOSE,
    "rate": RATE,
    "flow": FLOW,
    "settle": SETTLE,
    "dwell": DWELL,
    "rest": REST,
}
"""The values of a preset that a person may change for one session."""

Mode = Literal["single", "series", "stamp", "drip", "dry"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=40)]
Text = Annotated[str, Field(min_length=1)]


class Entry(BaseModel):
    """What every file of the catalogue has."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_version: Literal[1] = Field(alias="schema")
    name: Name
    title: Text


class Preset(Entry):
    """A technique as a clinician would set it. Without a dose, the person must give one."""

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
    spacing: Annotated[Quantity, Kind("mm", 0.1, 100).validator()] | None = None

    @model_validator(mode="after")
    def _liquid_fits_the_mode(self) -> Self:
        if self.mode == "dry":
            if self.dose is not None or self.flow is not None:
                raise sentence_error(
                    "dose and flow have no place in the mode 'dry'; remove them or change mode."
                )
        elif self.flow is None:
            raise sentence_error(f"flow is missing in the mode '{self.mode}'; add it.")
        return self

    @property
    def values(self) -> dict[str, Quantity | None]:
        """The values named in `ADJUSTABLE`; None where the preset leaves one open."""
        return {
            "depth": self.depth,
            "dose": self.dose,
            "rate": self.rate,
            "flow": self.flow,
            "settle": self.settle,
            "dwell": self.dwell,
            "rest": self.rest,
        }


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
    def ul_per_mm(self) -> float:
        """Volume for 1 mm of plunger travel, in µL: the area of the bore in mm²."""
        return math.pi * self.inner_diameter.value**2 / 4
