"""Whatever host, cable and device do, no dose is given twice or lost; bugs would be found."""

import ast
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mesodrive_rig.campaigns.model import dose_bugs, link_bugs, motion_bugs, violation
from mesodrive_rig.campaigns.model.play import RULES, Play, step
from mesodrive_rig.campaigns.model.stateful import live, metrics, run
from mesodrive_rig.campaigns.model.world import new_world
from mesodrive_rig.campaigns.seeded import Bug, broken, named

SEED = 7
pytestmark = pytest.mark.requirement("R16")


class AnyOrder(RuleBasedStateMachine):
    """The rules in any order that hypothesis thinks of."""

    @initialize(seed=st.integers(0, 1 << 32))
    def begin(self, seed: int) -> None:
        self.play = Play(new_world(seed))

    @rule(chosen=st.sampled_from(list(RULES)), random=st.randoms(note_method_calls=False))
    def do(self, chosen: Any, random: Random) -> None:
        step(self.play, chosen, random)

    @rule(random=st.randoms(note_method_calls=False))
    def go_on(self, random: Random) -> None:
        step(self.play, Play.go_on, random)


# No shrinking: it takes minutes, and the model tells what was done.
AnyOrder.TestCase.settings = settings(
    max_examples=10,
    stateful_step_count=30,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],
)
TestAnyOrder = pytest.mark.requirement("R1", "R15", "R16", "R17", "R23")(AnyOrder.TestCase)


@pytest.mark.requirement("R1", "R8", "R15", "R16", "R17", "R23", "R26")
def test_no_dose_is_given_twice_or_lost():
    findings = run(SEED, quick=True)
    assert findings.first == []
    assert all(metric.ok for metric in metrics(findings, quick=True))
    assert findings.counts["strikes"] > 400
    assert findings.counts["boots"] > 100


@pytest.mark.parametrize("seed", ["1/609", "1/918", "1/3706"])
def test_a_cartridge_is_another_only_when_it_was_out_for_a_second_and_looked_at(seed: str):
    """Here it was out for 913 and 938 ms, and for half an hour in which nobody looked."""
    assert live(seed).first == []


BUGS: dict[str, Bug] = {**link_bugs.BUGS, **motion_bugs.BUGS, **dose_bugs.BUGS}
MOST_STEPS = 10_000


def rules() -> list[str]:
    """What the model may say of a violation, with … where something is filled in."""
    found: list[str] = []
    for path in Path(violation.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Violation":
                (said,) = node.args
                parts = said.values if isinstance(said, ast.JoinedStr) else [said]
                found.append("".join(_constant(part) for part in parts))
    return found


def _constant(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else "…"


def test_each_rule_has_a_bug():
    assert len(rules()) > 40
    for said in rules():
        assert any(bug.told in said for bug in BUGS.values()), f"no bug for: {said}"
    for name, bug in BUGS.items():
        assert sum(bug.told in said for said in rules()) == 1, name


@pytest.mark.parametrize("name", BUGS)
def test_a_broken_rule_is_found(name: str, monkeypatch: pytest.MonkeyPatch):
    bug = BUGS[name]
    for where, right, wrong in bug.pieces:
        owner, function = named(where)
        attribute = where.rpartition(":")[2].rpartition(".")[2]
        made = broken(function, right, wrong)
        monkeypatch.setattr(owner, attribute, made)
        if where == "mesodrive_wire.framing:decode":  # others have it by name
            monkeypatch.setattr("injector.link.decode", made)
    assert is_found(bug.told)


def is_found(told: str) -> bool:
    """Whether the model says so within so many steps. Much of what is wrong shows in more than
    one way; lives in which it shows otherwise are over, and the next begins."""
    steps = number = 0
    while steps < MOST_STEPS:
        findings = live(f"{SEED}/{number}")
        steps += findings.counts["steps"]
        number += 1
        if any(told in said.partition(" (after ")[0] for said in findings.first):
            print(f"found after {steps} steps: {findings.first[0]}")
            return True
    return False
