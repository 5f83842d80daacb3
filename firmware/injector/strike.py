"""One strike as words for the strike program: full current, holding current, off.

A word holds the two output levels in its lowest bits and a delay count above them. The last word
is off, so the needle comes back even if nothing follows it.
"""

from array import array

_OFF = 0b00
_HOLD = 0b01  # bit 0: the STRIKE output
_PEAK = 0b11  # bit 1: STRIKE_PEAK, the full current

_LEVEL_BITS = 2


class StrikeTiming:
    """What the strike program costs: a delay count of d lasts `2 * d + word` ticks of `hz`."""

    def __init__(self, hz: int, first: int, word: int):
        self.hz = hz
        self.first = first  # from the start of the track to its first edge
        self.word = word

    def ticks(self, ms: int) -> int:
        """`ms` milliseconds in ticks."""
        return ms * (self.hz // 1000)


def strike_words(timing: StrikeTiming, peak_ms: int, on_ms: int) -> "array[int]":
    """Words of a strike that is driven for `on_ms`, the first `peak_ms` of it at full current.

    Raises ValueError for times that are not above zero.
    """
    if peak_ms < 1 or on_ms < 1:
        raise ValueError("A strike lasts at least 1 ms.")
    peak_ms = min(peak_ms, on_ms)
    words = array("I", [_word(timing, _PEAK, peak_ms)])
    if on_ms > peak_ms:
        words.append(_word(timing, _HOLD, on_ms - peak_ms))
    words.append(_OFF)
    return words


def _word(timing: StrikeTiming, level: int, ms: int) -> int:
    return ((timing.ticks(ms) - timing.word) // 2) << _LEVEL_BITS | level
