"""Gives the emulated flash the time that a real chip takes to erase and to program.

The emulator carries out an erase or a program at once. A real chip says "busy" meanwhile, and
whoever writes (the boot ROM's flash functions) asks it again and again, with interrupts off and
code in RAM because the flash cannot be read.
"""

from typing import Any

from rp2040py.peripherals.ssi import (
    CMD_BLOCK_ERASE,
    CMD_PAGE_PROGRAM,
    CMD_READ_STATUS_1,
    CMD_SECTOR_ERASE,
)

_BUSY = 0x01  # status register 1
_NS_PER_MS = 1e6


class FlashTime:
    """Holds the busy bit of the flash of `mcu` after each erase and program.

    `busy_ms` says for how long, by command; typical times of the W25Q16JV, the Pico's flash
    (Winbond, AC electrical characteristics; at most 400, 2000 and 3 ms). Change them as you like.
    """

    def __init__(self, mcu: Any):
        self.busy_ms: dict[int, float] = {
            CMD_SECTOR_ERASE: 45.0,  # 4 KiB
            CMD_BLOCK_ERASE: 150.0,  # 64 KiB
            CMD_PAGE_PROGRAM: 0.4,  # up to 256 bytes
        }
        self._clock = mcu.clock
        self._ssi: Any = mcu.ssi
        self._busy_until_ns = 0.0
        self._shifted = self._ssi._shift_byte
        self._carried_out = self._ssi._apply_command
        self._ssi._shift_byte = self._shift_byte
        self._ssi._apply_command = self._apply_command

    def _shift_byte(self, byte_out: int) -> int:
        byte_in = self._shifted(byte_out)
        command = self._ssi._tx_buffer
        asked = len(command) > 1 and command[0] == CMD_READ_STATUS_1
        if asked and self._clock.nanos < self._busy_until_ns:
            byte_in |= _BUSY
        return byte_in

    def _apply_command(self) -> None:
        command, allowed = self._ssi._tx_buffer, self._ssi._write_enabled
        self._carried_out()
        if allowed and command and command[0] in self.busy_ms:
            busy_ns = self.busy_ms[command[0]] * _NS_PER_MS
            self._busy_until_ns = self._clock.nanos + busy_ns
