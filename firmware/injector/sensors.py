"""The three analog sensors: counts of the converter → the world's units, and what cannot be true.

A count is 1/4096 of the converter's reference, 0 to 4095. Of the last three counts the middle one
is taken, so noise on one of them changes nothing, and a real change is seen at the second look.
"""

_COUNTS = 4096
_BELIEVED_LOOKS = 3  # looks in a row at an impossible reading, until it is one


class Thermistor:
    """A thermistor from the pin to ground with a resistor to the reference; `points` are
    (count, tenths of °C), the counts falling. Beyond the points is a broken or shorted wire."""

    def __init__(self, points: "tuple[tuple[int, int], ...]"):
        self._points = points
        self.least = points[-1][0]
        self.most = points[0][0]

    def value(self, count: int) -> int:
        """Tenths of °C, linear between the points; `count` is within `least` and `most`."""
        above, cold = self._points[0]
        for below, warm in self._points[1:]:
            if count >= below:
                return warm - (warm - cold) * (count - below) // (above - below)
            above, cold = below, warm
        return cold


class Linear:
    """A sensor that gives `zero` counts at 0 and `span` more at `full`, in the world's unit.
    Outside of `least` to `most` counts its wire is broken or shorted."""

    def __init__(self, zero: int, span: int, full: int, least: int, most: int):
        self._zero = zero
        self._span = span
        self._full = full
        self.least = least
        self.most = most

    def value(self, count: int) -> int:
        """In the world's unit, rounded down."""
        return (count - self._zero) * self._full // self._span

    def count(self, value: int) -> int:
        """The counts at `value`, rounded down, within what the converter can give."""
        return max(0, min(_COUNTS - 1, self._zero + value * self._span // self._full))


class Reading:
    """What one sensor, a Thermistor or a Linear, says; `value` is the last that could be true."""

    def __init__(self, name: str, sensor):
        self.name = name
        self.value = 0
        self._sensor = sensor
        self._counts = None  # the last two
        self._impossible = 0  # looks in a row

    def take(self, count: int) -> None:
        """One look."""
        if self._counts is None:
            self._counts = [count, count]
        counts = self._counts
        low, high = counts[0], counts[1]
        counts[0], counts[1] = high, count
        if low > high:
            low, high = high, low
        middle = low if count < low else high if count > high else count
        if self._sensor.least <= middle <= self._sensor.most:
            self.value = self._sensor.value(middle)
            self._impossible = 0
        elif self._impossible < _BELIEVED_LOOKS:
            self._impossible += 1

    def count(self, value: int) -> int:
        """The counts at which the sensor says `value`."""
        return self._sensor.count(value)

    @property
    def latest(self) -> int:
        """What the last count alone says; `value` follows it a look later."""
        if self._counts is None or not self.possible:
            return self.value
        return self._sensor.value(self._counts[1])

    @property
    def possible(self) -> bool:
        """Whether the last count alone can be true."""
        return self._counts is None or self._sensor.least <= self._counts[1] <= self._sensor.most

    @property
    def plausible(self) -> bool:
        return self._impossible < _BELIEVED_LOOKS


class Sensors:
    """`analog()` gives the counts of coil temperature, motor supply and plunger force; `circuit`
    has the sensors they come from, see drives.py."""

    def __init__(self, analog, circuit):
        self._analog = analog
        self.coil = Reading("coil temperature", circuit.COIL_SENSOR)
        self.supply = Reading("motor supply", circuit.SUPPLY_SENSOR)
        self.force = Reading("plunger force", circuit.FORCE_SENSOR)
        self.looks = 0

    def poll(self) -> None:
        """Look at all three."""
        coil, supply, force = self._analog()
        self.coil.take(coil)
        self.supply.take(supply)
        self.force.take(force)
        self.looks += 1

    def settle(self) -> None:
        """Look until every reading is believed, or not."""
        for _ in range(_BELIEVED_LOOKS):
            self.poll()

    @property
    def coil_dc(self) -> int:
        """The strike coil's temperature in tenths of °C."""
        return self.coil.value

    @property
    def supply_mv(self) -> int:
        """The motor supply before the rail's switch."""
        return self.supply.value

    @property
    def force_mn(self) -> int:
        """What the pusher presses on the plunger."""
        return self.force.value

    @property
    def implausible(self) -> "str | None":
        """The name of a sensor that says what cannot be, or None."""
        for reading in (self.coil, self.supply, self.force):
            if not reading.plausible:
                return reading.name
        return None
