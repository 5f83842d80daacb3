"""Every figure of one virtual injector, in one frozen value."""

from dataclasses import dataclass, field

from mesodrive.errors import MesodriveError
from mesodrive_rig.plant.axis import AxisSpec
from mesodrive_rig.plant.fluid import CartridgeSpec
from mesodrive_rig.plant.heat import HeatSpec
from mesodrive_rig.plant.skin import SkinSpec
from mesodrive_rig.plant.strike import StrikeSpec
from mesodrive_rig.plant.supply import SupplySpec
from mesodrive_rig.plant.syringe import SyringeSpec


@dataclass(frozen=True)
class PlantSpec:
    """The defaults are the ideal plant: rigid, water, 0.02 mm of backlash, nothing fails."""

    plunger: AxisSpec = field(
        default_factory=lambda: AxisSpec(lead_mm=1.0, max_mm=62.0, initial_mm=2.0)
    )
    depth: AxisSpec = field(
        default_factory=lambda: AxisSpec(lead_mm=0.5, max_mm=15.0, initial_mm=0.7)
    )
    syringe: SyringeSpec = field(default_factory=SyringeSpec)
    cartridge: CartridgeSpec = field(default_factory=CartridgeSpec)
    strike: StrikeSpec = field(default_factory=StrikeSpec)
    skin: SkinSpec = field(default_factory=SkinSpec)
    supply: SupplySpec = field(default_factory=SupplySpec)
    heat: HeatSpec = field(default_factory=HeatSpec)

    def __post_init__(self) -> None:
        if self.syringe.contact_mm < self.plunger.initial_mm:
            raise MesodriveError(
                f"A fill of {self.syringe.fill_ul} µL needs the pusher behind "
                f"{self.syringe.contact_mm:.2f} mm and it stands at {self.plunger.initial_mm} mm; "
                "take a wider syringe or less fill."
            )
        if self.strike.clearance_mm <= self.skin.pressing_mm:
            raise MesodriveError(
                "The skin would be pressed onto the resting needle; raise clearance_mm."
            )
