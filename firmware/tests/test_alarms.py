"""Every fault that the firmware can raise has a priority."""

import ast
from pathlib import Path

import pytest

from injector import alarms, causes

SOURCES = sorted((Path(__file__).parents[1] / "injector").glob("*.py"))
RAISERS = {"Trouble", "_fault", "_raise_alarm"}


def raised_codes() -> set[str]:
    codes = {code for _, code, _ in causes._CAUSES} | {causes.GLITCH[0]}
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = getattr(node.func, "id", getattr(node.func, "attr", None))
            first = node.args[0]
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
