"""Which modules are mutated, and which tests look for the bugs."""

import ast
from dataclasses import dataclass
from pathlib import Path

from mesodrive_rig.campaigns.mutation.operators import Mutant, mutants
from mesodrive_rig.emulated.rig import ROOT

_INJECTOR = ROOT / "firmware" / "injector"
_WIRE = ROOT / "firmware" / "shared" / "mesodrive_wire"

# Neither decides whether anything moves nor how much, nor keeps what was given: the pulses and the
# mechanics have tables and benches of their own, the rest only puts together or tells.
_NOT_SAFETY = (
    "app",
    "errors",
    "ledger/errors",
    "machine",
    "mechanics",
    "motion",
    "reports",
    "strike",
    "trace",
)
SAFETY = {
    **{
        name: path
        for path in sorted(_INJECTOR.rglob("[a-z]*.py"))
        if (name := str(path.relative_to(_INJECTOR).with_suffix(""))) not in _NOT_SAFETY
        and not name.startswith("ports/")
    },
    **{f"wire/{name}": _WIRE / f"{name}.py" for name in ("framing", "messages")},
}

TESTS = [
    path for path in ("firmware/tests", "hil_tests/test_limit_oracle.py") if (ROOT / path).exists()
]
# They start MicroPython, or a campaign of their own; a bug that only they find counts as missed.
NOT_RUN = ["firmware/tests/on_unix_port"]


@dataclass(frozen=True)
class Module:
    """A safety module, parsed, with all bugs that are made of it."""

    name: str
    path: Path
    tree: ast.Module
    mutants: list[Mutant]


def read(name: str) -> Module:
    source = SAFETY[name].read_text()
    tree = ast.parse(source)
    return Module(name, SAFETY[name], tree, mutants(name, source, tree))
