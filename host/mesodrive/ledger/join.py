"""A session as this host recorded it beside the same session as the device's ledger has it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mesodrive.ledger.doses import Account, Dose

# How long a device strikes on unheard: 0.5 s of silence and one look, its reports before that on
# the way, and what the host takes from one reading to the next.
_UNHEARD_MS = 1000.0
_AT_ONCE = 2  # besides: the strike under way, and the one whose report is made


@dataclass(frozen=True)
class Joined:
    """What is not certain of a session, once the ledger has spoken.

    `uncertain_…` is what may have been given beyond the recorded shots; of `lost_shots` of these
    it is certain that they were given. `unknown_shots` are recorded, and the ledger has no strikes
    for them, which is a contradiction. Volumes in nL.
    """

    uncertain_shots: int
    uncertain_nl: int
    lost_shots: int
    unknown_shots: int

    @property
    def agrees(self) -> bool:
        """Whether both say the same, with nothing in doubt."""
        return not (self.uncertain_shots or self.unknown_shots)


@dataclass(frozen=True)
class Recorded:
    """Of a dose, `strikes` were begun at least, and `told_nl` is what the recorded ones gave;
    `nl` is the same with each strike whose report is missing as planned. `untold` more may have
    begun after the last that is recorded."""

    strikes: int
    nl: int
    told_nl: int
    untold: int


def join(doses: Sequence[Dose], recorded: Mapping[int, int]) -> Joined:
    """Lay recorded shots, number → nL given, over the doses of their session, in order.

    Shots are numbered through the session, so each dose has the numbers after those of the dose
    before. A strike that is recorded is certain, whatever its dose's outcome; each other one
    counts once: as lost when the device knows that it was begun, else as in doubt.
    """
    lost = others = nl = first = 0
    for dose in doses:
        if dose.primes:
            continue
        told = [recorded[n] for n in _numbers(first, dose.strikes) if n in recorded]
        missing = dose.strikes - len(told)
        first += dose.strikes
        if dose.in_doubt:
            others += missing
            nl += missing * dose.planned_nl
        elif missing:
            if dose.by_person:
                others += missing
            else:
                lost += missing
            nl += max(0, dose.given_nl - sum(told))
    unknown = sum(number > first for number in recorded)
    return Joined(lost + others, nl, lost, unknown)


def suggested(
    doses: Sequence[Dose], recorded: Mapping[int, int], number: int, period_ms: float
) -> Recorded:
    """What this host's record says of the dose `number`.

    A report can be lost on the line, and strikes begin in the order of their numbers: each before
    one that is recorded was begun too.
    """
    first = 0
    for dose in doses:
        if dose.number == number:
            told = {n: recorded[n] for n in _numbers(first, dose.strikes) if n in recorded}
            begun = max(told, default=first) - first
            told_nl = sum(told.values())
            nl = told_nl + (begun - len(told)) * dose.planned_nl
            # Each report is rounded, and no dose gave more than was announced.
            untold = _AT_ONCE + math.floor(_UNHEARD_MS / period_ms)
            return Recorded(begun, min(nl, dose.given_nl), min(told_nl, dose.given_nl), untold)
        first += dose.strikes
    return Recorded(0, 0, 0, 0)


def differences(account: Account, joined: Joined, recorded: Mapping[int, int]) -> list[str]:
    """Sentences about what the ledger and this host's record do not agree on."""
    sentences: list[str] = []
    if joined.lost_shots:
        sentences.append(
            f"The device's ledger knows of {strikes(joined.lost_shots)} more than this host"
            " recorded; they were given."
        )
    if joined.unknown_shots:
        sentences.append(
            f"This host recorded {strikes(joined.unknown_shots)} that the device's ledger does"
            " not have; keep the device out of use until service has looked at it."
        )
    if account.doubt_strikes:
        sentences.append(
            f"{strikes(account.doubt_strikes)}, {account.doubt_nl / 1000:.3f} µL, have no known"
            " outcome on the device and count as given; resolve them with mesodrive ledger"
            " resolve."
        )
    told_nl = sum(recorded.values())
    settled = not (joined.lost_shots or joined.unknown_shots or account.doubt_strikes)
    # Each report is rounded to a nL, and so is the sum.
    if settled and abs(account.given_nl - told_nl) > len(recorded):
        sentences.append(
            f"The device's ledger says {account.given_nl / 1000:.3f} µL were given and this host"
            f" recorded {told_nl / 1000:.3f} µL; the greater of the two counts."
        )
    return sentences


def _numbers(first: int, strikes: int) -> range:
    return range(first + 1, first + strikes + 1)


def strikes(count: int) -> str:
    """So many of them, in words."""
    return "1 strike" if count == 1 else f"{count} strikes"
