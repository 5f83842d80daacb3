"""Keeps the emulated PIO exactly on the chip's clock, whether the CPU works or sleeps.

The emulator advances a PIO block by what the last CPU instruction took, at most one PIO
instruction each time, and gives up what is owed after a sleep. Here instead an alarm wakes each
block at the very clock at which one of its machines is due.

Our programs spend nearly all their time in loops of two instructions, see `pio_loops`. A machine
in such a loop is leapt over its rounds in one go. Anything that could make a difference (a
register access, a changed input) first takes it back to where it would have been. So the edges
are those of the clock-by-clock run; a test compares the two.
"""

from typing import Any

from rp2040py.peripherals.pio_registers import TXF0, TXF3

from mesodrive_rig.emulated.chip_pio import CLOCK_FP, ChipPio
from mesodrive_rig.emulated.pio_loops import NEVER_FP, LeapingMachine

_FP_PER_NS = 32  # a system clock takes 8 ns
_BLOCKS = (0x50200, 0x50300)  # keys of the emulator's peripheral table
_FIRST_CONFIG, _LAST_CONFIG = 0x048, 0x124  # instruction memory and machine set-up registers


class PioTime:
    """Takes over the time of both PIO blocks of `mcu`. `leap=False` runs clock by clock."""

    def __init__(self, mcu: Any, *, leap: bool = True):
        self.leap = leap
        self._clock = mcu.clock
        self._pios = mcu.pio
        self._alarm = mcu.clock.create_alarm(self._due)
        self._alarm_fp = NEVER_FP
        self._machines = [LeapingMachine(pio, sm, mcu) for pio in mcu.pio for sm in pio.machines]
        self._running: list[LeapingMachine] = []
        for key in _BLOCKS:
            mcu.peripherals[key] = _WatchedBlock(mcu.peripherals[key], self)

    def catch_up(self) -> None:
        """Bring every machine to now, before something looks at it or changes what it sees."""
        # What happens between two clocks is seen at the second.
        now_fp = _whole_clocks(round(self._clock.nanos * _FP_PER_NS))
        for machine in self._running:
            machine.land(now_fp)
        for pio in self._pios:
            pio.cycle_fp = now_fp
            pio.next_due_fp = 0  # the emulator shall look for itself

    def reset(self) -> None:
        """The chip has been reset: no machine runs, none is in the air."""
        self._alarm.cancel()
        self._alarm_fp = NEVER_FP
        self._running = []
        for machine in self._machines:
            machine.lands_fp = 0
            machine.forget()

    def look_ahead(self) -> None:
        """Find out when the next machine is due, and be there."""
        now_fp = self._pios[0].cycle_fp
        next_fp = NEVER_FP
        for machine in self._running:
            sm = machine.sm
            if machine.lands_fp <= now_fp:
                if sm.waiting or not sm.enabled:  # a reset may have disabled it
                    continue
                if self.leap:
                    machine.leap()
            due_fp = sm.next_due_fp
            if due_fp < next_fp:
                next_fp = due_fp
        if next_fp == NEVER_FP:
            self._alarm.cancel()
        else:
            self._alarm_fp = _whole_clocks(next_fp)
            self._alarm.schedule(max(0.0, self._alarm_fp / _FP_PER_NS - self._clock.nanos))

    def written(self, offset: int) -> None:
        """A register has been written: programs and what runs may be others now."""
        for pio in self._pios:
            pio.stopped = True  # for the emulator's own stepping
            pio.check_changed_pins()  # an instruction that is written is carried out at once
        if _FIRST_CONFIG <= offset <= _LAST_CONFIG:
            for machine in self._machines:
                machine.forget()
        self._running = [machine for machine in self._machines if machine.sm.enabled]

    def _due(self) -> None:
        second, first = self._pios  # what PIO0 does in one clock, PIO1 sees in the next
        first.cycle_fp = second.cycle_fp = self._alarm_fp
        first.next_due_fp = second.next_due_fp = 0
        first.advance(0)
        second.advance(0)
        self.look_ahead()


def _whole_clocks(time_fp: int) -> int:
    return -(-time_fp // CLOCK_FP) * CLOCK_FP


class _WatchedBlock:
    """A PIO block on the bus that is brought to now before it is read or written."""

    def __init__(self, pio: ChipPio, time: PioTime):
        self._pio = pio
        self._time = time
        self.reset = pio.reset

    def read_uint32(self, offset: int) -> int:
        self._time.catch_up()
        value = self._pio.read_uint32(offset)
        self._time.look_ahead()
        return value

    def write_uint32(self, offset: int, value: int) -> None:
        self.write_uint32_atomic(offset, value, 0)

    def write_uint32_atomic(self, offset: int, value: int, atomic_type: int) -> None:
        word = TXF0 <= offset <= TXF3
        if word and not self._pio.machines[(offset - TXF0) >> 2].waiting:
            self._pio.write_uint32(offset, value)  # nobody looks at it before its time
            return
        self._time.catch_up()
        self._pio.write_uint32_atomic(offset, value, atomic_type)
        if not word:
            self._time.written(offset)
        self._time.look_ahead()
