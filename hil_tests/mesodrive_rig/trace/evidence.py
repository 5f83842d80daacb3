"""Which tests there are, what they name, and how they ended."""

import contextlib
import io
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import pytest

from mesodrive_rig.trace.marker import TEST, requirements_of

RESULTS = "build/test-results.xml"

Tests = dict[str, list[str]]  # node id → requirements that it names


class Outcome(IntEnum):
    """How a test ended; of several, the greatest counts."""

    PASSED = 0
    SKIPPED = 1
    FAILED = 2


@dataclass(frozen=True)
class Results:
    """A JUnit report: when the run began, and how the tests ended that name requirements."""

    when: str
    outcomes: dict[str, Outcome]


class EvidenceError(Exception):
    """One sentence: why the tests or their results cannot be read."""


class _Collected:
    """A pytest plugin that keeps what was collected."""

    def __init__(self) -> None:
        self.tests: Tests = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            if named := requirements_of(item):
                self.tests[item.nodeid] = named


def collect(root: Path) -> Tests:
    """Collect the tests of the checkout at `root` that name requirements, and run none.

    Raises EvidenceError with pytest's own words if they cannot be collected.
    """
    collected = _Collected()
    arguments = ["--collect-only", "-q", "-p", "no:cacheprovider"]
    with contextlib.chdir(root), contextlib.redirect_stdout(io.StringIO()) as said:
        code = pytest.main(arguments, plugins=[collected])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise EvidenceError(f"The tests cannot be collected:\n{said.getvalue()}")
    return collected.tests


def read_results(root: Path) -> Results | None:
    """The results of the last `make test`, if there was one. Raises EvidenceError."""
    path = root / RESULTS
    if not path.exists():
        return None
    try:
        report = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise EvidenceError(f"{path} is not a whole report: run `make test` again.") from error
    outcomes: dict[str, Outcome] = {}
    for case in report.iter("testcase"):
        for prop in case.iter("property"):
            if prop.get("name") == TEST:
                test = prop.get("value", "")
                outcomes[test] = max(_outcome(case), outcomes.get(test, Outcome.PASSED))
    suite = report.find("testsuite")
    return Results("" if suite is None else suite.get("timestamp", ""), outcomes)


def _outcome(case: ElementTree.Element) -> Outcome:
    if case.find("failure") is not None or case.find("error") is not None:
        return Outcome.FAILED
    return Outcome.PASSED if case.find("skipped") is None else Outcome.SKIPPED
