"""What truly happened, written down beside the device, and what must follow from it.

It looks at the stand-in's physics and at the lines on the cable; it takes no figure from the
device but those that it compares.
"""

import json
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from mesodrive_rig.campaigns.model import firmware
from mesodrive_rig.campaigns.model.account import Account
from mesodrive_rig.campaigns.model.violation import Violation

# Asking these twice does no harm, so an old line may be obeyed after a reset. Nothing else may.
HARMLESS = {
    *("info", "ping", "status", "selftest", "shots", "trace", "disarm"),
    *("auth.challenge", "auth.leave", "ledger.head", "ledger.records"),
}
# A proof answers one challenge: given again, under whatever id, it is refused.
_ONCE = ("auth.prove",)
# Each of these is two requests, the second made from the answer to the first.
SEVERAL = ("auth.prove", "dose.resolve")
STEPS_PER_MM: int = firmware.drives.PLUNGER.steps_per_mm
DEBOUNCE_MS: int = firmware.limits.DEBOUNCE_MS
# A silent host is noticed at a look, and what moves ends with its step.
SILENT_US = 1_000 * (firmware.limits.HOST_SILENCE_MS + 25)
CLOSED_US = 25_000
CHANGE_US = 900_000  # a cartridge that was out for so long may count as another …
EXCHANGED_US = 1_100_000  # … and after so long under the device's eyes it must


@dataclass
class Call:
    """One command that a host gave, however often it was sent and under whatever ids."""

    host: int
    method: str
    boot: int  # when it was given
    runs: int = 0  # requests of it that were carried out
    ran_in: int = 0  # boot of the last one
    effects: list[int] = field(default_factory=list[int])  # boots in which something came of it
    id: int = 0  # under which it was last sent
    perhaps: int = 0  # times that power was cut while it was carried out


@dataclass
class Strike:
    """One strike as the needle made it."""

    boot: int
    load: int  # which profile.load it belongs to
    t_us: int  # uptime
    on_us: int  # how long the device had been on, all boots together
    pushed_at: int  # plunger steps, within strikes, before it
    nl_per_mm: int
    steps: int = 0

    @property
    def nl(self) -> Fraction:
        """What it pushed out of the syringe."""
        return Fraction(self.steps * self.nl_per_mm, STEPS_PER_MM)


@dataclass
class Priming:
    """Liquid pushed outside of strikes."""

    load: int
    nl: Fraction
    step_nl: Fraction


class Witness:
    """`port` and `machine` are those of the present boot; None while the power is off."""

    def __init__(self) -> None:
        self.now_us = 0
        self.boot = 0
        self.boot_us = 0
        self.load = 0
        self.profile: dict[str, Any] = {}  # as loaded in this boot
        self.strikes: list[Strike] = []
        self.primings: list[Priming] = []
        self.by_line: dict[bytes, tuple[Call, dict[str, Any]]] = {}
        self.since_us = {"contact": 0, "trigger": 0}  # last change of what a person holds
        # When each was taken up after it had been let go of for as long as a bounce does not last.
        self.fresh_us = {"contact": 0, "trigger": 0}
        self._held_us = {"contact": 0, "trigger": 0}  # since when, before it was let go of
        self.heard_us = 0  # when a whole line last came to the device
        self.closed_us: int | None = 0  # since when the port is closed
        self.pushing_id = 0  # of the last command that pushed liquid
        self._armed_id = 0
        self.was_cut = False  # power went since nothing was in doubt
        self.in_doubt = False  # power went in the middle of a dose; nobody has said what it gave
        self.most_session_nl = self.most_hour_nl = 1 << 40
        self.session_load = 0  # the first load of the session
        self._out_us: int | None = None  # since when there is no cartridge
        self._unseen_us = 0  # of that, while the device did not look
        self._was_out = False  # it was out for a while since the last load
        self._exchanged = False  # for so long that the device must have seen it
        self.counts = dict.fromkeys(("lines", "commands", "strikes", "primings", "boots"), 0)
        self._pushed_before = 0  # plunger steps in strikes of earlier boots
        self._on_before_us = 0
        self._line: bytes | None = None
        self._run_here: set[bytes] = set()  # lines that were obeyed in this boot
        self._asked = ""  # what may move things now: home, prime or arm
        self._rested_us = 0
        self._state = ""
        self._doubted = (0, 0, 0)  # number, strikes, dose_nl of the dose in doubt
        self._half_resolved: dict[str, int] | None = None
        self._unknown = (0, Fraction(0), Fraction(0))  # what the ledger did not know of it
        self._priming_from: int | None = None
        self._checked_rows = 0
        self.account = Account()
        self._machine: Any = None
        self._port: Any = None

    # what the device is put on

    def power_on(self, machine: Any) -> None:
        """The firmware has been put together anew; it has done nothing yet."""
        self.boot += 1
        self.boot_us = self.now_us
        self.counts["boots"] += 1
        self.profile = {}
        self._asked = ""
        self._state = ""
        self._run_here.clear()
        self._machine = machine
        self._port = machine.port
        # Nobody saw what was done to the cartridge while the power was off.
        self._was_out = self._exchanged = False
        self._out_us = None if self._port.hands["cartridge"] else self.now_us
        self._port.on_strike = self._strike_begins
        self._tap(machine)

    def power_off(self) -> None:
        """Nothing of the firmware goes on."""
        self.was_cut = True
        state = self._machine.controller.state
        pushed = self._priming_from not in (None, self._port.at[self._port.PLUNGER])
        if state == "DELIVERING" or (state == "HOMING" and pushed):
            self.in_doubt = True
        self._end_priming()
        self._measure()
        self._pushed_before += self._port.pushed
        self._on_before_us += self._port.now_us
        self._port.on_strike = lambda: None
        self._machine = None

    def hand_moves(self, name: str, state: int) -> None:
        """A person moves something."""
        if name in self.since_us and self._port and self._port.hands[name] != state:
            held_us, self.since_us[name] = self.since_us[name], self.now_us
            if not state:
                self._held_us[name] = held_us
            elif self.now_us - held_us >= 1_000 * DEBOUNCE_MS - 1_000:
                self.fresh_us[name] = self.now_us
            else:  # a gap so short may lie between two looks
                self.since_us[name] = self._held_us[name]
        if name == "cartridge" and self._port and self._port.hands[name] != state:
            if state:
                self._notice_change()
            self._out_us = None if state else self.now_us
            self._unseen_us = 0

    def nobody_looks(self, us: int) -> None:
        """So much time has passed at once, in which the device did nothing."""
        self._unseen_us += us

    def _notice_change(self) -> None:
        if self._out_us is None:
            return
        out_us = self.now_us - self._out_us
        if out_us >= CHANGE_US:
            self._was_out = True
        if out_us - self._unseen_us >= EXCHANGED_US:
            self._exchanged = True

    def _begin_session(self) -> None:
        """The next load begins a session, if the cartridge was changed; one for each change."""
        self._notice_change()
        if self._was_out:
            self.session_load = self.load + 1
        self._was_out = self._exchanged = False
        self._out_us = None

    # lines

    def written(self, line: bytes, call: Call) -> None:
        """A host has sent a line on behalf of a call."""
        message = json.loads(line[: line.rindex(b" ")])
        again = call.id not in (0, message["id"]) and call.method not in (*HARMLESS, *_ONCE)
        if call.effects and again:
            raise Violation(f"{call.method} has run and is given again under another id")
        if call.method in SEVERAL and call.id != message["id"]:
            call.boot = self.boot
        call.id = message["id"]
        self.by_line[line.strip()] = call, message

    def _tap(self, machine: Any) -> None:
        take = machine.link._take

        def tapped(line: bytes | None) -> None:
            self.counts["lines"] += 1
            self._line = line.strip() if line else None
            if self._line in self.by_line:
                self.heard_us = self.now_us
            take(line)
            self._line = None

        machine.link._take = tapped
        for name in machine.methods:
            machine.methods[name] = self._watched(name, machine.methods[name])

    def _watched(self, name: str, handler: Any) -> Any:
        def watched(params: Any, answer: Any) -> Any:
            line = self._line or b""
            if line not in self.by_line:
                raise Violation(f"{name} is obeyed though no host sent this line: {line!r}")
            call, asked = self.by_line[line]
            if (name, params) != (asked["method"], asked.get("params", {})):
                raise Violation(f"{name} {params} is obeyed for {asked}")
            if line in self._run_here:
                raise Violation(f"{name} of host {call.host} runs twice")
            self._run_here.add(line)
            begun_at = self._port.at[self._port.PLUNGER]
            if name == "dose.resolve":
                doubts = self._machine.journal.in_doubt
                self._doubted = (*doubts, (0, 0, 0))[0]
                if doubts:  # else a strike may be under way, and what it gave is not added up
                    self._unknown = self.account.truth(self._machine.journal, self)
            try:
                value = handler(params, answer)
            except firmware.errors.Refusal:
                raise
            except Exception as error:
                raise Violation(f"{name} crashes with {error!r}") from error
            except BaseException:
                call.perhaps += 1
                if name == "dose.resolve":
                    self._half_resolved = params
                elif name == "profile.load":
                    self._begin_session()
                raise
            self._ran(call, name, params, asked["id"], begun_at)
            return value

        return watched

    def _ran(self, call: Call, name: str, params: Any, asked_id: int, begun_at: int) -> None:
        self.counts["commands"] += 1
        call.runs += 1
        call.ran_in = self.boot
        if name in HARMLESS:
            return
        call.effects.append(self.boot)
        if len(call.effects) > 1:
            raise Violation(f"{name} of host {call.host} runs again, in boots {call.effects}")
        if call.boot != self.boot:
            raise Violation(f"{name} was given before the reset and runs after it")
        if name in ("prime", "arm") and self.in_doubt:
            raise Violation(f"{name} runs though a dose has no known outcome")
        if name == "profile.load":
            self._measure()
            self._begin_session()
            self.load += 1
            self._checked_rows = 0
            self.profile = params["profile"]
        elif name == "dose.resolve":
            self._resolved(params)
        elif name in ("home", "prime"):
            self._asked = name
            if name == "prime":
                self.pushing_id = asked_id
                self.counts["primings"] += 1
                self._priming_from = begun_at
        elif name == "arm":
            self._asked = name
            self._armed_id = asked_id
            self._rested_us = self.now_us

    def _resolved(self, params: dict[str, int]) -> None:
        if params["number"] != self._doubted[0]:
            raise Violation("a dose that was not in doubt is resolved")
        self.in_doubt = False
        strikes, nl, primed_nl = self._unknown
        account = self.account
        if self._doubted[1]:
            account.said_strikes += params["strikes"] - strikes
            account.said_nl += params["given_nl"] - nl
        else:
            account.said_primed_nl += params["given_nl"] - primed_nl

    # strikes

    def _strike_begins(self) -> None:
        port = self._port
        now_us = self.now_us = self.boot_us + port.now_us
        self.counts["strikes"] += 1
        self._measure()
        if self._exchanged:
            raise Violation("a strike begins with a cartridge that was put in after the load")
        if self._machine.controller.state != "DELIVERING" or self._asked != "arm":
            raise Violation("a strike begins though the device is not armed")
        if not port.must_hold:
            raise Violation("a strike begins without all that it needs")
        for hand in ("contact", "trigger"):
            if now_us - self.since_us[hand] < 1_000 * DEBOUNCE_MS - 1_000:
                raise Violation(f"a strike begins though {hand} was not held")
        mine = self._mine()
        mode = self.profile["mode"]
        if mode == "stamp":
            if mine and self.fresh_us["contact"] + 1_000 < self.boot_us + mine[-1].t_us:
                raise Violation("a second stamp at one contact")
        elif self.fresh_us["trigger"] + 1_000 < self._rested_us:
            raise Violation("a strike begins without a fresh press")
        if len(mine) >= self.profile["shots"]:
            raise Violation("more strikes than the profile has")
        on_us = self._on_before_us + port.now_us
        pushed = self._pushed_before + port.pushed
        self.pushing_id = self._armed_id
        self.strikes.append(
            Strike(
                self.boot, self.load, port.now_us, on_us, pushed, self.profile["syringe_nl_per_mm"]
            )
        )

    def _mine(self) -> list[Strike]:
        """The strikes of the profile that is loaded."""
        found: list[Strike] = []
        for strike in reversed(self.strikes):
            if (strike.boot, strike.load) != (self.boot, self.load):
                break
            found.append(strike)
        return found[::-1]

    def _measure(self) -> None:
        """What the last strike has given so far."""
        if self.strikes and self._port:
            last = self.strikes[-1]
            if last.boot == self.boot and self._machine:
                last.steps = self._pushed_before + self._port.pushed - last.pushed_at

    def _end_priming(self) -> None:
        if self._priming_from is None or not self._port:
            return
        steps = self._port.at[self._port.PLUNGER] - self._priming_from
        step_nl = Fraction(self.profile["syringe_nl_per_mm"], STEPS_PER_MM)
        self.primings.append(Priming(self.load, steps * step_nl, step_nl))
        self._priming_from = None

    # what must hold

    def started(self) -> None:
        """The firmware has started."""
        if self._machine.link.last_id < self.pushing_id:
            raise Violation("a reset makes an id good again that has pushed liquid")
        half, self._half_resolved = self._half_resolved, None
        pending = [number for number, _, _ in self._machine.journal.ledger.pending]
        if half and half["number"] not in pending:  # it was whole when the power went
            self._resolved(half)

    def look(self) -> None:
        """After each look of the firmware, and before time goes on."""
        machine, port = self._machine, self._port
        state = machine.controller.state
        if state != self._state:
            self._state = state
            if state in ("ARMED", "PAUSED"):
                self._rested_us = self.now_us
            if state != "HOMING":
                self._end_priming()
        if state in ("SAFE", "READY", "FAULT"):
            self._asked = ""  # done, or stopped: whatever moves next must be asked for anew
        if port.moving:
            if state not in ("HOMING", "DELIVERING"):
                raise Violation(f"something moves in {state}")
            if not self._asked:
                raise Violation("something moves that nobody asked for")
            if self.now_us - self.heard_us > SILENT_US:
                raise Violation("something moves though no host says anything")
        if port.enable:
            if state in ("SELF_TEST", "SAFE", "FAULT"):
                raise Violation(f"the rail is on in {state}")
            if self.closed_us is not None and self.now_us - self.closed_us > CLOSED_US:
                raise Violation("the rail is on though the port is closed")

    @property
    def outcome_is_due(self) -> bool:
        """A look that ends in a fault leaves it to the next to write what the dose gave."""
        machine = self._machine
        return bool(
            machine and machine.controller.state == "FAULT" and machine.journal.ledger.announced
        )

    def settled(self) -> None:
        """Compare the device's account; at the end of a step, when nothing is under way."""
        machine = self._machine
        if not machine or machine.controller.state in ("DELIVERING", "HOMING", "SELF_TEST"):
            return
        self._measure()
        delivery = machine.controller.delivery
        if delivery:
            self._compare_reports(delivery)
        self.account.compare(machine.journal, self)
        self.account.limits(machine.journal, self, self._on_before_us + self._port.now_us)

    def _compare_reports(self, delivery: Any) -> None:
        mine = self._mine()
        if delivery.done != len(mine):
            raise Violation(f"{len(mine)} strikes happened and the device tells {delivery.done}")
        while self._checked_rows < len(mine):
            for row in self._machine.reports.first(self._checked_rows + 1)["rows"]:
                true = mine[self._checked_rows]
                self._checked_rows += 1
                if (row[0], row[1], row[5]) != (self._checked_rows, true.t_us, true.steps):
                    raise Violation(f"strike {self._checked_rows} was {true}, told as {row}")
        given = sum((strike.nl for strike in mine), Fraction(0))
        if abs(delivery.delivered_nl - given) > 1:
            raise Violation(f"{float(given)} nl were given, {delivery.delivered_nl} are told")
        primed = sum((one.nl for one in self.primings if one.load == self.load), Fraction(0))
        left = self.profile["fill_nl"] - given - primed
        if abs(delivery.left_nl - left) > 1:
            raise Violation(f"{float(left)} nl are left, {delivery.left_nl} are told")
        slack = 2 * Fraction(self.profile["syringe_nl_per_mm"], STEPS_PER_MM)
        if left < -slack:
            raise Violation(f"{float(-left)} nl more were given than was filled")
