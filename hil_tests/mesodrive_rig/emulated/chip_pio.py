"""The emulator's PIO block, made to do as the chip does where the emulator does otherwise.

* Joined FIFOs are 8 words deep, and a change of FJOIN empties both (RP2040 datasheet, chapter
  3.7, SM0_SHIFTCTRL); the emulator leaves them 4 deep and full.
* A stalled instruction is tried again at each of the machine's own ticks, and only while the
  machine is on. The emulator ends a stall at the very moment when its cause goes, in the clock
  of the cause, between two ticks, and even when the machine is off.

So a word that is written, or a flag that is set, in one clock is seen in the next.
"""

from typing import Any

from rp2040py.peripherals.pio import RPPIO, WaitType
from rp2040py.peripherals.pio_registers import (
    CTRL,
    SM0_CLKDIV,
    SM0_SHIFTCTRL,
    SM1_CLKDIV,
    TXF0,
    TXF3,
)
from rp2040py.utils.fifo import FIFO

CLOCK_FP = 1 << 8  # the emulator counts PIO time in 1/256ths of a system clock

_MACHINE_SIZE = SM1_CLKDIV - SM0_CLKDIV
_LAST_SHIFTCTRL = SM0_SHIFTCTRL + 3 * _MACHINE_SIZE
_TX_STALL = 1 << 24  # FDEBUG
_WAIT = 0b001  # opcode
_RETRIED = (WaitType.PIN, WaitType.TX_FIFO, WaitType.IRQ)
_DEPTHS = {0b00: (4, 4), 0b01: (8, 0), 0b10: (0, 8), 0b11: (0, 0)}  # FJOIN: words of TX, RX


class ChipPio(RPPIO):
    """One PIO block. `install` puts it in the place of the emulator's own."""

    @classmethod
    def install(cls, mcu: Any) -> None:
        """Replace both blocks of a chip that has not been started."""
        for index, old in enumerate(list(mcu.pio)):
            mcu.pio[index] = cls(mcu, old.name, old.first_irq, old.index)
            for key, peripheral in mcu.peripherals.items():
                if peripheral is old:
                    mcu.peripherals[key] = mcu.pio[index]

    def write_uint32(self, offset: int, value: int) -> None:
        if TXF0 <= offset <= TXF3:
            sm = self.machines[(offset - TXF0) >> 2]
            if sm.waiting and sm.wait_type == WaitType.TX_FIFO:
                self._try_again(sm)
            super().write_uint32(offset, value)
            return
        super().write_uint32(offset, value)
        if offset == CTRL:
            for sm in self.machines:
                if sm.waiting and not sm.enabled and sm.wait_type in _RETRIED:
                    self._try_again(sm)
        elif SM0_SHIFTCTRL <= offset <= _LAST_SHIFTCTRL:
            number, register = divmod(offset - SM0_SHIFTCTRL, _MACHINE_SIZE)
            if not register:
                self._join(self.machines[number])

    def irq_updated(self) -> None:
        for sm in self.machines:
            if sm.waiting and sm.wait_type == WaitType.IRQ and _at_wait(self, sm):
                if bool(self.irq >> sm.wait_index & 1) is sm.wait_polarity:
                    self._try_again(sm)
            else:
                sm.check_wait()
        self.check_interrupts()

    def _try_again(self, sm: Any) -> None:
        """Carry out the stalled instruction anew at the machine's next tick."""
        sm.waiting = False
        self.tx_stall &= ~(_TX_STALL << sm.index)
        late_fp = self.cycle_fp + CLOCK_FP - sm.next_due_fp
        if late_fp > 0:
            sm.next_due_fp += -(-late_fp // sm.div_fp) * sm.div_fp
        self.notify_due(sm.next_due_fp)

    def _join(self, sm: Any) -> None:
        tx_depth, rx_depth = _DEPTHS[sm.shift_ctrl >> 30]
        if (sm.tx_fifo.size, sm.rx_fifo.size) == (tx_depth, rx_depth):
            return
        sm.tx_fifo, sm.rx_fifo = FIFO(tx_depth), FIFO(rx_depth)
        dma = self.rp2040.dma
        if tx_depth:
            dma.set_dreq(sm.dreq_tx)
        else:
            dma.clear_dreq(sm.dreq_tx)
        dma.clear_dreq(sm.dreq_rx)


def _at_wait(pio: Any, sm: Any) -> bool:
    """A stalled `wait`, and not an `irq(block)`, which must not set its flag again."""
    return pio.instructions[sm.pc] >> 13 == _WAIT
