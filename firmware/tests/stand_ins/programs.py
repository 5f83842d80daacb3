"""When the pulse programs make their edges, from what each of their instructions costs.

A tick is one instruction of a machine at the full clock, 8 ns; a count is two of them.
"""

from injector.motion import StepTiming
from injector.strike import StrikeTiming

TICKS_US = 125
HZ = 62_500_000
STEP_TIMING = StepTiming(HZ, first=5, between=13)
STRIKE_TIMING = StrikeTiming(HZ, word=4, gate=1)

GATED = 1 << 31

_PAIR = 1 + 1 + 1 + 1 + 2  # pull, out, out, jmp, pull [1]
_GATE = 1 + 1 + 1 + 1 + 1 + 1  # until the flag is seen; wait, mov, in, mov, jmp
_SAME = 5 + 1  # jmp [5]
_HIGH = 15 + 1  # nop [14], jmp


class Pulses:
    """The rises of one move: ticks from its start, or from the gate when it waits for one."""

    def __init__(self, words):
        self.gated = bool(words[0] & GATED)
        self._runs = []  # (tick of the first rise, ticks between two, rises)
        tick = 0
        for pair in range(0, len(words), 2):
            more, delay = words[pair] & (GATED - 1), words[pair + 1]
            tick += _PAIR if pair or not self.gated else _GATE + 2  # its way there is behind it
            low = 2 + 2 * (delay + 1)  # mov [1], then two jmp a round
            between = _HIGH + _SAME + low
            self._runs.append((tick + low, between, more + 1))
            tick += low + more * between + _HIGH
        self.last_tick = tick - _HIGH
        self.rises = sum([count for _, _, count in self._runs])
        self._asked = 0  # where the last question left off: tick, runs over, rises in those
        self._over = 0
        self._made = 0

    def by(self, tick):
        """Rises until `tick`."""
        if tick < self._asked:
            self._over = self._made = 0
        self._asked = tick
        while self._over < len(self._runs):
            first, between, count = self._runs[self._over]
            if tick < first + (count - 1) * between:
                return self._made + max(0, (tick - first) // between + 1)
            self._over += 1
            self._made += count
        return self._made

    def ticks(self):
        """The tick of each rise."""
        return [first + n * between for first, between, count in self._runs for n in range(count)]


def strike_level(word):
    """A strike's word: (STRIKE and PEAK, whether the dose may begin, how many ticks it lasts)."""
    gates = bool(word & 4)
    # pull, out, out, jmp, (irq [1]), out [1], then two jmp a round
    ticks = 1 + 1 + 1 + 1 + (2 if gates else 0) + 2 + 2 * ((word >> 3) + 1)
    return word & 3, gates, ticks
