"""Everything that is wrong with a person's own preset file, at once."""

from collections.abc import Iterator
from pathlib import Path

from mesodrive.presets.catalogue import load_cartridge, load_syringe
from mesodrive.presets.errors import PresetError
from mesodrive.presets.models import Preset
from mesodrive.presets.prescription import combine
from mesodrive.presets.refusals import refusals
from mesodrive.presets.toml_file import read


def validate(path: Path | str) -> list[str]:
    """Return every problem of the preset in `path`, each as one sentence; none when it is good.

    Beyond what loading checks, the preset must also be possible as it stands, with its own
    cartridge and syringe and a product as thin as water. A dose left open is not a problem.
    """
    preset, problems = read(Path(path), Preset)
    if preset is None:
        return problems
    return [f"{Path(path).name}: {problem}" for problem in _problems_of_use(preset)]


def _problems_of_use(preset: Preset) -> Iterator[str]:
    unknown = list(_unknown_parts(preset))
    yield from unknown
    if not unknown:
        yield from refusals(combine(preset, {}))


def _unknown_parts(preset: Preset) -> Iterator[str]:
    for load, name in ((load_cartridge, preset.cartridge), (load_syringe, preset.syringe)):
        try:
            load(name)
        except PresetError as e:
            yield str(e)
