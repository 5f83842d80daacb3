"""Keeps the emulated PIO exactly on the chip's clock, whether the CPU works or sleeps.

The emulator advances a PIO block by what the last CPU instruction took, at most one PIO
instruction each time, and gives up what is owed after a sleep. Here instead an alarm wakes each
block at the very clock at which one of its machines is due.

Our programs spend nearly all their time in one loop: test the interlock pin, count a register
down, again. A machine in such a loop is leapt over its rounds in one go. Anything that could make
a difference (a register access, a changed input, an edge) first takes it back to where it would
have been. So the edges are those of the tick-by-tick run; a test compares the two.
"""

from typing import Any

_FP_PER_NS = 32  # 1/256ths of an 8 ns system clock, the emulator's unit of PIO time
_BLOCKS = (0x50200, 0x50300)  # keys of the emulator's peripheral table
_FIRST_SHIFTCTRL, _MACHINE_SIZE = 0x0D0, 0x018
_FIRST_CONFIG, _LAST_CONFIG = 0x048, 0x124  # instruction memory and machine set-up registers
_JMP_PIN = 0b110
_COUNTED = {0b010: "x", 0b100: "y"}  # jmp(x_dec), jmp(y_dec)


class PioTime:
    """Takes over the time of both PIO blocks of `mcu`. `leap=False` runs tick by tick."""

    def __init__(self, mcu: Any, *, leap: bool = True):
        self.leap = leap
        self._clock = mcu.clock
        self._pios = mcu.pio
        self._alarm = mcu.clock.create_alarm(self._due)
        self._machines = [_Machine(pio, sm, mcu.gpio) for pio in mcu.pio for sm in pio.machines]
        self._running: list[_Machine] = []
        self._in_the_air: list[_Machine] = []
        for key in _BLOCKS:
            mcu.peripherals[key] = _WatchedBlock(mcu.peripherals[key], self)

    def catch_up(self) -> None:
        """Bring every machine to now, before something looks at it or changes what it sees."""
        now_fp = round(self._clock.nanos * _FP_PER_NS)
        for machine in self._in_the_air:
            machine.land(now_fp)
        self._in_the_air.clear()
        for pio in self._pios:
            pio.cycle_fp = now_fp
            pio.next_due_fp = 0  # the emulator shall look for itself

    def look_ahead(self) -> None:
        """Find out when the next machine is due, and be there."""
        next_fp = None
        for machine in self._running:
            sm = machine.sm
            if sm.enabled and not sm.waiting:  # a reset may have disabled it
                if self.leap and machine.leap():
                    self._in_the_air.append(machine)
                due_fp = sm.next_due_fp
                if next_fp is None or due_fp < next_fp:
                    next_fp = due_fp
        if next_fp is None:
            self._alarm.cancel()
        else:
            self._alarm.schedule(max(0.0, next_fp / _FP_PER_NS - self._clock.nanos))

    def written(self, offset: int) -> None:
        """A register has been written: programs and what runs may be others now."""
        for pio in self._pios:
            pio.stopped = True  # for the emulator's own stepping
            pio.check_changed_pins()  # an instruction that is written is carried out at once
        if _FIRST_CONFIG <= offset <= _LAST_CONFIG:
            for machine in self._machines:
                machine.loops.clear()
        self._running = [machine for machine in self._machines if machine.sm.enabled]

    def _due(self) -> None:
        self.catch_up()
        for pio in self._pios:
            pio.advance(0)
        self.look_ahead()


class _Loop:
    """A waiting loop as seen from one of its two instructions."""

    __slots__ = ("at_head", "body", "head", "pin", "register")

    def __init__(self, head: int, body: int, register: str, at_head: bool, pin: Any):
        self.head = head
        self.body = body
        self.register = register
        self.at_head = at_head
        self.pin = pin


class _Machine:
    """A state machine that can be leapt to the head of the last round of a waiting loop."""

    __slots__ = ("_due_fp", "_gpio", "_left", "_loop", "_pio", "loops", "sm")

    def __init__(self, pio: Any, sm: Any, gpio: Any):
        self.sm = sm
        self.loops: dict[int, _Loop | None] = {}
        self._pio = pio
        self._gpio = gpio
        self._loop: _Loop | None = None
        self._left = 0
        self._due_fp = 0

    def leap(self) -> bool:
        """Leap, if the machine is in a waiting loop that will go on for a while."""
        sm = self.sm
        pc = sm.pc
        try:
            loop = self.loops[pc]
        except KeyError:
            loop = self.loops[pc] = self._loop_at(pc)
        if loop is None or not loop.pin.input_value:
            return False
        left = sm.y if loop.register == "y" else sm.x
        if left < 3:
            return False
        self._loop = loop
        self._left = left
        self._due_fp = sm.next_due_fp
        setattr(sm, loop.register, 0)
        sm.pc = loop.head
        # A round is the test and the count; from the body, half of one comes first.
        sm.next_due_fp += (2 * left if loop.at_head else 2 * left - 1) * sm.div_fp
        return True

    def land(self, now_fp: int) -> None:
        """Put the machine where it would be at `now_fp` had it not been leapt."""
        sm, loop = self.sm, self._loop
        if now_fp >= sm.next_due_fp or loop is None:
            return
        # Instructions due before now have been made; one due just now has yet to be.
        ticks = max(0, -(-(now_fp - self._due_fp) // sm.div_fp))
        rounds, half = divmod(ticks if loop.at_head else ticks + 1, 2)  # as if from the head
        sm.pc = loop.body if half else loop.head
        setattr(sm, loop.register, self._left - rounds)
        sm.next_due_fp = self._due_fp + ticks * sm.div_fp

    def _loop_at(self, pc: int) -> _Loop | None:
        instructions = self._pio.instructions
        here = instructions[pc]
        target = here & 0x1F
        if here >> 13 or instructions[target] >> 13:
            return None  # not two jumps
        at_head = here >> 5 & 0b111 == _JMP_PIN
        head, body = (pc, target) if at_head else (target, pc)
        test, count = instructions[head], instructions[body]
        register = _COUNTED.get(count >> 5 & 0b111)
        delay_mask = (1 << 5 - (self.sm.pin_ctrl >> 29 & 0b111)) - 1
        if (
            test >> 5 & 0b111 != _JMP_PIN
            or register is None
            or test & 0x1F != body
            or count & 0x1F != head
            or (test >> 8 | count >> 8) & delay_mask
        ):
            return None
        pin = self._gpio[self.sm.exec_ctrl >> 24 & 0x1F]
        return _Loop(head, body, register, at_head, pin)


class _WatchedBlock:
    """A PIO block on the bus that is brought to now before it is read or written."""

    def __init__(self, pio: Any, time: PioTime):
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
        self._time.catch_up()
        number, register = divmod(offset - _FIRST_SHIFTCTRL, _MACHINE_SIZE)
        machine = None if register or not 0 <= number < 4 else self._pio.machines[number]
        joined = machine and machine.shift_ctrl >> 30
        self._pio.write_uint32_atomic(offset, value, atomic_type)
        if machine and machine.shift_ctrl >> 30 != joined:
            self._flush(machine)
        self._time.written(offset)
        self._time.look_ahead()

    def _flush(self, machine: Any) -> None:
        """Both FIFOs are flushed when FJOIN changes (RP2040 datasheet, SM0_SHIFTCTRL): that is
        how software empties them, and the emulator does not."""
        machine.tx_fifo.reset()
        machine.rx_fifo.reset()
        dma = self._pio.rp2040.dma
        dma.set_dreq(self._pio.dreq_tx[machine.index])
        dma.clear_dreq(self._pio.dreq_rx[machine.index])
