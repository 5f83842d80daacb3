"""The same alarm again and again: then a person with service's key has to look at it first."""

import binascii

from injector.limits import LOCK_ALARMS, LOCK_MS

_UNCOUNTED = ("locked", "settings")  # one follows from others, one cannot be kept


class Repeats:
    """Counts alarms and locks; `settings` keeps both over resets, `uptime()` is in ms.

    The time in which the device is off does not count, as nobody measures it.
    """

    def __init__(self, settings, uptime):
        self.unsaved = False  # something has to be kept, once nothing is live
        self._settings = settings
        self._uptime = uptime
        self._seen = []  # [CRC-32 of the code, uptime in ms], oldest first

    def open(self) -> None:
        """Go on from what the settings have kept."""
        now = self._uptime()
        self._seen = [[alarm, now - 1000 * age_s] for alarm, age_s in self._settings.alarms]

    def note(self, code: str) -> "str | None":
        """Count an alarm that has latched; a sentence when it locks the device."""
        if code in _UNCOUNTED or not self._settings.claimed:
            return None  # without keys nothing moves, and nobody could unlock it
        now = self._uptime()
        self._forget_old(now)
        alarm = _number(code)
        self._seen.append([alarm, now])
        self.unsaved = True
        if self.times(code) < LOCK_ALARMS:
            return None
        self._settings.locked_by = code
        return self.sentence

    def times(self, code: str) -> int:
        """How often an alarm has come within the last minutes."""
        alarm = _number(code)
        since = self._uptime() - LOCK_MS
        return len([1 for one, at in self._seen if one == alarm and at > since])

    @property
    def sentence(self) -> "str | None":
        """Why the device is locked, and the way out; None when it is not."""
        code = self._settings.locked_by
        if not code:
            return None
        return (
            "The alarm %s came %d times within %d minutes; have service find its cause and "
            "unlock the device." % (code, LOCK_ALARMS, LOCK_MS // 60_000)
        )

    def forgive(self) -> None:
        """Unlock, and count from nothing; the settings are to be saved."""
        self._settings.locked_by = ""
        self._seen = []
        self.settle()

    def settle(self) -> None:
        """Hand what is known over to the settings, for the next `save`."""
        now = self._uptime()
        self._forget_old(now)
        self._settings.alarms = [[alarm, (now - at) // 1000] for alarm, at in self._seen]
        self.unsaved = False

    @property
    def due(self) -> bool:
        """Whether what is kept differs: an alarm came, or one has become too old to count."""
        if self.unsaved:
            return True
        return bool(self._seen and self._seen[0][1] <= self._uptime() - LOCK_MS)

    def _forget_old(self, now):
        while self._seen and self._seen[0][1] <= now - LOCK_MS:
            self._seen.pop(0)


def _number(code):
    return binascii.crc32(code.encode()) & 0xFFFFFFFF
