"""Time since boot, which wraps nowhere, and for 12.4 days leaves nothing on the heap.

A small int of MicroPython has 31 bits with its sign; anything longer is made on the heap, and what
is made at every look is cleared away while a dose runs. So the chip's 64-bit µs timer is read as
two numbers: its low 30 bits (LOW_BITS), and how often these have wrapped, every 17.9 minutes.
"""

LOW_BITS = 30
LOW = (1 << LOW_BITS) - 1  # as a mask: µs timer readings apart by less than 17.9 min, subtracted

# A wrap lasts 2^30 µs, which is so many ms and so many µs more.
_WRAP_MS = 1_073_741
_WRAP_REST_US = 824


class Uptime:
    """Time since boot; `clock()` gives [wraps of the low bits, low bits] of the µs timer, in an
    array that the next call overwrites."""

    def __init__(self, clock):
        self._clock = clock

    def __call__(self) -> int:
        """Milliseconds; a small int for the first 12.4 days."""
        clock = self._clock()
        wraps = clock[0]
        low = clock[1]
        return wraps * _WRAP_MS + low // 1000 + (wraps * _WRAP_REST_US + low % 1000) // 1000

    def us(self) -> int:
        """Microseconds; for what is rare."""
        wraps, low = self._clock()
        return us(wraps, low)

    def at(self, low: int) -> int:
        """Microseconds at a reading of the timer's low bits that is less than 17.9 min old."""
        wraps, now = self._clock()
        return us(wraps if low <= now else wraps - 1, low)


def us(wraps: int, low: int) -> int:
    """Uptime in microseconds when the low bits had wrapped `wraps` times and were `low`."""
    return wraps << LOW_BITS | low
