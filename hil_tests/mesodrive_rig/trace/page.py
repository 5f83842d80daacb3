"""docs/safety/matrix.md: the risk file and its tests, to be read by people.

It says which tests there are, not how they ended: that is another matter on every machine.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from mesodrive_rig.trace.matrix import Row
from mesodrive_rig.trace.risk_file import Figure, Hazard, RiskFile

PAGE = "docs/safety/matrix.md"
_TOP = "../.."  # from the page to the top of the checkout

_HEAD = """# Hazards, requirements, tests

Made by `make trace` from [hazards.toml](hazards.toml), [requirements.toml](requirements.toml) and
the tests' markers; edit those. How to read it, and what it is not: [README.md](README.md).
"""


def page(risk: RiskFile, matrix: list[Row]) -> str:
    """The whole page."""
    is_open = {row.requirement.id for row in matrix if row.requirement.open}
    return (
        "\n".join([_HEAD, *_hazards(risk.hazards, is_open), *_requirements(risk, matrix)]) + "\n"
    )


def _hazards(hazards: list[Hazard], is_open: set[str]) -> Iterator[str]:
    yield "## Hazards\n"
    for group, members in groupby(hazards, key=lambda hazard: hazard.group):
        yield f"**{group}**\n"
        yield from _table(
            ("", "hazard", "controls", "what stays"),
            ((row.id, row.title, _controls(row, is_open), row.remains or "") for row in members),
        )
        yield ""


def _controls(hazard: Hazard, is_open: set[str]) -> str:
    lines = [
        f"{_link(control.requirement)}{' **open**' if control.requirement in is_open else ''}: "
        f"{control.by}"
        for control in hazard.controls
    ]
    if hazard.information:
        lines.append(f"told: {hazard.information}")
    return "<br>".join(lines)


def _requirements(risk: RiskFile, matrix: list[Row]) -> Iterator[str]:
    yield "## Requirements\n"
    for row in matrix:
        requirement = row.requirement
        yield f"### {requirement.id}\n"
        yield f"**{requirement.title}.** {requirement.text}\n"
        if requirement.figures:
            yield from _table(
                ("figure", "value", "why", "source"), map(_figure, requirement.figures)
            )
            yield ""
        if requirement.source:
            yield f"Source: {', '.join(requirement.source)}.\n"
        yield f"Asked for by {', '.join(row.hazards) or 'no hazard'}.\n"
        if requirement.open:
            yield "**Open:**\n"
            yield from (f"* {point}" for point in requirement.open)
            yield ""
        yield "Shown by:\n" if row.tests else "Shown by no test.\n"
        yield from _tests(row.tests)
    yield "## Sources\n"
    yield from (f"* **{name}**: {text}" for name, text in risk.sources.items())


def _figure(figure: Figure) -> tuple[str, ...]:
    value = f"{figure.value:,} {figure.unit}".strip()
    code = f" (`{figure.code}`)" if figure.code else ""
    return figure.what + code, value, figure.why, ", ".join(figure.source) or "own"


def _tests(tests: list[str]) -> Iterator[str]:
    """One line for each file; of a test with many cases the name alone."""
    if not tests:
        return
    for path, members in groupby(tests, key=lambda test: test.partition("::")[0]):
        names = dict.fromkeys(test.partition("::")[2].partition("[")[0] for test in members)
        yield f"* [{path}]({_TOP}/{path}): {', '.join(f'`{name}`' for name in names)}"
    yield ""


def _link(requirement: str) -> str:
    return f"[{requirement}](#{requirement.lower()})"


def _table(head: Iterable[str], body: Iterable[Iterable[str]]) -> Iterator[str]:
    columns = tuple(head)
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for cells in body:
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
