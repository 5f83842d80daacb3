"""The strikes so far, for the host: told in order when the line has room, kept for one that missed
some. Packed in one array, so that a strike leaves nothing behind on the heap.
"""

from array import array

KEPT = 1500  # strikes; 6 s at the highest rate
AT_ONCE = 12  # rows that fit a line
OUTCOMES = ("done", "stopped", "misfire")

_WORDS = 7  # start µs (low, high 32 bits), dose, steps, audit, out, back and the outcome
_NEVER = 0xFFFFFFFF
_OUTCOME_SHIFT = 30
_REASONS_KEPT = 64
_REASON_LENGTH = 48


class Reports:
    """A memory of the last 1500 strikes, each told once. Numbers begin with 1."""

    def __init__(self):
        self._words = array("I", bytes(4 * _WORDS * KEPT))
        self._why_of = array("I", bytes(4 * _REASONS_KEPT))  # numbers of the last that have one
        self._whys = [""] * _REASONS_KEPT
        self.clear()

    def clear(self) -> None:
        """Forget all, as when a new profile starts its numbers afresh."""
        self._count = 0
        self._told = 0
        self._reasons = 0
        for place in range(_REASONS_KEPT):
            self._why_of[place] = 0

    def add(self, t_us, outcome, dose_nl, steps, audit, out_us, back_us, why) -> None:
        """Keep the next strike; `out_us` and `back_us` are None when not seen."""
        words = self._words
        at = _WORDS * (self._count % KEPT)
        self._count += 1
        words[at] = t_us & 0xFFFFFFFF
        words[at + 1] = t_us >> 32
        words[at + 2] = dose_nl
        words[at + 3] = steps
        words[at + 4] = audit
        words[at + 5] = _NEVER if out_us is None else out_us
        back = (1 << _OUTCOME_SHIFT) - 1 if back_us is None else back_us
        words[at + 6] = OUTCOMES.index(outcome) << _OUTCOME_SHIFT | back
        if why:
            place = self._reasons % _REASONS_KEPT
            self._reasons += 1
            self._why_of[place] = self._count
            self._whys[place] = why if len(why) <= _REASON_LENGTH else why[:_REASON_LENGTH]

    @property
    def waiting(self) -> int:
        """Strikes not yet told."""
        return self._count - self._told

    @property
    def lost(self) -> int:
        """Strikes that no host can have any more."""
        return max(0, self._count - KEPT)

    def tell(self) -> "dict[str, object]":
        """The next rows, which now count as told."""
        rows = self._rows(self._told + 1)
        self._told = rows[-1][0]
        return {"lost": self.lost, "rows": rows}

    def first(self, number: int) -> "dict[str, object]":
        """At most 12 rows, from strike `number` on, or the oldest that is kept."""
        return {"lost": self.lost, "rows": self._rows(number)}

    def _rows(self, number):
        first = max(number, self.lost + 1)
        last = min(self._count, first + AT_ONCE - 1)
        return [self._row(n) for n in range(first, last + 1)]

    def _row(self, number):
        at = _WORDS * ((number - 1) % KEPT)
        low, high, dose_nl, steps, audit, out, packed = self._words[at : at + _WORDS]
        back = packed & ((1 << _OUTCOME_SHIFT) - 1)
        outcome = OUTCOMES[packed >> _OUTCOME_SHIFT]
        return [
            number,
            high << 32 | low,
            outcome,
            dose_nl,
            steps,
            audit,
            None if out == _NEVER else out,
            None if back == (1 << _OUTCOME_SHIFT) - 1 else back,
            "" if outcome == "done" else self._reason(number),
        ]

    def _reason(self, number):
        for place in range(_REASONS_KEPT):
            if self._why_of[place] == number:
                return self._whys[place]
        return "too long ago"
