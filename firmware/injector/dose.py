"""Dose arithmetic: nanolitres ↔ plunger steps, in whole numbers.

One step moves nl_per_mm / steps_per_mm nanolitres (1 mL syringe of 4.70 mm bore: 17349 / 3200 =
5.42 nL). The total of all doses is rounded, never the single dose, so that after any number of
shots the plunger is within half a step of where it should be.
"""


class DoseMeter:
    """Turns a series of doses into steps and carries the residue from one to the next."""

    def __init__(self, nl_per_mm: int, steps_per_mm: int):
        self._nl_per_mm = nl_per_mm
        self._steps_per_mm = steps_per_mm
        self._owed_nl_steps = 0  # residue, in nl × steps_per_mm; within ± nl_per_mm / 2

    def steps(self, nl: int) -> int:
        """The step count nearest to `nl`, whatever was asked before."""
        return (2 * nl * self._steps_per_mm + self._nl_per_mm) // (2 * self._nl_per_mm)

    def nl(self, steps: int) -> int:
        """What `steps` displace, to the nearest nanolitre."""
        return (2 * steps * self._nl_per_mm + self._steps_per_mm) // (2 * self._steps_per_mm)

    def next_steps(self, nl: int) -> int:
        """The steps of the next dose in the series, residue included."""
        wanted = nl * self._steps_per_mm + self._owed_nl_steps
        steps = (2 * wanted + self._nl_per_mm) // (2 * self._nl_per_mm)
        self._owed_nl_steps = wanted - steps * self._nl_per_mm
        return steps

    def forget(self) -> None:
        """Drop what is owed, as after a dose that was stopped in the middle. What was given
        beforehand stays: else each strike that is cut short might round up anew."""
        self._owed_nl_steps = min(self._owed_nl_steps, 0)
