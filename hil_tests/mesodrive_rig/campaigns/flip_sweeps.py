"""Turns bits of a ledger's flash at rest, and looks at what the next start finds."""

from collections.abc import Iterator

from mesodrive.ledger import verify
from mesodrive.ledger.rows import SIZE
from mesodrive_rig.campaigns.cut_sweeps import Sweeps, caught
from mesodrive_rig.campaigns.flash_model import Mood
from mesodrive_rig.campaigns.ledger_work import Work, rows_in

_HEAD_CHECKED = 236  # what the checksum of a head is over


class Flips:
    """Turned bits at the end of the life that `sweeps` has."""

    def __init__(self, sweeps: Sweeps) -> None:
        self._sweeps = sweeps
        self._random = sweeps.random
        self._findings = sweeps.findings
        self._image = sweeps.work.flash.image
        self._places = self._kept()
        youngest = self._places[max(self._places)]
        self._head = self._head_before(youngest)
        self._matters = self._bytes_that_matter()
        self.bits = 8 * len(self._image.data)

    def one_bit(self, bit: int) -> None:
        """Nothing is lost, and it is noticed where it matters."""
        work, faults = self._start([bit])
        if not faults and bit // 8 in self._matters:
            list(work.ledger.audit())
            if not work.ledger.damage:
                faults.append("undetected: nothing tells of the wrong bit")
        self._findings.add("one bit turned", f"bit {bit}", faults)

    def several_bits(self) -> None:
        """2 to 16 bits of a record that is not the last: it is missed, all others are there."""
        sequence = self._random.choice(sorted(self._places)[:-1])
        bits = self._some_bits(self._places[sequence], SIZE)
        faults = caught(lambda: self._missed(bits, sequence))
        self._findings.add("several bits turned", f"record {sequence}, bits {bits}", faults)

    def head(self) -> None:
        """2 to 16 bits of the youngest head: the head before it and the records say the same."""
        bits = self._some_bits(self._head, _HEAD_CHECKED)
        work, faults = self._start(bits)
        if not faults and not work.ledger.damage:
            faults.append("undetected: nothing tells of the spoilt head")
        self._findings.add("head spoilt", f"bits {bits}", faults)

    def _start(self, bits: list[int]) -> tuple[Work, list[str]]:
        sweeps = self._sweeps
        return sweeps.start(self._image.flipped(bits), sweeps.at_rest(), Mood.RANDOM)

    def _missed(self, bits: list[int], sequence: int) -> Iterator[str]:
        work, _ = self._start(bits)
        if not work.ledger:
            yield "refused: the ledger was not opened"
            return
        list(work.ledger.audit())
        if ("lost", sequence, sequence) not in work.ledger.damage:
            yield "undetected: the device does not miss it"
        verdict = verify(bytes(raw) for raw in work.ledger.records())
        others = set(self._places) - {sequence}
        there = {row.sequence for row in verdict.rows}
        if there != others:
            yield f"lost: {sorted(others - there)} are missing besides"
        oldest = min(self._places)
        if [flaw.sequence for flaw in verdict.flaws] != [sequence] and sequence != oldest:
            yield "undetected: the host does not miss it"

    def _some_bits(self, address: int, size: int) -> list[int]:
        chosen = self._random.sample(range(8 * size), self._random.randint(2, 16))
        return [8 * address + bit for bit in chosen]

    def _kept(self) -> dict[int, int]:
        """The address of each record that the ledger must still have, by its sequence."""
        rows = rows_in(self._image.data).items()
        erased = self._sweeps.work.erased
        return {row.sequence: address for address, row in rows if row.sequence > erased}

    def _bytes_that_matter(self) -> set[int]:
        """Those of the records that are kept, and of the heads before them."""
        heads = {self._head_before(address) for address in self._places.values()}
        return {
            *(byte for at in self._places.values() for byte in range(at, at + SIZE)),
            *(byte for head in heads for byte in range(head, head + _HEAD_CHECKED)),
        }

    def _head_before(self, address: int) -> int:
        return address // self._sweeps.sector * self._sweeps.sector
