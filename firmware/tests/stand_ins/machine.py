"""The controller and all that `app` puts around it, on a stand-in port."""

import board
import drives

from injector import selftest
from injector.axis import Axis
from injector.commands import Commands
from injector.controller import Controller
from injector.errors import Refusal
from injector.inputs import Inputs
from injector.reports import Reports
from injector.trace import Trace
from injector.travel import Drive
from stand_ins.port import DEPTH, PLUNGER, StandInPort

PROFILE = {
    "version": 2,
    "name": "nappage",
    "mode": "series",
    "shots": 3,
    "burst": 1,
    "depth_um": 2_000,
    "dose_nl": 1_000,
    "flow_nl_s": 100_000,
    "settle_us": 5_000,
    "dwell_us": 30_000,
    "rest_us": 10_000,
    "period_us": 80_000,
    "soft_strikes": 0,
    "cartridge_um": 4_000,
    "needles": 1,
    "syringe_nl_per_mm": 17_349,
    "fill_nl": 1_000_000,
}


class Uptime:
    """The stand-in port's time; `at` is given a reading of its timer."""

    def __init__(self, port):
        self._port = port

    def us(self):
        return self._port.now_us

    def __call__(self):
        return self._port.now_ms

    def at(self, timer_us):
        return self.us() - ((self._port.timer_us() - timer_us) & 0xFFFFFFFF)


class Machine:
    """What a host asks, what a person does, and what comes of it."""

    def __init__(self):
        self.port = port = StandInPort()
        self.inputs = Inputs(port.read, board)
        self.uptime = Uptime(port)
        self.plunger = self._axis(drives.PLUNGER)
        self.depth = self._axis(drives.DEPTH)
        self.drives = (
            Drive(port, self.inputs, self.plunger, PLUNGER, drives.PLUNGER),
            Drive(port, self.inputs, self.depth, DEPTH, drives.DEPTH),
        )
        self.told = []  # (method, params) of every notification but the strikes
        self.rows = []  # every strike told since the profile was loaded
        self.answers = []  # (result, sentence) of every request that was answered later
        self.reports = Reports()
        self.trace = Trace(port, self.uptime.us)
        self.controller = Controller(
            port, self.inputs, self.drives, self.uptime, self._tell, self._collect, self.trace
        )
        self.commands = Commands(
            self.controller,
            port,
            drives,
            self.inputs,
            self.drives,
            self.uptime,
            self.reports.add,
            self._collect,
        )

    def _axis(self, mechanics):
        return Axis(mechanics.name, mechanics.steps_per_mm, mechanics.screw.backlash_um)

    def boot(self):
        """Self-test, as `app` does it first of all."""
        self.inputs.poll(self.uptime())
        self.controller.self_tested(selftest.failures(selftest.run(self.inputs, 1 << 20)))
        return self

    @property
    def state(self):
        return self.controller.state

    @property
    def job(self):
        return self.controller.job

    def run(self, ms, host_speaks=True):
        """The loop of `app` for `ms`; a host that speaks is heard all along."""
        until = self.port.now_ms + ms
        while self.port.now_ms < until:
            self.look(host_speaks)
            self.port.advance(min(self.controller.pace_ms, until - self.port.now_ms))
        self.look(host_speaks)

    def look(self, host_speaks=True):
        """One round of the loop."""
        if host_speaks:
            self.controller.heard_ms = self.port.now_ms
        self.controller.step()
        self._tell_strikes()

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
            result = self._call(method, params or {})
        except Refusal as refusal:
            return None, refusal
        self._tell_strikes()
        return result, None

    def _call(self, method, params):
        commands = self.commands
        if method == "profile.load":
            plan = commands.load(params)
            self.reports.clear()
            self.rows.clear()
            return plan
        if method == "home":
            return commands.home(self._answer)
        if method == "prime":
            return commands.prime(params, self._answer)
        if method == "selftest":
            return commands.allow_selftest()
        return getattr(commands, method)()

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
        outputs = (port.enable, port.led, port.moving, port.stopped, port.strikes, port.waiting)
        return (
            self.commands.status(),
            outputs,
            len(self.told),
            len(self.rows),
            self.plunger.position,
            self.depth.position,
        )

    def _tell_strikes(self):
        while self.reports.waiting:
            self.rows.extend(self.reports.tell()["rows"])

    def _answer(self, value, refusal):
        self.answers.append((value, refusal.sentence if refusal else None))

    def _tell(self, method, params):
        self.told.append((method, params))

    def _collect(self):
        if self.port.moving:
            raise RuntimeError("Memory is being freed while something moves.")
