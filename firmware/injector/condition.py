"""What the machine senses of itself, and what of it is against going on."""

from injector.causes import OCCLUDED, UNSEATED, sensor_sentence
from injector.errors import Trouble
from injector.limits import LEAST_SUPPLY_PCT, MAX_COIL_DC

_ASTRAY_LOOKS = 3  # before one that is believed: wires are noisy
EDGES = (1 << 30) - 1  # a port counts so many; then from 0 again


class Condition:
    """`machine` has the supply's voltage, see drives.py; `drives` are its axes."""

    def __init__(self, port, inputs, sensors, machine, drives):
        self._port = port
        self._inputs = inputs
        self._sensors = sensors
        self._drives = drives
        self._astray = 0  # looks in a row
        self._least_mv = machine.SUPPLY_MV * LEAST_SUPPLY_PCT // 100

    def pressed(self, homing: bool) -> "Trouble | None":
        """The force has halted the tracks."""
        if not self._port.pressed_too_hard:
            return None
        if not self._sensors.force.possible:
            return Trouble("sensor", sensor_sentence("plunger force"))
        return Trouble(OCCLUDED[0], UNSEATED if homing else OCCLUDED[1])

    def sensed(self) -> "Trouble | None":
        """What the analog sensors say against going on."""
        sensors = self._sensors
        broken = sensors.implausible
        if broken:
            return Trouble("sensor", sensor_sentence(broken))
        if sensors.coil_dc >= MAX_COIL_DC:
            return Trouble(
                "over_temperature",
                "The strike coil is at %d °C; let it cool, then acknowledge."
                % (sensors.coil_dc // 10),
            )
        # Without any supply there is no rail either, and that is told.
        if self._inputs.on("rail") and sensors.supply_mv < self._least_mv:
            return Trouble(
                "supply_low",
                "The motor supply gives %d mV and needs %d; check it, then acknowledge."
                % (sensors.supply_mv, self._least_mv),
            )
        return None

    def astray(self) -> "Trouble | None":
        """An axis that is not where it was driven to, at so many looks in a row."""
        for drive in self._drives:
            trouble = drive.astray
            if trouble:
                self._astray += 1
                return trouble if self._astray > _ASTRAY_LOOKS else None
        self._astray = 0
        return None

    def stray(self, striking: bool, pushed) -> "Trouble | None":
        """Steps that nobody asked for, of the axes that are to stand still: in strikes the plunger
        is not. `pushed(steps)` is called with those by which the plunger has gone forward."""
        plunger = self._drives[0]
        for drive in self._drives:
            if drive.moving or (striking and drive is plunger):
                continue
            axis = drive.axis
            stray = (self._port.edges(drive.number) - axis.edges) & EDGES
            if stray:
                moved = axis.moved(stray)  # told once
                if drive is plunger and axis.forward:
                    pushed(moved)
                return Trouble(
                    "free_running",
                    "The %s axis was given %d steps that nobody asked for; check the STEP wire, "
                    "then acknowledge." % (axis.name, stray),
                )
        return None
