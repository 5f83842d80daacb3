"""Puts the parts together; the only module that knows them all."""

import gc
import sys
import time

import board
import drives
import machine

from injector import limits, selftest
from injector.axis import Axis
from injector.commands import Commands
from injector.controller import DELIVERING, HOMING, POWERED, Controller
from injector.inputs import Inputs
from injector.link import LATER, Link
from injector.params import only, whole
from injector.ports.rp2 import DEPTH, PLUNGER, Port
from injector.profile import MODES
from injector.reports import AT_ONCE, Reports
from injector.trace import Trace
from injector.travel import Drive
from injector.uptime import Uptime
from mesodrive_wire import PROTOCOL

VERSION = "0.2.0"

_WATCHDOG_MS = 250
_USB_FRAME_MS = 1
_STATUS_MS = 100
_SHOTS_MS = 50  # strikes are told in batches this far apart, or when a line is full


class App:
    """The whole machine on one board."""

    def __init__(self):
        mechanics = (drives.PLUNGER, drives.DEPTH)
        pulse_ns = max([one.driver.high_ns for one in mechanics])
        self.port = Port(board, pulse_ns, limits.RAIL_HOLD_MS)
        self.uptime = Uptime(self.port.timer_us)
        self.inputs = Inputs(self.port.read, board)
        self.reports = Reports()
        self.trace = Trace(self.port, self.uptime.us)
        self.safe_ms = 0
        self._status_ms = 0
        self._shots_ms = 0
        axes = [
            Drive(
                self.port,
                self.inputs,
                Axis(name, one.steps_per_mm, one.screw.backlash_um),
                number,
                one,
            )
            for name, number, one in (
                ("plunger", PLUNGER, drives.PLUNGER),
                ("depth", DEPTH, drives.DEPTH),
            )
        ]
        self.controller = Controller(
            self.port, self.inputs, axes, self.uptime, self._tell, gc.collect, self.trace
        )
        self.commands = commands = Commands(
            self.controller,
            self.port,
            drives,
            self.inputs,
            axes,
            self.uptime,
            self.reports.add,
            gc.collect,
        )
        self.link = Link(
            self.port.line,
            {
                "info": self._info,
                "ping": self._ping,
                "status": self._status,
                "selftest": self._selftest,
                "shots": self._shots,
                "trace": self._trace,
                "profile.load": self._load,
                "home": _later(commands.home),
                "prime": lambda params, answer: commands.prime(params, answer) or LATER,
                "arm": _plain(commands.arm),
                "disarm": _plain(commands.disarm),
                "ack": _plain(commands.ack),
            },
        )

    def run(self):
        """Self-test, then look after everything, for ever."""
        self.inputs.poll(self.uptime())
        self.controller.self_tested(selftest.failures(self._checks()))
        self.safe_ms = self.uptime()
        watchdog = machine.WDT(timeout=_WATCHDOG_MS)
        controller, link, wait = self.controller, self.link, self.port.wait
        heard = 0
        while True:
            controller.step()
            link.step()
            self._tell_more()
            if link.heard != heard:
                heard = link.heard
                controller.heard_ms = self.uptime()
            watchdog.feed()
            wait(_USB_FRAME_MS if link.sending else controller.pace_ms)

    def _tell(self, method, params):
        self.link.tell(method, params)

    def _tell_more(self):
        """Strikes and status, when the line has nothing better to do: a host that does not read
        holds nothing up, and gets the strikes when it reads again."""
        if not self.link.idle:
            return
        now = self.uptime()
        waiting = self.reports.waiting
        if waiting >= AT_ONCE or (waiting and now - self._shots_ms >= _SHOTS_MS):
            self._shots_ms = now
            self._tell("shots", self.reports.tell())
        elif self.controller.state in POWERED and now - self._status_ms >= _STATUS_MS:
            self._status_ms = now
            self._tell("status", self.commands.beat())

    def _checks(self):
        gc.collect()
        return selftest.run(self.inputs, gc.mem_free())

    def _info(self, params, _):
        only(params, ())
        if self.controller.state not in (HOMING, DELIVERING):
            gc.collect()  # or `ram_free` would tell how long ago that was
        return {
            "product": "mesodrive",
            "version": VERSION,
            "protocol": PROTOCOL,
            "board": board.NAME,
            "serial": self.port.serial,
            "micropython": ".".join(str(part) for part in sys.implementation.version[:3]),
            "state": self.controller.state,
            "stop_class": board.STOP_CLASS,
            "modes": MODES,
            "limits": {
                "depth_um": limits.MAX_DEPTH_UM,
                "dose_nl": limits.MAX_DOSE_NL,
                "shots": limits.MAX_SHOTS,
                "dry_shots": limits.MAX_DRY_SHOTS,
                "rate_hz": 1_000_000 // limits.MIN_PERIOD_US,
            },
            "last_id": self.link.last_id,
            "ram_free": gc.mem_free(),
            "safe_ms": self.safe_ms,
        }

    def _ping(self, params, _):
        only(params, ())
        return {"state": self.controller.state, "uptime_ms": self.uptime()}

    def _status(self, params, _):
        only(params, ())
        status = self.commands.status()
        status["dropped"] = self.link.dropped
        return status

    def _selftest(self, params, _):
        only(params, ())
        self.commands.allow_selftest()
        checks = self._checks()
        return {"passed": not selftest.failures(checks), "checks": checks}

    def _shots(self, params, _):
        only(params, ("first",))
        return self.reports.first(whole(params, "first", 1, limits.MAX_DRY_SHOTS))

    def _trace(self, params, _):
        only(params, ("first",))
        return self.trace.first(whole(params, "first", 0, 1000))

    def _load(self, params, _):
        plan = self.commands.load(params)
        self.reports.clear()
        return plan


def _plain(method):
    def handler(params, _):
        only(params, ())
        return method()

    return handler


def _later(method):
    def handler(params, answer):
        only(params, ())
        method(answer)
        return LATER

    return handler


def service_mode() -> bool:
    """Whether the service jumper is fitted; it is read once, at boot."""
    jumper = machine.Pin(board.SERVICE, machine.Pin.IN, machine.Pin.PULL_UP)
    time.sleep_ms(1)
    return not jumper.value()


def main():
    """Run the machine; with the service jumper, leave everything off and return to a prompt."""
    if service_mode():
        import micropython

        Port(board, 0, limits.RAIL_HOLD_MS).off()
        micropython.kbd_intr(3)
        print("mesodrive service mode: outputs are off. Remove the jumper and restart to leave.")
        return
    app = App()
    try:
        app.run()
    finally:
        app.port.off()
