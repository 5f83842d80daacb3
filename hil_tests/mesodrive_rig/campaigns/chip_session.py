"""A session on the emulated chip, and what its flash holds when the power is cut at any instant.

It is played once. At each program and erase of the firmware, and at instants between them, what a
cut would leave in the flash is noted, with what truly happened up to then: see chip_cuts.py.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from rp2040py.peripherals.ssi import CMD_PAGE_PROGRAM, CMD_SECTOR_ERASE

from mesodrive.ledger.rows import SIZE, Row
from mesodrive_rig.campaigns.faults.treatment import NEARBY
from mesodrive_rig.campaigns.flash_model import Image, Manner, Operation
from mesodrive_rig.campaigns.ledger_work import rows_in
from mesodrive_rig.emulated.provision import KEYS, FlashInMemory, firmware_module
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import Operator, profile
from mesodrive_rig.plant import Sensor

BOOT_MS = 750.0
SECTOR = 4096
_HISTORY = 70  # records, so that the second sector is in use
_LOOKED_AT = 12  # sectors from the ledger's first on: none beyond them is used
_PAGE = 256
_MANNERS = (
    Manner.BEFORE,
    *2 * (Manner.TORN,),
    *2 * (Manner.BITS,),
    Manner.PART,
    Manner.AFTER,
)  # what comes out the same as the one before is left out
_ERASES = (Manner.PART, Manner.BITS)  # besides
_DOSE = profile(
    depth_um=250,
    dose_nl=2_000,
    settle_us=5_000,
    dwell_us=40_000,
    rest_us=1_000,
    period_us=60_000,
    fill_nl=1_030_000,
    shots=60,  # so many that room for them has to be made
)
_PRIME_UL = 2.5
LIMIT = "shots"
_BUILT_IN, _LOWERED = 2_000, 1_500


@dataclass(frozen=True)
class Cut:
    """One cut: `flash` is what is left from the settings and the ledger, compressed; `kept` the
    session's records that must be there, `in_flight` one that may be; the rest is the truth."""

    where: str
    at_operation: bool
    flash: bytes
    kept: tuple[bytes, ...]
    in_flight: bytes | None
    strikes: int
    given_nl: float  # within strikes
    primed_nl: float
    limits: tuple[int, ...]  # what LIMIT may be
    hands: tuple[tuple[Sensor, bool], ...]


class ChipSession:
    """Plays once; `cuts` has what was noted: at one of `operations` flash operations, in each
    manner, and at one of `each_ms` milliseconds of what moves."""

    def __init__(self, seed: int, *, operations: int, each_ms: int):
        self.cuts: list[Cut] = []
        self.operations = 0  # of the flash, in the session
        self._random = Random(seed)
        self._every, self._each_ms = operations, each_ms
        self._seen: set[tuple[int, int, float]] = set()
        self._hands: dict[Sensor, bool] = {}
        self._limits: tuple[int, ...] = (_BUILT_IN,)
        self.rig = EmulatedRig(NEARBY)
        board: Any = self.rig.board
        self._flash: Any = self.rig.chip.mcu.flash
        self._start, self._end = board.LEDGER_START, len(self._flash)
        self.history = self._give_it_a_past(board)
        self._watch()

    def play(self, progress: Callable[[], None] = lambda: None) -> list[Cut]:
        """The session, from power-on."""
        for _ in self._steps():
            progress()
        return self.cuts

    def _steps(self) -> Iterator[None]:
        self.rig.run_for(BOOT_MS)
        person = Operator(self.rig, "service")
        yield
        self._limits = (_BUILT_IN, _LOWERED)
        person.device.set_value(LIMIT, _LOWERED)
        self._limits = (_LOWERED,)
        person.device.login("operator", KEYS["operator"])
        yield
        person.device.load(self._dose())
        yield
        person.device.home()
        yield
        self._in_a_while(3, 40)
        person.device.prime(_PRIME_UL)
        yield
        person.device.arm()
        self._hand(Sensor.CONTACT, True)
        person.wait(50)
        for strikes in (3, 2):
            self._hand(Sensor.TRIGGER, True)
            self._live(person, strikes * 60 + 20)
            self._hand(Sensor.TRIGGER, False)
            self._live(person, 60)
            yield
        self._hand(Sensor.TRIGGER, True)
        self._live(person, 55)
        self._hand(Sensor.GUARD, False)  # an alarm, in mid-dose
        self._live(person, 60)
        self._hand(Sensor.TRIGGER, False)
        self._hand(Sensor.GUARD, True)
        person.wait(50)
        yield
        person.device.acknowledge()
        head = person.device.ledger_head()
        person.device.countersign(head.sequence, bytes(16), 1)
        self._hand(Sensor.CONTACT, False)
        person.device.load(self._dose())
        yield

    def _dose(self) -> dict[str, object]:
        return _DOSE | {"fill_nl": int(1000 * self.rig.truth().left_ul)}

    def _hand(self, sensor: Sensor, is_true: bool) -> None:
        self._hands[sensor] = is_true
        self.rig.set(sensor, is_true)

    def _live(self, person: Operator, ms: int) -> None:
        for n in range(ms):
            person.wait(1)
            if n % self._each_ms == 0:
                self._note("between two", None)

    def _in_a_while(self, times: int, each_ms: float) -> None:
        """Cut in the midst of a move that is waited for."""
        for n in range(1, times + 1):
            due_ns = self.rig.chip.now_ns + n * each_ms * 1e6
            self.rig.chip.call_at(due_ns, lambda: self._note("between two", None))

    # the flash

    def _give_it_a_past(self, board: Any) -> tuple[Row, ...]:
        """A ledger that has been used, and whose next sectors were not erased to the end."""
        flash = FlashInMemory(board.LEDGER_SIZE)
        ledger_of: Any = firmware_module("ledger").Ledger
        record: Any = firmware_module("ledger.record")
        ledger = ledger_of.create(flash, lambda: 0, b"a used one")
        ledger.append(record.BOOT, cause=1, image=0)
        while ledger.head[0] < _HISTORY:
            ledger.outcome(ledger.intend(ledger.head[0], 2, 1_000), 2, 2_000, b"done")
        raws = [bytes(raw) for raw in ledger.records()]
        for sector in range(3, board.LEDGER_SIZE // SECTOR):
            flash.data[sector * SECTOR : sector * SECTOR + _PAGE] = bytes(_PAGE)
        self._flash[self._start : self._start + board.LEDGER_SIZE] = flash.data
        return tuple(Row.parse(raw) for raw in raws)

    def _watch(self) -> None:
        ssi: Any = self.rig.chip.mcu.ssi
        carry_out = ssi._apply_command

        def apply() -> None:
            operation = self._operation(ssi)
            if operation:
                self.operations += 1
                if self.operations % self._every == 0:
                    self._note_each_manner(operation)
            carry_out()

        ssi._apply_command = apply

    def _operation(self, ssi: Any) -> Operation | None:
        """The program or erase that the chip is about to carry out, in what is looked at."""
        command = ssi._tx_buffer
        if not ssi._write_enabled or len(command) < 4:
            return None
        address = int.from_bytes(command[1:4], "big") - self._start
        before = bytes(self._flash[self._start : self._end])
        if command[0] == CMD_PAGE_PROGRAM:
            old = before[address : address + _PAGE]
            data = bytes(a & b for a, b in zip(old, command[4:], strict=False))
            return Operation(Image(before), address, data, erases=False)
        if command[0] == CMD_SECTOR_ERASE:
            return Operation(Image(before), address & -SECTOR, b"\xff" * SECTOR, erases=True)
        return None

    def _note_each_manner(self, operation: Operation) -> None:
        changed = _changed(operation)
        what = "erase" if operation.erases else "program"
        for manner in _MANNERS + _ERASES * operation.erases:
            if changed or manner is Manner.AFTER:
                self._note(f"{what} at {operation.address:#x}, {manner}", operation, manner)

    def _note(self, where: str, operation: Operation | None, manner: Manner | None = None) -> None:
        if operation and manner:
            at = self._random.choice(_changed(operation) or [0])
            image = operation.cut(manner, self._random, at).data
            before = self._records(operation.before.data)
            after = self._records(operation.cut(Manner.AFTER, self._random).data)
        else:
            image = bytes(self._flash[self._start : self._end])
            before = after = self._records(image)
        kept = after if manner is Manner.AFTER else before
        may_be = after[-1] if len(after) > len(kept) and manner is not Manner.BEFORE else None
        truth = self.rig.truth()
        given_nl = 1000 * sum(strike.skin_ul + strike.lost_ul for strike in truth.strikes)
        same = (zlib.crc32(image), len(truth.strikes), truth.pushed_ul)
        if same in self._seen:
            return
        self._seen.add(same)
        self.cuts.append(
            Cut(
                f"{where}, {self.rig.now_ms():.1f} ms",
                operation is not None,
                zlib.compress(image, 1),
                tuple(kept),
                may_be,
                len(truth.strikes),
                given_nl,
                1000 * truth.pushed_ul - given_nl,
                self._limits,
                tuple(self._hands.items()),
            )
        )

    def _records(self, flash: bytes) -> list[bytes]:
        """The session's whole records, in order."""
        data = flash[: _LOOKED_AT * SECTOR]
        found = {row.sequence: place for place, row in rows_in(data).items()}
        wanted = sorted(number for number in found if number > len(self.history))
        return [data[found[number] : found[number] + SIZE] for number in wanted]


def _changed(operation: Operation) -> list[int]:
    """The bytes that it changes."""
    start = operation.address
    old = operation.before.data[start : start + len(operation.data)]
    pairs = enumerate(zip(old, operation.data, strict=True))
    return [place for place, (was, becomes) in pairs if was != becomes]
