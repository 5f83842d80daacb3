"""The presets, cartridges and syringes that are shipped, by name; a preset also by path."""

from pathlib import Path

from mesodrive.presets.errors import PresetError
from mesodrive.presets.models import Cartridge, Preset, Syringe
from mesodrive.presets.toml_file import EntryT, did_you_mean, read

_DATA = Path(__file__).parent / "data"
_PRESETS = _DATA / "presets"
_CARTRIDGES = _DATA / "cartridges"
_SYRINGES = _DATA / "syringes"


def list_presets() -> list[Preset]:
    """Return every shipped preset, by name."""
    return [_load(path, Preset) for path in sorted(_PRESETS.glob("*.toml"))]


def list_cartridges() -> list[Cartridge]:
    """Return every shipped cartridge, by name."""
    return [_load(path, Cartridge) for path in sorted(_CARTRIDGES.glob("*.toml"))]


def list_syringes() -> list[Syringe]:
    """Return every shipped syringe, from the smallest."""
    syringes = [_load(path, Syringe) for path in _SYRINGES.glob("*.toml")]
    return sorted(syringes, key=lambda syringe: syringe.volume.value)


def load_preset(name_or_path: str) -> Preset:
    """Return the shipped preset of that name, or the one in a `.toml` file of the person's own.

    Raises PresetError with the first thing that is wrong (`validation.validate` tells them all).
    """
    if name_or_path.endswith(".toml"):
        return _load(Path(name_or_path), Preset)
    return _load(_shipped(_PRESETS, name_or_path, "preset"), Preset)


def load_cartridge(name: str) -> Cartridge:
    """Return the shipped cartridge of that name; raise PresetError when there is none."""
    return _load(_shipped(_CARTRIDGES, name, "cartridge"), Cartridge)


def load_syringe(name: str) -> Syringe:
    """Return the shipped syringe of that name; raise PresetError when there is none."""
    return _load(_shipped(_SYRINGES, name, "syringe"), Syringe)


def _shipped(folder: Path, name: str, what: str) -> Path:
    paths = {path.stem: path for path in folder.glob("*.toml")}
    if name not in paths:
        raise PresetError(f"There is no {what} named '{name}'{did_you_mean(name, paths)}")
    return paths[name]


def _load(path: Path, model: type[EntryT]) -> EntryT:
    entry, problems = read(path, model)
    if entry is None:
        raise PresetError(problems[0])
    return entry
