"""The ledger loses and doubles nothing at a power cut, and the campaign would notice if it did."""

import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pkgutil import resolve_name
from random import Random
from typing import Any

import pytest

from mesodrive_rig.campaigns.chip_cuts import NewChip, cut_chip
from mesodrive_rig.campaigns.chip_session import Cut
from mesodrive_rig.campaigns.cut_sweeps import SMALL, Findings, Sweeps, any_cuts
from mesodrive_rig.campaigns.flip_sweeps import Flips
from mesodrive_rig.campaigns.powercuts import (
    FIRST,
    SECOND,
    chip_metrics,
    metrics,
    play_chip,
    run,
)
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.plant import Sensor

SEED = 7


@pytest.mark.requirement("R17")
def test_no_cut_and_no_turned_bit_loses_or_doubles_anything():
    findings = run(SEED, quick=True)
    assert findings.first == []
    assert all(metric.ok for metric in metrics(findings, quick=True))
    assert findings.points.total() >= 5_000


@pytest.fixture(scope="module")
def chip_and_cuts() -> tuple[NewChip, list[Cut]]:
    return play_chip(SEED, quick=True)


@pytest.mark.hil
@pytest.mark.timeout(600)
@pytest.mark.requirement("R1", "R16", "R17")
def test_no_cut_of_the_chip_loses_doubles_reformats_or_moves_anything(
    chip_and_cuts: tuple[NewChip, list[Cut]],
):
    findings = cut_chip(*chip_and_cuts)
    assert findings.wrong == []
    assert all(metric.ok for metric in chip_metrics(findings, quick=True))
    assert findings.cuts >= 6
    assert findings.at_operations
    assert findings.in_doubt


@pytest.mark.hil
def test_a_chip_that_is_copied_has_looked_at_nothing_that_a_cut_may_change():
    chips = [NewChip(()), NewChip((), mess)]
    first, second = [bytes(chip.rig.chip.mcu.sram) for chip in chips]
    assert first == second


def mess(rig: EmulatedRig) -> None:
    """Another flash, and hands that hold on."""
    flash: Any = rig.chip.mcu.flash
    start = rig.board.LEDGER_START
    flash[start:] = Random(SEED).randbytes(len(flash) - start)
    rig.set(Sensor.CONTACT, True)
    rig.set(Sensor.TRIGGER, True)
    rig.set(Sensor.GUARD, False)


@pytest.mark.hil
@pytest.mark.timeout(600)
def test_a_chip_that_forgot_what_it_wrote_is_found(chip_and_cuts: tuple[NewChip, list[Cut]]):
    chip, cuts = chip_and_cuts
    later = next(cut for cut in reversed(cuts) if cut.strikes >= 2)
    forgot = replace(later, flash=cuts[0].flash)
    faults = chip.wrong(forgot, chip.start(forgot))
    assert [fault for fault in faults if fault.startswith("lost: records")]
    assert [fault for fault in faults if fault.startswith(f"lost: {later.strikes} strikes")]


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
