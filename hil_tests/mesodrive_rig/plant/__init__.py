"""The physics of the virtual injector: pure Python, driven by pin edges and an emulated clock.

`Injector` is the door; `docs/rig-physics.md` says what is modelled and what is not.
"""

from mesodrive_rig.plant.axis import AxisSpec
from mesodrive_rig.plant.clock import Clock, ManualClock
from mesodrive_rig.plant.fluid import CartridgeSpec, needle_resistance_kpa_s_ul
from mesodrive_rig.plant.heat import HeatSpec
from mesodrive_rig.plant.injector import Injector
from mesodrive_rig.plant.interlock import Contact
from mesodrive_rig.plant.lines import Analog, EdgeTruth, Output, Sensor
from mesodrive_rig.plant.skin import Layer, SkinSpec
from mesodrive_rig.plant.spec import PlantSpec
from mesodrive_rig.plant.strike import NeedleState, StrikeSpec
from mesodrive_rig.plant.supply import SupplySpec
from mesodrive_rig.plant.syringe import SyringeSpec
from mesodrive_rig.plant.truth import StrikeTruth, Truth
from mesodrive_rig.plant.wires import InputWire, OutputWire, WireFault

__all__ = [
    "Analog",
    "AxisSpec",
    "CartridgeSpec",
    "Clock",
    "Contact",
    "EdgeTruth",
    "HeatSpec",
    "Injector",
    "InputWire",
    "Layer",
    "ManualClock",
    "NeedleState",
    "Output",
    "OutputWire",
    "PlantSpec",
    "Sensor",
    "SkinSpec",
    "StrikeSpec",
    "StrikeTruth",
    "SupplySpec",
    "SyringeSpec",
    "Truth",
    "WireFault",
    "needle_resistance_kpa_s_ul",
]
