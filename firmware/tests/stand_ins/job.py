"""What the journal asks of a delivery."""


class StandInJob:
    """A delivery of which this many strikes and nl are told."""

    cut = False
    step_nl = 1

    def __init__(self, strikes: int = 0, given_nl: int = 0):
        self.told = strikes, given_nl
        self.marked = 0

    def mark(self) -> None:
        self.marked += 1

    def since_mark(self) -> tuple[int, int]:
        return self.told
