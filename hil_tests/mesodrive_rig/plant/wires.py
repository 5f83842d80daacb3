"""Wires that can break: between a sensor and the chip's pin, and between a pin and its driver."""

import random
from collections.abc import Callable
from enum import StrEnum

from mesodrive_rig.plant.clock import NS_PER_MS, Clock, Scheduled


class WireFault(StrEnum):
    """What can become of a wire. A short is at the chip's pad, an open wire behind it."""

    OPEN = "open"
    HIGH = "shorted to 3V3"
    LOW = "shorted to ground"
    STUCK = "stuck"  # at the level it has now
    BOUNCING = "bouncing"  # chatters now, and after each change
    NOISY = "noisy"  # spikes at random, all the time


SHORTS = {WireFault.HIGH: 1, WireFault.LOW: 0}

# ms after a change at which a bouncing contact toggles; an even number
_BOUNCE_MS = (0.05, 0.3, 0.4, 1.1, 1.3, 2.2, 2.9, 4.0)
# of a noisy wire: mean time between two spikes, shortest and longest spike
_QUIET_MS, _SPIKE_MS = 4.0, (0.001, 0.03)


class InputWire:
    """One wire to an input pin; `pull` is what the pin reads when nothing is connected.

    `sink(level, now_ns)` is told each change at the pin.
    """

    def __init__(self, level: int, pull: int, clock: Clock, sink: Callable[[int, float], None]):
        self.level = level  # at the pin
        self.source = level  # at the sensor
        self.fault: WireFault | None = None
        self._pull = pull
        self._clock = clock
        self._sink = sink
        self._random = random.Random(1)
        self._later: list[Scheduled] = []

    def set(self, level: int, now_ns: float) -> None:
        """The sensor's level has changed."""
        self.source = level
        if self.fault is None or self.fault is WireFault.NOISY:
            self._drive(level, now_ns)
        elif self.fault is WireFault.BOUNCING:
            self._drive(level, now_ns)
            self._bounce(now_ns)

    def break_(self, fault: WireFault, seed: int = 1) -> None:
        """From now on it has `fault`; `seed` is that of the noise."""
        self.mend()
        self.fault = fault
        now_ns = self._clock.now_ns()
        if fault in SHORTS:
            self._drive(SHORTS[fault], now_ns)
        elif fault is WireFault.OPEN:
            self._drive(self._pull, now_ns)
        elif fault is WireFault.BOUNCING:
            self._drive(1 - self.source, now_ns)
            self._bounce(now_ns)
        elif fault is WireFault.NOISY:
            self._random.seed(seed)
            self._wait_for_spike()

    def mend(self) -> None:
        """It is whole again."""
        self._call_off()
        self.fault = None
        self._drive(self.source, self._clock.now_ns())

    def _bounce(self, now_ns: float) -> None:
        """Toggle for a while, and come to rest at the sensor's level."""
        self._call_off()
        level = self.level
        for after_ms in _BOUNCE_MS:
            level = 1 - level
            self._at(now_ns + after_ms * NS_PER_MS, level)
        self._at(now_ns + (_BOUNCE_MS[-1] + 0.5) * NS_PER_MS, self.source)

    def _at(self, time_ns: float, level: int) -> None:
        self._later.append(self._clock.call_at(time_ns, lambda: self._drive(level, time_ns)))

    def _wait_for_spike(self) -> None:
        after_ms = self._random.uniform(0.1, 2 * _QUIET_MS)
        self._later = [
            self._clock.call_at(self._clock.now_ns() + after_ms * NS_PER_MS, self._spike)
        ]

    def _spike(self) -> None:
        now_ns = self._clock.now_ns()
        self._drive(1 - self.source, now_ns)
        self._later = [
            self._clock.call_at(
                now_ns + self._random.uniform(*_SPIKE_MS) * NS_PER_MS, self._end_spike
            )
        ]

    def _end_spike(self) -> None:
        self._drive(self.source, self._clock.now_ns())
        self._wait_for_spike()

    def _call_off(self) -> None:
        for scheduled in self._later:
            scheduled.cancel()
        self._later = []

    def _drive(self, level: int, now_ns: float) -> None:
        if level != self.level:
            self.level = level
            self._sink(level, now_ns)


class OutputWire:
    """One wire from an output pin; `drive` it with the pin's edges.

    `sink(level, now_ns)` is the driver at its end, which reads 0 when nothing is connected;
    `pad(level)` is what the chip's own input sees of the pin.
    """

    def __init__(
        self,
        clock: Clock,
        sink: Callable[[int, float], None],
        pad: Callable[[bool], None] | None,
    ):
        self.fault: WireFault | None = None
        self._clock = clock
        self._sink = sink
        self._pad = pad
        self._pin = 0
        self._end = 0
        self._seen = 0

    def drive(self, level: bool) -> None:
        """An edge of the pin."""
        self._pin = int(level)
        if self.fault is None:
            self._end = self._seen = self._pin
            self._sink(self._pin, self._clock.now_ns())
            if self._pad:
                self._pad(level)
        elif self.fault not in SHORTS and self._pad:
            self._seen = self._pin
            self._pad(level)

    def break_(self, fault: WireFault) -> None:
        """From now on it has `fault`: open, stuck or one of the shorts."""
        self.fault = fault
        end = 0 if fault is WireFault.OPEN else SHORTS.get(fault, self._end)
        self._go(end, end if fault in SHORTS else self._pin)

    def mend(self) -> None:
        """It is whole again."""
        self.fault = None
        self._go(self._pin, self._pin)

    def _go(self, end: int, seen: int) -> None:
        if end != self._end:
            self._end = end
            self._sink(end, self._clock.now_ns())
        if seen != self._seen:
            self._seen = seen
            if self._pad:
                self._pad(bool(seen))
