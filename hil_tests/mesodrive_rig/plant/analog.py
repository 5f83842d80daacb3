"""The analog sensors as circuits: temperature, voltage, force → counts of a 12-bit converter."""

import math
from collections.abc import Callable

from mesodrive_rig.plant.lines import Analog

FULL = 4095

_COUNTS = 4096
_REFERENCE_V = 3.3
_NTC_K = 3950.0
_WARM_K = 298.15  # 25 °C, where the thermistor has the resistance of its pull-up
_ZERO_C_K = 273.15
_DIVIDER = 10 / 101  # 10 kΩ of 91 kΩ + 10 kΩ
_FORCE_ZERO_V = 0.33
_FORCE_V_N = (2.97 - 0.33) / 50

Fault = Callable[[int, float], int]
"""Takes the true count and the emulated time in ns; returns what the pin shows instead."""


def coil_count(celsius: float) -> int:
    """A thermistor to ground under a resistor to the reference."""
    ratio = math.exp(_NTC_K * (1 / (celsius + _ZERO_C_K) - 1 / _WARM_K))
    return _count(ratio / (ratio + 1))


def supply_count(volts: float) -> int:
    """A divider on the motor supply."""
    return _count(volts * _DIVIDER / _REFERENCE_V)


def force_count(newtons: float) -> int:
    """A load cell whose amplifier does not begin at ground."""
    return _count((_FORCE_ZERO_V + newtons * _FORCE_V_N) / _REFERENCE_V)


def broken_wire(sensor: Analog) -> Fault:
    """A wire of `sensor` that is open: its pull is all that is left."""
    count = FULL if sensor is Analog.COIL_TEMP else 0
    return lambda _true, _now_ns: count


def shorted_to(count: int) -> Fault:
    """A pin that is held: 0 at ground, `FULL` at the reference."""
    return lambda _true, _now_ns: count


def _count(part_of_reference: float) -> int:
    return max(0, min(FULL, round(part_of_reference * _COUNTS)))
