"""The RP2040: pins, pulse tracks, stops, the USB line.

PIO0: machine 0 plunger steps, 1 strike, 2 depth steps. PIO1: 4 counts plunger steps, 5 depth
steps, 6 is the dead-man of the rail. Tracks are finite: when the CPU dies, what was handed over
ends, and the dead-man takes the rail away.
"""

import os
import select
import sys

import machine
import micropython
import uctypes
import usbline

from injector.ports import rp2_programs as programs
from injector.ports import rp2_registers as registers
from injector.ports.rp2_flash import Image, Region, Watchdog
from injector.ports.rp2_tracks import DeadMan, EdgeCounter, FedTrack, Track
from injector.uptime import LOW

PLUNGER = 0
DEPTH = 2
_STRIKE = 1
_COUNTERS = {PLUNGER: 4, DEPTH: 5}
_DEAD_MAN = 6

_FLASH = 0x10000000
_PIO1 = 0x50300000
_DMA = 0x50000000
_FORCE_MS = 4  # at 1 mL/s 4 µL: an occlusion is nowhere near as sudden
_FIRST_ANALOG = 26  # the GPIO of the ADC's channel 0

micropython.alloc_emergency_exception_buf(100)  # or an exception in an interrupt has no words


class Port:
    """The board's hands and eyes. `board` is the module with its pins; `pulse_ns` is what its
    step drivers want as a pulse; `hold_ms` how long the rail outlives the program."""

    PLUNGER = PLUNGER
    DEPTH = DEPTH

    def __init__(self, board, pulse_ns, hold_ms):
        pin = machine.Pin
        self._dead_man = DeadMan(_DEAD_MAN, pin(board.ENABLE), hold_ms)  # first: the rail is off
        self._led = pin(board.LED, pin.OUT, value=0)
        self._alarm = tuple(
            pin(number, pin.OUT, value=0)
            for number in (board.ALARM_RED, board.ALARM_YELLOW, board.BUZZER)
        )
        analog = (board.COIL_TEMP, board.SUPPLY, board.FORCE)
        for number in analog:
            machine.ADC(number)  # its pad without pull and input buffer
        self._channels = tuple(number - _FIRST_ANALOG for number in analog)
        self._counts = [0, 0, 0]
        registers.force[3] = (board.FORCE - _FIRST_ANALOG) << 12 | 0b101  # START_ONCE, EN
        registers.force[10] = 2_000 * _FORCE_MS
        self._force_timer = machine.Timer()  # pyright: ignore[reportCallIssue]  # not started
        self._timing = False
        self._idle_beats = 0
        before = registers.remembered()
        self.restarted_in = None if before < 0 else before  # the state that a reset ended
        self.remember = registers.remember  # (state's place)
        self._dir = {
            PLUNGER: pin(board.PLUNGER_DIR, pin.OUT, value=0),
            DEPTH: pin(board.DEPTH_DIR, pin.OUT, value=0),
        }
        tick_hz = programs.CLOCK_HZ
        high_ns = programs.HIGH_TICKS * 1_000_000_000 // tick_hz
        if pulse_ns > high_ns:  # slower ticks, longer pulses
            tick_hz //= -(-pulse_ns // high_ns)
        self.step_timing = programs.step_timing(tick_hz)
        self.strike_timing = programs.strike_timing(tick_hz)
        interlock = pin(board.INTERLOCK, pin.IN, pin.PULL_DOWN)
        needle_out = pin(board.NEEDLE_OUT, pin.IN, pin.PULL_DOWN)
        self._strike = Track(
            _STRIKE,
            programs.strike,
            tick_hz,
            out_base=pin(board.STRIKE),
            set_base=pin(board.STRIKE),
            jmp_pin=interlock,
        )
        self._tracks = {
            axis: FedTrack(
                axis,
                programs.step,
                tick_hz,
                sideset_base=pin(number),
                in_base=needle_out,
                jmp_pin=interlock,
            )
            for axis, number in ((PLUNGER, board.PLUNGER_STEP), (DEPTH, board.DEPTH_STEP))
        }
        self._counters = {
            axis: EdgeCounter(_COUNTERS[axis], pin(number))
            for axis, number in ((PLUNGER, board.PLUNGER_STEP), (DEPTH, board.DEPTH_STEP))
        }
        registers.guarded[3] = sum(1 << track.channel for track in self._tracks.values())
        registers.guarded[4] = 0 if pulse_ns <= high_ns else pulse_ns // 1000 + 2
        strikes = registers.strikes
        strikes[6] = 1 << board.STRIKE
        strikes[7] = _DMA + 0x40 * self._tracks[PLUNGER].channel
        counter = _COUNTERS[PLUNGER] - 4
        strikes[8] = _PIO1 + 0xD8 + 0x18 * counter  # SMn_INSTR
        strikes[9] = _PIO1 + 0x20 + 4 * counter  # RXFn
        # What queued strikes point at must stay alive.
        self._held: "list[object]" = [None] * registers.QUEUE
        self._inputs = []
        for number in (
            board.INTERLOCK,
            board.GUARD,
            board.STOP,
            board.CARTRIDGE,
            board.CONTACT,
            board.TRIGGER,
            board.TRIGGER_2,
            board.PLUNGER_HOME,
            board.DEPTH_HOME,
            board.RAIL,
            board.DRIVER_OK,
        ):
            sensor = pin(number, pin.IN, pin.PULL_DOWN)
            sensor.irq(registers.on_drop, pin.IRQ_FALLING, hard=True)
            self._inputs.append(sensor)
        for sensor, seen in (
            (pin(board.STRIKE), registers.on_strike),
            (needle_out, registers.on_needle_out),
            (pin(board.NEEDLE_BACK, pin.IN, pin.PULL_DOWN), registers.on_needle_back),
        ):
            sensor.irq(seen, pin.IRQ_RISING, hard=True)
            self._inputs.append(sensor)
        self._running = 0
        self.losses = 0  # how often the serial port was closed
        self.dir_stuck = False  # a DIR pin did not follow since the last `watch`
        self.link_lost = False  # the serial port was closed since this was last made False
        self.host_stopped = False  # the host's stop byte came since this was last made False
        usbline.on_loss(self._line_lost)
        usbline.on_stop(self.host_stop)
        self.watchdog = Watchdog()
        self.ledger_flash = Region(
            board.FLASH_SIZE, board.LEDGER_START, board.LEDGER_SIZE, self.watchdog
        )
        self.settings_flash = Region(
            board.FLASH_SIZE, board.SETTINGS_START, board.SETTINGS_SIZE, self.watchdog
        )
        self.reset_cause = machine.reset_cause()
        self.image = Image(_FLASH, board.IMAGE_NOTE)
        self.serial = machine.unique_id().hex()
        self.line = usbline
        self._arrivals = select.poll()
        self._arrivals.register(sys.stdin, select.POLLIN)
        self.random = os.urandom  # (size), from the chip's noise
        self.read = registers.inputs  # all inputs at once: bit n is GPIO n
        self.note = registers.note  # (event, value) for the trace
        self.timer_us = registers.timer  # its low 30 bits
        self.clock = registers.clock  # [wraps of these, low 30 bits]

    # outputs

    def hold_rail(self):
        """Firmware's own say in the rail: motors and strike have power only if all agree. It must
        be said again within `hold_ms`, or the rail falls."""
        self._dead_man.kick()

    def drop_rail(self):
        self._dead_man.drop()

    def set_led(self, on):
        self._led.value(on)

    def set_alarm(self, red, yellow, buzzer):
        """The two lights and the buzzer, each on or off."""
        for output, on in zip(self._alarm, (red, yellow, buzzer)):
            output.value(on)

    # analog inputs

    def analog(self):
        """Counts of 4096 of coil temperature, motor supply and plunger force, in a list that is
        used again by the next call."""
        counts = self._counts
        for place, channel in enumerate(self._channels):
            counts[place] = registers.analog(channel)
        return counts

    # axes

    def start_axis(self, axis, forward, move):
        """Run `move` on PLUNGER or DEPTH, alone."""
        self.start_axes(((axis, forward, move),))

    def start_axes(self, moves):
        """Run several moves, each (axis, forward, move), from the same clock on."""
        mask = 0
        for axis, forward, move in moves:
            self._face(axis, forward)
            self._counters[axis].mark()
            self._tracks[axis].load(move.words)
            mask |= 1 << axis
        self._start(mask)

    def _face(self, axis, forward):
        """Set DIR. A pin that does not follow lets nothing start."""
        pin = self._dir[axis]
        pin.value(forward)
        if pin.value() != int(forward):
            self.dir_stuck = True
            registers.halt()

    def _start(self, mask):
        self._running = mask
        # An input may have fallen since `watch`; one that falls now is seen right after the start.
        before = machine.disable_irq()
        if not registers.guarded[2]:
            registers.let_go()
            registers.start_tracks(mask)
        machine.enable_irq(before)

    @property
    def busy(self):
        """Whether an axis still has words to run and has not been stopped."""
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

    # strikes

    def queue_strike(self, words, move):
        """Put a strike, with the plunger's gated move or None, behind those that wait. Each is
        let go when the needle of the one before is back. Room for 32: see `waiting`."""
        strikes = registers.strikes
        number = strikes[registers.QUEUED]
        place = number % registers.QUEUE
        self._held[place] = (words, move)
        queue = registers.queue
        queue[4 * place] = uctypes.addressof(words)
        queue[4 * place + 1] = len(words)
        queue[4 * place + 2] = uctypes.addressof(move.words) if move else 0
        queue[4 * place + 3] = len(move.words) if move else 0
        strikes[registers.QUEUED] = number + 1

    def start_strikes(self):
        """Let the first strike go; the plunger pushes forward."""
        self._face(PLUNGER, True)
        force = registers.force
        force[7] = force[8] = self._counters[PLUNGER].mark()
        force[9] = registers.timer()
        self._start(1 << _STRIKE | 1 << PLUNGER)

    def go_on(self):
        """Let the next strike go if all that were let go are over: nobody else would."""
        strikes = registers.strikes
        before = machine.disable_irq()
        over = strikes[registers.LET_GO] == strikes[registers.LOGGED]
        if over and not registers.guarded[2]:
            registers.let_go()
        machine.enable_irq(before)

    @property
    def started(self):
        """Strikes that have begun since `watch`."""
        return registers.strikes[registers.STARTED]

    @property
    def finished(self):
        """Strikes since `watch` whose needle was seen out and back."""
        return registers.strikes[registers.LOGGED]

    def strike(self, number):
        """(start, needle out, needle back, plunger edges since `start_strikes`, `unfelt` by then)
        of a finished strike, 0 the first; times of the µs timer. At most 64 are kept."""
        at = 5 * (number % registers.LOG)
        start, out, back, edges, unfelt = registers.log[at : at + 5]
        return start, out, back, self._counters[PLUNGER].since_mark(edges), unfelt

    def counted_in_strikes(self):
        """Plunger edges since `start_strikes`."""
        return self._counters[PLUNGER].counted()

    def strike_under_way(self):
        """(start, needle out or None) of the strike that began last."""
        start, out = registers.strikes[registers.START], registers.strikes[registers.OUT]
        return start, out or None

    def edges(self, axis):
        """Step edges on PLUNGER or DEPTH since boot, whoever made them."""
        return self._counters[axis].total()

    # stops

    def limit_force(self, counts):
        """From the next `watch` on, halt when the plunger force is above `counts` at two looks
        in a row, `_FORCE_MS` apart; 0 is no limit."""
        registers.force[0] = counts

    def expect_force(self, counts):
        """From now on the plunger is felt to push when its force is at `counts` or above at two
        looks in a row, while a force is limited."""
        registers.force[6] = counts

    @property
    def unfelt(self):
        """Plunger edges since it was last felt to push, or `start_strikes`, to the last look; but
        for those that no look came in time for."""
        force = registers.force
        return (force[8] - force[7]) & LOW

    @property
    def pressed_too_hard(self):
        """Whether the force has halted the tracks since `watch`, or `off`."""
        return bool(registers.force[2])

    def watch(self, mask):
        """Make the tracks ready for a start, and from now on halt, in the interrupt, when an
        input in `mask` is low. A serial port that is closed halts them too, watched or not."""
        if self.stopped:
            registers.halt()  # a program that has latched by itself leaves its channel waiting
            self._strike.rewind()
            for track in self._tracks.values():
                track.rewind_when_fed()
        self.dir_stuck = False
        registers.make_ready()
        self._running = 0
        registers.guarded[0] = mask
        registers.guarded[1] = mask
        registers.guarded[2] = 0
        force = registers.force
        force[1] = force[2] = force[5] = 0
        if force[0]:
            self._force_timer.init(period=_FORCE_MS, callback=registers.on_force)
            self._timing = True
        else:
            self._stop_timer()
        registers.check()
        if self.link_lost or self.host_stopped or not usbline.connected():
            registers.halt()

    def unwatch(self):
        self._stop_timer()
        registers.guarded[0] = 0

    def _line_lost(self, _):
        self.losses += 1
        self.link_lost = True
        registers.halt()

    def host_stop(self, _=None):
        """The host's stop byte has come, or has been read behind a request: nothing goes on."""
        self.host_stopped = True
        registers.halt()

    @property
    def stopped(self):
        """Whether the watch, a pulse program itself or `halt` has stopped the tracks."""
        return bool(registers.guarded[2] or registers.tracks_latched())

    @property
    def dose_refused(self):
        """The plunger alone has stopped itself: a dose was due and the needle not seen out."""
        return registers.tracks_latched() == 1 << PLUNGER

    @property
    def inputs_at_stop(self):
        """The inputs as they were when the watch saw one low."""
        return registers.guarded[1]

    def halt(self):
        """Stop all tracks now."""
        registers.halt()

    def off(self):
        """Everything off, whatever the state; for the way out."""
        self.drop_rail()
        registers.halt()
        self.unwatch()
        registers.force[2] = 0
        self._forget_strikes()

    def _forget_strikes(self):
        """Give back what the strikes since the last start point at: nothing runs any more. Their
        addresses too, because collecting takes any word on the heap for a reference."""
        held, queue = self._held, registers.queue
        for place in range(registers.QUEUE):
            if held[place] is None:
                break  # they are put in from the first place on
            held[place] = None
            queue[4 * place] = 0
            queue[4 * place + 2] = 0

    def _stop_timer(self):
        self._force_timer.deinit()
        self._timing = False

    def beat(self):
        """A number that changes while the timer's interrupt lives; it always does while nobody
        needs the timer."""
        if self._timing:
            return registers.force[4]
        self._idle_beats += 1
        return -self._idle_beats

    # the rest

    def trace(self):
        """(wraps, µs timer, event, value) of the last events, oldest first."""
        noted = registers.place[0]
        for number in range(max(0, noted - registers.EVENTS), noted):
            at = 3 * (number % registers.EVENTS)
            low, what, value = registers.events[at : at + 3]
            yield what >> 4, low, what & 15, value

    def wait(self, ms):
        """Sleep for `ms`, or until the serial line has something."""
        self._arrivals.poll(ms)
