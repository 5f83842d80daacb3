"""A flash that fails, and one that is as slow as its data sheet allows. No reset ends that."""

from collections.abc import Callable
from typing import Any

from rp2040py.peripherals.ssi import CMD_BLOCK_ERASE, CMD_PAGE_PROGRAM, CMD_SECTOR_ERASE

from mesodrive_rig.emulated.chip import Chip

_SLOWEST_MS = {CMD_SECTOR_ERASE: 400.0, CMD_BLOCK_ERASE: 2000.0, CMD_PAGE_PROGRAM: 3.0}
_ADDRESS = slice(1, 4)
_DATA_AT = 4
_SECTOR = 4096


class FlashFaults:
    """Breaks the flash of `chip`; the last call counts."""

    def __init__(self, chip: Chip):
        self._mcu = chip.mcu
        self._time = chip.flash_time
        self._ssi: Any = chip.mcu.ssi
        self._carried_out = self._ssi._apply_command

    def refuse(self, command: int) -> None:
        """The chip takes the command, is busy for its time, and nothing has changed."""

        def change(before: bytes, _after: bytes) -> bytes:
            return before

        self._spoil(command, change)

    def keep_bits(self, command: int, mask: int) -> None:
        """The bits of `mask` do not change, in any byte."""

        def change(before: bytes, after: bytes) -> bytes:
            pairs = zip(before, after, strict=True)
            return bytes(new & ~mask | old & mask for old, new in pairs)

        self._spoil(command, change)

    def slow_down(self) -> None:
        """All takes as long as the data sheet of the W25Q16JV allows at most."""
        self._time.busy_ms.update(_SLOWEST_MS)

    def _spoil(self, command: int, change: Callable[[bytes, bytes], bytes]) -> None:
        flash = self._mcu.flash

        def apply() -> None:
            sent = bytes(self._ssi._tx_buffer)
            if not sent or sent[0] != command:
                self._carried_out()
                return
            start = int.from_bytes(sent[_ADDRESS], "big")
            size = _SECTOR if command == CMD_SECTOR_ERASE else len(sent) - _DATA_AT
            before = bytes(flash[start : start + size])
            self._carried_out()
            flash[start : start + size] = change(before, bytes(flash[start : start + size]))

        self._ssi._apply_command = apply
