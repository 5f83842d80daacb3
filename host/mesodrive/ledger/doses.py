"""What the records say of doses: each with what became of it, and what a session comes to."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mesodrive.ledger.rows import Intent, Outcome, ProfileLoaded, Resolved, Row


@dataclass(frozen=True)
class Dose:
    """An intent and its end. `number` is the intent's sequence, `session` that of the profile it
    was made under (0: older than what was fetched); no planned strikes is priming."""

    number: int
    session: int
    planned_strikes: int
    planned_nl: int  # of each strike, or of all the priming
    end: Outcome | None = None

    @property
    def primes(self) -> bool:
        return not self.planned_strikes

    @property
    def in_doubt(self) -> bool:
        """Whether nobody has said what became of it; then it counts as given in full."""
        return self.end is None

    @property
    def by_person(self) -> bool:
        """Whether a person said what became of it."""
        return isinstance(self.end, Resolved)

    @property
    def strikes(self) -> int:
        return self.planned_strikes if self.end is None else self.end.strikes

    @property
    def given_nl(self) -> int:
        if self.end is None:
            return max(1, self.planned_strikes) * self.planned_nl
        return self.end.given_nl


def doses_of(rows: Iterable[Row]) -> list[Dose]:
    """The doses in `rows`, which are in order, by their numbers."""
    session = 0
    found: dict[int, Dose] = {}
    for row in rows:
        event = row.event
        if isinstance(event, ProfileLoaded):
            session = row.sequence
        elif isinstance(event, Intent):
            found[row.sequence] = Dose(row.sequence, session, event.strikes, event.dose_nl)
        elif isinstance(event, Outcome):
            planned = Dose(event.intent, 0, event.planned_strikes, event.planned_dose_nl)
            found[event.intent] = replace(found.get(event.intent, planned), end=event)
    return [found[number] for number in sorted(found)]


@dataclass(frozen=True)
class Account:
    """What a session's doses come to on the device. Strikes and volume into the skin."""

    strikes: int = 0
    given_nl: int = 0
    doubt_strikes: int = 0
    doubt_nl: int = 0
    resolved_strikes: int = 0  # part of `strikes`: a person said so
    resolved_nl: int = 0
    primed_nl: int = 0  # priming in doubt counts in full

    @classmethod
    def of(cls, doses: Iterable[Dose]) -> "Account":
        """The sums over `doses`."""
        sums = cls()
        for dose in doses:
            if dose.primes:
                sums = replace(sums, primed_nl=sums.primed_nl + dose.given_nl)
            elif dose.in_doubt:
                sums = replace(
                    sums,
                    doubt_strikes=sums.doubt_strikes + dose.strikes,
                    doubt_nl=sums.doubt_nl + dose.given_nl,
                )
            else:
                sums = replace(
                    sums,
                    strikes=sums.strikes + dose.strikes,
                    given_nl=sums.given_nl + dose.given_nl,
                    resolved_strikes=sums.resolved_strikes + dose.strikes * dose.by_person,
                    resolved_nl=sums.resolved_nl + dose.given_nl * dose.by_person,
                )
        return sums
