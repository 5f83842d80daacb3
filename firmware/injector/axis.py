"""Where an axis is, and how many steps take it elsewhere: backlash and all.

`position` counts steps of the driven part (plunger pusher, depth stop) from home. The motor turns
further than that by the screw's backlash after each change of direction.
"""


class Axis:
    """A lead-screw axis. Lengths in µm, positions in whole steps from home."""

    def __init__(self, name: str, steps_per_mm: int, backlash_um: int):
        self.name = name
        self.steps_per_mm = steps_per_mm
        self.backlash_steps = backlash_um * steps_per_mm // 1000
        self.position = 0
        self.homed = False
        self.edges = 0  # all that were asked for, as counted
        self.forward = False  # the flank of the screw that touches
        self._slack = 0  # backlash steps still to be taken up, after a stop in the midst of it

    def steps_at(self, um: int) -> int:
        """The position nearest to `um` from home."""
        return (2 * um * self.steps_per_mm + 1000) // 2000

    def um_at(self, steps: int) -> int:
        """The length, to the nearest µm, of `steps`."""
        return (2000 * steps + self.steps_per_mm) // (2 * self.steps_per_mm)

    def set_home(self) -> None:
        """The switch has just closed on the way back: this is zero."""
        self.position = 0
        self.forward = False
        self._slack = 0
        self.homed = True

    def turn(self, forward: bool) -> int:
        """Choose the direction of the next move; return the backlash steps to be added to it."""
        if forward != self.forward:
            self.forward = forward
            self._slack = self.backlash_steps - self._slack
        return self._slack

    def moved(self, steps: int) -> int:
        """Count `steps` made in the chosen direction; return those that moved the driven part."""
        self.edges += steps
        taken_up = min(steps, self._slack)
        self._slack -= taken_up
        steps -= taken_up
        self.position += steps if self.forward else -steps
        return steps
