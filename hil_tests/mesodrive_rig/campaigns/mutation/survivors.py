"""Bugs that no test finds, and why that is right: docs/safety/survivors.toml."""

import tomllib
from pathlib import Path
from typing import Any

from mesodrive_rig.campaigns.mutation.operators import Mutant
from mesodrive_rig.emulated.rig import ROOT

SURVIVORS = ROOT / "docs" / "safety" / "survivors.toml"

Key = tuple[str, str, str, str]


def explained(path: Path = SURVIVORS) -> dict[Key, str]:
    """Why each survives, by its key."""
    if not path.is_file():
        return {}
    rows: list[dict[str, Any]] = tomllib.loads(path.read_text()).get("survivor", [])
    found: dict[Key, str] = {}
    for row in rows:
        found[row["module"], row["scope"], row["line"], row["becomes"]] = row["why"]
    return found


def listed(mutant: Mutant) -> str:
    """A survivor as an entry to be explained."""
    module, scope, line, becomes = (_quoted(part) for part in mutant.key)
    return (
        f"[[survivor]]\nmodule = {module}\nscope = {scope}\nline = {line}\n"
        f'becomes = {becomes}\nwhy = ""\n'
    )


def _quoted(text: str) -> str:
    if "'" not in text:
        return f"'{text}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
