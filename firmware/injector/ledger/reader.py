"""Reads records in their order, and notes what is wrong with them."""

from injector.ledger import record
from injector.ledger.ring import head_chain, head_sequence

# What a note says of the records from … to …, MENDED_HEAD of a sector
MENDED = "mended"  # one bit was wrong and is put right
MENDED_HEAD = "mended head"  # the same in the head of a sector
LOST = "lost"  # they cannot be read any more
UNLINKED = "unlinked"  # whole, but they do not follow from the one before
HEAD = "head"  # the head before the first of them cannot be read
TWICE = "twice"  # whole, but their place in the sequence is taken


class Reader:
    """Goes through the ledger from one record to the next."""

    def __init__(self, ring, head):
        self.sequence = head_sequence(head)  # of the last record
        self.chain = head_chain(head)  # at the last record
        self.notes = []  # (what, first, last sequence)
        self.blank = False  # the last slot was 0xFF
        self._ring = ring
        self._raw = bytearray(record.SIZE)

    def pass_head(self, head) -> None:
        """Go on with a head, which knows what came before it."""
        if head_sequence(head) > self.sequence:
            self.note(LOST, self.sequence + 1, head_sequence(head))
        self.sequence = head_sequence(head)
        self.chain = head_chain(head)

    def take(self, number: int, slot: int) -> "bytearray | None":
        """The record in a slot, or None; overwritten by the next call."""
        raw = self._raw
        self._ring.read_slot(number, slot, raw)
        self.blank = raw == record.BLANK
        if self.blank or raw == record.VOID:
            return None
        expected = self.sequence + 1
        if not record.is_whole(raw):
            if not record.mend(raw, expected, self.chain):
                return None
            self.note(MENDED, expected, expected)
        sequence = record.sequence_of(raw)
        if sequence < expected:
            self.note(TWICE, sequence, sequence)
            return None
        if sequence > expected:
            self.note(LOST, expected, sequence - 1)
        elif not record.follows(raw, self.chain):
            self.note(UNLINKED, sequence, sequence)
        self.sequence = sequence
        self.chain = record.chain(raw)
        return raw

    def note(self, what: str, first: int, last: int) -> None:
        """Keep what is wrong with the records from `first` to `last`."""
        self.notes.append((what, first, last))
