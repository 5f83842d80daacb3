"""Emulated time: what the plant asks of a clock, and a clock that a test turns by hand."""

import heapq
import itertools
from collections.abc import Callable
from typing import Protocol

NS_PER_MS = 1e6


class Scheduled(Protocol):
    """A callback that has been asked for and may still be called off."""

    def cancel(self) -> None:
        """Call it off; does nothing once it has run."""
        ...


class Clock(Protocol):
    """Emulated time in ns since power-up; never runs backwards."""

    def now_ns(self) -> float: ...

    def call_at(self, time_ns: float, callback: Callable[[], None]) -> Scheduled:
        """Run `callback` once at `time_ns`, or as soon as possible when that is past."""
        ...


class _Event:
    __slots__ = ("callback", "cancelled")

    def __init__(self, callback: Callable[[], None]):
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class ManualClock:
    """A clock that stands still until `run_until` turns it; equal times run in order of asking."""

    def __init__(self) -> None:
        self._now_ns = 0.0
        self._order = itertools.count()
        self._events: list[tuple[float, int, _Event]] = []

    def now_ns(self) -> float:
        return self._now_ns

    def call_at(self, time_ns: float, callback: Callable[[], None]) -> Scheduled:
        event = _Event(callback)
        heapq.heappush(self._events, (time_ns, next(self._order), event))
        return event

    def run_until(self, time_ns: float) -> None:
        """Run everything due up to and including `time_ns` (ns), each at its own time."""
        while self._events and self._events[0][0] <= time_ns:
            due_ns, _, event = heapq.heappop(self._events)
            if not event.cancelled:
                self._now_ns = max(self._now_ns, due_ns)
                event.callback()
        self._now_ns = max(self._now_ns, time_ns)

    def run_for_ms(self, duration_ms: float) -> None:
        self.run_until(self._now_ns + duration_ms * NS_PER_MS)
