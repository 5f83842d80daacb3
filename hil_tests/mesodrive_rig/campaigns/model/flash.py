"""A flash that outlives resets, and that is cut in the middle of an operation if need be."""

from collections.abc import Callable
from random import Random

from mesodrive_rig.campaigns.flash_model import Image, Manner, Operation

MANNERS = (Manner.BEFORE, Manner.AFTER, Manner.TORN, Manner.PART, Manner.BITS)


class PowerCut(BaseException):
    """The supply is gone in the middle of something. No firmware catches this."""


class Flash:
    """NOR flash. `check` is called before each operation: nothing may move then.

    When `cut_in` counts down to 0 the operation is cut in some manner, and PowerCut raised.
    """

    page = 256

    def __init__(self, data: bytes, sector: int, random: Random, check: Callable[[], None]):
        self.size = len(data)
        self.sector = sector
        self.cut_in = 0
        self.operations = 0
        self._data = bytearray(data)
        self._random = random
        self._check = check

    @property
    def data(self) -> bytes:
        return bytes(self._data)

    def read(self, address: int, buffer: bytearray) -> None:
        buffer[:] = self._data[address : address + len(buffer)]

    def program(self, address: int, data: bytes) -> None:
        end = address + len(data)
        if address // self.page != (end - 1) // self.page or end > self.size:
            raise AssertionError(f"{len(data)} bytes at {address} are programmed past their page")
        now = self._data[address:end]
        self._do(address, bytes(old & new for old, new in zip(now, data, strict=True)))

    def erase(self, address: int) -> None:
        if address % self.sector:
            raise AssertionError(f"an erase at {address}, where no sector begins")
        self._do(address, b"\xff" * self.sector)

    def _do(self, address: int, data: bytes) -> None:
        self._check()
        self.operations += 1
        if self.cut_in:
            self.cut_in -= 1
            if not self.cut_in:
                operation = Operation(Image(self.data), address, data, len(data) == self.sector)
                manner = self._random.choice(MANNERS)
                at = self._random.randrange(1, len(data))
                self._data[:] = operation.cut(manner, self._random, at).data
                raise PowerCut
        self._data[address : address + len(data)] = data
