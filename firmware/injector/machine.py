"""The whole machine but for its chip: all parts are put together here, on the port, the board and
the mechanics that are handed in. `app` hands in the chip's own, tests a stand-in.
"""

from injector import limits, selftest
from injector.access import Access
from injector.annunciator import Annunciator
from injector.audit import Audit
from injector.axis import Axis
from injector.causes import capital
from injector.commands import Commands
from injector.condition import Condition
from injector.controller import (
    DELIVERING,
    FAULT,
    HOMING,
    POWERED,
    READY,
    SAFE,
    SELF_TEST,
    STATES,
    Controller,
)
from injector.errors import Refusal
from injector.inputs import Inputs
from injector.journal import Journal
from injector.ledger_requests import LedgerRequests
from injector.link import LATER, Link
from injector.params import only, whole
from injector.profile import MODES
from injector.repeats import Repeats
from injector.reports import AT_ONCE, Reports
from injector.sensors import Sensors
from injector.service import Service
from injector.settings import VALUES, Settings, SettingsError
from injector.site import Site
from injector.supervisor import Supervisor
from injector.trace import Trace
from injector.travel import Drive
from mesodrive_wire import FAULTED, LOCKED, PROTOCOL

VERSION = "0.2.0"

_STATUS_MS = 100
_IDLE_TEST_MS = 500  # twice, so that a failure is told within a second or a little more
_UNTIDY = 16 * 1024  # bytes that may be used in idleness before they are freed
_AUDIT_MS = 50  # a round of the image takes 11 s, of a full ledger 7 min
_HANDS = ("guard", "stop", "cartridge", "contact", "trigger")  # what a person moves
_LEAP_BYTES = 4
_SHOTS_MS = 50  # strikes are told in batches this far apart, or when a line is full


class Machine:
    """`port` is the chip (see ports/), `board` and `drives` the modules with its pins and
    mechanics, `uptime` the time since boot, `memory` has `collect()` and `mem_free()` as gc has,
    `micropython` is a version for people."""

    def __init__(self, port, board, drives, uptime, memory, micropython):
        if port.restarted_in is None:
            port.remember(STATES.index(SELF_TEST))  # a start that hangs is told by the next
        self.port = port
        self.uptime = uptime
        self.inputs = Inputs(port.read, board)
        self.sensors = Sensors(port.analog, drives)
        self.reports = Reports()
        self.trace = Trace(port)
        self.safe_ms = 0
        self._board = board
        self._memory = memory
        self._micropython = micropython
        self._status_ms = 0
        self._shots_ms = 0
        self._heard = 0
        self.settings = settings = Settings(port.settings_flash)
        self._settings_read = False
        self.repeats = Repeats(settings, uptime)
        self.site = drives = Site(settings, drives)
        self.drives = axes = [
            Drive(
                port,
                self.inputs,
                Axis(one.name, one.steps_per_mm, one.screw.backlash_um),
                number,
                one,
                uptime,
            )
            for number, one in ((port.PLUNGER, drives.PLUNGER), (port.DEPTH, drives.DEPTH))
        ]
        axes[0].share_room(axes[1])
        self.journal = Journal(port.ledger_flash, uptime)
        self._audit = Audit(port.image, self.journal)
        condition = Condition(port, self.inputs, self.sensors, drives, axes)
        self.controller = Controller(
            port,
            self.inputs,
            condition,
            axes,
            uptime,
            self._tell,
            memory.collect,
            self.trace,
            self.journal,
        )
        self.commands = commands = Commands(
            self.controller,
            port,
            drives,
            self.inputs,
            self.sensors,
            condition,
            axes,
            uptime,
            self.reports.add,
            memory.collect,
            self.journal,
            lambda: self.link.last_id,
        )
        self._ledger_requests = LedgerRequests(
            self.journal, commands, self.controller, self._open_ledger, self._seed
        )
        self.service = service = Service(
            settings, self.repeats, self.site, commands.allow_change, self.controller.fault
        )
        self.controller.latched = self.repeats.note
        service.record = self._record
        service.changed = self._changed
        self.access = access = Access(port, settings, uptime, service.save)
        self._hands = self.inputs.mask(_HANDS)
        methods = {
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
            "ack": self._ack,
            "auth.challenge": lambda params, _: access.challenge(params),
            "auth.prove": self._prove,
            "auth.leave": self._leave,
            "keys.set": lambda params, _: service.set_key(access, params),
            "settings.set": lambda params, _: service.set_value(params),
            "unlock": lambda params, _: service.unlock(params),
        }
        methods.update(self._ledger_requests.methods)
        self.methods = access.guarded(methods)
        self.link = Link(port.line, self.methods, lambda: bool(access.role), port.host_stop)
        self.annunciator = Annunciator(port.set_alarm)
        self._supervisor = None
        self._idle_ms = 0  # of the last self-test while idle
        self._idle_failed = False
        self._free = memory.mem_free()  # bytes, when memory was last tidied
        self._audit_ms = 0

    def start(self):
        """The ledger and the self-test; then SAFE, or FAULT."""
        self.inputs.poll(self.uptime())
        self.sensors.settle()
        try:
            self.settings.open()
            self._settings_read = True
        except SettingsError:
            pass  # the self-test tells
        self.repeats.open()
        self.controller.pressed = self.settings.blocked
        self._take_limits()
        trouble = self._open_ledger()
        checks = self._checks()
        self._note_memory(checks)
        failures = selftest.failures(checks)
        locked = self.repeats.sentence
        self.controller.started(failures, trouble, self.port.restarted_in, locked)
        self.safe_ms = self._idle_ms = self.uptime()
        self.annunciator.start(self.safe_ms)

    def supervise(self, feed):
        """From now on a look feeds the watchdog, if every part of the machine lives."""
        parts = (
            ("inputs", lambda: self.inputs.polls),
            ("sensors", lambda: self.sensors.looks),
            ("controller", lambda: self.controller.steps),
            ("link", lambda: self.link.steps),
            ("timer", lambda: self.port.timer_us()),
            ("interrupts", self.port.beat),
        )
        self._supervisor = Supervisor(feed, parts)

    def look(self):
        """One look at everything."""
        self.sensors.poll()
        controller = self.controller
        controller.step()
        busy = controller.state in (HOMING, DELIVERING)
        if self.access.look(self.inputs.now & self._hands, busy):
            controller.abandon()
        self.link.step()
        self._ledger_requests.look()
        due = self.repeats.due or controller.pressed != self.settings.blocked
        if due and self.settings.claimed and controller.state in (SAFE, FAULT):
            self._keep()
        self._tell_more()
        if self.link.heard != self._heard:
            self._heard = self.link.heard
            controller.heard_ms = self.uptime()
        now = self.uptime()
        self.annunciator.look(now, self.controller.alarm)
        if now - self._idle_ms >= _IDLE_TEST_MS:
            self._idle_ms = now
            self._test_idle()
        if now - self._audit_ms >= _AUDIT_MS and self.controller.state in (SAFE, READY):
            self._audit_ms = now
            found = self._audit.look()
            if found:
                self.controller.fault(*found)
        if self._supervisor:
            self.controller.sound = self._supervisor.look()

    def _keep(self):
        self.settings.blocked = self.controller.pressed
        try:
            self.service.save()
        except Refusal:
            pass  # it is an alarm

    def _test_idle(self):
        """The self-test goes on while nothing moves; what fails twice in a row has failed."""
        state = self.controller.state
        if state in (SAFE, READY, FAULT):
            self._tidy()
        self.controller.look_at_fault()
        if state not in (SAFE, READY):
            self._idle_failed = False
            return
        checks = selftest.idle(self.inputs, self.sensors, state == READY)
        checks.append(self._settings_check(self.settings.holds()))
        failed = selftest.failures(checks)
        if failed and self._idle_failed:
            self._note_memory(checks)
            self.controller.idle_tested(failed)
        self._idle_failed = bool(failed)

    def _note_memory(self, checks):
        for one in checks:
            if one["name"] in selftest.MEMORY and not one["ok"]:
                self._audit.broken = one["detail"] + "; restart the device"

    def _tidy(self):
        """Free memory long before it is used to its far end. Whatever lives long is put where
        there is room first, and without this that would sooner or later be everywhere, with no
        large piece in between."""
        if self._memory.mem_free() < self._free - _UNTIDY:
            self._memory.collect()
            self._free = self._memory.mem_free()

    def _open_ledger(self):
        trouble = self.journal.open(self.port.reset_cause, self.port.image.crc)
        # An id that pushed liquid before the reset must not do so again.
        self.link.last_id = max(self.link.last_id, self.journal.last_command)
        return trouble

    def _take_limits(self):
        self.journal.max_session_nl = self.site.limit("session_nl")
        self.journal.max_hour_nl = self.site.limit("hour_nl")

    def _record(self, what, was, becomes):
        journal = self.journal
        if journal.is_missing:
            return  # a new device is claimed before it has a ledger
        if journal.trouble:
            raise Refusal(FAULTED, journal.trouble)
        self.commands.write(journal.changed, what, was, becomes)

    def _changed(self, what):
        self._take_limits()
        if what in VALUES:
            self.controller.delivery = None  # it was checked and planned with what held before

    def _seed(self):
        return ("%s %d" % (self.port.serial, self.port.timer_us())).encode()

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
        self._memory.collect()
        holds = selftest.memory_holds(selftest.TESTED_RAM)
        self._memory.collect()
        checks = selftest.run(self.inputs, self.sensors, self._memory.mem_free(), holds)
        checks.append(self._settings_check(self._settings_read))
        fault = self._audit.read_image()
        checks.append(selftest.check("image", not fault, fault))
        return checks

    def _settings_check(self, read):
        return selftest.check("settings", read, "the settings in flash cannot be read")

    def _info(self, params, _):
        only(params, ())
        if self.controller.state not in (HOMING, DELIVERING):
            self._memory.collect()  # or `ram_free` would tell how long ago that was
        return {
            "product": "mesodrive",
            "version": VERSION,
            "protocol": PROTOCOL,
            "board": self._board.NAME,
            "serial": self.port.serial,
            "micropython": self._micropython,
            "state": self.controller.state,
            "stop_class": self._board.STOP_CLASS,
            "modes": MODES,
            "claimed": self.settings.claimed,
            "locked": bool(self.settings.locked_by),
            "calibration": self.site.calibration(),
            "limits": {
                "depth_um": self.site.limit("depth_um"),
                "dose_nl": self.site.limit("dose_nl"),
                "drip_nl": self.site.limit("drip_nl"),
                "prime_nl": self.site.limit("prime_nl"),
                "session_nl": self.site.limit("session_nl"),
                "hour_nl": self.site.limit("hour_nl"),
                "shots": self.site.limit("shots"),
                "dry_shots": limits.MAX_DRY_SHOTS,
                "rate_hz": 1_000_000 // limits.MIN_PERIOD_US,
            },
            "last_id": self.link.last_id,
            "ram_free": self._memory.mem_free(),
            "safe_ms": self.safe_ms,
        }

    def _ping(self, params, _):
        only(params, ())
        return {"state": self.controller.state, "uptime_ms": self.uptime()}

    def _status(self, params, _):
        only(params, ())
        status = self.commands.status()
        status["dropped"] = self.link.dropped
        status["role"] = self.access.role
        alarm = self.controller.alarm
        status["alarm_times"] = self.repeats.times(alarm["code"]) if alarm else 0
        return status

    def _selftest(self, params, _):
        only(params, ())
        self.commands.want_state(SAFE, FAULT)
        checks = self._checks()
        return {"passed": not selftest.failures(checks), "checks": checks}

    def _shots(self, params, _):
        only(params, ("first",))
        return self.reports.first(whole(params, "first", 1, limits.MAX_DRY_SHOTS))

    def _trace(self, params, _):
        only(params, ("first",))
        return self.trace.first(whole(params, "first", 0, 1000))

    def _ack(self, params, _):
        only(params, ())
        sentence = self.repeats.sentence
        if sentence:
            raise Refusal(LOCKED, sentence)
        if self._audit.broken:
            raise Refusal(FAULTED, "%s." % capital(self._audit.broken))
        return self.commands.ack()

    def _prove(self, params, _):
        self.commands.allow_change()
        role = self.access.prove(params)["role"]
        # A line from before this proof, or before a reset, does not go on from here.
        return {"role": role, "last_id": self.link.leap(self.port.random(_LEAP_BYTES))}

    def _leave(self, params, _):
        only(params, ())
        self.access.end()
        self.controller.leave("the operator logged out")
        return {"state": self.controller.state}

    def _load(self, params, _answer):
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
