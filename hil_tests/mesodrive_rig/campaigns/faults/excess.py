"""What was pushed out of the syringe, and nobody had asked for."""

from collections.abc import Iterable

from mesodrive_rig.campaigns.faults.treatment import DOSE_UL, NEARBY
from mesodrive_rig.plant import StrikeTruth, Truth

# A step of the plunger is 5 nL: each seat may be one off, and so may the priming and each of some
# four strikes, whose doses are whole steps. A session without a fault comes to 0.01.
SLACK_UL = 0.05


def excess_ul(truth: Truth, asked_for: Iterable[StrikeTruth], primed_ul: float) -> float:
    """What was pushed beyond `primed_ul` and the strikes that were `asked_for`.

    Each of these allows what it gave, and a dose at most: one that ended early leaves no room.
    What is under pressure in a line that does not let it out has not been given, and may come
    yet: that much of it is allowed as these strikes fell short of their doses, and no more. A
    strike that a person ended early may so have up to a dose in its line; only a line that is
    blocked holds anything.
    """
    given = [min(DOSE_UL, strike.skin_ul + strike.lost_ul) for strike in asked_for]
    held_ul = max(0.0, truth.line_ul - NEARBY.cartridge.dead_volume_ul)
    short_ul = sum(DOSE_UL - one for one in given)
    allowed_ul = primed_ul + sum(given) + min(held_ul, short_ul)
    return max(0.0, truth.pushed_ul - allowed_ul - SLACK_UL)
