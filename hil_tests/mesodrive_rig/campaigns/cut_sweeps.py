"""Cuts a ledger's work at every flash operation, and looks at what the next start finds."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from mesodrive_rig.campaigns.flash_model import (
    IN_DOUBT,
    Image,
    Manner,
    ModelFlash,
    Mood,
    Operation,
    new_image,
)
from mesodrive_rig.campaigns.ledger_days import go_on, go_on_a_little, go_round, live
from mesodrive_rig.campaigns.ledger_work import (
    Moment,
    Promise,
    Work,
    load_firmware,
)

_OPPOSITE = {Mood.ONES: Mood.ZEROS, Mood.ZEROS: Mood.ONES, Mood.RANDOM: Mood.RANDOM}
_FAULTS_KEPT = 20


class Geometry(NamedTuple):
    """A flash and a life in it that goes round its sectors."""

    sectors: int
    sector: int
    steps: int
    room: int


SMALL = Geometry(sectors=5, sector=1024, steps=120, room=8)
REAL = Geometry(sectors=5, sector=4096, steps=420, room=40)


class Cut(NamedTuple):
    """How one operation is cut, and how bits in doubt read at first."""

    manner: Manner
    mood: Mood
    at: int = 0


def any_cuts(
    operation: Operation, random: Random, *, every_byte: bool = True, times: int = 10
) -> list[Cut]:
    """Clean, torn at each byte (or at some), any bits done, bits in doubt."""
    size = len(operation.data)
    places = range(1, size) if every_byte else random.sample(range(1, size), 4)
    return [
        Cut(Manner.BEFORE, Mood.RANDOM),
        Cut(Manner.AFTER, Mood.RANDOM),
        *(Cut(Manner.TORN, Mood.RANDOM, at) for at in places),
        *(Cut(manner, Mood.RANDOM) for manner in (Manner.PART, Manner.BITS) for _ in range(times)),
        *(Cut(manner, mood) for manner in IN_DOUBT for mood in Mood for _ in range(times)),
    ]


@dataclass
class Findings:
    """How many points of what kind were looked at, and what was wrong."""

    points: Counter[str] = field(default_factory=Counter[str])
    wrong: Counter[str] = field(default_factory=Counter[str])
    first: list[str] = field(default_factory=list[str])

    def add(self, sweep: str, where: str, faults: Iterable[str]) -> None:
        self.points[sweep] += 1
        for fault in faults:
            self.wrong[fault.split(":")[0]] += 1
            if len(self.first) < _FAULTS_KEPT:
                self.first.append(f"{sweep}, {where}: {fault}")


class Sweeps:
    """Cuts in one life of a ledger. `random` decides what is not exhaustive."""

    def __init__(self, geometry: Geometry, seed: int, findings: Findings) -> None:
        self.findings = findings
        self.random = Random(seed)
        self._firmware = load_firmware()
        self.sector = geometry.sector
        empty = new_image(geometry.sectors, geometry.sector)
        self.work = Work(
            self._firmware, ModelFlash(empty, geometry.sector, self.random), self.random
        )
        live(self.work, geometry.steps, room=geometry.room)
        faults = list(self.work.faults())
        if faults:
            raise AssertionError(f"The ledger is wrong before any cut: {faults[0]}")
        self.moments = self.work.moments

    def single_cuts(self, number: int, cuts: Iterable[Cut]) -> None:
        """Cut one operation in all these ways; then work, and a second start."""
        moment = self.moments[number]
        then = go_round if moment.operation.erases else go_on_a_little
        for cut in cuts:
            _, faults = self._recover(moment, cut, then)
            self.findings.add("single cut", f"{number} {cut}", faults)

    def pairs(self, number: int, first: Iterable[Cut], second: Sequence[Cut]) -> None:
        """A second cut at each operation of the start after the first, and of the work then."""
        for cut in first:
            work, faults = self._recover(self.moments[number], cut, go_on)
            self.findings.add("first of a pair", f"{number} {cut}", faults)
            if faults:
                continue
            for place, later in enumerate(work.moments):
                for again in second:
                    _, faults = self._recover(later, again, go_on_a_little)
                    where = f"{number} {cut} then {place} {again}"
                    self.findings.add("pair of cuts", where, faults)

    def at_rest(self) -> Promise:
        """What the ledger must know when nothing was under way."""
        entries = self.work.entries
        return Promise(entries, len(entries), None, self.work.erased, creating=False)

    def start(self, image: Image, promise: Promise, mood: Mood) -> tuple[Work, list[str]]:
        """Power comes back; what is wrong now."""
        random = Random(self.random.getrandbits(32))
        work = Work(self._firmware, ModelFlash(image, self.sector, random, mood), random)
        return work, list(caught(lambda: _opened(work, promise)))

    def _recover(
        self, moment: Moment, cut: Cut, then: Callable[[Work], None]
    ) -> tuple[Work, list[str]]:
        """Power comes back after a cut, someone works on, and starts the device once more."""
        image = moment.operation.cut(cut.manner, self.random, cut.at)
        work, faults = self.start(image, moment.promise, cut.mood)
        return work, faults or list(caught(lambda: _used(work, then)))


def _opened(work: Work, promise: Promise) -> Iterator[str]:
    fault = work.open_after_cut(promise)
    if fault:
        yield fault
    else:
        yield from work.faults()


def _used(work: Work, then: Callable[[Work], None]) -> Iterator[str]:
    then(work)
    work.flash.mood = _OPPOSITE[work.flash.mood]
    work.open()
    yield from work.faults()


def caught(look: Callable[[], Iterable[str]]) -> Iterator[str]:
    """What a look finds; an exception that nobody foresaw is a finding too."""
    try:
        yield from look()
    except Exception as error:
        yield f"crashed: {type(error).__name__}: {error}"
