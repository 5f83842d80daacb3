"""Preset + what the person changes + needle + syringe → the final numbers, or why not."""

import math
import re
from collections.abc import Iterator, Mapping

from mesodrive.presets.catalogue import load_cartridge, load_syringe
from mesodrive.presets.errors import PresetError
from mesodrive.presets.models import ADJUSTABLE, SHOTS, ZONE_AREA, Cartridge, Preset, Syringe
from mesodrive.presets.profile import Change, Prescription, least_dwell_us, thousandths
from mesodrive.presets.refusals import refusals
from mesodrive.presets.toml_file import did_you_mean

WATER_CP = 1.0
_CARTRIDGE_NUMBER = re.compile("[0-9a-f]{0,16}")  # as docs/protocol.md has it

_DRY_FLOW_UL_S = 1.0  # nothing flows, but the device wants a number above zero


def prescribe(
    preset: Preset,
    *,
    overrides: Mapping[str, float] | None = None,
    cartridge: str | None = None,
    syringe: str | None = None,
    shots: int | None = None,
    fill_ul: float | None = None,
    viscosity_cp: float = WATER_CP,
    zone_area_cm2: float | None = None,
    cartridge_number: str = "",
) -> Prescription:
    """Return the session that `preset` asks for, with the person's changes in it.

    `overrides` holds values by their name and in the unit of the preset file (`ADJUSTABLE`);
    `fill_ul` is the liquid in the syringe, by default a full one, in `dry` an empty one;
    `zone_area_cm2` the area to be treated, by default the preset's; `cartridge_number` hex digits,
    by which the device knows a used one again. Raises PresetError with the first reason why this
    session cannot be given as prescribed.
    """
    overrides = overrides or {}
    if preset.mode != "dry" and preset.dose is None and "dose" not in overrides:
        raise PresetError(
            f"The preset '{preset.name}' leaves the dose open because its source gives none; "
            "set dose in µL."
        )
    prescription = combine(
        preset,
        overrides,
        cartridge=cartridge,
        syringe=syringe,
        shots=shots,
        fill_ul=fill_ul,
        viscosity_cp=viscosity_cp,
        zone_area_cm2=zone_area_cm2,
        cartridge_number=cartridge_number,
    )
    for sentence in refusals(prescription):
        raise PresetError(sentence)
    return prescription


def combine(
    preset: Preset,
    overrides: Mapping[str, float],
    *,
    cartridge: str | None = None,
    syringe: str | None = None,
    shots: int | None = None,
    fill_ul: float | None = None,
    viscosity_cp: float = WATER_CP,
    zone_area_cm2: float | None = None,
    cartridge_number: str = "",
) -> Prescription:
    """Return preset and changes as one prescription that `refusals` has not yet judged.

    A dose left open counts as 0. Raises PresetError for a value that could never be.
    """
    values = {name: q.value for name, q in preset.values.items() if q is not None}
    values.update(_checked(preset, overrides))
    shots = int(preset.shots.value) if shots is None else shots
    _require(SHOTS.complaint(shots), "shots")
    if not (math.isfinite(viscosity_cp) and viscosity_cp > 0):
        raise PresetError(f"viscosity is {viscosity_cp:g} cP but must be above zero; correct it.")
    number = cartridge_number.lower()
    if not _CARTRIDGE_NUMBER.fullmatch(number):
        raise PresetError(
            f"The cartridge's number is '{cartridge_number}' but must be up to 16 of the digits 0 "
            "to 9 and a to f; leave out what else is printed there."
        )
    needle = load_cartridge(cartridge or preset.cartridge)
    barrel = load_syringe(syringe or preset.syringe)
    dose_ul = values.get("dose", 0.0)
    flow_ul_s = values.get("flow", _DRY_FLOW_UL_S)
    settle_us = thousandths(values["settle"])
    if fill_ul is None:
        fill_ul = 0.0 if preset.mode == "dry" else barrel.usable_ul
    if zone_area_cm2 is not None:
        _require(ZONE_AREA.complaint(zone_area_cm2), "zone_area")
    elif preset.zone_area is not None:
        zone_area_cm2 = preset.zone_area.value
    if "dwell" in values:
        dwell_us = thousandths(values["dwell"])
    else:
        dwell_us = least_dwell_us(settle_us, dose_ul, flow_ul_s, barrel)
    return Prescription(
        preset=preset.name,
        title=preset.title,
        technique=preset.technique,
        mode=preset.mode,
        depth_mm=values["depth"],
        dose_ul=dose_ul,
        rate_hz=values["rate"],
        flow_ul_s=flow_ul_s,
        settle_us=settle_us,
        dwell_us=dwell_us,
        rest_us=thousandths(values["rest"]),
        period_us=round(1e6 / values["rate"]),
        shots=shots,
        burst=int(values.get("burst", 1)),
        soft_strikes=int(values.get("soft_strikes", 0)),
        fill_ul=fill_ul,
        viscosity_cp=viscosity_cp,
        cartridge_number=number,
        spacing_mm=None if preset.spacing is None else preset.spacing.value,
        zone_area_cm2=zone_area_cm2,
        cartridge=needle,
        syringe=barrel,
        changes=(
            *_changes(preset, overrides, shots, zone_area_cm2, needle, barrel),
            *_thicker(viscosity_cp),
        ),
    )


def _thicker(viscosity_cp: float) -> Iterator[Change]:
    if viscosity_cp != WATER_CP:
        used = f"{viscosity_cp:g} cP"
        yield Change("viscosity", f"{WATER_CP:g} cP", used, beyond_range=False)


def _checked(preset: Preset, overrides: Mapping[str, float]) -> Mapping[str, float]:
    for name, value in overrides.items():
        if name not in ADJUSTABLE:
            raise PresetError(f"There is no value '{name}'{did_you_mean(name, ADJUSTABLE)}")
        if not preset.takes(name):
            raise PresetError(
                f"The preset '{preset.name}' is of the mode '{preset.mode}' and takes no {name}; "
                "leave it out or choose another preset."
            )
        _require(ADJUSTABLE[name].complaint(value), name)
    return overrides


def _require(complaint: str | None, name: str) -> None:
    if complaint is not None:
        raise PresetError(f"{name} {complaint}")


def _changes(
    preset: Preset,
    overrides: Mapping[str, float],
    shots: int,
    zone_area_cm2: float | None,
    cartridge: Cartridge,
    syringe: Syringe,
) -> Iterator[Change]:
    for name, used in overrides.items():
        of_preset = preset.values[name]
        text = f"{used:g} {ADJUSTABLE[name].unit}"
        if of_preset is None:
            yield Change(name, "unset", text, beyond_range=False)
        elif used != of_preset.value:
            yield Change(name, of_preset.text, text, beyond_range=not of_preset.holds(used))
    if shots != preset.shots.value:
        beyond = not preset.shots.holds(shots)
        yield Change("shots", preset.shots.text, f"{shots} shots", beyond_range=beyond)
    zone = preset.zone_area
    if zone is not None and zone_area_cm2 is not None and zone_area_cm2 != zone.value:
        beyond = not zone.holds(zone_area_cm2)
        yield Change("zone_area", zone.text, f"{zone_area_cm2:g} cm²", beyond_range=beyond)
    if cartridge.name != preset.cartridge:
        yield Change("cartridge", preset.cartridge, cartridge.name, beyond_range=False)
    if syringe.name != preset.syringe:
        yield Change("syringe", preset.syringe, syringe.name, beyond_range=False)
