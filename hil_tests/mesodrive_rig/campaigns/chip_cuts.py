"""Starts the emulated chip anew with what a cut of the power left in its flash, and looks at it.

The image is the one that ships. All that the chip does before it first looks at its ledger and
settings is the same each time: it is done once, up to there, and each cut has a copy of the
process.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mesodrive.ledger import verify
from mesodrive.ledger.doses import Account, doses_of
from mesodrive.ledger.rows import Boot, Fault, Row
from mesodrive.ledger.told import Doubt, LedgerHead
from mesodrive.ledger.verify import Head
from mesodrive.link.client import RefusedError
from mesodrive_rig.branch import BranchError, in_branch
from mesodrive_rig.campaigns.chip_session import LIMIT, Cut
from mesodrive_rig.campaigns.faults.treatment import NEARBY
from mesodrive_rig.campaigns.ledger_oracle import Entry, pending, sums
from mesodrive_rig.emulated.edges import DRIVING, EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NL_PER_STEP, Operator
from mesodrive_rig.plant import Sensor

UNTIL_MS = 310.0  # from power-on; then it looks at flash and hands for the first time
_POWER_ON = 1  # reset cause
_AFTER_WRONG_PROOF_MS = 1_100
_BOOT_AT_MOST_MS = 1500.0
_SEEN_MS = 30.0  # a switch counts
_ROUNDED_NL = 2 * NL_PER_STEP  # a strike's volume, and that of seating the pusher, may be off by
_SUMS = (
    "strikes",
    "delivered_nl",
    "uncertain_strikes",
    "uncertain_nl",
    "primed_nl",
    "session_nl",
    "hour_nl",
    "left_nl",
    "boots",
    "faults",
)


@dataclass
class ChipFindings:
    """How many cuts were made, where, what was wrong; the same flash is started once only."""

    cuts: int = 0
    at_operations: int = 0
    in_doubt: int = 0  # of the cuts: those after which a dose is in doubt
    starts: int = 0
    wrong: list[str] = field(default_factory=list[str])

    def count(self, *words: str) -> int:
        """How many findings begin with one of the words."""
        return sum(fault.startswith(words) for fault in self.wrong)


@dataclass(frozen=True)
class Start:
    """What a device says that has started: the records after the history, how its ledger stands,
    what its status has in doubt, the limit that service may set; what is wrong in any case."""

    kept: tuple[bytes, ...] = ()
    head: LedgerHead | None = None
    in_doubt: tuple[Doubt, ...] = ()
    limit: int = 0
    faults: tuple[str, ...] = ()


class NewChip:
    """A chip that was powered on, up to its first look at what a cut may have changed.

    `history` are the records from before the session; `prepare(rig)` comes before anything runs.
    """

    def __init__(
        self,
        history: tuple[Row, ...],
        prepare: Callable[[EmulatedRig], None] = lambda _rig: None,
    ):
        self.history = history
        self.rig = EmulatedRig(NEARBY)
        prepare(self.rig)
        self.edges = EdgeLog(self.rig, DRIVING)
        self.rig.run_for(UNTIL_MS)

    def start(self, cut: Cut) -> Start:
        """Go on with what a cut has left, in a copy of this process."""
        try:
            return in_branch(lambda: self._start(cut))
        except BranchError as error:
            return Start(faults=(f"crashed: {error}",))

    def wrong(self, cut: Cut, start: Start) -> list[str]:
        """What is wrong with a start after a cut."""
        if not start.head:
            return list(start.faults)
        last = self.history[-1]
        verdict = verify(start.kept, [Head(last.sequence, last.chain)])
        faults = [*start.faults, *(f"lost: {flaw.text}" for flaw in verdict.flaws)]
        if list(start.in_doubt) != [Doubt(*one[:3]) for one in start.head.in_doubt]:
            faults.append("totals: the status does not show what is in doubt")
        if start.limit not in cut.limits:
            faults.append("lost: the limit that service set")
        faults += _other_records(cut, start.kept)
        faults += _untrue(cut, Account.of(doses_of(verdict.rows)))
        faults += _totals_wrong((*self.history, *verdict.rows), start.head)
        return faults

    def _start(self, cut: Cut) -> Start:
        rig = self.rig
        flash: Any = rig.chip.mcu.flash
        flash[rig.board.LEDGER_START :] = zlib.decompress(cut.flash)
        for sensor, is_true in cut.hands:
            rig.set(sensor, is_true)
        if not rig.run_until(lambda: rig.chip.loops, _BOOT_AT_MOST_MS):
            return Start(faults=("crashed: it does not start",))
        rig.run_for(_SEEN_MS)
        person = Operator(rig, role=None)
        person.role = "operator"
        try:
            person.reconnect()  # logs in: the keys are there
        except RefusedError:  # a proof that a cut ends counts as a wrong one, and the next waits
            rig.run_for(_AFTER_WRONG_PROOF_MS)
            person.reconnect()
        device = person.device
        head = device.ledger_head()
        status = device.status()
        kept: list[bytes] = []
        while some := self._more(person, head, len(kept)):
            kept += some
        faults = list(self._tempted(person))
        if status.alarm and status.alarm.code == "ledger":
            faults.append(f"reformatted: {status.alarm.text}")
        if [edge for edge in self.edges.edges if edge.level] or rig.truth().strikes:
            faults.append("moved: something was driven after the start")
        limit = device.info.limits[LIMIT]
        return Start(tuple(kept), head, tuple(status.in_doubt), limit, tuple(faults))

    def _more(self, person: Operator, head: LedgerHead, known: int) -> list[bytes]:
        """The next records, none when the last is here."""
        first = len(self.history) + known + 1
        return person.device.ledger_records(first) if first <= head.sequence else []

    def _tempted(self, person: Operator) -> Iterator[str]:
        """Somebody touches and pulls, and asks for it too."""
        for is_true in (False, True):
            self.rig.set(Sensor.CONTACT, True)
            self.rig.set(Sensor.TRIGGER, is_true)
            person.wait(_SEEN_MS)
        try:
            person.device.arm()
            yield "moved: it armed"
        except RefusedError:
            pass


def cut_chip(
    chip: NewChip,
    cuts: Sequence[Cut],
    progress: Callable[[int], None] = lambda _done: None,
) -> ChipFindings:
    """Start the chip anew after each of the cuts of a session.

    Cuts that leave the same flash to the same hands differ in what is true, and not in what the
    chip does: it starts once for all of them.
    """
    findings = ChipFindings()
    starts: dict[tuple[bytes, tuple[tuple[Sensor, bool], ...]], Start] = {}
    for number, cut in enumerate(cuts, 1):
        same = (cut.flash, cut.hands)
        start = starts[same] = starts.get(same) or chip.start(cut)
        findings.cuts = number
        findings.starts = len(starts)
        findings.at_operations += cut.at_operation
        findings.in_doubt += bool(start.in_doubt)
        findings.wrong += [f"{fault} (chip, {cut.where})" for fault in chip.wrong(cut, start)]
        progress(number)
    return findings


def _totals_wrong(rows: Sequence[Row], head: LedgerHead) -> Iterator[str]:
    entries = [Entry(row.event, row.boot, row.on_ms) for row in rows]
    added_up = sums(entries, entries[-1].on_ms)
    for name in _SUMS:
        told, right = getattr(head.totals, name), getattr(added_up, name)
        if told != right:
            yield f"totals: {name} is {told} and not {right}"
    doubt = [(number, it.strikes, it.dose_nl) for number, it in pending(entries).items()]
    if [dose[:3] for dose in head.pending] != doubt:
        yield f"totals: {head.pending} in doubt and not {doubt}"


def _other_records(cut: Cut, kept: Sequence[bytes]) -> Iterator[str]:
    """What was acknowledged is there once; then what was being written, or not; then the start."""
    must = list(cut.kept)
    if list(kept[: len(must)]) != must:
        yield "lost: records that were acknowledged are not there"
        return
    more = list(kept[len(must) :])
    if cut.in_flight and more and more[0] == cut.in_flight:
        more.pop(0)
    rows = [Row.parse(raw) for raw in more]
    if not rows or not isinstance(rows[0].event, Boot) or rows[0].event.cause != _POWER_ON:
        yield "lost: the start is not written down"
    elif any(not isinstance(row.event, Fault) for row in rows[1:]):
        yield "doubled: there is more than what was written"


def _untrue(cut: Cut, told: Account) -> Iterator[str]:
    """What is certain is at most the truth, with what is in doubt at least; and it is the truth
    where nothing is in doubt."""
    off_nl = _ROUNDED_NL * (cut.strikes + 1)
    if told.strikes + told.doubt_strikes < cut.strikes:
        yield f"lost: {cut.strikes} strikes, of which {told.strikes} are told"
    if told.given_nl + told.doubt_nl < cut.given_nl - off_nl:
        yield f"lost: {cut.given_nl:.0f} nl were given and {told.given_nl} are told"
    if told.primed_nl < cut.primed_nl - off_nl:
        yield f"lost: {cut.primed_nl:.0f} nl were primed and {told.primed_nl} are told"
    if told.strikes > cut.strikes:
        yield f"doubled: {cut.strikes} strikes, and {told.strikes} are told"
    if told.given_nl > cut.given_nl + off_nl:
        yield f"doubled: {cut.given_nl:.0f} nl were given and {told.given_nl} are told"
