"""What the benchmark leaves behind: the table, the plots, and with them docs/performance.md."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.results import Metric

_PAGE = ROOT / "docs" / "performance.md"
_IMAGES = ROOT / "docs" / "images"
_TABLE = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- end of figures -->)", re.DOTALL)


def write_page(metrics: Sequence[Metric], plots: Sequence[Path]) -> None:
    """Put the figures between the page's marks, and the plots beside the other images."""
    page = _PAGE.read_text()
    if not _TABLE.search(page):
        raise ValueError(f"{_PAGE} has lost the marks between which its figures stand.")
    _PAGE.write_text(_TABLE.sub(lambda _: rows(metrics), page))
    for plot in plots:
        shutil.copy(plot, _IMAGES / plot.name)


def rows(metrics: Sequence[Metric]) -> str:
    """The figures as a table in Markdown."""
    lines = ["", "| figure | value | bound |", "|---|---:|---|"]
    for metric in metrics:
        bound = metric.bound or ""
        if metric.bound and not metric.ok:
            bound += " **missed**"
        value = f"{metric.value:,.12g} {metric.unit}".strip()
        lines.append(f"| {metric.name} | {value} | {bound} |")
    return "\n".join([*lines, "", ""])
