"""The log: records appended one after another, found again after a cut."""

from injector.ledger import record
from injector.ledger.errors import FlashFault, Full, NoLedger, Unreadable
from injector.ledger.reader import HEAD, MENDED_HEAD, TWICE, UNLINKED, Reader
from injector.ledger.ring import HEAD_WRITTEN, TOTALS_AT, Ring, head_number, head_sequence
from injector.ledger.totals import PENDING_AT_MOST

_SECTORS_KEPT = 2  # at least: if the youngest head cannot be read, the one before it still can


class Log:
    """Appends records and keeps `totals` in step. Use `open` or `create` first."""

    def __init__(self, flash, totals):
        self.sequence = 0  # of the last record
        self.chain = b""  # at the last record
        self._notes = []
        self._ring = Ring(flash)
        self._totals = totals
        self._number = 0  # of the sector in use
        self._slot = 0  # the next one in it
        self._ready = 0  # sectors after it that can be begun
        self._sound = True  # the flash keeps what was written
        self._raw = bytearray(record.SIZE)  # the last record
        self._peeked = bytearray(record.SIZE)

    def creating(self, seed: bytes):
        """Begin a ledger; everything in the flash is erased, a sector a turn. `seed` begins the
        chain.

        Raises Unreadable, and changes nothing, when there is one.
        """
        ring = self._ring
        _, numbers = ring.heads()
        if numbers:
            raise Unreadable("This flash holds a ledger already; open it.")
        for number in range(ring.sectors):
            ring.make_ready(number)
            yield number
        self.chain = record.first_chain(seed)
        # Sector 0 stays empty: it is what `open` falls back on if the head of sector 1 is spoilt.
        # It comes last, so that no half-made head of 1 is followed by records in 0.
        self._number = 1
        ring.begin(1, 0, self.chain, self._totals)
        ring.begin(0, 0, self.chain, self._totals)
        self._slot = ring.first
        self._ready = ring.sectors - 2

    def open(self) -> None:
        """Find the last record, and make sure that what was found stays so.

        Raises NoLedger, Unreadable or FlashFault. Nothing is ever erased; what a cut left half
        written is made good or overwritten with zeros.
        """
        head = self._youngest_head()
        self._number = head_number(head)
        self._totals.load(head, TOTALS_AT)
        reader = Reader(self._ring, head)
        settled = self._replay(reader)
        while self._goes_on(reader.sequence):
            reader.note(HEAD, reader.sequence + 1, reader.sequence + 1)
            self._number += 1
            settled = self._replay(reader)
        self.sequence = reader.sequence
        self.chain = reader.chain
        self._notes = reader.notes
        self._refuse_what_contradicts()
        self._settle(head, settled)

    @property
    def damage(self) -> "list[tuple[str, int, int]]":
        """What `open` and `audit` found, see reader.py."""
        return self._notes + [
            (MENDED_HEAD, number, number) for number in sorted(self._ring.mended)
        ]

    @property
    def first(self) -> int:
        """Sequence of the oldest record that is still there."""
        for number in self._kept():
            head = self._ring.head(number)
            if head:
                return head_sequence(head) + 1
        return self.sequence + 1

    @property
    def room(self) -> int:
        """How many records can be appended."""
        ring = self._ring
        return ring.slots - self._slot + self._ready * (ring.slots - ring.first)

    @property
    def most_room(self) -> int:
        """What `prepare` can make room for at most."""
        ring = self._ring
        return (ring.sectors - _SECTORS_KEPT) * (ring.slots - ring.first)

    def append(self, kind: int, boot: int, on_ms: int, ordered) -> None:
        """Write a record and read it back. Raises Full or FlashFault."""
        if not self._sound:
            raise FlashFault("The ledger's flash failed; restart the device.")
        ring = self._ring
        raw = self._raw
        self._skip_spoilt_slots()
        if not self.room:
            raise Full("The ledger is full; disarm, so that it can make room.")
        self._sound = False
        if self._slot == ring.slots:
            ring.begin(self._number + 1, self.sequence, self.chain, self._totals)
            self._number += 1
            self._ready -= 1
            self._slot = ring.first
        record.write(raw, kind, self.sequence + 1, boot, on_ms, ordered, self.chain)
        ring.program(ring.address(self._number, self._slot), raw)
        self._sound = True
        self._slot += 1
        self.sequence += 1
        self.chain = record.chain(raw)
        self._totals.apply(raw)

    def prepare(self, records: int) -> bool:
        """Erase one sector, the oldest, unless there is room for `records`; whether there is now.

        Raises ValueError when the flash is too small for so many, and FlashFault.
        """
        ring = self._ring
        if records > self.most_room:
            raise ValueError(
                "The ledger has room for %d records at once; ask for less." % self.most_room
            )
        if self.room < records:
            ring.make_ready(self._number + self._ready + 1)
            self._ready += 1
        return self.room >= records

    def records(self, first: int):
        """The records from sequence `first` on that are still there, each as 64 bytes."""
        ring = self._ring
        reader = None
        for number in range(self._sector_of(first), self._number + 1):
            reader = self._enter(number, reader)
            if not reader:
                continue
            for slot in range(ring.first, ring.slots):
                raw = reader.take(number, slot)
                if raw and reader.sequence >= first:
                    yield bytes(raw)

    def audit(self):
        """Read all records again, one a turn; in the end `damage` has what is new. Begin anew when
        one was appended meanwhile."""
        reader = None
        for number in self._kept():
            reader = self._enter(number, reader)
            if reader:
                for slot in range(self._ring.first, self._ring.slots):
                    reader.take(number, slot)
                    yield number
        if reader:
            self._notes += [note for note in reader.notes if note not in self._notes]

    def _kept(self):
        """The numbers of the sectors that are not to be written next."""
        return range(max(0, self._number + self._ready + 1 - self._ring.sectors), self._number + 1)

    def _sector_of(self, sequence):
        """The youngest sector whose head is older than a record; the oldest if there is none."""
        kept = self._kept()
        for number in reversed(kept):
            head = self._ring.head(number)
            if head and head_sequence(head) < sequence:
                return number
        return kept[0]

    def _enter(self, number, reader):
        """The reader that goes on with a sector; None as long as no head says where it begins."""
        head = self._ring.head(number)
        if not reader:
            return Reader(self._ring, head) if head else None
        if head:
            reader.pass_head(head)
        else:
            reader.note(HEAD, reader.sequence + 1, reader.sequence + 1)
        return reader

    def _youngest_head(self):
        head, numbers = self._ring.heads()
        if head is None:
            if self._ring.is_blank():
                raise NoLedger("The flash is new; let service create a ledger.")
            raise Unreadable(
                "No head of the ledger can be read; let service examine the flash before it "
                "creates a new ledger."
            )
        youngest, sectors = head_number(head), self._ring.sectors
        for place, number in numbers.items():
            if number % sectors != place or number <= youngest - sectors:
                raise Unreadable(
                    "Sector %d of the ledger is not where it belongs; let service examine the "
                    "flash." % number
                )
        return head

    def _replay(self, reader):
        """Add the records of the sector in use; return the slot after the last of them."""
        ring = self._ring
        settled = self._slot = ring.first
        for slot in range(ring.first, ring.slots):
            raw = reader.take(self._number, slot)
            if not reader.blank:
                self._slot = slot + 1
            if raw:
                if not record.is_known(raw):
                    raise Unreadable(
                        "Record %d is of a newer firmware; install that." % reader.sequence
                    )
                settled = slot + 1
                self._raw[:] = raw
                self._totals.apply(raw)
        return settled

    def _goes_on(self, sequence):
        """Whether the next sector, whose head is not whole, has records after `sequence`."""
        ring = self._ring
        for slot in range(ring.first, ring.slots):
            ring.read_slot(self._number + 1, slot, self._peeked)
            if record.is_whole(self._peeked):
                ahead = record.sequence_of(self._peeked) - sequence
                return 0 < ahead <= ring.slots
        return False

    def _refuse_what_contradicts(self):
        for what, first, _ in self._notes:
            if what in (UNLINKED, TWICE):
                raise Unreadable(
                    "Record %d of the ledger contradicts the one before it; let service examine "
                    "the flash." % first
                )
        if len(self._totals.pending) > PENDING_AT_MOST:
            raise Unreadable(
                "Outcomes of %d doses cannot be read in the ledger; let service examine the flash."
                % len(self._totals.pending)
            )

    def _settle(self, head, settled):
        """Leave no bit that a cut has made doubtful: it could read differently the next time.

        In doubt are the last record, or the head if there is none yet; what is not blank after
        it; and the first slot that is. A next head that was cut is not: until it is there
        nothing else can be written, so when it is written again it is the same, bit by bit.
        """
        ring = self._ring
        if settled > ring.first:
            ring.strengthen(ring.address(self._number, settled - 1), self._raw)
        else:
            ring.strengthen(ring.address(self._number, 0), head[:HEAD_WRITTEN])
        self._slot = min(self._slot + 1, ring.slots)
        for slot in range(settled, self._slot):
            ring.program(ring.address(self._number, slot), record.VOID)
        self._ready = 0
        while self._ready < ring.sectors - 2 and ring.is_ready(self._number + self._ready + 1):
            self._ready += 1

    def _skip_spoilt_slots(self):
        ring = self._ring
        while self._slot < ring.slots:
            ring.read_slot(self._number, self._slot, self._peeked)
            if self._peeked == record.BLANK:
                return
            self._slot += 1
