"""What is in a device's flash when it comes to the rig: an empty ledger, and the rig's keys.

The firmware's own modules make it, run here: a device would take seconds to erase its flash.
"""

import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from mesodrive.access import Role

_FIRMWARE = Path(__file__).parents[3] / "firmware"
_SECTOR = 4096
_SEED = b"a rig"
_ROOM = 66  # records: with the rail off room is made when there are less than 60
_SAVES_OF_A_SESSION = 4  # a spoilt page after the boot, two at the login, and the first itself

# A device on a rig guards nothing: everybody may know these.
KEYS: dict[Role, bytes] = {
    "operator": b"the rig's operator, known to all",
    "service": b"the rig's service, known to all!",
}


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


def provision(flash: bytearray | memoryview, board: ModuleType, *, claimed: bool = True) -> None:
    """Fill what the firmware keeps in `flash`, the whole of it, on a `board`. With `claimed` the
    device knows KEYS."""
    for start, data in (
        (board.LEDGER_START, empty_ledger(board.LEDGER_SIZE)),
        (board.SETTINGS_START, settings(board.SETTINGS_SIZE, claimed)),
    ):
        flash[start : start + len(data)] = data


@cache
def empty_ledger(size: int) -> bytes:
    """A ledger of `size` bytes without a record."""
    flash = FlashInMemory(size)
    firmware_module("ledger").Ledger.create(flash, lambda: 0, _SEED)
    return bytes(flash.data)


@cache
def settings(size: int, claimed: bool) -> bytes:
    """Settings of `size` bytes with nothing set, but for the keys when the device is `claimed`."""
    flash = FlashInMemory(size)
    made = firmware_module("settings").Settings(flash)
    made.open()
    if claimed:
        made.keys = dict(KEYS)
        made.save()
    return bytes(flash.data)


def age(flash: bytearray | memoryview, board: ModuleType) -> None:
    """Fill what the firmware keeps in `flash`, the whole of it, as on a device that has been in
    use for years: the first fault that is latched after a session's start makes both erase."""
    for start, data in (
        (board.LEDGER_START, _full_ledger(board.LEDGER_SIZE)),
        (board.SETTINGS_START, _full_settings(board.SETTINGS_SIZE)),
    ):
        flash[start : start + len(data)] = data


@cache
def _full_ledger(size: int) -> bytes:
    flash = FlashInMemory(size)
    flash.data[:] = empty_ledger(size)
    ledger = firmware_module("ledger").Ledger.open(flash, lambda: 0)
    record = firmware_module("ledger.record")
    while ledger.room > _ROOM:
        ledger.append(record.BOOT, cause=1, image=0)
    return bytes(flash.data)


@cache
def _full_settings(size: int) -> bytes:
    flash = FlashInMemory(size)
    made = firmware_module("settings").Settings(flash)
    made.open()
    made.keys = dict(KEYS)
    for _ in range(3 * flash.sector // flash.page - _SAVES_OF_A_SESSION):  # all has been used
        made.save()
    return bytes(flash.data)
