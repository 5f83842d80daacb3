"""The ledger loses and doubles nothing at a power cut, and the campaign would notice if it did."""

import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from pkgutil import resolve_name
from typing import Any

import pytest

from mesodrive_rig.campaigns.cut_sweeps import SMALL, Findings, Sweeps, any_cuts
from mesodrive_rig.campaigns.flip_sweeps import Flips
from mesodrive_rig.campaigns.powercuts import FIRST, SECOND, metrics, run

SEED = 7


@pytest.mark.requirement("R17")
def test_no_cut_and_no_turned_bit_loses_or_doubles_anything():
    findings = run(SEED, quick=True)
    assert findings.first == []
    assert all(metric.ok for metric in metrics(findings, quick=True))
    assert findings.points.total() >= 5_000


# A rule of the ledger, and a way to break it: where, what stands there, what the bug puts there.
BUGS = {
    "the last record is not made sure": (
        "log:Log._settle",
        "ring.strengthen(ring.address(self._number, settled - 1), self._raw)",
        "pass",
    ),
    "a head without records is not made sure": (
        "log:Log._settle",
        "ring.strengthen(ring.address(self._number, 0), head[:HEAD_WRITTEN])",
        "pass",
    ),
    "what is half written is not overwritten": (
        "log:Log._settle",
        "range(settled, self._slot)",
        "()",
    ),
    "a slot that only looks blank is used": (
        "log:Log._settle",
        "min(self._slot + 1, ring.slots)",
        "self._slot",
    ),
    "a torn slot is used again": ("log:Log._replay", "if not reader.blank:", "if raw:"),
    "a sector is used without its mark": (
        "ring:Ring.is_ready",
        "self._page == _READY",
        "self._page[:_MARK_AT] == _READY[:_MARK_AT]",
    ),
    "a head outlives the erase of its sector": (
        "ring:Ring.make_ready",
        "self.program(start, bytes(PAGE))",
        "pass",
    ),
    "a sector that is needed is erased": (
        "log:Log.prepare",
        "self._number + self._ready + 1",
        "self._number + self._ready",
    ),
    "the first heads are written in the wrong order": (
        "log:Log.creating",
        "begin(1, 0, self.chain, self._totals)\n    ring.begin(0,",
        "begin(0, 0, self.chain, self._totals)\n    ring.begin(1,",
    ),
    "nobody looks behind a spoilt head": (
        "log:Log._goes_on",
        "return 0 < ahead <= ring.slots",
        "return False",
    ),
    "a torn record is believed": (
        "reader:Reader.take",
        "if not record.is_whole(raw):",
        "if False:",
    ),
    "a wrong bit is not put right": ("record:mend", "if not turned:", "if True:"),
    "a sequence that has a gap is not noticed": (
        "reader:Reader.take",
        "if sequence > expected:",
        "if False:",
    ),
    "the chain does not go on over a start": (
        "log:Log.open",
        "self.chain = reader.chain",
        "self.chain = bytes(16)",
    ),
    "pending doses are forgotten with a sector": (
        "totals:Totals.store",
        "enumerate(self.pending)",
        "enumerate(())",
    ),
    "cartridges are forgotten with a sector": (
        "totals:Totals.store",
        "enumerate(self.cartridges)",
        "enumerate(())",
    ),
    "an outcome leaves its intent pending": (
        "totals:Totals._close",
        "!= number",
        "== entry[0]",
    ),
    "an intent counts only from its outcome on": (
        "totals:Totals.apply",
        "if kind == record.INTENT:",
        "if kind == 0:",
    ),
    "the last hour does not end": ("totals:Totals._give", "= 0", "+= 0"),
    "a session begins with each profile": ("totals:Totals.apply", "if values[5]:", "if True:"),
    "a session never ends": ("totals:Totals.apply", "if values[5]:", "if False:"),
    "the last command is forgotten with a sector": (
        "totals:Totals.store",
        "self.command",
        "0",
    ),
    "time begins anew at each start": (
        "ledger:Ledger.open",
        "ledger._was_on_ms = ledger.totals.on_ms",
        "pass",
    ),
    "a start erases what is torn": (
        "log:Log._settle",
        "self._ready = 0",
        "self._ready = 0; ring.make_ready(self._number + 1)",
    ),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_broken_rule_is_found(bug: str, monkeypatch: pytest.MonkeyPatch):
    where, right, wrong = BUGS[bug]
    owner, function = named(where)
    monkeypatch.setattr(owner, function.__name__, broken(function, right, wrong))
    assert first_finding()


def named(where: str) -> tuple[Any, Any]:
    """What holds a function of the ledger, and the function."""
    module, _, path = where.partition(":")
    holder = ":".join([module, path.rpartition(".")[0]]).rstrip(":")
    return resolve_name(f"injector.ledger.{holder}"), resolve_name(f"injector.ledger.{where}")


def broken(function: Any, right: str, wrong: str) -> Any:
    """The function with one piece of it replaced."""
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(right) == 1, f"{function.__name__} has changed; put the bug in anew"
    made: dict[str, Any] = {}
    exec(source.replace(right, wrong), inspect.unwrap(function).__globals__, made)
    return made[function.__name__]


def first_finding() -> str | None:
    """What the campaign says first, looking no further."""
    findings = Findings()
    try:
        sweeps = Sweeps(SMALL, SEED, findings)
    except Exception as error:
        return f"before any cut: {error}"
    for look in all_looks(sweeps):
        look()
        if findings.first:
            return findings.first[0]
    return None


def all_looks(sweeps: Sweeps) -> Iterator[Callable[[], None]]:
    flips = Flips(sweeps)
    yield from [flips.head, flips.several_bits] * 5
    for bit in range(0, flips.bits, 4_001):
        yield partial(flips.one_bit, bit)
    for number, moment in enumerate(sweeps.moments):
        cuts = any_cuts(moment.operation, sweeps.random, every_byte=False, times=2)
        yield partial(sweeps.single_cuts, number, cuts)
    for number in range(0, len(sweeps.moments), 10):
        yield partial(sweeps.pairs, number, FIRST, SECOND)
