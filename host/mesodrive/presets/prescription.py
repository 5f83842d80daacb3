"""Preset + what the person changes + needle + syringe → the final numbers, or why not."""

import math
from collections.abc import Iterator, Mapping

from mesodrive.presets.catalogue import load_cartridge, load_syringe
from mesodrive.presets.errors import PresetError
from mesodrive.presets.models import ADJUSTABLE, SHOTS, Cartridge, Preset, Syringe
from mesodrive.presets.profile import Change, Prescription, least_dwell_ms
from mesodrive.presets.refusals import refusals
from mesodrive.presets.toml_file import did_you_mean

WATER_CP = 1.0

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
) -> Prescription:
    """Return the session that `preset` asks for, with the person's changes in it.

    `overrides` holds values by their name and in the unit of the preset file (`ADJUSTABLE`);
    `fill_ul` is the liquid in the syringe, by default a full one. Raises PresetError with the
    first reason why this session cannot be given as prescribed.
    """
    if preset.mode == "drip":
        raise PresetError(
            f"The preset '{preset.name}' needs a firmware with the drip mode; "
            "choose a preset of another mode."
        )
    overrides = overrides or {}
    if preset.mode != "dry" and preset.dose is None and "dose" not in overrides:
        raise PresetError(
            f"The preset '{preset.name}' leaves the dose open because its source gives none; "
            "set dose in µL."
        )
    prescription = combine(preset, overrides, cartridge, syringe, shots, fill_ul, viscosity_cp)
    for sentence in refusals(prescription):
        raise PresetError(sentence)
    return prescription


def combine(
    preset: Preset,
    overrides: Mapping[str, float],
    cartridge: str | None,
    syringe: str | None,
    shots: int | None,
    fill_ul: float | None,
    viscosity_cp: float,
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
    needle = load_cartridge(cartridge or preset.cartridge)
    barrel = load_syringe(syringe or preset.syringe)
    dose_ul = values.get("dose", 0.0)
    flow_ul_s = values.get("flow", _DRY_FLOW_UL_S)
    settle_ms = round(values["settle"])
    if fill_ul is None:
        fill_ul = 0.0 if preset.mode == "dry" else barrel.volume_ul
    dwell_ms = values.get("dwell", least_dwell_ms(settle_ms, dose_ul, flow_ul_s))
    return Prescription(
        preset=preset.name,
        title=preset.title,
        technique=preset.technique,
        mode=preset.mode,
        depth_mm=values["depth"],
        dose_ul=dose_ul,
        rate_hz=values["rate"],
        flow_ul_s=flow_ul_s,
        settle_ms=settle_ms,
        dwell_ms=round(dwell_ms),
        rest_ms=round(values["rest"]),
        period_ms=round(1000 / values["rate"]),
        shots=shots,
        fill_ul=fill_ul,
        viscosity_cp=viscosity_cp,
        cartridge=needle,
        syringe=barrel,
        changes=tuple(_changes(preset, overrides, shots, needle, barrel)),
    )


def _checked(preset: Preset, overrides: Mapping[str, float]) -> Mapping[str, float]:
    for name, value in overrides.items():
        if name not in ADJUSTABLE:
            raise PresetError(f"There is no value '{name}'{did_you_mean(name, ADJUSTABLE)}")
        if preset.mode == "dry" and name in ("dose", "flow"):
            raise PresetError(
                f"The preset '{preset.name}' is dry and takes no {name}; leave it out or choose "
                "another preset."
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
    if cartridge.name != preset.cartridge:
        yield Change("cartridge", preset.cartridge, cartridge.name, beyond_range=False)
    if syringe.name != preset.syringe:
        yield Change("syringe", preset.syringe, syringe.name, beyond_range=False)
