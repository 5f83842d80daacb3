"""What truly went out of the syringe, held against what the ledger says."""

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mesodrive_rig.campaigns.model.violation import Violation

if TYPE_CHECKING:
    from mesodrive_rig.campaigns.model.witness import Witness

HOUR_US = 3_600_000_000


class Account:
    """`said_…` is how much more than the truth a person has said when asked what a dose in doubt
    gave; it may be below."""

    def __init__(self) -> None:
        self.said_strikes = 0
        self.said_nl = Fraction(0)
        self.said_primed_nl = Fraction(0)
        self.strikes = 0  # up to those that were added
        self.nl = Fraction(0)
        self.primed_nl = Fraction(0)
        self._slack = Fraction(0)  # what rounding may come to
        self._strikes_added = 0
        self._primings_added = 0

    def add_up(self, witness: "Witness") -> None:
        """Add what has happened since the last time; the last strike is over."""
        for strike in witness.strikes[self._strikes_added :]:
            self.strikes += 1
            self.nl += strike.nl
            self._slack += 1
        for priming in witness.primings[self._primings_added :]:
            self.primed_nl += priming.nl
            self._slack += 1
        self._strikes_added = len(witness.strikes)
        self._primings_added = len(witness.primings)

    def compare(self, journal: Any, witness: "Witness") -> None:
        """What the ledger knows for certain is true, and what it does not know it says."""
        if journal.trouble:
            raise Violation(f"the flash is sound and the ledger is not: {journal.trouble}")
        self.add_up(witness)
        totals = journal.ledger.totals
        if witness.in_doubt and not totals.pending:
            raise Violation("power went in the middle of a dose and the ledger does not doubt")
        strikes = self.strikes + self.said_strikes
        nl = self.nl + self.said_nl
        primed_nl = self.primed_nl + self.said_primed_nl
        doubt = [one for one in totals.pending if one[1]]
        doubt_primed = [one for one in totals.pending if not one[1]]
        most_strikes = totals.known_strikes + sum(count for _, count, _ in doubt)
        most_nl = totals.known_nl + sum(count * dose_nl for _, count, dose_nl in doubt)
        most_primed_nl = totals.primed_nl + sum(dose_nl for _, _, dose_nl in doubt_primed)
        slack = self._slack + (200 if totals.pending else 0)  # a step of a dose in doubt
        if not totals.known_strikes <= strikes <= most_strikes:
            raise Violation(
                f"{strikes} strikes happened; the ledger says {totals.known_strikes} and "
                f"{totals.pending} in doubt"
            )
        if not totals.known_nl - slack <= nl <= most_nl + slack:
            raise Violation(
                f"{float(nl)} nl were given; the ledger says {totals.known_nl} and "
                f"{totals.pending} in doubt"
            )
        if not totals.primed_nl - slack <= primed_nl <= most_primed_nl + slack:
            raise Violation(
                f"{float(primed_nl)} nl were primed; the ledger says {totals.primed_nl} and "
                f"{totals.pending} in doubt"
            )
        if journal.ledger.announced:
            raise Violation(f"a dose is over and the ledger has no outcome: {totals.pending}")
        if not totals.pending:
            witness.was_cut = False
        elif not witness.was_cut:
            raise Violation(f"power was not cut and the ledger doubts: {totals.pending}")
        if totals.strikes < strikes or totals.delivered_nl < nl - slack:
            raise Violation("what is in doubt does not count as given")

    def truth(self, journal: Any, witness: "Witness") -> tuple[int, Fraction, Fraction]:
        """Strikes, nl into the skin and primed that the ledger does not know for certain."""
        self.add_up(witness)
        totals = journal.ledger.totals
        return (
            self.strikes + self.said_strikes - totals.known_strikes,
            self.nl + self.said_nl - totals.known_nl,
            self.primed_nl + self.said_primed_nl - totals.primed_nl,
        )

    def limits(self, journal: Any, witness: "Witness", on_us: int) -> None:
        """No more into the skin than is allowed within the last hour of being on, and since the
        session began; and the device knows of all of it."""
        hour_nl = session_nl = Fraction(0)
        for strike in reversed(witness.strikes):
            if strike.on_us > on_us - HOUR_US:
                hour_nl += strike.nl
            if strike.load >= witness.session_load:
                session_nl += strike.nl
        slack = 200 + self._slack
        for what, given_nl, most_nl, told_nl in (
            ("hour", hour_nl, witness.most_hour_nl, journal.hour_nl),
            ("session", session_nl, witness.most_session_nl, journal.session_nl),
        ):
            if given_nl > most_nl + slack:
                raise Violation(f"{float(given_nl)} nl in a {what}, and {most_nl} are allowed")
            if given_nl + min(0, self.said_nl) > told_nl + slack:
                raise Violation(f"{float(given_nl)} nl in a {what}, the device tells {told_nl}")
