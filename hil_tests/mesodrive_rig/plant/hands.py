"""The operator's hands: what a person may press, close, fit or hold to the skin."""

from collections.abc import Callable, Mapping, Sequence

from mesodrive.errors import MesodriveError
from mesodrive_rig.plant.clock import Clock
from mesodrive_rig.plant.lines import Sensor, SensorLine

_PULLED_LOW_WHEN_TRUE = frozenset({Sensor.SERVICE})
AT_REST = {
    Sensor.TRIGGER: False,
    Sensor.CONTACT: False,
    Sensor.GUARD: True,
    Sensor.STOP: True,
    Sensor.CARTRIDGE: True,
    Sensor.SERVICE: False,
}


def line_level(sensor: Sensor, is_true: bool) -> int:
    """Return the pin level that says so: 1 for true, but for the jumper to ground."""
    return int(is_true is not (sensor in _PULLED_LOW_WHEN_TRUE))


class Hands:
    """Moves switches: trigger pressed, contact made, guard and stop closed, cartridge and
    service jumper fitted. At rest all is closed and fitted but trigger, contact and jumper.
    """

    def __init__(
        self,
        clock: Clock,
        lines: Mapping[Sensor, SensorLine],
        on_moved: Callable[[Sensor, bool, float], None],
    ):
        """`on_moved(sensor, is_true, now_ns)`: the thing itself moved, bounce or not."""
        self._clock = clock
        self._lines = lines
        self._on_moved = on_moved

    def set(self, sensor: Sensor, is_true: bool, bounce_ms: Sequence[float] = ()) -> None:
        """Move `sensor` now; its contact toggles at each of `bounce_ms` (ms from now, even count).

        Raises MesodriveError for a sensor that no hand can move, or an impossible bounce.
        """
        if sensor not in AT_REST:
            raise MesodriveError(f"No hand moves {sensor}; choose one of {', '.join(AT_REST)}.")
        now_ns = self._clock.now_ns()
        self._lines[sensor].set(line_level(sensor, is_true), now_ns, bounce_ms)
        if sensor is Sensor.TRIGGER:
            self._lines[Sensor.TRIGGER_2].set(int(is_true), now_ns, bounce_ms)
        self._on_moved(sensor, is_true, now_ns)
