"""The virtual injector that belongs to a catalogue's cartridge and syringe."""

from mesodrive.presets import Cartridge, Syringe
from mesodrive_rig.plant import CartridgeSpec, PlantSpec, SyringeSpec


def plant_for(cartridge: Cartridge, syringe: Syringe, fill_ul: float | None = None) -> PlantSpec:
    """The ideal plant (rigid, water) with these fitted; a full syringe unless `fill_ul` says."""
    return PlantSpec(
        syringe=SyringeSpec.from_ul_per_mm(
            syringe.ul_per_mm, fill_ul=syringe.volume_ul if fill_ul is None else fill_ul
        ),
        cartridge=CartridgeSpec(
            dead_volume_ul=cartridge.dead_volume.value,
            needles=int(cartridge.needles.value),
            inner_diameter_mm=cartridge.inner_diameter.value,
            length_mm=cartridge.bore_length.value,
        ),
    )
