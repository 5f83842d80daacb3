"""One strike as words for the strike program, and the actuator that has to follow them.

A word holds the two output levels in its lowest bits, then a bit that lets the dose begin, and a
delay count above them. The last word is off, so the needle comes back even if nothing follows it.
"""

from array import array

from injector.motion import isqrt

OFF = 0b00
HOLD = 0b01  # bit 0: the STRIKE output
PEAK = 0b11  # bit 1: STRIKE_PEAK, the full current
GATE = 0b100  # the dose may begin

MAX_WORDS = 8  # all words of a strike fit into the machine's queue before it begins

_DELAY_SHIFT = 3
_MAX_DELAY = (1 << 29) - 1
_SETTLE_US = 1_000  # at the stop, before full current gives way to holding current


class Actuator:
    """A coil drives the needle out, a spring takes it home, each with constant acceleration.

    `clearance_um` is what the tip lies behind the skin's surface at rest, `pull_in_us` the time
    from the current's start to the first movement. Give the weakest figures of the series: they
    are what every strike is planned with.
    """

    def __init__(self, name, clearance_um, coil_m_s2, spring_m_s2, pull_in_us):
        self.name = name
        self.clearance_um = clearance_um
        self.coil_m_s2 = coil_m_s2
        self.spring_m_s2 = spring_m_s2
        self.pull_in_us = pull_in_us

    def travel_us(self, depth_um: int) -> int:
        """From the start of the current to the depth stop: pull-in + sqrt(2 x / a)."""
        return self.pull_in_us + _fall_us(self.clearance_um + depth_um, self.coil_m_s2)

    def return_us(self, depth_um: int) -> int:
        """From the end of the current to rest."""
        return _fall_us(self.clearance_um + depth_um, self.spring_m_s2)

    def peak_us(self, depth_um: int) -> int:
        """How long full current is wanted."""
        return self.travel_us(depth_um) + _SETTLE_US


def _fall_us(um, m_s2):
    # 1 m/s² is 1e-6 µm/µs²; rounded up
    return isqrt(2 * um * 1_000_000 // m_s2) + 1


class StrikeTiming:
    """What the strike program costs, in counts of `hz`: a word with delay d lasts `word + d`
    counts, and `gate` more when it lets the dose begin."""

    def __init__(self, hz: int, word: int, gate: int):
        self.hz = hz
        self.word = word
        self.gate = gate
        self.longest_us = _MAX_DELAY // hz * 1_000_000  # what one word is sure to hold

    def counts(self, us: int) -> int:
        """`us` microseconds in counts, rounded down."""
        return us * self.hz // 1_000_000


def strike_words(
    timing: StrikeTiming, peak_us: int, on_us: int, period_us: int, gate_us: "int | None" = None
) -> "array[int]":
    """Words of a strike driven for `on_us`, the first `peak_us` of it at full current, and then
    off until `period_us` after its start; the dose may begin at `gate_us`.

    Raises ValueError when these do not follow one another, or are too long for the program.
    """
    peak_us = min(peak_us, on_us)
    if peak_us < 1 or on_us >= period_us or not (gate_us is None or 0 < gate_us < on_us):
        raise ValueError("a strike is on, lets the dose begin, and is off, in this order")
    longest_us = timing.longest_us
    # One word cannot be off for longer; what is left of the period is waited for elsewhere.
    period_us = min(period_us, on_us + longest_us)
    starts = [0]
    for moment in sorted([peak_us, gate_us or peak_us, on_us]):
        while moment - starts[-1] > longest_us:
            starts.append(starts[-1] + longest_us)
        if moment > starts[-1]:
            starts.append(moment)
    if len(starts) > MAX_WORDS:
        raise ValueError("the needle cannot stay in for longer than %d us" % (5 * longest_us))
    words = array("I")
    ends = starts[1:]
    ends.append(period_us)
    for start, end in zip(starts, ends):
        level = PEAK if start < peak_us else HOLD if start < on_us else OFF
        cost = timing.word
        if start == gate_us:
            level |= GATE
            cost += timing.gate
        counts = timing.counts(end) - timing.counts(start) - cost
        if counts < 0:
            raise ValueError("two moments of a strike are less than 1 us apart")
        words.append(counts << _DELAY_SHIFT | level)
    return words
