"""The cable between a host and the device: a stream each way, in which lines may be lost, doubled,
overtaken, spoilt and late, also so late that the device has been reset or another host has come.
"""

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from random import Random

MOST_LATE_US = 5_000_000


@dataclass(frozen=True)
class Weather:
    """How likely each misfortune is, for a line."""

    name: str
    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    spoilt: float = 0.0


CALM = Weather("calm")
ROUGH = Weather("rough", lost=0.03, doubled=0.05, late=0.03, spoilt=0.03)
STORM = Weather("storm", lost=0.15, doubled=0.25, late=0.15, spoilt=0.15)
WEATHERS = (CALM, ROUGH, STORM)


class Direction:
    """One way of the cable. `deliver(data)` is called when something arrives."""

    def __init__(self, random: Random, deliver: Callable[[bytes], None]):
        self.weather = CALM
        self.misfortunes = 0
        self._random = random
        self._deliver = deliver
        self._under_way: list[tuple[int, int, bytes]] = []  # heap: when it arrives, order, what
        self._sent = 0
        self._last_us = 0  # arrival of the youngest line that keeps its place

    @property
    def next_us(self) -> int | None:
        return self._under_way[0][0] if self._under_way else None

    def send(self, data: bytes, now_us: int) -> None:
        """Put a line, or a stop byte, into the cable."""
        random, weather = self._random, self.weather
        soon_us = max(self._last_us, now_us + random.randrange(100, 1_500))
        if weather is CALM:
            self._put(soon_us, data)
            self._last_us = soon_us
            return
        if random.random() < weather.doubled:
            self.misfortunes += 1
            self._put(now_us + random.randrange(100, MOST_LATE_US), data)
        if random.random() < weather.lost:
            self.misfortunes += 1
            return
        if random.random() < weather.spoilt:
            self.misfortunes += 1
            data = spoilt(data, random)
        if random.random() < weather.late:
            self.misfortunes += 1
            self._put(now_us + random.randrange(1_500, MOST_LATE_US), data)
        else:
            self._put(soon_us, data)
            self._last_us = soon_us

    def arrive(self, now_us: int) -> None:
        """Deliver what is due."""
        while self._under_way and self._under_way[0][0] <= now_us:
            self._deliver(heappop(self._under_way)[2])

    def clear(self) -> None:
        """What was under way is lost."""
        self._under_way.clear()

    def _put(self, at_us: int, data: bytes) -> None:
        self._sent += 1
        heappush(self._under_way, (at_us, self._sent, data))


def spoilt(data: bytes, random: Random) -> bytes:
    """`data` with an error somewhere: a turned bit, a byte too much or too few, an end cut off."""
    where = random.randrange(len(data))
    kind = random.randrange(5)
    if kind == 0:
        return data[:where] + bytes([data[where] ^ 1 << random.randrange(8)]) + data[where + 1 :]
    if kind == 1:
        return data[:where] + data[where + 1 :]
    if kind == 2:
        return data[:where] + bytes([random.randrange(256)]) + data[where:]
    if kind == 3:
        return data[:where]
    # A digit for a digit: it is still JSON, and only the checksum knows.
    digits = [place for place, byte in enumerate(data) if 48 <= byte <= 57]
    if not digits:
        return b""
    where = random.choice(digits)
    return data[:where] + str(random.randrange(10)).encode() + data[where + 1 :]
