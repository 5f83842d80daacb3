"""The matrix: what each requirement is shown by, and what is wrong with the chain."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from mesodrive_rig.trace.evidence import Outcome, Results, Tests
from mesodrive_rig.trace.risk_file import Requirement, RiskFile


class Flaw(StrEnum):
    """What `make trace` does not let pass; named as the figures that count it."""

    NOT_SHOWN = "requirements without a passing test"
    OPEN = "open requirements"
    UNASKED = "requirements that no hazard asks for"
    UNKNOWN = "unknown references"
    STRANGER = "tests that name an unknown requirement"
    UNCONTROLLED = "hazards without a control"
    TWICE = "ids given twice"


RESULT_FLAWS = (Flaw.NOT_SHOWN, Flaw.OPEN)  # the others are in the files, whatever the tests say


@dataclass(frozen=True)
class Problem:
    flaw: Flaw
    sentence: str


@dataclass(frozen=True)
class Row:
    """A requirement with the hazards that ask for it, its tests, and how they ended."""

    requirement: Requirement
    hazards: list[str]
    tests: list[str]  # node ids
    why_not: str  # empty when all of them passed

    @property
    def verdict(self) -> str:
        return self.why_not or ("open" if self.requirement.open else "shown")


def rows(risk: RiskFile, tests: Tests, results: Results | None) -> list[Row]:
    """One row for each requirement, in the order of the file."""
    return [
        Row(
            requirement,
            [
                hazard.id
                for hazard in risk.hazards
                if any(control.requirement == requirement.id for control in hazard.controls)
            ],
            named := [test for test, ids in tests.items() if requirement.id in ids],
            _why_not(named, results),
        )
        for requirement in risk.requirements
    ]


def _why_not(tests: list[str], results: Results | None) -> str:
    if not tests:
        return "no test"
    if results is None:
        return "no results"
    ended = Counter(results.outcomes.get(test) for test in tests)
    for outcome, word in ((Outcome.FAILED, "failed"), (Outcome.SKIPPED, "skipped")):
        if ended[outcome]:
            return f"{ended[outcome]} {word}"
    return f"{ended[None]} not run" if ended[None] else ""


def problems(risk: RiskFile, tests: Tests, matrix: Iterable[Row]) -> list[Problem]:
    """All that is wrong, each in one sentence."""
    return [
        *_of_hazards(risk),
        *_of_requirements(risk),
        *_of_tests(risk, tests),
        *_of_rows(matrix),
    ]


def _of_hazards(risk: RiskFile) -> Iterator[Problem]:
    known = {requirement.id for requirement in risk.requirements}
    yield from _twice(hazard.id for hazard in risk.hazards)
    for hazard in risk.hazards:
        if not hazard.is_controlled:
            yield Problem(Flaw.UNCONTROLLED, f"{hazard.id} ({hazard.title}) has no control.")
        for control in hazard.controls:
            if control.requirement not in known:
                yield Problem(
                    Flaw.UNKNOWN,
                    f"{hazard.id} is controlled by {control.requirement}, which does not exist.",
                )


def _of_requirements(risk: RiskFile) -> Iterator[Problem]:
    asked = {control.requirement for hazard in risk.hazards for control in hazard.controls}
    yield from _twice(requirement.id for requirement in risk.requirements)
    for requirement in risk.requirements:
        if requirement.id not in asked:
            yield Problem(Flaw.UNASKED, f"No hazard asks for {requirement.id}.")
        cited = [
            *requirement.source,
            *(name for row in requirement.figures for name in row.source),
        ]
        for name in sorted({*cited} - {*risk.sources}):
            yield Problem(
                Flaw.UNKNOWN, f"{requirement.id} cites '{name}', which is not among the sources."
            )


def _of_tests(risk: RiskFile, tests: Tests) -> Iterator[Problem]:
    known = {requirement.id for requirement in risk.requirements}
    for test, ids in tests.items():
        for name in ids:
            if name not in known:
                yield Problem(Flaw.STRANGER, f"{test} names {name}, which does not exist.")


def _of_rows(matrix: Iterable[Row]) -> Iterator[Problem]:
    for row in matrix:
        if row.why_not:
            yield Problem(Flaw.NOT_SHOWN, f"{row.requirement.id} is not shown: {row.why_not}.")
        for point in row.requirement.open:
            yield Problem(Flaw.OPEN, f"{row.requirement.id} is open: {point}")


def _twice(ids: Iterable[str]) -> Iterator[Problem]:
    for name, times in Counter(ids).items():
        if times > 1:
            yield Problem(Flaw.TWICE, f"{name} is given {times} times.")
