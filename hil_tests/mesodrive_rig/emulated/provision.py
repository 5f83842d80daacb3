"""What is in a device's flash when it leaves the factory: an empty ledger.

The firmware's own modules make it, run here: a device would take seconds to erase its flash.
"""

import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

_FIRMWARE = Path(__file__).parents[3] / "firmware"
_SECTOR = 4096
_SEED = b"a rig"


def firmware_module(name: str) -> Any:
    """A pure module of the firmware, run here."""
    if str(_FIRMWARE) not in sys.path:
        sys.path.append(str(_FIRMWARE))
    return import_module(f"injector.{name}")


class FlashInMemory:
    """A flash as the firmware's modules see it."""

    sector = _SECTOR
    page = 256

    def __init__(self, size: int) -> None:
        self.size = size
        self.data = bytearray(b"\xff" * size)

    def read(self, address: int, buffer: bytearray | memoryview) -> None:
        buffer[:] = self.data[address : address + len(buffer)]

    def program(self, address: int, data: bytes) -> None:
        for place, byte in enumerate(data, address):
            self.data[place] &= byte

    def erase(self, address: int) -> None:
        self.data[address : address + _SECTOR] = b"\xff" * _SECTOR


def provision(flash: bytearray | memoryview, board: ModuleType) -> None:
    """Fill what the firmware keeps in `flash`, the whole of it, on a `board`."""
    for start, data in ((board.LEDGER_START, empty_ledger(board.LEDGER_SIZE)),):
        flash[start : start + len(data)] = data


@cache
def empty_ledger(size: int) -> bytes:
    """A ledger of `size` bytes without a record."""
    flash = FlashInMemory(size)
    firmware_module("ledger").Ledger.create(flash, lambda: 0, _SEED)
    return bytes(flash.data)
