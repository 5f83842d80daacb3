"""Presets, cartridges and syringes as data, and what they come to in one session."""

from mesodrive.presets.catalogue import (
    list_cartridges,
    list_presets,
    list_syringes,
    load_cartridge,
    load_preset,
    load_syringe,
)
from mesodrive.presets.coverage import Coverage
from mesodrive.presets.errors import PresetError
from mesodrive.presets.models import ADJUSTABLE, Cartridge, Preset, Syringe
from mesodrive.presets.modes import MODES
from mesodrive.presets.prescription import WATER_CP, prescribe
from mesodrive.presets.profile import Change, Prescription
from mesodrive.presets.quantity import Quantity
from mesodrive.presets.validation import validate

__all__ = [
    "ADJUSTABLE",
    "MODES",
    "WATER_CP",
    "Cartridge",
    "Change",
    "Coverage",
    "Prescription",
    "Preset",
    "PresetError",
    "Quantity",
    "Syringe",
    "list_cartridges",
    "list_presets",
    "list_syringes",
    "load_cartridge",
    "load_preset",
    "load_syringe",
    "prescribe",
    "validate",
]
