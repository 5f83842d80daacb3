"""A device that is in use for days, and the account of whether it stayed right.

Everything that a day of the soak does goes through here, so that nothing is left out of the count.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mesodrive_rig.emulated.edges import EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, NL_PER_STEP, PRIME_UL, Operator
from mesodrive_rig.plant import Output, Sensor

MS_PER_DAY = 86_400_000
STRIDE_MS = 600_000  # the longest leap of a night
LOOKS_MS = 30  # that pass by themselves between two leaps
_NEAR_MS = 20
_LEAD_MS = 20_000  # in which a person logs in, homes and primes
_KEPT_ANSWERS = 16  # a device keeps so many; alike, they take alike much memory
_PULL_MS = 5_000
_SETTLE_MS = 50


@dataclass(frozen=True)
class Wrap:
    """A count that begins anew, or outgrows what it was kept in, every `us` of uptime."""

    name: str
    us: int


LOW = Wrap("small-int µs, 17.9 min", 1 << 30)
WORD = Wrap("timer's low word, 71.6 min", 1 << 32)
SMALL_MS = Wrap("small-int ms, 12.4 days", 1000 << 30)
WRAPS = (LOW, WORD, SMALL_MS)


@dataclass
class Account:
    """What was done, and what was wrong."""

    days: float = 0.0
    leaps: int = 0
    crossings: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    strikes: int = 0
    strikes_untold: int = 0
    strike_off_us: float = 0.0  # a strike's reported start and its edge, at most
    clock_off_ms: float = 0.0
    steps_off: int = 0  # reported and counted at the pins, summed over all pulls
    dose_nl: int = 0
    pushed_off_nl: float = 0.0  # reported and out of the syringe, over any one session, at most
    gaps: int = 0
    alarms: Counter[str] = field(default_factory=Counter[str])
    caused: Counter[str] = field(default_factory=Counter[str])
    modes: Counter[str] = field(default_factory=Counter[str])
    pauses: int = 0
    reconnections: int = 0
    free: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])  # days, bytes


class Person(Operator):
    """An operator who writes down alarms and the state, however long the days."""

    def __init__(self, rig: EmulatedRig):
        self.seen = ""
        self.alarms: Counter[str] = Counter()
        super().__init__(rig)

    def _heard(self, method: str, params: dict[str, Any]) -> None:
        super()._heard(method, params)
        if method in ("state", "status"):
            self.seen = params["state"]
        elif method == "alarm":
            self.alarms[params["code"]] += 1


class Bench:
    """The rig with a person at it, just switched on. `tell` is given a word of what goes on."""

    def __init__(self, seed: int, tell: Callable[[str], None]):
        self.random = random.Random(seed)
        self.account = Account()
        self.tell = tell
        self.rig = EmulatedRig(NEAR_HOME)
        self._strikes = EdgeLog(self.rig, (Output.STRIKE,))
        self.rig.run_for(300)
        self.person = Person(self.rig)
        self._primed = False

    # time

    @property
    def days(self) -> float:
        return self.rig.now_ms() / MS_PER_DAY

    def idle_until(self, ms: float) -> None:
        """Leap there in strides, with a few looks between; each wrap comes by itself."""
        while (left_ms := ms - self.rig.now_ms()) > _NEAR_MS:
            to_wrap_ms = self._until_ms(LOW) - _NEAR_MS
            if to_wrap_ms <= 0:
                self._note_crossing(LOW)
                self.rig.run_for(2 * _NEAR_MS)
                continue
            self.rig.leap(min(left_ms, to_wrap_ms, STRIDE_MS))
            self.account.leaps += 1
            self.rig.run_for(min(LOOKS_MS, max(0.0, self._until_ms(LOW) - _NEAR_MS)))

    def come_before(self, wrap: Wrap) -> None:
        """The host goes, the device idles until shortly before `wrap` comes next, and the host
        comes again: whoever is left alone for minutes has to log in again."""
        left_ms = self._until_ms(wrap) - _LEAD_MS
        if left_ms < 0:
            left_ms += wrap.us / 1000
        self.close()
        self.idle_until(self.rig.now_ms() + left_ms)
        self.reconnect()

    def approach(self, wrap: Wrap, before_ms: float) -> None:
        """Leap what is left until `before_ms` before `wrap`; whoever asks lets it come."""
        left_ms = self._until_ms(wrap) - before_ms
        if not 0 < left_ms < _LEAD_MS:
            raise RuntimeError(f"{left_ms:.0f} ms before {wrap.name} is not shortly before it.")
        self.rig.leap(left_ms)
        self.account.leaps += 1
        self._note_crossing(wrap)

    def _until_ms(self, wrap: Wrap) -> float:
        return wrap.us / 1000 - self.rig.now_ms() % (wrap.us / 1000)

    def _note_crossing(self, wrap: Wrap) -> None:
        """Be there when it comes, and write down the state that it comes in."""
        at_ns = (self.rig.now_ms() + self._until_ms(wrap)) * 1e6

        def crossed() -> None:
            for each in WRAPS:
                if round(at_ns / 1000) % each.us == 0:
                    self.account.crossings[each.name, self.person.seen] += 1

        self.rig.chip.call_at(at_ns, crossed)

    def check_clock(self) -> None:
        """The device's uptime lies between asking and hearing it."""
        asked_ms = int(self.rig.now_ms())
        uptime_ms = self.person.device.ping().uptime_ms
        off_ms = max(asked_ms - uptime_ms, uptime_ms - self.rig.now_ms(), 0.0)
        self.account.clock_off_ms = max(self.account.clock_off_ms, off_ms)

    # sessions

    def make_ready(self, values: dict[str, object]) -> None:
        """Load, home, and prime once in all."""
        self.person.make_ready(values)
        if not self._primed:
            self.person.device.prime(PRIME_UL)
            self._primed = True

    def treat(self, *, pause: Callable[[], None] | None = None) -> None:
        """Arm, and pull until all shots are done. `pause` lets go after the second strike, is
        called while the device is paused, and then the pull goes on."""
        person, truth = self.person, self.rig.truth()
        steps = truth.outputs[Output.PLUNGER_STEP].rises
        person.forget()
        self._strikes.clear()
        person.device.arm()
        while person.state() != "READY":
            self._hold()
            if pause:
                self._until(lambda: len(person.shots) >= 2)
                self.rig.set(Sensor.TRIGGER, False)
                self._until(lambda: person.seen != "DELIVERING")
                pause()
                pause = None
                self.account.pauses += 1
                continue
            self._until(lambda: person.seen != "DELIVERING")
        self.rig.set(Sensor.TRIGGER, False)
        self.rig.set(Sensor.CONTACT, False)
        person.wait(_SETTLE_MS + 100)
        self._settle(truth.pushed_ul, steps)

    def _hold(self) -> None:
        """Lifted before, held to the skin, the trigger pulled, until strikes begin."""
        person = self.person
        self.rig.set(Sensor.TRIGGER, False)
        person.touch(False)
        person.touch()
        self.rig.set(Sensor.TRIGGER, True)
        self._until(lambda: person.seen == "DELIVERING")

    def _until(self, condition: Callable[[], bool]) -> None:
        self.person.wait_until(condition, _PULL_MS)

    def _settle(self, pushed_before_ul: float, steps_before: int) -> None:
        """Compare what was told of the strikes with what was seen of them."""
        account, shots, truth = self.account, self.person.shots, self.rig.truth()
        rises = self._strikes.rises(Output.STRIKE)
        account.strikes += len(rises)
        account.strikes_untold += abs(len(rises) - len(shots))
        for shot, rise_ms in zip(shots, rises, strict=False):
            off_us = abs(shot.t_us - rise_ms * 1000)
            account.strike_off_us = max(account.strike_off_us, off_us)
        made = truth.outputs[Output.PLUNGER_STEP].rises - steps_before
        account.steps_off += abs(made - sum(shot.audit for shot in shots))
        dose_nl = sum(shot.dose_nl for shot in shots)
        account.dose_nl += dose_nl
        off_nl = abs((truth.pushed_ul - pushed_before_ul) * 1000 - dose_nl)
        account.pushed_off_nl = max(account.pushed_off_nl, off_nl)

    # the host

    def close(self) -> None:
        """The host goes, with the rail off."""
        self.person.disarm()
        if self.person.state() == "READY":
            self.person.device.disarm()
        self.vanish()

    def vanish(self) -> None:
        """The program on the computer ends, whatever the device is doing."""
        self.account.gaps += self.person.device.client.gaps
        self.person.device.close()
        self.rig.run_for(LOOKS_MS)

    def reconnect(self) -> None:
        self.person.reconnect()
        self.account.reconnections += 1

    def read_alarm(self, code: str) -> None:
        """Look for an alarm that came while nobody was there to hear it: it stands in the status.
        One that was heard after all, out of a driver's buffer, counts once."""
        person = self.person
        alarm = person.device.status().alarm
        if alarm and alarm.code == code and person.alarms[code] < self.account.caused[code]:
            person.alarms[code] += 1

    def weigh(self, values: dict[str, object]) -> None:
        """Write down the free memory, at a point that is like all others: a profile was loaded
        and nothing has come of it, and the answers kept are all of one kind."""
        person = self.person
        person.rest()
        person.device.load(values)
        for _ in range(_KEPT_ANSWERS):
            person.device.client.call("shots", {"first": 1})
        free = person.device.client.call("info")["ram_free"]
        self.account.free.append((self.days, free))

    def end(self) -> Account:
        """The account, closed."""
        self.account.gaps += self.person.device.client.gaps
        self.account.alarms = self.person.alarms
        self.account.days = self.days
        return self.account


DOSE_BOUND_NL = round(1.5 * NL_PER_STEP, 1)  # a step's rounding, and that of its report
