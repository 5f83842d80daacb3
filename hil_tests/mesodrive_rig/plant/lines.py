"""The wires between the board and the injector, by name, and a sensor wire that may bounce."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import pairwise

from mesodrive.errors import MesodriveError
from mesodrive_rig.plant.clock import NS_PER_MS, Clock, Scheduled


class Output(StrEnum):
    """What the board drives."""

    PLUNGER_STEP = "plunger_step"
    PLUNGER_DIR = "plunger_dir"
    DEPTH_STEP = "depth_step"
    DEPTH_DIR = "depth_dir"
    STRIKE = "strike"
    STRIKE_PEAK = "strike_peak"
    ENABLE = "enable"
    ALARM_RED = "alarm_red"
    ALARM_YELLOW = "alarm_yellow"
    BUZZER = "buzzer"


class Sensor(StrEnum):
    """What the board reads. 1 = true of the name, but for the home switches and the jumper."""

    PLUNGER_HOME = "plunger_home"  # normally closed: 0 = at home (or a broken wire)
    DEPTH_HOME = "depth_home"  # normally closed: 0 = at home (or a broken wire)
    NEEDLE_OUT = "needle_out"
    NEEDLE_BACK = "needle_back"
    CONTACT = "contact"
    TRIGGER = "trigger"
    TRIGGER_2 = "trigger_2"  # its other contact, on the pin of the service jumper
    GUARD = "guard"
    STOP = "stop"
    INTERLOCK = "interlock"  # guard AND stop, made by the wiring
    CARTRIDGE = "cartridge"
    RAIL = "rail"
    DRIVER_OK = "driver_ok"  # neither motor driver reports an error
    SERVICE = "service"  # jumper to ground: 0 = fitted


class Analog(StrEnum):
    """What the board measures."""

    COIL_TEMP = "coil_temp"
    SUPPLY = "supply"
    FORCE = "force"


SensorSink = Callable[[Sensor, int, float], None]
"""Takes a sensor, its new pin level and the emulated time in ns."""


class SensorLine:
    """One sensor wire; tells `sink` each change of level."""

    def __init__(self, sensor: Sensor, level: int, clock: Clock, sink: SensorSink):
        self.sensor = sensor
        self.level = level
        self._clock = clock
        self._sink = sink
        self._toggles: list[Scheduled] = []

    def set(self, level: int, now_ns: float, bounce_ms: Sequence[float] = ()) -> None:
        """Go to `level` now, and toggle at each of `bounce_ms` (ms after now) before resting.

        Raises MesodriveError when the toggles would not end at `level` or do not ascend.
        """
        if len(bounce_ms) % 2 or any(a >= b for a, b in pairwise((0.0, *bounce_ms))):
            raise MesodriveError(
                f"The bounce {list(bounce_ms)} of {self.sensor} cannot be; "
                "give an even number of ascending times in ms."
            )
        for toggle in self._toggles:
            toggle.cancel()
        self._drive(level, now_ns)
        self._toggles = []
        for number, after_ms in enumerate(bounce_ms):
            time_ns = now_ns + after_ms * NS_PER_MS
            toggled = partial(self._drive, level if number % 2 else 1 - level, time_ns)
            self._toggles.append(self._clock.call_at(time_ns, toggled))

    def _drive(self, level: int, now_ns: float) -> None:
        if level != self.level:
            self.level = level
            self._sink(self.sensor, level, now_ns)


@dataclass(frozen=True)
class EdgeTruth:
    """Edges of one output of the board; times in emulated ns, None when there was none."""

    rises: int
    first_rise_ns: float | None
    last_rise_ns: float | None
    last_fall_ns: float | None


class EdgeCounter:
    """Counts the edges of one output of the board and keeps their times in ns."""

    __slots__ = ("first_rise_ns", "last_fall_ns", "last_rise_ns", "rises")

    def __init__(self) -> None:
        self.rises = 0
        self.first_rise_ns: float | None = None
        self.last_rise_ns: float | None = None
        self.last_fall_ns: float | None = None

    def truth(self) -> EdgeTruth:
        return EdgeTruth(self.rises, self.first_rise_ns, self.last_rise_ns, self.last_fall_ns)

    def record(self, level: int, now_ns: float) -> None:
        if not level:
            self.last_fall_ns = now_ns
            return
        if not self.rises:
            self.first_rise_ns = now_ns
        self.rises += 1
        self.last_rise_ns = now_ns
