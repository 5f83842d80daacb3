"""The one shape in which every campaign and benchmark writes its figures, and prints them."""

import json
import operator
import re
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mesodrive import __version__
from mesodrive_rig.emulated.rig import ROOT

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
}


@dataclass(frozen=True)
class Metric:
    """One figure. `bound` is text such as ">= 0.2", or None; `ok` follows from it alone."""

    name: str
    value: float
    unit: str
    bound: str | None = None

    @property
    def ok(self) -> bool:
        if self.bound is None:
            return True
        match = re.fullmatch(r"(<=|>=|==) (-?[\d.]+)", self.bound)
        if not match:
            raise ValueError(f"'{self.bound}' is not a bound; write it as '<= 200'.")
        return _COMPARE[match[1]](self.value, float(match[2]))


def write_results(
    name: str, metrics: list[Metric], path: Path, *, seed: int, seconds: float
) -> int:
    """Write and print `metrics`; return the exit code: 1 when a bound is missed."""
    document = {
        "name": name,
        "version": __version__,
        "commit": _commit(),
        "seed": seed,
        "seconds": round(seconds, 1),
        "metrics": [{**asdict(metric), "ok": metric.ok} for metric in metrics],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    table = Table(title=f"{name} ({seconds:.0f} s)", title_justify="left")
    for column in ("figure", "value", "unit", "bound", ""):
        table.add_column(column, justify="right" if column == "value" else "left")
    for metric in metrics:
        verdict = "" if metric.bound is None else "ok" if metric.ok else "[bold red]missed[/]"
        table.add_row(metric.name, f"{metric.value:g}", metric.unit, metric.bound or "", verdict)
    console = Console()
    console.print(table)
    console.print(f"Written to {path}.", highlight=False, soft_wrap=True)
    return 0 if all(metric.ok for metric in metrics) else 1


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"
