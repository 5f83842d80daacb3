"""The last events before the last stop, kept until they have been read or the next stop comes.

The port notes events as they come, partly in interrupts; a stop freezes a copy of them here.
"""

from array import array

from injector.uptime import us

# What an event's number means. The first are noted by interrupts.
NAMES = ("", "strike", "needle_out", "needle_back", "input_fell", "halt", "state", "inputs")
STATE = 6  # value: the place of the state in STATES
INPUTS = 7  # value: the inputs, bit n is GPIO n

AT_ONCE = 32  # rows that fit a line
_WORDS = 4
_LEAST = 128


class Trace:
    """`port.trace()` gives (wraps of the µs timer's low bits, low bits, event, value); with the
    wraps, an event may be as old as it likes."""

    def __init__(self, port):
        self._port = port
        self._kept = array("I", bytes(4 * _WORDS * _LEAST))
        self._count = 0

    def keep(self) -> None:
        """Freeze what has been noted up to now."""
        count = 0
        for event in self._port.trace():
            at = _WORDS * count
            for place in range(_WORDS):
                self._kept[at + place] = event[place]
            count += 1
        self._count = count

    def first(self, place: int) -> "dict[str, object]":
        """At most 32 rows from `place` on, the oldest event is 0."""
        last = min(self._count, place + AT_ONCE)
        return {"total": self._count, "rows": [self._row(n) for n in range(place, last)]}

    def _row(self, number):
        at = _WORDS * number
        wraps, low, event, value = self._kept[at : at + _WORDS]
        return [us(wraps, low), NAMES[event], value]
