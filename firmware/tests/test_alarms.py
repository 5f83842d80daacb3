"""Every fault that the firmware can raise has a priority."""

import ast
from pathlib import Path

import pytest

from injector import alarms, causes

SOURCES = sorted((Path(__file__).parents[1] / "injector").glob("*.py"))
RAISERS = {"Trouble", "fault", "_fail", "_raise_alarm", "_end"}


def raised_codes() -> set[str]:
    codes = {code for _, code, _ in causes._CAUSES} | {
        one[0] for one in (causes.GLITCH, causes.OCCLUDED, causes.RAIL_ON)
    }
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = getattr(node.func, "id", getattr(node.func, "attr", None))
            first = node.args[0]
            if ast.unparse(node.func) == "troubles.append" and isinstance(first, ast.Tuple):
                called, first = "fault", first.elts[0]
            if called in RAISERS and isinstance(first, ast.Constant):
                codes.add(first.value)
    return codes


@pytest.mark.requirement("R18")
def test_every_code_that_is_raised_has_a_priority_and_no_priority_is_idle():
    assert raised_codes() == set(alarms.PRIORITY)


@pytest.mark.requirement("R18")
def test_priorities_are_those_of_iec_60601_1_8():
    assert set(alarms.PRIORITY.values()) <= {"high", "medium", "low"}


@pytest.mark.requirement("R18")
def test_what_may_leave_a_needle_in_the_skin_is_of_high_priority():
    for code in ("needle_stuck", "misfire", "guard_open", "stop_pulled", "steps_lost"):
        assert alarms.PRIORITY[code] == "high"


DOCUMENT = Path(__file__).parents[2] / "docs/alarms.md"
# Words of which one stands where a sentence names the way out.
WAYS_OUT = (
    *("acknowledge", "restart", "nothing goes on by itself", "check", "lift", "fill", "prime"),
    *("close", "release", "put in", "report", "log in"),
)


def documented() -> dict[str, list[str]]:
    """The rows of docs/alarms.md, code → what stands in the other columns."""
    rows = {}
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            rows[cells[0].strip("`")] = cells[1:]
    return rows


@pytest.mark.requirement("R18")
def test_every_alarm_is_documented_with_cause_what_was_done_and_the_way_out():
    rows = documented()
    assert set(rows) == set(alarms.PRIORITY)
    for code, cells in rows.items():
        assert len(cells) == 3, code
        assert all(cells), code


@pytest.mark.requirement("R18")
def test_every_alarm_stands_under_its_priority():
    under = {}
    title = ""
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            title = line[3:].lower()
        if line.startswith("| `"):
            under[line.split("`")[1]] = title
    assert under == alarms.PRIORITY


@pytest.mark.requirement("R18", "R20")
def test_every_sentence_of_an_alarm_names_a_way_out():
    told = [text for source in SOURCES for text in _sentences(source)]
    told += [causes.alarm_sentence(code, why) for _, code, why in causes._CAUSES]
    told += [causes.GLITCH[1], causes.OCCLUDED[1], causes.RAIL_ON[1], causes.sensor_sentence("x")]
    assert len(told) > 20
    for sentence in told:
        assert sentence.endswith("."), sentence
        assert any(way in sentence for way in WAYS_OUT), sentence


def _sentences(source: Path) -> list[str]:
    """The constant sentences with which alarms are raised in a module."""
    found = []
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        called = getattr(node.func, "id", getattr(node.func, "attr", None))
        if called not in RAISERS or not isinstance(node.args[0], ast.Constant):
            continue
        text = node.args[-1]
        if isinstance(text, ast.BinOp):
            text = text.left
        if isinstance(text, ast.Constant):
            found.append(text.value)
    return found
