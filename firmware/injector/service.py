"""What service may change, with nothing live: keys, limits, calibration, the lock."""

from injector.errors import Refusal
from injector.hmac import hmac_sha256
from injector.params import only, text
from injector.settings import SettingsError
from mesodrive_wire import FAULTED


class Service:
    """`at_rest()` refuses unless nothing is live; `fail(code, sentence)` latches an alarm;
    `record(what, was, becomes)` writes down what is about to change, 16 bytes and two numbers, and
    refuses when it cannot; `changed(what)` follows when it has."""

    def __init__(self, settings, repeats, site, at_rest, fail):
        self.record = _unrecorded
        self.changed = _unknown
        self._settings = settings
        self._repeats = repeats
        self._site = site
        self._at_rest = at_rest
        self._fail = fail

    def save(self) -> None:
        """Keep the settings. What cannot be kept is a fault of the device."""
        self._repeats.settle()
        try:
            self._settings.save()
        except SettingsError as error:
            self._fail("settings", str(error))
            raise Refusal(FAULTED, str(error)) from None

    def set_key(self, access, params):
        """`keys.set`: claim a new device, or change a key."""
        self._at_rest()
        role, key = access.new_key(params)
        keys = self._settings.keys.copy()
        was = fingerprint(keys.get(role, b""))
        keys[role] = key
        self.record("key " + role, was, fingerprint(key))
        self._settings.failures[role] = 0
        self._keep("keys", keys)
        self.changed("key " + role)
        return {"role": role}

    def set_value(self, params):
        """`settings.set`: a limit or a measured position."""
        only(params, ("name", "value"))
        self._at_rest()
        name = text(params, "name", 16)
        was, becomes = self._site.asked(name, params)
        values = self._settings.values.copy()
        values[name] = becomes
        self.record(name, was, becomes)
        self._keep("values", values)
        self.changed(name)
        return {"name": name, "value": becomes}

    def unlock(self, params):
        """`unlock`: service has found the cause of an alarm that came again and again."""
        only(params, ())
        self._at_rest()
        was = self._settings.locked_by
        self.record("lock", int(bool(was)), 0)
        self._repeats.forgive()
        self._keep("locked_by", "", was)
        self.changed("lock")
        return {"locked_by": was}

    def _keep(self, name, value, held=None):
        """Have settings' `name` be `value`, which has been recorded: a power cut in between leaves
        a record too many, never one too few. What cannot be saved must not hold."""
        if held is None:
            held = getattr(self._settings, name)
        setattr(self._settings, name, value)
        try:
            self.save()
        except Refusal:
            setattr(self._settings, name, held)
            raise


def fingerprint(key: bytes) -> int:
    """Tells keys apart without telling anything of them; 0 for none."""
    return int.from_bytes(hmac_sha256(key, b"mesodrive fingerprint")[:4], "little") if key else 0


def _unrecorded(what, was, becomes):
    pass


def _unknown(what):
    pass
