"""`make trace` lets pass what is whole, and each thing that is missing makes it fail by name."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mesodrive_rig.trace import evidence, risk_file
from mesodrive_rig.trace.__main__ import main
from mesodrive_rig.trace.evidence import RESULTS, Tests
from mesodrive_rig.trace.page import PAGE

HAZARDS = """
[[hazard]]
id = "H1"
group = "Needle"
title = "it moves"
controls = [{ requirement = "R1", by = "a switch" }]

[[hazard]]
id = "H2"
group = "Needle"
title = "it is sharp"
information = "people are told"
"""
REQUIREMENTS = """
[sources]
book = "A book"

[[requirement]]
id = "R1"
title = "It stops"
text = "Always."
source = ["book"]
figures = [{ what = "within", value = 5, unit = "ms", why = "soon enough", source = ["book"] }]
"""
SECOND = """
[[requirement]]
id = "R2"
title = "It stays"
text = "Always."
"""
TEST = "tests/test_it.py::test_stops[fast]"


def report(*endings: tuple[str, str]) -> str:
    """A JUnit report of tests by name, each with the element that says how it ended."""
    cases = "".join(
        f'<testcase><properties><property name="test" value="tests/test_it.py::{name}"/>'
        f"</properties>{ending}</testcase>"
        for name, ending in endings
    )
    return f'<testsuites><testsuite timestamp="2026-01-02">{cases}</testsuite></testsuites>'


@dataclass
class Checkout:
    """A checkout with a risk file, the tests that would be collected, and a report."""

    root: Path
    tests: Tests

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def change(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_text()
        assert old in text
        self.write(path, text.replace(old, new))

    def trace(self, *words: str) -> int:
        return main(["--root", str(self.root), *words])

    def figures(self) -> dict[str, float]:
        document = json.loads((self.root / "build" / "trace.json").read_text())
        return {metric["name"]: metric["value"] for metric in document["metrics"]}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    whole = Checkout(tmp_path, {"tests/test_it.py::test_stops": ["R1"]})
    whole.write(risk_file.HAZARDS, HAZARDS)
    whole.write(risk_file.REQUIREMENTS, REQUIREMENTS)
    whole.write(RESULTS, report(("test_stops", "")))

    def collect(_root: Path) -> Tests:
        return whole.tests

    monkeypatch.setattr(evidence, "collect", collect)
    return whole


def test_a_whole_chain_passes_and_is_told(checkout: Checkout, capsys: pytest.CaptureFixture[str]):
    assert checkout.trace() == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "results of 2026-01-02" in said.out
    (row,) = [line for line in said.out.splitlines() if "R1" in line]
    assert [word.strip() for word in row.strip("│").split("│")] == [
        "R1", "It stops", "H1", "1", "shown",
    ]  # fmt: skip
    figures = checkout.figures()
    assert figures["requirements shown"] == 1
    assert figures["hazards that people are only told of"] == 1


BREAKS: dict[str, tuple[Callable[[Checkout], None], str, str]] = {
    "no test": (
        lambda it: it.tests.clear(),
        "requirements without a passing test",
        "R1 is not shown: no test.",
    ),
    "no report": (
        lambda it: (it.root / RESULTS).unlink(),
        "requirements without a passing test",
        "R1 is not shown: no results.",
    ),
    "not run": (
        lambda it: it.write(RESULTS, report(("test_other", ""))),
        "requirements without a passing test",
        "R1 is not shown: 1 not run.",
    ),
    "failed": (
        lambda it: it.write(RESULTS, report(("test_stops", "<failure/>"))),
        "requirements without a passing test",
        "R1 is not shown: 1 failed.",
    ),
    "error": (
        lambda it: it.write(RESULTS, report(("test_stops", "<error/>"))),
        "requirements without a passing test",
        "R1 is not shown: 1 failed.",
    ),
    "failed and then passed": (
        lambda it: it.write(RESULTS, report(("test_stops", "<failure/>"), ("test_stops", ""))),
        "requirements without a passing test",
        "R1 is not shown: 1 failed.",
    ),
    "skipped": (
        lambda it: it.write(RESULTS, report(("test_stops", "<skipped/>"))),
        "requirements without a passing test",
        "R1 is not shown: 1 skipped.",
    ),
    "one of two failed": (
        lambda it: (
            it.tests.update({"tests/test_it.py::test_stays": ["R1"]}),
            it.write(RESULTS, report(("test_stops", ""), ("test_stays", "<failure/>"))),
        )[0],
        "requirements without a passing test",
        "R1 is not shown: 1 failed.",
    ),
    "open": (
        lambda it: it.change(risk_file.REQUIREMENTS, '"Always."', '"Always."\nopen = ["Half."]'),
        "open requirements",
        "R1 is open: Half.",
    ),
    "a test of an unknown requirement": (
        lambda it: it.tests.update({TEST: ["R7"]}),
        "tests that name an unknown requirement",
        f"{TEST} names R7, which does not exist.",
    ),
    "a hazard without a control": (
        lambda it: it.change(risk_file.HAZARDS, 'information = "people are told"', ""),
        "hazards without a control",
        "H2 (it is sharp) has no control.",
    ),
    "a control by an unknown requirement": (
        lambda it: it.change(
            risk_file.HAZARDS, "controls = [", 'controls = [{ requirement = "R7", by = "x" }, '
        ),
        "unknown references",
        "H1 is controlled by R7, which does not exist.",
    ),
    "a source that is not listed": (
        lambda it: it.change(risk_file.REQUIREMENTS, 'source = ["book"]\n', 'source = ["film"]\n'),
        "unknown references",
        "R1 cites 'film', which is not among the sources.",
    ),
    "a figure's source that is not listed": (
        lambda it: it.change(risk_file.REQUIREMENTS, '["book"] }', '["film"] }'),
        "unknown references",
        "R1 cites 'film', which is not among the sources.",
    ),
    "a requirement that no hazard asks for": (
        lambda it: it.write(risk_file.REQUIREMENTS, REQUIREMENTS + SECOND),
        "requirements that no hazard asks for",
        "No hazard asks for R2.",
    ),
    "a hazard given twice": (
        lambda it: it.change(risk_file.HAZARDS, "H2", "H1"),
        "ids given twice",
        "H1 is given 2 times.",
    ),
    "a requirement given twice": (
        lambda it: it.write(risk_file.REQUIREMENTS, REQUIREMENTS + SECOND.replace("R2", "R1")),
        "ids given twice",
        "R1 is given 2 times.",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_missing_fails_by_name_and_is_counted(
    checkout: Checkout, capsys: pytest.CaptureFixture[str], name: str
):
    spoil, figure, sentence = BREAKS[name]
    spoil(checkout)
    assert checkout.trace() == 1
    assert f"trace: {sentence}" in capsys.readouterr().err.splitlines()
    assert checkout.figures()[figure] == 1


def test_a_requirement_counts_once_however_much_of_it_is_open(checkout: Checkout):
    checkout.change(risk_file.REQUIREMENTS, '"Always."', '"Always."\nopen = ["One.", "Two."]')
    assert checkout.trace() == 1
    assert checkout.figures()["open requirements"] == 1


def test_the_page_links_hazards_requirements_and_tests(checkout: Checkout):
    checkout.tests[TEST] = checkout.tests["tests/test_it.py::test_stops[slow]"] = ["R1"]
    checkout.trace()
    lines = (checkout.root / PAGE).read_text().splitlines()
    assert "| H1 | it moves | [R1](#r1): a switch |  |" in lines
    assert "| H2 | it is sharp | told: people are told |  |" in lines
    assert "### R1" in lines
    assert "| within | 5 ms | soon enough | book |" in lines
    assert "Asked for by H1." in lines
    assert "* [tests/test_it.py](../../tests/test_it.py): `test_stops`" in lines


def test_a_control_that_is_open_is_told_as_open(checkout: Checkout):
    checkout.change(risk_file.REQUIREMENTS, '"Always."', '"Always."\nopen = ["Half."]')
    checkout.trace()
    assert "[R1](#r1) **open**: a switch" in (checkout.root / PAGE).read_text()


def test_a_check_writes_nothing_and_wants_the_page_as_it_would_be(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
):
    assert checkout.trace("--check") == 1
    assert "docs/safety/matrix.md is not what the risk file says" in capsys.readouterr().err
    assert not (checkout.root / PAGE).exists()
    checkout.trace()
    assert checkout.trace("--check") == 0
    checkout.change(risk_file.HAZARDS, "it moves", "it moves alone")
    assert checkout.trace("--check") == 1


def test_a_check_leaves_results_aside_and_nothing_else(checkout: Checkout):
    checkout.change(risk_file.REQUIREMENTS, '"Always."', '"Always."\nopen = ["Half."]')
    checkout.trace()
    checkout.write(RESULTS, "half a rep")
    assert checkout.trace("--check") == 0
    checkout.tests["tests/test_it.py::test_more"] = ["R7"]
    assert checkout.trace("--check") == 1


@pytest.mark.parametrize(
    ("path", "text", "sentence"),
    [
        (risk_file.HAZARDS, "[", "hazards.toml is not TOML"),
        (
            RESULTS,
            "<testsuites>",
            "test-results.xml is not a whole report: run `make test` again.",
        ),
    ],
)
def test_a_spoilt_file_is_one_sentence(
    checkout: Checkout, capsys: pytest.CaptureFixture[str], path: str, text: str, sentence: str
):
    checkout.write(path, text)
    assert checkout.trace() == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert sentence in said


# With the real pytest: what it collects and writes.

PYPROJECT = """
[tool.pytest.ini_options]
testpaths = ["tests"]
addopts = "--strict-markers -p mesodrive_rig.trace.marker -p no:cacheprovider"
markers = ["requirement(id, ...): what the test shows"]
"""
SUITE = """
import pytest

pytestmark = pytest.mark.requirement("R1")

@pytest.mark.requirement("R2", "R1")
@pytest.mark.parametrize("speed", ["fast", "slow"])
def test_stops(speed):
    pass

@pytest.mark.requirement("R3")
def test_fails():
    assert False

@pytest.mark.requirement("R4")
def test_is_skipped():
    pytest.skip("no machine")
"""


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=root, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    real = Checkout(tmp_path_factory.mktemp("checkout"), {})
    controls = ", ".join(f'{{ requirement = "R{n}", by = "x" }}' for n in range(1, 6))
    real.write(risk_file.HAZARDS, HAZARDS)
    real.change(risk_file.HAZARDS, '{ requirement = "R1", by = "a switch" }', controls)
    more = "".join(SECOND.replace("R2", f"R{n}") for n in range(2, 6))
    real.write(risk_file.REQUIREMENTS, REQUIREMENTS + more)
    real.write("pyproject.toml", PYPROJECT)
    real.write("tests/test_it.py", SUITE)
    return real


def test_requirements_go_from_the_markers_into_the_report_and_the_verdict(suite: Checkout):
    tested = run(suite.root, "pytest", "-q", "--junitxml", RESULTS)
    assert "1 failed, 2 passed, 1 skipped" in tested.stdout
    assert '<property name="requirement" value="R2" />' in (suite.root / RESULTS).read_text()
    traced = run(suite.root, "mesodrive_rig.trace", "--root", str(suite.root))
    assert traced.returncode == 1
    assert traced.stderr.splitlines() == [
        "trace: R1 is not shown: 1 failed.",
        "trace: R3 is not shown: 1 failed.",
        "trace: R4 is not shown: 1 skipped.",
        "trace: R5 is not shown: no test.",
    ]
    assert suite.figures()["tests that name a requirement"] == 4


@pytest.mark.parametrize("marker", ["requirement", "requirement()", "requirement(7)"])
def test_a_marker_that_names_nothing_is_refused(suite: Checkout, tmp_path: Path, marker: str):
    test = f"import pytest\n@pytest.mark.{marker}\ndef test_it(): pass\n"
    spoilt = Checkout(tmp_path, {})
    for path in (risk_file.HAZARDS, risk_file.REQUIREMENTS, "pyproject.toml"):
        spoilt.write(path, (suite.root / path).read_text())
    spoilt.write("tests/test_it.py", test)
    traced = run(tmp_path, "mesodrive_rig.trace", "--root", str(tmp_path))
    assert traced.returncode == 1
    assert "trace: The tests cannot be collected" in traced.stderr
    assert 'write the marker as @pytest.mark.requirement("R7")' in traced.stderr
