"""NOR flash that can be cut off at any instant, with what its data sheet leaves open.

Programming turns bits to 0 and leaves the other bytes of the page alone; erasing turns a sector
to 0xFF. An operation that is cut has changed any of the bits it would have changed, and may leave
bits in doubt: they read differently each time, until they are programmed or erased for good.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

PAGE = 256


class Manner(StrEnum):
    """How an operation is cut."""

    BEFORE = "before it began"
    AFTER = "after its end"
    TORN = "torn at a byte"
    PART = "any stretch of it done"
    BITS = "any bits done"
    BEGUN = "hardly begun, some bits in doubt"
    HALF = "any bits done, some in doubt"
    NEARLY = "almost done, some bits in doubt"


IN_DOUBT = (Manner.BEGUN, Manner.HALF, Manner.NEARLY)


class Mood(StrEnum):
    """How bits in doubt read."""

    ONES = "as 1"
    ZEROS = "as 0"
    RANDOM = "at random"


class MisuseError(Exception):
    """What the ledger may never ask of the flash."""


@dataclass(frozen=True)
class Image:
    """What the flash holds. `doubtful` has the mask of the bits in doubt for each such address;
    they are 1 in `data`, so that a 0 there is sure."""

    data: bytes
    doubtful: Mapping[int, int] = field(default_factory=dict[int, int])

    def flipped(self, bits: list[int]) -> "Image":
        """With these bits, counted from the first of the flash, the other way round."""
        data = bytearray(self.data)
        for bit in bits:
            data[bit // 8] ^= 1 << bit % 8
        return Image(bytes(data), self.doubtful)


@dataclass(frozen=True)
class Operation:
    """A program, or an erase when `erases`, and what it found. `data` is what is there when it has
    come to its end."""

    before: Image
    address: int
    data: bytes
    erases: bool

    def cut(self, manner: Manner, random: Random, at: int = 0) -> Image:
        """What the flash holds when it was cut; `at` is the byte at which it is torn."""
        size = len(self.data)
        old = int.from_bytes(self.before.data[self.address : self.address + size], "little")
        new = int.from_bytes(self.data, "little")
        changing = old ^ new
        doubt = 0
        if manner == Manner.BEFORE:
            done = 0
        elif manner == Manner.AFTER:
            done = changing
        elif manner == Manner.TORN:
            done = changing & ((1 << 8 * at) - 1)
        elif manner == Manner.PART:
            first, end = sorted(random.sample(range(size + 1), 2))
            done = changing & ((1 << 8 * end) - (1 << 8 * first))
        elif manner == Manner.BITS:
            done = changing & _some(random, 8 * size)
        elif manner == Manner.HALF:
            done = changing & _some(random, 8 * size)
            doubt = changing & _some(random, 8 * size) & random.getrandbits(8 * size)
        else:
            done = 0 if manner == Manner.BEGUN else changing
            doubt = _few(random, changing)
        return self._image(old ^ done, doubt, whole=manner == Manner.AFTER)

    def _image(self, value: int, doubt: int, *, whole: bool) -> Image:
        end = self.address + len(self.data)
        data = bytearray(self.before.data)
        data[self.address : end] = value.to_bytes(len(self.data), "little")
        doubtful = dict(self.before.doubtful)
        if whole:
            doubtful = self.left_in_doubt()
        for place, mask in enumerate(doubt.to_bytes(len(self.data), "little")):
            if mask:
                address = self.address + place
                doubtful[address] = doubtful.get(address, 0) | mask
        for address, mask in doubtful.items():
            data[address] |= mask
        return Image(bytes(data), doubtful)

    def left_in_doubt(self) -> dict[int, int]:
        """The bits that are still in doubt when this has come to its end."""
        end = self.address + len(self.data)
        left: dict[int, int] = {}
        for address, mask in self.before.doubtful.items():
            if self.address <= address < end:
                # A bit that was programmed is sure; one that was not stays as it was.
                mask &= 0 if self.erases else self.data[address - self.address]
            if mask:
                left[address] = mask
        return left


class ModelFlash:
    """The flash as the ledger sees it. Every operation is kept in `operations`."""

    page = PAGE

    def __init__(
        self, image: Image, sector: int, random: Random, mood: Mood = Mood.RANDOM
    ) -> None:
        self.size = len(image.data)
        self.sector = sector
        self.mood = mood
        self.may_erase = False
        self.operations: list[Operation] = []
        self._data = bytearray(image.data)
        self._doubtful = dict(image.doubtful)
        self._random = random

    @property
    def image(self) -> Image:
        return Image(bytes(self._data), dict(self._doubtful))

    def read(self, address: int, buffer: bytearray) -> None:
        size = len(buffer)
        buffer[:] = self._data[address : address + size]
        for place, mask in self._doubtful.items():
            if address <= place < address + size:
                buffer[place - address] = self._read_doubtful(place, mask)

    def program(self, address: int, data: bytes) -> None:
        end = address + len(data)
        if address // PAGE != (end - 1) // PAGE or end > self.size:
            raise MisuseError(f"programs {len(data)} bytes at {address}, past its page")
        old = int.from_bytes(self._data[address:end], "little")
        new = old & int.from_bytes(data, "little")
        self._do(address, new.to_bytes(len(data), "little"), erases=False)

    def erase(self, address: int) -> None:
        if address % self.sector:
            raise MisuseError(f"erases at {address}, where no sector begins")
        if not self.may_erase:
            raise MisuseError("erases although it was not told to")
        self._do(address, b"\xff" * self.sector, erases=True)

    def _do(self, address: int, data: bytes, *, erases: bool) -> None:
        operation = Operation(self.image, address, data, erases)
        self.operations.append(operation)
        self._doubtful = operation.left_in_doubt()
        self._data[address : address + len(data)] = data

    def _read_doubtful(self, address: int, mask: int) -> int:
        sure = self._data[address] & ~mask
        if self.mood == Mood.ONES:
            return sure | mask
        if self.mood == Mood.ZEROS:
            return sure
        return sure | mask & self._random.getrandbits(8)


def new_image(sectors: int, sector: int) -> Image:
    """As it comes from the factory."""
    return Image(b"\xff" * (sectors * sector))


def _some(random: Random, bits: int) -> int:
    """A part of the bits: few, half, or most of them."""
    mask = random.getrandbits(bits)
    share = random.randrange(3)
    if share == 0:
        return mask & random.getrandbits(bits) & random.getrandbits(bits)
    return mask if share == 1 else mask | random.getrandbits(bits) | random.getrandbits(bits)


def _few(random: Random, among: int) -> int:
    """One to three of the bits that are set."""
    places = [place for place in range(among.bit_length()) if among >> place & 1]
    chosen = random.sample(places, min(len(places), random.randint(1, 3)))
    return sum(1 << place for place in chosen)
