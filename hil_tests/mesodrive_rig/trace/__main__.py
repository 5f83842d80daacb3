"""From hazards over requirements to tests: `make trace` → build/trace.json, docs/safety/matrix.md.

Tests are collected, not run; how they ended is read from the report of the last `make test`.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.results import Metric, write_results
from mesodrive_rig.trace import evidence, matrix, risk_file
from mesodrive_rig.trace.evidence import EvidenceError, Results, Tests
from mesodrive_rig.trace.matrix import RESULT_FLAWS, Flaw, Problem, Row
from mesodrive_rig.trace.page import PAGE, page
from mesodrive_rig.trace.risk_file import RiskFile, RiskFileError


def main(words: Sequence[str] | None = None) -> int:
    """Write the page and the figures and print the matrix; return 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="another checkout than this one")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing, and leave results and open points aside",
    )
    arguments = parser.parse_args(words)
    started = time.monotonic()
    root = arguments.root.resolve()
    try:
        risk = risk_file.load(root)
        tests = evidence.collect(root)
        results = None if arguments.check else evidence.read_results(root)
    except (RiskFileError, EvidenceError) as error:
        print(f"trace: {error}", file=sys.stderr)
        return 1
    rows = matrix.rows(risk, tests, results)
    problems = matrix.problems(risk, tests, rows)
    text = page(risk, rows)
    if arguments.check:
        return _check(root, text, [row for row in problems if row.flaw not in RESULT_FLAWS])
    (root / PAGE).write_text(text)
    _print(rows, results)
    _tell(problems)
    figures = _figures(risk, tests, rows, problems)
    seconds = time.monotonic() - started
    return write_results("trace", figures, root / "build" / "trace.json", seed=0, seconds=seconds)


def _check(root: Path, text: str, problems: list[Problem]) -> int:
    _tell(problems)
    path = root / PAGE
    is_current = path.exists() and path.read_text() == text
    if not is_current:
        print(f"trace: {PAGE} is not what the risk file says: run `make trace`.", file=sys.stderr)
    return 1 if problems or not is_current else 0


def _print(rows: list[Row], results: Results | None) -> None:
    when = f"results of {results.when}" if results else "no results: run `make test`"
    table = Table(title=f"requirements ({when})", title_justify="left")
    for column in ("", "requirement", "hazards", "tests", "verdict"):
        table.add_column(column, justify="right" if column == "tests" else "left")
    for row in rows:
        verdict = row.verdict if row.verdict == "shown" else f"[bold red]{row.verdict}[/]"
        requirement = row.requirement
        hazards = " ".join(row.hazards)
        table.add_row(requirement.id, requirement.title, hazards, str(len(row.tests)), verdict)
    Console().print(table)


def _tell(problems: list[Problem]) -> None:
    for problem in problems:
        print(f"trace: {problem.sentence}", file=sys.stderr)


def _figures(
    risk: RiskFile, tests: Tests, rows: list[Row], problems: list[Problem]
) -> list[Metric]:
    """A requirement counts once, however many points of it are open."""
    found = Counter(problem.flaw for problem in problems)
    found[Flaw.OPEN] = sum(bool(row.requirement.open) for row in rows)
    told = sum(not hazard.controls for hazard in risk.hazards if hazard.information)
    return [
        Metric("hazards", len(risk.hazards), ""),
        Metric("hazards that people are only told of", told, ""),
        Metric("requirements", len(risk.requirements), ""),
        Metric("requirements shown", sum(row.verdict == "shown" for row in rows), ""),
        Metric("tests that name a requirement", len(tests), ""),
        *(Metric(flaw, found[flaw], "", "== 0") for flaw in Flaw),
    ]


if __name__ == "__main__":
    sys.exit(main())
