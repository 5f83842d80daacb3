"""Time since boot that does not wrap."""


class Uptime:
    """Time since boot, from `timer_us()`, which wraps after 71 minutes; this does not."""

    def __init__(self, timer_us):
        self._timer_us = timer_us
        self._last = timer_us()
        self._total = self._last

    def us(self) -> int:
        """Microseconds."""
        now = self._timer_us()
        self._total += (now - self._last) & 0xFFFFFFFF
        self._last = now
        return self._total

    def __call__(self) -> int:
        """Milliseconds."""
        return self.us() // 1000

    def at(self, timer_us: int) -> int:
        """Microseconds at a reading of the timer that is less than 71 minutes old."""
        return self.us() - ((self._last - timer_us) & 0xFFFFFFFF)
