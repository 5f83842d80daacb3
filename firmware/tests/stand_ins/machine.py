"""The controller and all that `app` puts around it, on a stand-in port."""

import binascii

import board
import drives

from injector import machine
from injector.access import auth_message
from injector.errors import Refusal
from injector.hmac import hmac_sha256
from injector.ledger import Ledger
from injector.link import LATER
from injector.settings import OPERATOR, SERVICE, Settings
from injector.uptime import LOW
from stand_ins.port import StandInPort

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
    "pressure_pa": 64_000,
    "bears_pa": 300_000,
    "friction_mn": 2_000,
    "cartridge": "",
}


_EMPTY = []  # what an empty ledger is in the flash, once it has been made
KEYS = {SERVICE: b"service's key" + bytes(19), OPERATOR: b"operator's key" + bytes(18)}


class Uptime:
    """The stand-in port's time; `at` is given a reading of its timer."""

    def __init__(self, port):
        self._port = port

    def us(self):
        return self._port.now_us

    def __call__(self):
        return self._port.now_ms

    def at(self, timer_us):
        return self.us() - ((self._port.timer_us() - timer_us) & LOW)


class Memory:
    """Freed only while nothing moves."""

    def __init__(self, port):
        self._port = port

    def collect(self):
        if self._port.moving:
            raise RuntimeError("Memory is being freed while something moves.")

    def mem_free(self):
        return 1 << 20


def with_ledger(port):
    """A new `port` with an empty ledger and KEYS in its flash."""
    flash = port.ledger_flash
    if not _EMPTY:
        Ledger.create(flash, lambda: 0, b"stand-in")
        _EMPTY.append(bytes(flash.data))
    flash.data[:] = _EMPTY[0]
    claim(port.settings_flash)
    return port


class Machine(machine.Machine):
    """What a host asks, what a person does, and what comes of it.

    The device knows KEYS and the host proves to be an operator when it has to; to prove to be
    somebody else, or nobody, set `host` to service or None. `port` may be one with a past.
    """

    def __init__(self, port=None):
        if not port:
            port = with_ledger(StandInPort())
        self.host = OPERATOR
        self.told = []  # (method, params) of every notification but the strikes
        self.rows = []  # every strike told since the profile was loaded
        self.answers = []  # (result, sentence) of every request that was answered later
        super().__init__(port, board, drives, Uptime(port), Memory(port), "stand-in")
        self.plunger, self.depth = [drive.axis for drive in self.drives]

    def boot(self):
        """Self-test, as `app` does it first of all."""
        self.start()
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
        super().look()

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
        if self.host and self.access.role != self.host and self.port.line.open:
            self.log_in(self.host)
        try:
            result = self._call(method, params or {})
        except Refusal as refusal:
            return None, refusal
        self._tell_more()
        return result, None

    def log_in(self, role, key=None):
        """Prove a role, where the device's state allows it; the refusal, or None."""
        try:
            asked = self._call("auth.challenge", {"role": role})
            proof = proof_of(role, key or KEYS[role], asked)
            self._call("auth.prove", {"role": role, "proof": proof})
        except Refusal as refusal:
            return refusal
        return None

    def _call(self, method, params):
        value = self.methods[method](params, self._answer)
        return None if value is LATER else value

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
        self.run(30)
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

    def _load(self, params, answer):
        plan = super()._load(params, answer)
        self.rows.clear()
        return plan

    def _tell_more(self):
        while self.reports.waiting:
            self.rows.extend(self.reports.tell()["rows"])

    def _answer(self, value, refusal):
        self.answers.append((value, refusal.sentence if refusal else None))

    def _tell(self, method, params):
        self.told.append((method, params))


def claim(flash):
    """Give the settings in a new `flash` their KEYS."""
    settings = Settings(flash)
    settings.open()
    settings.keys = dict(KEYS)
    settings.save()


def proof_of(role, key, asked):
    """The proof, in hex digits, for what `auth.challenge` has answered."""
    nonce = binascii.unhexlify(asked["nonce"])
    tag = hmac_sha256(key, auth_message(role, nonce, asked["counter"]))
    return binascii.hexlify(tag).decode()
