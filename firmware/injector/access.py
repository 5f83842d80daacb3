"""Who may do what: a role is proved by its key, and the proof ends with the port or by itself.

A proof is the HMAC of a challenge that holds for one try. Each try is kept in flash before it is
looked at, so that no power cut gives another one.
"""

import binascii
import hashlib
import struct

from injector.errors import Refusal
from injector.hmac import KEY_SIZE, hmac_sha256, is_same, xor
from injector.limits import IDLE_MS, MAX_WAIT_S
from injector.params import digits, only, text
from injector.settings import OPERATOR, ROLES, SERVICE
from mesodrive_wire import BAD_PARAMS, UNAUTHORIZED

ANYBODY = "anybody"
MAKER = "maker"  # anybody as long as the device has no keys, service afterwards

# Method → who may ask it. What stops, and what only looks, wants no proof; `keys.set` looks
# itself, for a new device has no keys to prove anything by.
NEEDS = {
    "info": ANYBODY,
    "ping": ANYBODY,
    "status": ANYBODY,
    "selftest": ANYBODY,
    "shots": ANYBODY,
    "trace": ANYBODY,
    "disarm": ANYBODY,
    "auth.challenge": ANYBODY,
    "auth.prove": ANYBODY,
    "auth.leave": ANYBODY,
    "profile.load": OPERATOR,
    "home": OPERATOR,
    "prime": OPERATOR,
    "arm": OPERATOR,
    "ack": OPERATOR,
    "keys.set": ANYBODY,
    "settings.set": SERVICE,
    "unlock": SERVICE,
    "ledger.head": ANYBODY,
    "ledger.records": ANYBODY,
    "ledger.countersign": OPERATOR,
    "ledger.create": MAKER,
    "dose.resolve": OPERATOR,
}

_NONCE_SIZE = 16
_NOISE_SIZE = 32
_LOOKS = ("ping", "status")  # a host asks these by itself


class Access:
    """`port` has random(size), losses and line; `save()` keeps the settings."""

    def __init__(self, port, settings, uptime, save):
        self.role = None
        self._port = port
        self._settings = settings
        self._uptime = uptime
        self._save = save
        self._drawn = 0  # challenges since the boot
        self._asked = None  # (role, nonce) of the challenge that is to be proved
        self._mask = b""  # nonce of the proof that holds
        self._failed_ms = {SERVICE: 0, OPERATOR: 0}  # a reset begins each wait anew
        self._losses = port.losses
        self._active_ms = 0
        self._seen = 0
        self._went_idle = False

    def guarded(self, methods):
        """`methods`, each open only to who may ask it. All of them must be in NEEDS."""
        return {name: self._guard(name, NEEDS[name], methods[name]) for name in methods}

    def look(self, inputs: int, busy: bool) -> bool:
        """To be called all the time: whether the proof has just ended because nobody did anything.

        `inputs` are those that a person moves; `busy` says that the machine is at work.
        """
        self._notice_loss()
        now = self._uptime()
        if inputs != self._seen or busy:
            self._seen = inputs
            self._active_ms = now
        if not self.role or now - self._active_ms < IDLE_MS:
            return False
        self.end()
        self._went_idle = True
        return True

    def end(self) -> None:
        """Whatever was proved holds no longer."""
        self.role = None
        self._asked = None
        self._mask = b""
        self._went_idle = False

    # what a host asks

    def challenge(self, params):
        """`auth.challenge`: what the next proof must be made from."""
        only(params, ("role",))
        role = self._role_of(params)
        self._key(role)
        wait_ms = self.wait_ms(role)
        if wait_ms:
            raise Refusal(
                UNAUTHORIZED,
                "The last proof of %s was wrong; try again in %d s." % _wait(role, wait_ms),
                {"wait_ms": wait_ms},
            )
        nonce = self._new_nonce()
        self._asked = (role, nonce)
        return {"nonce": _hex(nonce), "counter": self._settings.counter}

    def prove(self, params):
        """`auth.prove`: one try at the last challenge; nothing is live."""
        only(params, ("role", "proof"))
        role = self._role_of(params)
        proof = digits(params, "proof", KEY_SIZE)
        asked = self._asked
        self.end()
        if not asked or asked[0] != role:
            raise Refusal(
                UNAUTHORIZED, "There is no challenge for this proof; ask auth.challenge first."
            )
        nonce = asked[1]
        settings = self._settings
        expected = hmac_sha256(self._key(role), auth_message(role, nonce, settings.counter))
        settings.counter += 1
        settings.failures[role] += 1
        self._failed_ms[role] = self._uptime()
        self._save()
        if not is_same(proof, expected):
            wait_ms = self.wait_ms(role)
            raise Refusal(
                UNAUTHORIZED,
                "This is not the proof of %s; check the key, and try again after %d s."
                % _wait(role, wait_ms),
                {"wait_ms": wait_ms},
            )
        settings.failures[role] = 0
        self._save()
        self.role = role
        self._mask = nonce
        self._active_ms = self._uptime()
        return {"role": role}

    def new_key(self, params) -> "tuple[str, bytes]":
        """Role and key of a `keys.set` by somebody who may. The proof ends with it: a mask hides
        one key only."""
        only(params, ("role", "key"))
        role = self._role_of(params)
        key = digits(params, "key", KEY_SIZE)
        if self._settings.claimed:
            self.want("keys.set", SERVICE)
            key = xor(key, key_mask(self._settings.keys[SERVICE], role, self._mask))
        elif role != SERVICE:
            raise Refusal(UNAUTHORIZED, "Set service's key first: it allows to set the others.")
        if key == bytes(KEY_SIZE):
            raise Refusal(BAD_PARAMS, "The key is nothing but zeros; take a random one.")
        self.end()
        return role, key

    def want(self, method, role) -> None:
        """Refuse unless `role`, or service, is proved."""
        self._notice_loss()
        if self.role == SERVICE or self.role == role:
            return
        if not self._settings.claimed:
            why = "This device has no keys yet; claim it (mesodrive access claim)."
        elif self.role:
            why = "%s is service's; log in with service's key." % method
        elif self._went_idle:
            why = "Nobody did anything for %d minutes; log in again." % (IDLE_MS // 60_000)
        else:
            why = "%s is for %s only; log in first." % (method, role)
        raise Refusal(UNAUTHORIZED, why, {"role": role})

    def wait_ms(self, role) -> int:
        """How long until the next try. Twice as long after each wrong one."""
        failures = self._settings.failures[role]
        if not failures:
            return 0
        wait_s = min(MAX_WAIT_S, 1 << min(failures - 1, 20))
        return max(0, self._failed_ms[role] + 1000 * wait_s - self._uptime())

    def _guard(self, name, role, handler):
        if role == ANYBODY and name in _LOOKS:
            return handler

        def guarded(params, answer):
            if role == MAKER:
                if self._settings.claimed:
                    self.want(name, SERVICE)
            elif role != ANYBODY:
                self.want(name, role)
            if self.role:
                self._active_ms = self._uptime()
            return handler(params, answer)

        return guarded

    def _new_nonce(self):
        """Not to be guessed if the chip's noise is good, never the same if it is not."""
        self._drawn += 1
        drawn_at = self._uptime() & 0xFFFFFFFF  # in 49 days it is past that
        counted = struct.pack("<III", self._settings.counter, self._drawn, drawn_at)
        mixed = hashlib.sha256(self._port.random(_NOISE_SIZE) + counted)
        return mixed.digest()[:_NONCE_SIZE]

    def _notice_loss(self):
        losses = self._port.losses
        if losses != self._losses or not self._port.line.connected():
            self._losses = losses
            self.end()

    def _role_of(self, params):
        role = text(params, "role", 8)
        if role not in ROLES:
            raise Refusal(BAD_PARAMS, "role must be %s; it is %r." % (" or ".join(ROLES), role))
        return role

    def _key(self, role):
        key = self._settings.keys.get(role)
        if key is None:
            raise Refusal(
                UNAUTHORIZED,
                "There is no key of %s yet; run mesodrive access claim." % role,
            )
        return key


def auth_message(role: str, nonce: bytes, counter: int) -> bytes:
    """What a proof of `role` is the tag of."""
    return b"mesodrive auth\x00" + role.encode() + b"\x00" + nonce + struct.pack("<I", counter)


def key_mask(service_key: bytes, role: str, nonce: bytes) -> bytes:
    """What hides a new key of `role` on its way; `nonce` is that of service's proof."""
    return hmac_sha256(service_key, b"mesodrive key\x00" + role.encode() + b"\x00" + nonce)


def _hex(data):
    return binascii.hexlify(data).decode()


def _wait(role, wait_ms):
    return role, -(-wait_ms // 1000)
