"""What the catalogue and the prescription say no with."""

from mesodrive.errors import MesodriveError


class PresetError(MesodriveError):
    """A preset, cartridge or syringe that cannot be used as it stands; one sentence says why."""
