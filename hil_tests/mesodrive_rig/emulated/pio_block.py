"""The PIO blocks alone, system clock by system clock, as the shipping image has programmed them.

The image boots on an emulated chip; then its CPU and everything else stand still, and a test
plays CPU and DMA: it hands over words, starts machines, drives pins, and sees every edge with the
number of its clock. What it shows of the programs is thus exact to the clock (8 ns), and quick
enough for millions of steps.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rp2040py.gpio_pin import GPIOPinState
from rp2040py.peripherals.pio import WaitType
from rp2040py.peripherals.pio_registers import CTRL, IRQ, SM0_CLKDIV, SM0_INSTR, SM1_CLKDIV, TXF0

from mesodrive_rig.emulated.chip import Chip
from mesodrive_rig.emulated.chip_pio import CLOCK_FP
from mesodrive_rig.emulated.pio_loops import LeapingMachine
from mesodrive_rig.emulated.rig import IMAGE

CLOCK_NS = 8
_BOOT_NS = 150e6  # the programs are set up long before
_PIO_FUNCTIONS = (6, 7)  # of a pin: PIO0, PIO1
_MACHINE_SIZE = SM1_CLKDIV - SM0_CLKDIV
_SET_PINS_0 = 0xE000
_NOP_SIDE_0 = 0xA042
_JMP = 0x0000


class Edge(NamedTuple):
    """An output changed in system clock `clock`."""

    clock: int
    gpio: int
    level: bool


class PioBlock:
    """Both PIO blocks. Machines are numbered as MicroPython does: 0 to 3 in PIO0, 4 to 7 in PIO1.

    `clock` is the last system clock that is over: everything due in it has been done. What is
    written or driven now is seen in the next. `leap=False` really goes clock by clock; otherwise
    clocks in which no machine is due are passed over, and waiting loops are leapt: the same edges.
    """

    def __init__(self, image: Path = IMAGE, *, leap: bool = True):
        """Boot `image` and stop its CPU for good; its machines stand as the firmware left them."""
        chip = Chip(image)
        chip.power_on()
        chip.run_for(_BOOT_NS)
        chip.pio_time.catch_up()
        self.leap = leap
        self.clock = 0
        self.edges: list[Edge] = []
        self._pins: Any = chip.mcu.gpio
        self._pios: list[Any] = chip.mcu.pio
        self._machines = [
            LeapingMachine(pio, sm, chip.mcu) for pio in self._pios for sm in pio.machines
        ]
        self._feeds: dict[int, tuple[Sequence[int], int]] = {}  # machine: words, next one
        self._first_pc = [machine.sm.pc for machine in self._machines]
        for pio in self._pios:
            behind_fp = pio.cycle_fp
            pio.cycle_fp = 0
            for sm in pio.machines:
                sm.next_due_fp -= behind_fp
            pio.recompute_due()
        for gpio, pin in enumerate(self._pins):
            if pin.function_select in _PIO_FUNCTIONS:
                pin.add_listener(self._listener(gpio, pin))

    # what a CPU and a DMA do

    def put(self, machine: int, words: Iterable[int]) -> None:
        """Write `words` to the queue of `machine`, now; what finds no room is lost, as on the
        chip."""
        pio, number = self._at(machine)
        for word in words:
            pio.write_uint32(TXF0 + 4 * number, word)

    def feed(self, machine: int, words: Sequence[int]) -> None:
        """Keep the queue of `machine` full from `words` until they are out, as a DMA channel
        does, but without its delay. Replaces what was left of an earlier feed."""
        self._feeds[machine] = (words, 0)
        self._top_up()

    def abort(self, machine: int) -> None:
        """Feed no more; what is in the queue stays there."""
        self._feeds.pop(machine, None)

    def start(self, *machines: int) -> int:
        """Switch machines on, all in one clock with their dividers in phase; return the clock of
        their first instructions, which is the next one if they are not divided."""
        for index, mask in self._masks(machines):
            pio = self._pios[index]
            pio.write_uint32(CTRL, pio.read_uint32(CTRL) | mask | mask << 8)
        return self.clock + 1

    def stop(self, *machines: int) -> None:
        """Switch machines off; their pins stay as they are."""
        for index, mask in self._masks(machines):
            pio = self._pios[index]
            pio.write_uint32(CTRL, pio.read_uint32(CTRL) & ~mask)

    def rewind(self, machine: int) -> None:
        """Off, queue empty, flag clear, outputs low, at the first instruction again."""
        pio, number = self._at(machine)
        self.stop(machine)
        self.abort(machine)
        sm = self._machines[machine].sm
        sm.tx_fifo.reset()
        self.clear_flags(machine // 4, 1 << number)
        pio.tx_stall &= ~(1 << 24 + number)
        pio.write_uint32(CTRL, pio.read_uint32(CTRL) | 1 << 4 + number)  # SM_RESTART
        self.execute(machine, _NOP_SIDE_0 if sm.sideset_count else _SET_PINS_0)
        self.execute(machine, _JMP | self._first_pc[machine])

    def execute(self, machine: int, instruction: int) -> None:
        """Have `machine` carry out one encoded instruction at once."""
        pio, number = self._at(machine)
        pio.write_uint32(SM0_INSTR + number * _MACHINE_SIZE, instruction)
        pio.check_changed_pins()

    def clear_flags(self, block: int, mask: int = 0xFF) -> None:
        """Clear the IRQ flags in `mask` of PIO `block`."""
        self._land()
        self._pios[block].write_uint32_atomic(IRQ, mask, 0)

    # what happens at the pins

    def drive(self, gpio: int, level: bool) -> None:
        """Drive an input from outside; machines see it in the next clock. The chip's input
        synchroniser would add two more (RP2040 datasheet, 3.5.6)."""
        self._land()
        self._pins[gpio].set_input_value(level)

    def level(self, gpio: int) -> bool:
        """The level of an output."""
        return self._pins[gpio].value is GPIOPinState.HIGH

    # what can be seen inside

    def flags(self, block: int) -> int:
        """The eight IRQ flags of PIO `block`."""
        return self._pios[block].irq

    def x(self, machine: int) -> int:
        """Scratch register X: a counter's count, negative, modulo 2**32."""
        self._land()
        return self._machines[machine].sm.x

    def queued(self, machine: int) -> int:
        """Words in the queue of `machine`."""
        return self._machines[machine].sm.tx_fifo.item_count

    def stalled(self, machine: int) -> bool:
        """Whether `machine` waits for something: a word, a pin, a flag."""
        return self._machines[machine].sm.waiting

    # time

    def run(self, clocks: int) -> None:
        """Let `clocks` system clocks pass."""
        self.run_until(self.clock + clocks)

    def run_until(self, clock: int) -> None:
        """Let time pass until system clock `clock` is over."""
        self._run(clock, None)

    def run_until_stalled(self, machine: int, within: int) -> bool:
        """Let time pass until `machine` has run out of words, at most `within` clocks; whether
        it has. `clock` is then the clock of the stall."""
        return self._run(self.clock + within, machine)

    def _run(self, end: int, watched: int | None) -> bool:
        """Until clock `end` is over, or `watched` has run out of words."""
        machines = [machine for machine in self._machines if machine.sm.enabled]
        # What a machine of PIO0 does in one clock, PIO1 sees in the next.
        second, first = self._pios
        feeds = self._feeds
        sm = None if watched is None else self._machines[watched].sm
        while not (sm and sm.waiting and sm.wait_type == WaitType.TX_FIFO) or watched in feeds:
            if self.leap:
                due_fp = first.next_due_fp
                if second.next_due_fp < due_fp:
                    due_fp = second.next_due_fp
                now = -(-due_fp // CLOCK_FP)
            else:
                now = self.clock + 1
            if now > end:
                break
            now_fp = now * CLOCK_FP
            self.clock = now
            first.cycle_fp = second.cycle_fp = now_fp
            first.advance(0)
            second.advance(0)
            if feeds:
                self._top_up()
            if not self.leap:
                continue
            leapt = False
            for machine in machines:
                if machine.lands_fp <= now_fp and not machine.sm.waiting and machine.leap():
                    leapt = True
            if leapt:
                first.recompute_due()
                second.recompute_due()
        else:
            return True
        self.clock = end
        first.cycle_fp = second.cycle_fp = end * CLOCK_FP
        return False

    def _land(self) -> None:
        for machine in self._machines:
            machine.land(self.clock * CLOCK_FP + 1)  # all that was due until now is done
        for pio in self._pios:
            pio.recompute_due()

    def _top_up(self) -> None:
        for machine, (words, place) in list(self._feeds.items()):
            fifo = self._machines[machine].sm.tx_fifo
            room = fifo.size - fifo.item_count
            if room:
                self.put(machine, words[place : place + room])
                if place + room >= len(words):
                    del self._feeds[machine]
                else:
                    self._feeds[machine] = (words, place + room)

    def _at(self, machine: int) -> tuple[Any, int]:
        self._land()
        return self._pios[machine // 4], machine % 4

    def _masks(self, machines: Iterable[int]) -> Iterable[tuple[int, int]]:
        """Block and CTRL bits of `machines`."""
        self._land()
        masks = [0, 0]
        for machine in machines:
            masks[machine // 4] |= 1 << machine % 4
        return [(index, mask) for index, mask in enumerate(masks) if mask]

    def _listener(self, gpio: int, pin: Any) -> Any:
        level = pin.value is GPIOPinState.HIGH

        def changed(state: GPIOPinState, _: object) -> None:
            nonlocal level
            new = state is GPIOPinState.HIGH
            if new is not level:
                level = new
                self.edges.append(Edge(self.clock, gpio, new))
                pin.set_input_value(new)  # a pad's input side sees the pad

        return changed
