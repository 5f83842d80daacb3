"""The sectors of the ledger's flash, used one after another in a ring.

Sector number n of the ledger's life lies in place n % sectors. Its first page is its head:

   0..3    "MDL" and the version of this layout
   4..7    number of this sector
   8..11   sequence of the last record before this sector
  12..27   chain at that record
  28..235  the totals up to that record, see totals.py
 236..239  CRC-32 of bytes 0 to 235
 240..255  a mark: the erase before this use has come to its end

A torn erase can leave bits that read differently each time, even where all reads 0xFF. So a
sector is used only with its mark; and before an erase its first page becomes zeros, so that no
half-erased sector looks like a whole one.
"""

import struct

from injector.ledger import checksum, record, totals
from injector.ledger.errors import FlashFault

PAGE = 256
_MAGIC = b"MDL\x01"
_CHAIN_AT = 12
TOTALS_AT = _CHAIN_AT + record.CHAIN_SIZE
_CRC_AT = 236
_MARK_AT = 240
HEAD_WRITTEN = _MARK_AT  # bytes; the mark was there before
_MARK = b"mesodrive erased"
_NO_HEADS = (b"\xff" * 4, bytes(4))  # how a page begins that holds none; quick to see
_READY = b"\xff" * _MARK_AT + _MARK
_BLANK = b"\xff" * PAGE
assert TOTALS_AT + totals.SIZE <= _CRC_AT


class Ring:
    """`flash` has size, sector, page and read(address, buffer), program(address, data), which
    turns bits to 0 within one page, erase(address), which turns a sector to 0xFF."""

    def __init__(self, flash):
        self.sectors = flash.size // flash.sector
        self.first = PAGE // record.SIZE  # the first slot after the head
        self.slots = flash.sector // record.SIZE
        self.mended = set()  # numbers of the sectors in whose head one bit was wrong
        self._flash = flash
        self._page = bytearray(PAGE)
        self._beginning = bytearray(4)
        self._back = bytearray(PAGE)  # for reading back
        if self.sectors < 4 or flash.page < PAGE:
            raise ValueError("A ledger takes at least 4 sectors, with pages of 256 bytes.")

    def address(self, number: int, slot: int) -> int:
        """Of a slot of sector `number`."""
        return number % self.sectors * self._flash.sector + slot * record.SIZE

    def read_slot(self, number: int, slot: int, raw) -> None:
        self._flash.read(self.address(number, slot), raw)

    def head(self, number: int) -> "bytearray | None":
        """The head of sector `number` if it is whole; overwritten by the next call."""
        page = self._head_in(number % self.sectors)
        return page if page and head_number(page) == number else None

    def heads(self) -> "tuple[bytearray | None, dict[int, int]]":
        """The youngest whole head; by place, the number of each sector with one."""
        youngest = None
        numbers = {}
        for place in range(self.sectors):
            page = self._head_in(place)
            if page:
                numbers[place] = head_number(page)
                if not youngest or numbers[place] > head_number(youngest):
                    youngest = bytearray(page)
        return youngest, numbers

    def is_ready(self, number: int) -> bool:
        """Whether a head can be written."""
        self._flash.read(self.address(number, 0), self._page)
        return self._page == _READY

    def begin(self, number: int, sequence: int, chain: bytes, sums) -> None:
        """Write the head of a sector that is ready. Raises FlashFault."""
        head = bytearray(HEAD_WRITTEN)
        struct.pack_into("<4sII", head, 0, _MAGIC, number, sequence)
        head[_CHAIN_AT:TOTALS_AT] = chain
        sums.store(head, TOTALS_AT)
        checksum.seal(head, _CRC_AT)
        self.program(self.address(number, 0), head)

    def make_ready(self, number: int) -> None:
        """Erase the sector that number `number` will use. Raises FlashFault."""
        start = self.address(number, 0)
        self.program(start, bytes(PAGE))
        self._flash.erase(start)
        for page in range(start, start + self._flash.sector, PAGE):
            self._flash.read(page, self._page)
            if self._page != _BLANK:
                raise FlashFault(
                    "The ledger's flash does not erase at %d; replace the board." % start
                )
        self.program(start + _MARK_AT, _MARK)

    def program(self, address: int, data) -> None:
        """Program within a page and read back. Raises FlashFault."""
        self._flash.program(address, data)
        back = memoryview(self._back)[: len(data)]
        self._flash.read(address, back)
        if back != data:
            raise FlashFault(
                "The ledger's flash does not keep what is written at %d; restart the device, and "
                "replace the board if this comes again." % address
            )

    def strengthen(self, address: int, data) -> None:
        """Program again what has been read, so that it is read like this for good.

        A bit that is 0 where it should be 1 stays so; that is not looked at.
        """
        self._flash.program(address, data)

    def is_blank(self) -> bool:
        """Whether all the flash is 0xFF."""
        for page in range(0, self._flash.size, PAGE):
            self._flash.read(page, self._page)
            if self._page != _BLANK:
                return False
        return True

    def _head_in(self, place):
        self._flash.read(place * self._flash.sector, self._beginning)
        if self._beginning in _NO_HEADS:
            return None
        page = self._page
        self._flash.read(place * self._flash.sector, page)
        if _is_head(page):
            return page
        if sum([page[at] != _MAGIC[at] for at in range(4)]) > 1:
            return None  # or a flash full of something else would be searched for wrong bits
        if checksum.mend(page, _CRC_AT) and _is_head(page):
            self.mended.add(head_number(page))
            return page
        return None


def head_number(page) -> int:
    """Of the sector, by its head."""
    return struct.unpack_from("<I", page, 4)[0]


def head_sequence(page) -> int:
    """Of the last record before the sector."""
    return struct.unpack_from("<I", page, 8)[0]


def head_chain(page) -> bytes:
    """At the last record before the sector."""
    return bytes(page[_CHAIN_AT:TOTALS_AT])


def _is_head(page):
    return checksum.is_sealed(page, _CRC_AT) and page[:4] == _MAGIC
