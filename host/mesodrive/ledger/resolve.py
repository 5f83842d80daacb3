"""Doses in doubt: what this host's record suggests of them, and what a person says they were."""

from collections.abc import Sequence
from dataclasses import dataclass

from mesodrive.errors import MesodriveError
from mesodrive.ledger.fetch import Fetched
from mesodrive.ledger.join import Recorded
from mesodrive.records import LedgerStore


class ResolveError(MesodriveError):
    """Something that cannot be said of a dose."""


@dataclass(frozen=True)
class Doubtful:
    """A dose in doubt. `recorded` is what this host recorded of it; None when no session of this
    host made it."""

    number: int
    strikes: int
    dose_nl: int
    session: str
    recorded: Recorded | None

    @property
    def primes(self) -> bool:
        return not self.strikes

    @property
    def total_nl(self) -> int:
        return max(1, self.strikes) * self.dose_nl

    @property
    def recorded_text(self) -> str:
        if self.recorded is None or self.primes:
            return "nothing"
        return f"{self.recorded.strikes} strikes, {self.recorded.nl / 1000:.3f} µL, or more"

    def as_dict(self) -> dict[str, object]:
        """For a program; volumes in µL."""
        recorded = self.recorded if not self.primes else None
        return {
            "number": self.number,
            "strikes": self.strikes,
            "volume_ul": self.total_nl / 1000,
            "session_id": self.session or None,
            "recorded_strikes": recorded and recorded.strikes,
            "recorded_ul": recorded and recorded.nl / 1000,
        }


@dataclass(frozen=True)
class Resolution:
    """What will be said of a dose of at most `of_strikes` and `of_nl`."""

    number: int
    strikes: int
    given_nl: int
    of_strikes: int
    of_nl: int


def doubtful(fetched: Fetched, store: LedgerStore) -> list[Doubtful]:
    """The doses in doubt on a device whose ledger was just fetched."""
    found: list[Doubtful] = []
    for dose in fetched.told.in_doubt:
        recorded = None if fetched.refused else store.recorded(fetched.ledger.key, dose.number)
        session, figures = recorded or ("", None)
        found.append(Doubtful(dose.number, dose.strikes, dose.dose_nl, session, figures))
    return found


def resolution(
    doubts: Sequence[Doubtful],
    number: int | None,
    strikes: int | None,
    volume_ul: float | None,
    *,
    as_recorded: bool,
    in_full: bool,
) -> Resolution:
    """What a person says, checked. Raises ResolveError, one sentence."""
    doubt = _meant(doubts, number)
    said = strikes is not None or volume_ul is not None
    if said + as_recorded + in_full != 1:
        raise ResolveError(
            "Say what was given: either --strikes and --volume, or --as-recorded, or --in-full."
        )
    if in_full:
        return _said(doubt, doubt.strikes, doubt.total_nl)
    if as_recorded:
        if doubt.recorded is None or doubt.primes:
            raise ResolveError(
                f"This host recorded nothing of dose {doubt.number}; say --strikes and --volume,"
                " or --in-full."
            )
        recorded = doubt.recorded
        untold = min(recorded.untold, doubt.strikes - recorded.strikes)
        given_nl = min(recorded.nl + untold * doubt.dose_nl, doubt.total_nl)
        return _said(doubt, recorded.strikes + untold, given_nl)
    if volume_ul is None or (strikes is None and not doubt.primes):
        raise ResolveError("Give both --strikes and --volume; for priming, --volume alone.")
    if not 0 <= volume_ul * 1000 <= doubt.total_nl:
        raise ResolveError(
            f"--volume {volume_ul:g} is not between 0 and {doubt.total_nl / 1000:.3f} µL, which"
            f" dose {doubt.number} gave at most; correct it."
        )
    return _said(doubt, strikes or 0, round(volume_ul * 1000))


def _meant(doubts: Sequence[Doubtful], number: int | None) -> Doubtful:
    numbers = ", ".join(str(doubt.number) for doubt in doubts)
    if not doubts:
        raise ResolveError("No dose of this device is in doubt; there is nothing to resolve.")
    if number is None and len(doubts) > 1:
        raise ResolveError(f"More than one dose is in doubt ({numbers}); say which one.")
    for doubt in doubts:
        if number in (None, doubt.number):
            return doubt
    raise ResolveError(f"Dose {number} is not in doubt; those in doubt are {numbers}.")


def _said(doubt: Doubtful, strikes: int, given_nl: int) -> Resolution:
    least = doubt.recorded if doubt.recorded and not doubt.primes else Recorded(0, 0, 0, 0)
    if not least.strikes <= strikes <= doubt.strikes:
        raise ResolveError(
            f"{strikes} strikes cannot be: dose {doubt.number} gave at most {doubt.strikes}, and"
            f" by what this host recorded at least {least.strikes}; correct it."
        )
    if given_nl < least.told_nl:
        raise ResolveError(
            f"{given_nl / 1000:.3f} µL cannot be: this host recorded {least.told_nl / 1000:.3f} µL"
            f" of dose {doubt.number}; correct it."
        )
    return Resolution(doubt.number, strikes, given_nl, doubt.strikes, doubt.total_nl)
