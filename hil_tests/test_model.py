"""Whatever host, cable and device do, no dose is given twice or lost; bugs would be found."""

from random import Random
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mesodrive_rig.campaigns.model.play import RULES, Play, step
from mesodrive_rig.campaigns.model.stateful import live, metrics, run
from mesodrive_rig.campaigns.model.world import new_world
from mesodrive_rig.campaigns.seeded import broken, named

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


# A rule, and a way to break it: where, what stands there, what the bug puts there.
BUGS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "an id that was used is obeyed": (
        ("injector.link:Link._run_once", "if ahead <= 0:", "if False:"),
    ),
    "answers are not kept for a repeat": (
        ("injector.link:Link._run_once", "self._answers.append(entry)", "pass"),
    ),
    "ids that pushed liquid do not outlive a reset": (
        (
            "injector.machine:Machine._open_ledger",
            "max(self.link.last_id, self.journal.last_command)",
            "self.link.last_id",
        ),
    ),
    "the checksum of a line is not looked at": (
        ("mesodrive_wire.framing:decode", "if digits !=", "if False and digits !="),
    ),
    "strikes begin before their intent": (
        (
            "injector.controller:Controller._begin_pull",
            "self._journal.announce(job, self.command, strikes, dose_nl)",
            "pass",
        ),
    ),
    "no outcome is written": (
        (
            "injector.journal:Journal._write_outcome",
            "self._try(self.ledger.outcome, number, begun, given_nl, how)",
            "pass",
        ),
    ),
    "what is in doubt does not count": (
        ("injector.ledger.totals:Totals.uncertain_strikes", "sum(", "0 * sum("),
        ("injector.ledger.totals:Totals.uncertain_nl", "sum(", "0 * sum("),
    ),
    "a dose in doubt does not block the next": (
        ("injector.commands:Commands._refuse_doubt", "if doubt:", "if False:"),
    ),
    "a dose in doubt can be resolved twice": (
        ("injector.ledger.totals:Totals._close", "!= number", "== entry[0]"),
    ),
    "limits are not looked at": (
        ("injector.journal:Journal.refuse_past_limits", "if more_nl and", "if False and"),
        ("injector.journal:Journal.allowed", "max(0, left_nl) // dose_nl", "strikes"),
    ),
    "a stopped strike is not counted": (
        (
            "injector.delivery:Delivery._end_under_way",
            "self._add(start, outcome, steps, made, out, None, why)",
            "pass",
        ),
    ),
    "a session begins with each profile": (
        ("injector.journal:Journal.loaded", "int(self._was_out)", "1"),
        ("injector.journal:Journal.refuse_past_limits", "and self._was_out", ""),
    ),
    "a removal is forgotten by no dose": (
        ("injector.journal:Journal.announce", "self._was_out = False", "pass"),
    ),
    "a press need not be fresh": (("injector.inputs:Inputs.pulled", "self._released and", ""),),
    "a bounce is a release": (
        (
            "injector.inputs:Inputs.poll",
            "self._held(self._open_since)",
            "self._open_since is not None",
        ),
    ),
    "a press counts at once": (("injector.inputs:Inputs._held", ">= DEBOUNCE_MS", ">= 0"),),
    "a silent host does not stop": (
        (
            "injector.controller:Controller._check",
            "now - self.heard_ms > HOST_SILENCE_MS",
            "False",
        ),
    ),
    "a closed port does not stop": (
        (
            "injector.controller:Controller._check",
            "self._port.link_lost or not self._port.line.connected()",
            "False",
        ),
    ),
    "the host asks again under a new id": (
        (
            "mesodrive.link.client:Client._call_once",
            "self._send(line)",
            "id, line = self._send_request(method, params); self._waiting_for = id",
        ),
    ),
    "the host asks again after its id outlived a reset": (
        (
            "mesodrive.link.client:Client.call",
            "self._repeated or last_id == self._next_id - 1",
            "False",
        ),
    ),
}
MOST_STEPS = 10_000


@pytest.mark.parametrize("bug", BUGS)
def test_a_broken_rule_is_found(bug: str, monkeypatch: pytest.MonkeyPatch):
    for where, right, wrong in BUGS[bug]:
        owner, function = named(where)
        name = where.rpartition(":")[2].rpartition(".")[2]
        made = broken(function, right, wrong)
        monkeypatch.setattr(owner, name, made)
        if where == "mesodrive_wire.framing:decode":  # others have it by name
            monkeypatch.setattr("injector.link.decode", made)
    assert first_finding()


def first_finding() -> str | None:
    """What the model says first, within so many steps."""
    steps = number = 0
    while steps < MOST_STEPS:
        findings = live(f"{SEED}/{number}")
        steps += findings.counts["steps"]
        number += 1
        if findings.first:
            print(f"found after {steps} steps: {findings.first[0]}")
            return findings.first[0]
    return None
