"""What the firmware's pure modules are given here in place of a chip: a port, and a serial line.

Moves take as long as their words say, inputs follow from what a person and the wiring do, and time
passes only when a test lets it. Runs under CPython and under MicroPython.
"""

import board

from injector import selftest
from injector.axis import Axis
from injector.commands import Commands
from injector.controller import Controller
from injector.errors import Refusal
from injector.inputs import Inputs
from injector.motion import StepTiming
from injector.strike import StrikeTiming
from injector.travel import Drive

PLUNGER = 0
DEPTH = 2

TICKS_PER_MS = 5_000
HZ = 1000 * TICKS_PER_MS
STEP_TIMING = StepTiming(HZ, first=6, fresh=17, same=14)
STRIKE_TIMING = StrikeTiming(HZ, first=1, word=5)

_RAIL_UP_MS = 3

PROFILE = {
    "version": 1,
    "name": "nappage",
    "mode": "series",
    "shots": 3,
    "depth_um": 2_000,
    "dose_nl": 1_000,
    "flow_nl_s": 100_000,
    "settle_ms": 5,
    "dwell_ms": 30,
    "rest_ms": 10,
    "period_ms": 80,
    "cartridge_um": 4_000,
    "needles": 1,
    "syringe_nl_per_mm": 17_349,
    "fill_nl": 1_000_000,
}


class Pulses:
    """When the step program rises, from the cycles of its instructions."""

    def __init__(self, words):
        self._runs = []  # (tick of the first rise, ticks between two, rises)
        tick = 0
        for pair in range(0, len(words), 2):
            more, delay = words[pair], words[pair + 1]
            # pull, mov | pull, mov, (jmp, jmp) × (delay + 1); the pulse and its jump before them
            tick += (4 if pair == 0 else 4 + 11) + 2 * (delay + 1)
            between = 12 + 2 * (delay + 1)
            self._runs.append((tick, between, more + 1))
            tick += more * between
        self.last_tick = tick
        self.rises = sum(count for _, _, count in self._runs)
        self._asked = 0  # where the last question left off: tick, runs over, rises in those
        self._over = 0
        self._made = 0

    def by(self, tick):
        """Rises until `tick`."""
        if tick < self._asked:
            self._over = self._made = 0
        self._asked = tick
        while self._over < len(self._runs):
            first, between, count = self._runs[self._over]
            if tick < first + (count - 1) * between:
                return self._made + max(0, (tick - first) // between + 1)
            self._over += 1
            self._made += count
        return self._made

    def ticks(self):
        """The tick of each rise."""
        return [first + n * between for first, between, count in self._runs for n in range(count)]


class StandInPort:
    """The port that `injector.ports` describes, with an injector at its pins."""

    step_timing = STEP_TIMING
    strike_timing = STRIKE_TIMING

    def __init__(self):
        self.now_ms = 0
        self.line = self
        self.open = True  # the host holds the serial port
        self.enable = 0
        self.led = 0
        self.link_lost = False
        # what a person, the wiring and bad luck do
        self.hands = {"guard": 1, "stop": 1, "cartridge": 1, "contact": 0, "trigger": 0}
        self.supply = 1
        self.needle_jams = 0  # it does not reach its stop
        self.needle_sticks = 0  # it does not come back
        self.lost_steps = 0  # edges of each plunger move that the counter does not see
        # what truly happens
        self.at = {PLUNGER: 2_000, DEPTH: 2_000}  # steps from where the home switch closes
        self.pushed = 0  # plunger steps forward, within strikes
        self.strikes = 0
        self.on_strike = lambda: None
        self._powered_ms = 0
        self._hand_bits = self._wired()
        self._mask = 0
        self.stopped = False
        self.inputs_at_stop = 0
        self._axis = None  # the one that moves, its direction, pulses, and rises made
        self._forward = True
        self._pulses = None
        self._made = 0
        self._started_ms = 0
        self._driven_until = None  # ms; the strike output is on until then
        self._struck_ms = None
        self._released_ms = None
        self._seen = [None, None]
        self._needle_is_back = 1

    # what the firmware calls

    def connected(self):
        return self.open

    def set_enable(self, on):
        self.enable = on
        self._powered_ms = self.now_ms

    def set_led(self, on):
        self.led = int(on)

    def read(self):
        return self._inputs

    @property
    def busy(self):
        return not self.stopped and (self._moves or self._driven_until is not None)

    def start_axis(self, axis, forward, move):
        self._load(axis, forward, move)
        if self.stopped:
            self._pulses = None

    def start_strike(self, words, move):
        self._load(PLUNGER, True, move)
        if self.stopped:
            self._pulses = None
            return
        on_ticks = sum(2 * (word >> 2) + 5 for word in words if word & 3)
        self._struck_ms = self.now_ms
        self._driven_until = self.now_ms + (on_ticks + TICKS_PER_MS - 1) // TICKS_PER_MS
        self._released_ms = None
        self._seen = [None, None]
        self.strikes += 1
        self.on_strike()

    def counted(self, axis):
        made = self._made if axis == self._axis else 0
        return max(0, made - self.lost_steps)

    def strike_times_us(self):
        return tuple(self._seen)

    def watch(self, mask):
        self._made = 0
        self._pulses = None
        self._mask = mask
        self.inputs_at_stop = mask
        self.stopped = False
        self._look()
        self.link_lost = not self.open
        if self.link_lost:
            self.halt()

    def unwatch(self):
        self._mask = 0

    def halt(self):
        self.stopped = True
        self._pulses = None
        self._release()

    def off(self):
        self.set_enable(0)
        self.halt()
        self.unwatch()

    # what a test does

    def set(self, name, value):
        """A hand moves an input, or a part fails: any attribute or input by name, at once."""
        if name in self.hands:
            self.hands[name] = value
            self._hand_bits = self._wired()
        elif name == "open":
            self.open = value
            if not value:
                self.link_lost = True
                self.halt()
        else:
            setattr(self, name, value)
        self._look()

    def advance(self, ms):
        """Let time pass."""
        for _ in range(ms):
            self.now_ms += 1
            if self._moves:
                self._move()
            self._move_needle()
            self._look()

    @property
    def moving(self):
        """Whether anything is driven: step pulses, or the strike."""
        return bool(self._moves or self._driven_until is not None)

    @property
    def must_hold(self):
        """Whether all that a strike needs is there."""
        hands = self.hands
        return bool(
            hands["guard"]
            and hands["stop"]
            and hands["cartridge"]
            and hands["contact"]
            and hands["trigger"]
            and self.rail
        )

    @property
    def rail(self):
        """Power for motors and strike: what the wired AND lets through."""
        asked = self.enable and self.now_ms - self._powered_ms >= _RAIL_UP_MS
        return bool(asked and self.supply and self.hands["guard"] and self.hands["stop"])

    # within

    @property
    def _moves(self):
        return self._pulses is not None and self._made < self._pulses.rises

    @property
    def _inputs(self):
        bits = self._hand_bits
        if self.rail:
            bits |= 1 << board.RAIL
        if self._needle_is_back:
            bits |= 1 << board.NEEDLE_BACK
        elif self._seen[0] and self._driven_until:
            bits |= 1 << board.NEEDLE_OUT
        if self.at[PLUNGER] > 0:
            bits |= 1 << board.PLUNGER_HOME
        if self.at[DEPTH] > 0:
            bits |= 1 << board.DEPTH_HOME
        return bits

    def _wired(self):
        hands = dict(self.hands)
        hands["interlock"] = hands["guard"] and hands["stop"]
        return sum(1 << getattr(board, name.upper()) for name, state in hands.items() if state)

    def _load(self, axis, forward, move):
        self._axis = axis
        self._forward = forward
        self._made = 0
        self._started_ms = self.now_ms
        self._pulses = Pulses(move.words) if move else None

    def _move(self):
        made = self._pulses.by((self.now_ms - self._started_ms) * TICKS_PER_MS)
        steps = made - self._made
        self._made = made
        self.at[self._axis] += steps if self._forward else -steps
        if self._struck_ms is not None:
            self.pushed += steps

    def _move_needle(self):
        if self._struck_ms is None:
            return
        out_ms = self.now_ms - self._struck_ms
        if self._driven_until is not None:
            self._needle_is_back = 0
            if out_ms >= board.STRIKE_TRAVEL_MS and not self.needle_jams and not self._seen[0]:
                self._seen[0] = 1000 * out_ms
            if self.now_ms >= self._driven_until:
                self._release()
        elif (
            not self._needle_is_back
            and not self.needle_sticks
            and self.now_ms - self._released_ms >= board.STRIKE_RETURN_MS
        ):
            self._needle_is_back = 1
            self._seen[1] = 1000 * out_ms
            self._struck_ms = None

    def _release(self):
        if self._driven_until is not None:
            self._driven_until = None
            self._released_ms = self.now_ms

    def _look(self):
        if not self.stopped and ~self._inputs & self._mask:
            self.inputs_at_stop = self._inputs
            self.halt()


class Machine:
    """The controller and all that `app` puts around it, on a stand-in port."""

    def __init__(self):
        self.port = port = StandInPort()
        self.inputs = Inputs(port.read, board)
        self.plunger = Axis("plunger", board.PLUNGER_STEPS_PER_MM, board.PLUNGER_BACKLASH_UM)
        self.depth = Axis("depth", board.DEPTH_STEPS_PER_MM, board.DEPTH_BACKLASH_UM)
        self.drives = (
            self._drive(self.plunger, PLUNGER, "PLUNGER"),
            self._drive(self.depth, DEPTH, "DEPTH"),
        )
        self.told = []  # (method, params) of every notification
        self.answers = []  # (result, sentence) of every request that was answered later
        self.controller = Controller(
            port, self.inputs, self.drives, self._now, self._tell, self._collect
        )
        self.commands = Commands(
            self.controller,
            port,
            board,
            self.inputs,
            self.drives,
            self._now,
            lambda params: self._tell("shot", params),
            self._collect,
        )

    def _drive(self, axis, number, name):
        return Drive(
            self.port,
            self.inputs,
            axis,
            number,
            getattr(board, name + "_MAX_UM_S"),
            getattr(board, name + "_ACCEL_UM_S2"),
            getattr(board, name + "_TRAVEL_UM"),
        )

    def _now(self):
        return self.port.now_ms

    def boot(self):
        """Self-test, as `app` does it first of all."""
        self.inputs.poll(self.port.now_ms)
        self.controller.self_tested(selftest.failures(selftest.run(self.inputs, 1 << 20)))
        return self

    @property
    def state(self):
        return self.controller.state

    def run(self, ms, host_speaks=True):
        """The loop of `app` for `ms`; a host that speaks is heard all along."""
        until = self.port.now_ms + ms
        while self.port.now_ms < until:
            if host_speaks:
                self.controller.heard_ms = self.port.now_ms
            self.controller.step()
            self.port.advance(min(self.controller.pace_ms, until - self.port.now_ms))
        self.controller.step()

    def run_while(self, state, at_most_ms=20_000):
        """The loop until `state` is left."""
        while self.controller.state == state:
            if at_most_ms < 0:
                raise RuntimeError("The machine stays in " + state)
            self.run(10)
            at_most_ms -= 10

    def request(self, method, params=None):
        """(result, None), (None, the refusal), or (None, None) when the answer comes later."""
        self.controller.heard_ms = self.port.now_ms
        try:
            return self._call(method, params or {}), None
        except Refusal as refusal:
            return None, refusal

    def _call(self, method, params):
        control = self.commands
        if method == "profile.load":
            return control.load(params)
        if method == "home":
            return control.home(self._answer)
        if method == "prime":
            return control.prime(params, self._answer)
        if method == "selftest":
            return control.allow_selftest()
        return getattr(control, method)()

    def make_ready(self, **changes):
        """Load PROFILE with `changes`, and home."""
        profile = dict(PROFILE)
        profile.update(changes)
        for method, params in (("profile.load", {"profile": profile}), ("home", None)):
            refusal = self.request(method, params)[1]
            if refusal:
                raise refusal
        self.run_while("HOMING")
        return self

    def pull(self, ms=30):
        """A person lets go of the trigger, puts the device on skin and pulls."""
        self.port.set("trigger", 0)
        self.run(10)
        self.port.set("contact", 1)
        self.port.set("trigger", 1)
        self.run(ms)

    def snapshot(self):
        """All that a refused request must leave as it was."""
        port = self.port
        status = self.commands.status()
        outputs = (port.enable, port.led, port.moving, port.stopped, port.strikes)
        return (status, outputs, len(self.told), self.plunger.position, self.depth.position)

    def _answer(self, value, refusal):
        self.answers.append((value, refusal.sentence if refusal else None))

    def _tell(self, method, params):
        self.told.append((method, params))

    def _collect(self):
        if self.port.moving:
            raise RuntimeError("Memory is being freed while something moves.")


class StandInLine:
    """A serial line whose other end is a test: what arrives, what room there is, what was sent."""

    def __init__(self):
        self.open = True
        self.arrived = b""
        self.sent = b""
        self.room = 1 << 30  # bytes that the host will still take

    def connected(self):
        return self.open

    def readinto(self, buffer):
        part = self.arrived[: len(buffer)]
        buffer[: len(part)] = part
        self.arrived = self.arrived[len(part) :]
        return len(part)

    def write(self, part):
        taken = bytes(part)[: self.room] if self.open else b""
        self.room -= len(taken)
        self.sent += taken
        return len(taken)

    def discard(self):
        self.arrived = b""
