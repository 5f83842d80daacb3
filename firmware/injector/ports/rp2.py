"""The RP2040: pins, pulse tracks, stops, the USB line.

PIO0: machine 0 plunger steps, 1 strike, 2 depth steps, 3 counts plunger steps. PIO1: machine 4
counts depth steps. Tracks are fed by DMA and finite: when the CPU dies, what was planned ends.
"""

import select
import sys

import machine
import micropython
import rp2
import usbline

from injector.ports import rp2_programs as programs
from injector.ports import rp2_registers as registers

PLUNGER = 0
DEPTH = 2
_STRIKE = 1

micropython.alloc_emergency_exception_buf(100)  # or an exception in an interrupt has no words


class Track:
    """One state machine and the DMA channel that feeds it."""

    def __init__(self, number, program, **pins):
        self.number = number
        self._machine = rp2.StateMachine(number)  # pyright: ignore[reportCallIssue]  # later
        self._program = program
        self._pins = pins
        self._dma = rp2.DMA()
        self._control = self._dma.pack_ctrl(inc_write=False, treq_sel=number)
        self.channel_bit = 1 << self._dma.channel  # pyright: ignore  # missing in the stubs
        self.rewind()

    def rewind(self):
        """Back to the first instruction with empty queues and outputs low; not running."""
        self._machine.init(self._program, freq=programs.TICK_HZ, **self._pins)

    def load(self, words):
        """Hand over the words of one move; they run when the track is started."""
        self._dma.config(
            read=words, write=self._machine, count=len(words), ctrl=self._control, trigger=True
        )

    @property
    def feeding(self):
        """Whether the DMA still has words to hand over."""
        return self._dma.active()


class EdgeCounter:
    """Counts rising edges of a step pin, apart from what makes them."""

    def __init__(self, number, pin):
        self._machine = rp2.StateMachine(number)  # pyright: ignore[reportCallIssue]  # init follows
        self._machine.init(programs.count, in_base=pin)
        self._push = rp2.asm_pio_encode("push(noblock)", 0)
        self._copy = rp2.asm_pio_encode("mov(isr, x)", 0)
        self._machine.exec("set(x, 0)")
        self._machine.active(1)
        self._mark = 0

    def mark(self):
        """Count from here."""
        self._mark = self._total()

    def counted(self):
        """Rising edges since `mark`."""
        return (self._total() - self._mark) & 0xFFFFFFFF

    def _total(self):
        self._machine.exec(self._copy)
        self._machine.exec(self._push)
        return -self._machine.get() & 0xFFFFFFFF


class Port:
    """The board's hands and eyes. `board` is the module with its pins."""

    step_timing = programs.STEP_TIMING
    strike_timing = programs.STRIKE_TIMING

    def __init__(self, board):
        pin = machine.Pin
        self._enable = pin(board.ENABLE, pin.OUT, value=0)  # first of all: the rail is off
        self._led = pin(board.LED, pin.OUT, value=0)
        self._dir = {
            PLUNGER: pin(board.PLUNGER_DIR, pin.OUT, value=0),
            DEPTH: pin(board.DEPTH_DIR, pin.OUT, value=0),
        }
        interlock = pin(board.INTERLOCK, pin.IN, pin.PULL_DOWN)
        self._tracks = {
            PLUNGER: Track(
                PLUNGER, programs.step, sideset_base=pin(board.PLUNGER_STEP), jmp_pin=interlock
            ),
            _STRIKE: Track(
                _STRIKE,
                programs.strike,
                out_base=pin(board.STRIKE),
                set_base=pin(board.STRIKE),
                jmp_pin=interlock,
            ),
            DEPTH: Track(
                DEPTH, programs.step, sideset_base=pin(board.DEPTH_STEP), jmp_pin=interlock
            ),
        }
        registers.guarded[3] = sum(track.channel_bit for track in self._tracks.values())
        self._counters = {
            PLUNGER: EdgeCounter(3, pin(board.PLUNGER_STEP)),
            DEPTH: EdgeCounter(4, pin(board.DEPTH_STEP)),
        }
        self._inputs = []
        for number in (
            board.INTERLOCK,
            board.GUARD,
            board.STOP,
            board.CARTRIDGE,
            board.CONTACT,
            board.TRIGGER,
            board.PLUNGER_HOME,
            board.DEPTH_HOME,
            board.RAIL,
        ):
            sensor = pin(number, pin.IN, pin.PULL_DOWN)
            sensor.irq(registers.on_drop, pin.IRQ_FALLING, hard=True)
            self._inputs.append(sensor)
        for number, seen in (
            (board.NEEDLE_OUT, registers.on_needle_out),
            (board.NEEDLE_BACK, registers.on_needle_back),
        ):
            sensor = pin(number, pin.IN, pin.PULL_DOWN)
            sensor.irq(seen, pin.IRQ_RISING, hard=True)
            self._inputs.append(sensor)
        self._running = 0
        self.link_lost = False  # the serial port was closed since this was last made False
        usbline.on_loss(self._line_lost)
        self.serial = machine.unique_id().hex()
        self.line = usbline
        self._arrivals = select.poll()
        self._arrivals.register(sys.stdin, select.POLLIN)
        self.read = registers.inputs  # all inputs at once: bit n is GPIO n

    # outputs

    def set_enable(self, on):
        """Firmware's own say in the rail: motors and strike have power only if all agree."""
        self._enable.value(on)

    def set_led(self, on):
        self._led.value(on)

    # tracks

    def start_axis(self, axis, forward, move):
        """Run `move` on PLUNGER or DEPTH, alone."""
        self._dir[axis].value(forward)
        self._counters[axis].mark()
        self._tracks[axis].load(move.words)
        self._start(1 << axis)

    def start_strike(self, words, plunger_move):
        """Run a strike, and the plunger's move (or None) on the same clock."""
        mask = 1 << _STRIKE
        self._counters[PLUNGER].mark()
        self._tracks[_STRIKE].load(words)
        if plunger_move:
            self._dir[PLUNGER].value(1)
            self._tracks[PLUNGER].load(plunger_move.words)
            mask |= 1 << PLUNGER
        self._start(mask)

    def _start(self, mask):
        self._running = mask
        # An input may have fallen since `watch`; one that falls now is seen right after the start.
        before = machine.disable_irq()
        if not registers.guarded[2]:
            registers.start_tracks(mask)
        machine.enable_irq(before)

    @property
    def busy(self):
        """Whether a track still has words to run and has not been stopped."""
        running = self._running
        if not running or self.stopped:
            return False
        if registers.tracks_stalled() & running != running:
            return True
        # A machine that starves for a moment stalls too: it is over when its words are out.
        for number, track in self._tracks.items():
            if running & (1 << number) and track.feeding:
                return True
        return False

    def counted(self, axis):
        """Step edges on PLUNGER or DEPTH since its last start."""
        return self._counters[axis].counted()

    def strike_times_us(self):
        """(needle out, needle back) in µs after the start of the strike; None when not seen."""
        start, out, back = registers.seen
        return (
            (out - start) & 0xFFFFFFFF if out else None,
            (back - start) & 0xFFFFFFFF if back else None,
        )

    # stops

    def watch(self, mask):
        """Make the tracks ready for a start, and from now on halt, in the interrupt, when an
        input in `mask` is low. A serial port that is closed halts them too, watched or not."""
        if self.stopped:
            for track in self._tracks.values():
                while track.feeding:  # an aborted channel is busy until its last write is through
                    pass
                track.rewind()
        registers.make_ready()
        self._running = 0
        registers.guarded[0] = mask
        registers.guarded[1] = mask
        registers.guarded[2] = 0
        registers.on_drop(None)
        if self.link_lost or not usbline.connected():
            registers.halt()

    def unwatch(self):
        registers.guarded[0] = 0

    def _line_lost(self, _):
        self.link_lost = True
        registers.halt()

    @property
    def stopped(self):
        """Whether the watch, the chip's own interlock test or `halt` has stopped the tracks."""
        return bool(registers.guarded[2] or registers.tracks_latched())

    @property
    def inputs_at_stop(self):
        """The inputs as they were when the watch saw one low."""
        return registers.guarded[1]

    def halt(self):
        """Stop all tracks now."""
        registers.halt()

    def off(self):
        """Everything off, whatever the state; for the way out."""
        self._enable.value(0)
        registers.halt()
        self.unwatch()

    # the rest

    def wait(self, ms):
        """Sleep for `ms`, or until the serial line has something."""
        self._arrivals.poll(ms)
