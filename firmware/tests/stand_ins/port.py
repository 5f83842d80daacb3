"""The port that `injector.ports` describes, with an injector at its pins."""

import binascii

import board
import drives

from injector.uptime import LOW, LOW_BITS
from stand_ins.flash import StandInFlash
from stand_ins.line import StandInLine
from stand_ins.needle import Needle
from stand_ins.programs import STEP_TIMING, STRIKE_TIMING, TICKS_US, Pulses, strike_level
from stand_ins.wiring import Wiring

PLUNGER = 0
DEPTH = 2

QUEUE = 32
FIFO = 8
EVENTS = 128
STRIKE, OUT, BACK, FELL, HALTED = 1, 2, 3, 4, 5  # events of the trace

_TICKS_MS = 1_000 * TICKS_US
_FORCE_TICKS = 4 * _TICKS_MS
_NEVER = 1 << 60
_STEPS_MS = 400  # more than any axis makes in a millisecond
_SECTOR = 4096  # of the flash
_LEDGER_SECTORS = 8
_SETTINGS_SECTORS = 2
_BOOT_TIMER = LOW + 1 - 5_000_000  # so that the µs timer wraps 5 s after the start


class WatchedFlash(StandInFlash):
    """A flash that is never to be busy while something moves, nor erased with the rail on."""

    def __init__(self, port, sectors):
        super().__init__(sectors, _SECTOR)
        self._port = port

    def program(self, address, data):
        if self._port.moving:
            raise RuntimeError("The flash is programmed while something moves.")
        super().program(address, data)

    def erase(self, address):
        if self._port.moving or self._port.enable:
            raise RuntimeError("The flash is erased while the rail is on.")
        super().erase(address)


class StandInWatchdog:
    """Says how long it is patient; it never bites."""

    patient_ms = None  # None: as long as it was told at the start

    def wait(self, ms):
        self.patient_ms = ms

    def go_on(self):
        self.patient_ms = None


class StandInImage:
    """An image whose bytes can be turned over."""

    def __init__(self):
        self.bytes = bytearray(bytes(range(256)) * 20)
        self.size = len(self.bytes)
        self.crc = binascii.crc32(self.bytes)

    def part(self, at, size):
        return memoryview(self.bytes)[at : at + size]


class StandInPort(Wiring):
    """Time is in ticks of 8 ns; `now_ms`, `now_us` and the timers round it down."""

    PLUNGER = PLUNGER
    DEPTH = DEPTH
    serial = "5eed"
    reset_cause = 1  # power
    step_timing = STEP_TIMING
    strike_timing = STRIKE_TIMING

    def __init__(self):
        super().__init__()
        self.line = StandInLine()
        self.watchdog = StandInWatchdog()
        self.image = StandInImage()
        self.ledger_flash = WatchedFlash(self, _LEDGER_SECTORS)
        self.settings_flash = WatchedFlash(self, _SETTINGS_SECTORS)
        self.led = 0
        self.restarted_in = None
        self.remembered = None  # the state's place
        self.interrupts_live = True
        self._beats = 0
        self.link_lost = False
        self.losses = 0
        self.drawn = 0  # random bytes so far
        self.dir_stuck = False
        self.host_stopped = False
        # bad luck
        self.dir_wire = None  # the level at which it is shorted
        self.home_open = False  # the wires of both home switches
        self.strike_high = False  # its wire is shorted
        self.deaf = False  # no pin makes an interrupt
        self.stands = False  # the step machine makes nothing of what it is given
        self.lost_steps = 0  # edges of each move that the counter does not see
        self.force_unseen = False  # the program is kept from looking at the force
        self.needle = Needle(self._depth_um)
        # what truly happens
        self.at = {PLUNGER: 2_000, DEPTH: 4_000}  # steps from where the home switch closes
        self.pushed = 0  # plunger steps forward, within strikes
        self.begun = []  # the tick of every strike's start
        self.on_strike = lambda: None
        self.events = []
        self._mask = 0
        self._halted = False
        self._refused = False
        self.inputs_at_stop = 0
        self._force_limit = 0
        self._force_looks = 0  # in a row above it
        self._force_before = 0  # counts at the look before
        self._force_pushing = 0  # counts from which on the plunger is felt to push
        self.unfelt = 0
        self._felt = 0  # plunger edges when it last was
        self._looked = self._looked_at = 0  # plunger edges, and tick, at the last look
        self._feels_at = 0
        self.pressed_too_hard = False
        self._edges = {PLUNGER: 0, DEPTH: 0}  # as counted since boot
        self._axis = PLUNGER
        self._forward = True
        self._pulses = None  # of the move under way
        self._origin = None  # the tick from which its pulses count; None before its gate
        self._made = 0
        self._counted = 0
        self._make_ready()

    # time

    @property
    def now_us(self):
        return self.now // TICKS_US

    @property
    def now_ms(self):
        return self.now // _TICKS_MS

    def timer_us(self):
        return (_BOOT_TIMER + self.now_us) & LOW

    def advance(self, ms):
        """Let time pass."""
        self.advance_us(1_000 * ms)

    def advance_us(self, us):
        """Let time pass."""
        until = self.now + TICKS_US * us
        while self.now < until:
            self.now = min(until, self._next_tick())
            self._make_steps()
            if self._word_ends is not None and self._word_ends <= self.now:
                self._next_word()
            if self.needle.next_tick(_NEVER) <= self.now:
                self._needle_arrives()
            self._look()
            if self._watching_force and self.now >= self._feels_at:
                self._feels_at = self.now + _FORCE_TICKS
                self._feel()

    @property
    def _watching_force(self):
        watched = self._force_limit and self._mask and not self._halted
        return bool(watched and not self.force_unseen)

    def _next_tick(self):
        tick = self.needle.next_tick(_NEVER)
        if self._watching_force:
            tick = min(tick, max(self._feels_at, self.now + 1))
        if self._word_ends is not None:
            tick = min(tick, self._word_ends)
        if self._moves and self._origin is not None:
            # A home switch may open or close, after so many steps.
            ms = max(1, abs(self.at[self._axis]) // _STEPS_MS)
            tick = min(tick, self.now + ms * _TICKS_MS)
        return max(min(tick, self.rail_tick(tick)), self.now + 1)

    # what the firmware calls: outputs

    def remember(self, state):
        self.remembered = state

    def beat(self):
        self._beats += self.interrupts_live
        return self._beats

    def set_led(self, on):
        self.led = int(on)

    # axes

    def start_axis(self, axis, forward, move):
        self._counted = 0
        if self.stopped:
            return
        if self._faces(forward):
            self._load(axis, forward, move)
            self._origin = self.now

    def _faces(self, forward):
        if self.dir_wire is not None and self.dir_wire != int(forward):
            self.dir_stuck = True
            self.halt()
        return not self.dir_stuck

    @property
    def busy(self):
        return not self.stopped and self._moves

    def counted(self, axis):
        return self._counted if axis == self._axis else 0

    def edges(self, axis):
        return self._edges[axis]

    def stray(self, axis, edges):
        """Edges that nobody asked for."""
        self._edges[axis] += edges
        self.at[axis] += edges

    # strikes

    def queue_strike(self, words, move):
        if self._queued - self._let_go >= QUEUE:
            raise RuntimeError("No more than 32 strikes fit the queue.")
        self._queue.append((list(words), move))
        self._queued += 1

    def start_strikes(self):
        self._counted = self._felt = self._looked = self.unfelt = 0
        self._looked_at = self.now
        if self.stopped:
            return
        self._axis = PLUNGER
        self._forward = True
        if self._faces(True):
            self._running = True
            self._let_one_go()

    def go_on(self):
        if self._let_go == self.finished and not self._halted:
            self._let_one_go()

    def strike(self, number):
        return self._log[number]

    def strike_under_way(self):
        return self._start, self._out

    def counted_in_strikes(self):
        return self._counted

    # stops

    def limit_force(self, counts):
        self._force_limit = counts

    def expect_force(self, counts):
        self._force_pushing = counts

    def watch(self, mask):
        self._force_looks = self._force_before = 0
        self.pressed_too_hard = False
        self._make_ready()
        self.dir_stuck = False
        self._mask = mask
        self.inputs_at_stop = mask
        self._halted = False
        self._look()
        if self.link_lost or self.host_stopped or not self.line.open:
            self.halt()

    def unwatch(self):
        self._mask = 0

    @property
    def stopped(self):
        return self._halted or self._refused

    @property
    def dose_refused(self):
        return self._refused

    def halt(self):
        self._halted = True
        self._pulses = None
        self._fifo = []
        self._word_ends = None
        self._set_level(0)
        self.note(HALTED, self.read())

    def off(self):
        self.drop_rail()
        self.halt()
        self.unwatch()
        self.pressed_too_hard = False

    def random(self, size):
        self.drawn += size
        return bytes([(7 * self.drawn + place) & 0xFF for place in range(size)])

    def note(self, event, value):
        self.events.append((self.now_us >> LOW_BITS, self.now_us & LOW, event, value))
        del self.events[:-EVENTS]

    def trace(self):
        return iter(list(self.events))

    def read(self):
        bits = self.wired_bits()
        if self.needle.is_back:
            bits |= 1 << board.NEEDLE_BACK
        if self.needle.is_out:
            bits |= 1 << board.NEEDLE_OUT
        if self._level or self.strike_high:
            bits |= 1 << board.STRIKE
        if self.home_open:
            return bits
        if self.at[PLUNGER] > 0:
            bits |= 1 << board.PLUNGER_HOME
        if self.at[DEPTH] > 0:
            bits |= 1 << board.DEPTH_HOME
        return bits

    # what a test does and asks

    def host_stop(self):
        """The host's stop byte has come."""
        self.host_stopped = True
        self.halt()

    def set(self, name, value):
        """A hand moves an input, a part fails, the host opens or closes the port: at once."""
        if name in self.hands:
            self.move_hand(name, value)
        elif name == "open":
            self.line.open = value
            if not value:
                self.link_lost = True
                self.losses += 1
                self.halt()
        elif name.startswith("needle_"):
            setattr(self.needle, name[7:], value)
        else:
            setattr(self, name, value)
        self._look()

    @property
    def strikes(self):
        """How many have ever begun."""
        return len(self.begun)

    @property
    def waiting(self):
        """Strikes that are queued and have not been let go."""
        return self._queued - self._let_go

    @property
    def moving(self):
        """Whether anything is driven: step pulses, or the strike."""
        return bool((self._moves and self._origin is not None) or self._level)

    # within

    def _make_ready(self):
        """What `watch` clears: machines, flags, and all that is known of strikes."""
        self._pulses = None
        self._fifo = []  # words
        self._word_ends = None  # tick; None while the machine waits for a word
        self._level = 0
        self._gate = False  # the flag by which a strike lets its dose begin
        self._refused = False
        self._running = False
        self._queue = []
        self._queued = self._let_go = self.started = 0
        self._start = 0
        self._out = None
        self._log = []

    @property
    def finished(self):
        return len(self._log)

    @property
    def _moves(self):
        return self._pulses is not None and self._made < self._pulses.rises

    def _depth_um(self):
        at_um = self.at[DEPTH] * 1_000 // drives.DEPTH.steps_per_mm
        return max(0, at_um - drives.DEPTH.screw.backlash_um - drives.DEPTH_SURFACE_UM)

    def _load(self, axis, forward, move):
        if self._moves:
            raise RuntimeError("A move is handed over before the one before it has ended.")
        self._axis = axis
        self._forward = forward
        self._made = 0
        self._pulses = Pulses(move.words)
        self._origin = None

    @property
    def _pushing(self):
        return bool(self._running and self._moves and self._origin is not None and self._made)

    def _make_steps(self):
        if self.stands or not self._moves or self._origin is None:
            return
        made = self._pulses.by(self.now - self._origin)
        steps = made - self._made
        counted = max(0, made - self.lost_steps) - max(0, self._made - self.lost_steps)
        self._counted += counted
        self._edges[self._axis] += counted
        self._made = made
        self.at[self._axis] += steps if self._forward else -steps
        if self._running:
            self.pushed += steps

    def _let_one_go(self):
        if not self._queue:
            return
        words, move = self._queue.pop(0)
        if move:
            self._load(PLUNGER, True, move)
        self._let_go += 1
        self._fifo.extend(words)
        if self._word_ends is None:
            self._next_word()
        if len(self._fifo) > FIFO:
            raise RuntimeError("The words of a strike do not fit the machine's queue.")
        self._pass_gate()

    def _next_word(self):
        if not self._fifo:
            self._word_ends = None
            return
        level, gates, ticks = strike_level(self._fifo.pop(0))
        self._word_ends = self.now + ticks
        self._set_level(level)
        if gates:
            self._gate = True
            self._pass_gate()

    def _pass_gate(self):
        """A plunger that waits at the gate goes through, once the flag is up."""
        if not self._moves or self._origin is not None or not self._pulses.gated:
            return
        if self._gate and not self._refused:
            self._gate = False
            if self.needle.is_out:
                self._origin = self.now
            else:
                self._refused = True

    def _set_level(self, level):
        was, self._level = self._level, level
        if level and not was:
            self.needle.drive(self.now)
            self.begun.append(self.now)
            if self.deaf:
                return
            self._start = self.timer_us()
            self._out = None
            self.started += 1
            self.note(STRIKE, self.started)
            self.on_strike()
        elif was and not level:
            self.needle.release(self.now)

    def _needle_arrives(self):
        self.needle.arrive()
        under_way = self.started > self.finished and not self.deaf
        if self.needle.is_out:
            if under_way and self._out is None:
                self._out = self.timer_us()
                self.note(OUT, self.started)
        elif under_way and self._out is not None and not self.stopped:
            self._log.append((self._start, self._out, self.timer_us(), self._counted, self.unfelt))
            self.note(BACK, self.finished)
            self._let_one_go()

    def _feel(self):
        """The force is looked at as the port's timer does."""
        count = self.analog()[2]
        if min(count, self._force_before) >= self._force_pushing:
            self._felt = self._counted
        elif self.now > self._looked_at + 2 * _FORCE_TICKS:
            self._felt += self._counted - self._looked
        self._looked, self._looked_at = self._counted, self.now
        self.unfelt = self._counted - self._felt
        self._force_before = count
        above = count > self._force_limit
        self._force_looks = self._force_looks + 1 if above else 0
        if self._force_looks > 1:
            self.pressed_too_hard = True
            self.halt()

    def _look(self):
        if not self._halted and not self.deaf and ~self.read() & self._mask:
            self.inputs_at_stop = self.read()
            self.note(FELL, self.inputs_at_stop)
            self.halt()
