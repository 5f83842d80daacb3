"""Stop and guard, contact pair by contact pair, as boards/pico/WIRING.md wires them."""

from collections.abc import Callable
from enum import StrEnum

from mesodrive_rig.plant.lines import Sensor
from mesodrive_rig.plant.supply import Veto


class Contact(StrEnum):
    """A pair of contacts of the stop or the guard."""

    STOP_LINE = "stop, pair 1"  # begins the interlock line; STOP is behind it
    STOP_RAIL = "stop, pair 2"  # in the motor supply
    GUARD_LINE = "guard, pair 1"  # ends the interlock line
    GUARD_SENSE = "guard, pair 2"  # GUARD's own
    GUARD_RAIL = "guard, pair 3"  # in the motor supply


_STOP = (Contact.STOP_LINE, Contact.STOP_RAIL)
_SWITCH = {contact: Sensor.STOP if contact in _STOP else Sensor.GUARD for contact in Contact}


class Interlock:
    """The two switches. A pair does as its switch does, unless it is welded or burnt."""

    def __init__(
        self,
        on_line: Callable[[Sensor, int, float], None],
        on_rail: Callable[[Veto, bool, float], None],
    ):
        """`on_line` is told the levels of GUARD, STOP and INTERLOCK, `on_rail` what the two
        pairs in the motor supply say; each with the time in ns."""
        self._on_line = on_line
        self._on_rail = on_rail
        self._closed = {Sensor.GUARD: True, Sensor.STOP: True}
        self._stuck: dict[Contact, bool] = {}

    def move(self, switch: Sensor, closed: bool, now_ns: float) -> None:
        """GUARD or STOP is closed or opened."""
        self._closed[switch] = closed
        self._tell(now_ns)

    def weld(self, contact: Contact, now_ns: float) -> None:
        """From now on this pair is closed for good."""
        self._stuck[contact] = True
        self._tell(now_ns)

    def burn(self, contact: Contact, now_ns: float) -> None:
        """From now on this pair is open for good."""
        self._stuck[contact] = False
        self._tell(now_ns)

    def _is_closed(self, contact: Contact) -> bool:
        return self._stuck.get(contact, self._closed[_SWITCH[contact]])

    def _tell(self, now_ns: float) -> None:
        stop = self._is_closed(Contact.STOP_LINE)
        line = stop and self._is_closed(Contact.GUARD_LINE)
        self._on_line(Sensor.STOP, int(stop), now_ns)
        self._on_line(Sensor.GUARD, int(self._is_closed(Contact.GUARD_SENSE)), now_ns)
        self._on_line(Sensor.INTERLOCK, int(line), now_ns)
        self._on_rail(Veto.STOP, self._is_closed(Contact.STOP_RAIL), now_ns)
        self._on_rail(Veto.GUARD, self._is_closed(Contact.GUARD_RAIL), now_ns)
