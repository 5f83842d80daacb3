"""The divider in the emulated chip's SIO block (RP2040 datasheet, chapter 2.3.1.5).

MicroPython divides, and saves the divider around each interrupt, 200,000 times in an emulated
second: a fifth of the time of the emulator's own. `make emulator` compiles this file with the
types of `chip_divider.pxd`; it runs as it stands, too, slower. What comes out of a division by
zero was printed by a chip: https://vak.dreamwidth.org/1097369.html
"""

from typing import Any

_FIRST, _SIGNED, _QUOTIENT, _REMAINDER, _CSR = 0x060, 0x068, 0x070, 0x074, 0x078
_DIVISOR = 0x004  # in the number of an operand's register
_WORD = 0xFFFF_FFFF
_SIGN = 0x8000_0000
_READY, _DIRTY = 0b01, 0b10
_CLOCKS = 8  # what the emulator takes for each operand that is written


class Divider:
    """Takes over the divider's registers of `mcu`, and their reset."""

    def __init__(self, mcu: Any):
        self._core = mcu.core
        sio = mcu.sio
        self._read_other = sio.read_uint32
        self._write_other = sio.write_uint32
        self._reset_others = sio.reset
        sio.read_uint32 = self.read
        sio.write_uint32 = self.write
        sio.reset = self.reset
        self.reset()

    def reset(self) -> None:
        """The chip has been reset."""
        self._dividend = 0
        self._divisor = 1
        self._quotient = 0
        self._remainder = 0
        self._csr = _READY
        self._reset_others()

    def read(self, offset: int) -> int:
        """A register of the SIO block."""
        if offset < _FIRST or offset > _CSR:
            return self._read_other(offset)
        if offset < _QUOTIENT:
            return self._divisor if offset & _DIVISOR else self._dividend
        if offset == _REMAINDER:
            return self._remainder
        if offset == _CSR:
            return self._csr
        self._csr &= ~_DIRTY
        return self._quotient

    def write(self, offset: int, value: int) -> None:
        """Write a register of the SIO block; an operand makes it divide anew."""
        if offset < _FIRST or offset > _REMAINDER:
            self._write_other(offset, value)
            return
        word = value & _WORD
        self._csr = _READY | _DIRTY
        if offset == _QUOTIENT:
            self._quotient = word
        elif offset == _REMAINDER:
            self._remainder = word
        else:
            if offset & _DIVISOR:
                self._divisor = word
            else:
                self._dividend = word
            self._divide(offset >= _SIGNED)
            self._core.cycles += _CLOCKS

    def _divide(self, signed: bool) -> None:
        above, below = self._dividend, self._divisor
        above_negative = signed and above >= _SIGN
        below_negative = signed and below >= _SIGN
        if below == 0:
            self._quotient = 1 if above_negative else _WORD
            self._remainder = above
            return
        if above_negative:
            above = -above & _WORD
        if below_negative:
            below = -below & _WORD
        quotient, remainder = above // below, above % below
        self._quotient = -quotient & _WORD if above_negative != below_negative else quotient
        self._remainder = -remainder & _WORD if above_negative else remainder
