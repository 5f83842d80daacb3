"""Commands for presets."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic_core import to_jsonable_python

from mesodrive.cli.output import JsonOption, print_json, print_table, say
from mesodrive.presets import MODES, list_presets, load_preset, validate

app = typer.Typer(help="Look at presets and check your own.", no_args_is_help=True)

PresetArgument = Annotated[str, typer.Argument(help="Name of a preset, or path of a TOML file.")]


@app.command("list")
def list_(json: JsonOption = False) -> None:
    """List the presets that come with mesodrive."""
    presets = list_presets()
    if json:
        print_json([to_jsonable_python(p, by_alias=True, exclude_none=True) for p in presets])
        return
    print_table(
        "Presets",
        ("name", "mode", "depth", "dose", "rate", "shots", "cartridge", "syringe"),
        [
            (
                preset.name,
                preset.mode,
                *(
                    (value.text if (value := preset.values[name]) else "set it")
                    if not (name == "dose" and preset.mode == "dry")
                    else "dry"
                    for name in ("depth", "dose", "rate")
                ),
                f"{preset.shots.value:g}",
                preset.cartridge,
                preset.syringe,
            )
            for preset in presets
        ],
    )


@app.command()
def show(preset: PresetArgument, json: JsonOption = False) -> None:
    """Show every value of a preset and where it comes from."""
    loaded = load_preset(preset)
    if json:
        print_json(to_jsonable_python(loaded, by_alias=True, exclude_none=True))
        return
    rows: list[tuple[str, str, str, str]] = []
    others = {"spacing": loaded.spacing, "zone_area": loaded.zone_area}
    for name, value in {"shots": loaded.shots, **loaded.values, **others}.items():
        if value is not None:
            low_high = f"{value.range[0]:g} to {value.range[1]:g}" if value.range else ""
            rows.append((name, value.text, low_high, value.source))
    print_table(f"{loaded.title} ({loaded.name})", ("value", "", "range", "source"), rows)
    say(f"mode {loaded.mode}: {MODES[loaded.mode].gives}")
    say(f"cartridge {loaded.cartridge}, syringe {loaded.syringe}")
    for note in loaded.notes:
        say(note)


@app.command("validate")
def validate_(
    file: Annotated[Path, typer.Argument(help="The preset file to check.")],
    json: JsonOption = False,
) -> None:
    """Check a preset file; name everything that is wrong with it. Exits 1 if anything is."""
    problems = validate(file)
    if json:
        print_json({"file": str(file), "valid": not problems, "problems": problems})
    elif problems:
        for problem in problems:
            say(f"- {problem}")
    else:
        say(f"{file} is a valid preset.")
    raise typer.Exit(1 if problems else 0)
