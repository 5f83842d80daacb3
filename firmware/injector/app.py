"""Puts the parts together; the only module that knows them all."""

import gc
import sys
import time

import board
import machine

from injector import limits, selftest
from injector.axis import Axis
from injector.commands import Commands
from injector.controller import Controller
from injector.inputs import Inputs
from injector.link import LATER, Link
from injector.params import only, whole
from injector.ports.rp2 import DEPTH, PLUNGER, Port
from injector.profile import MODES
from injector.reports import Reports
from injector.travel import Drive
from mesodrive_wire import PROTOCOL

VERSION = "0.1.0"

_WATCHDOG_MS = 250


class Uptime:
    """Milliseconds since boot; `time.ticks_ms` wraps after 12 days, this does not."""

    def __init__(self):
        self._last = time.ticks_ms()
        self._total = self._last

    def __call__(self) -> int:
        now = time.ticks_ms()
        self._total += time.ticks_diff(now, self._last)
        self._last = now
        return self._total


class App:
    """The whole machine on one board."""

    def __init__(self):
        self.port = Port(board)
        self.uptime = Uptime()
        self.inputs = Inputs(self.port.read, board)
        self.reports = Reports()
        self.safe_ms = 0
        plunger = Axis("plunger", board.PLUNGER_STEPS_PER_MM, board.PLUNGER_BACKLASH_UM)
        depth = Axis("depth", board.DEPTH_STEPS_PER_MM, board.DEPTH_BACKLASH_UM)
        drives = (
            Drive(
                self.port,
                self.inputs,
                plunger,
                PLUNGER,
                board.PLUNGER_MAX_UM_S,
                board.PLUNGER_ACCEL_UM_S2,
                board.PLUNGER_TRAVEL_UM,
            ),
            Drive(
                self.port,
                self.inputs,
                depth,
                DEPTH,
                board.DEPTH_MAX_UM_S,
                board.DEPTH_ACCEL_UM_S2,
                board.DEPTH_TRAVEL_UM,
            ),
        )
        self.controller = Controller(
            self.port, self.inputs, drives, self.uptime, self._tell, gc.collect
        )
        self.commands = commands = Commands(
            self.controller,
            self.port,
            board,
            self.inputs,
            drives,
            self.uptime,
            self._report,
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
            if link.heard != heard:
                heard = link.heard
                controller.heard_ms = self.uptime()
            watchdog.feed()
            wait(controller.pace_ms)

    def _tell(self, method, params):
        self.link.tell(method, params)

    def _report(self, params):
        self.reports.add(params)
        self._tell("shot", params)

    def _checks(self):
        gc.collect()
        return selftest.run(self.inputs, gc.mem_free())

    def _info(self, params, _):
        only(params, ())
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
        return {"shots": self.reports.first(whole(params, "first", 1, limits.MAX_SHOTS))}

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

        Port(board).off()
        micropython.kbd_intr(3)
        print("mesodrive service mode: outputs are off. Remove the jumper and restart to leave.")
        return
    app = App()
    try:
        app.run()
    finally:
        app.port.off()
