"""What a device tells of its ledger, as `ledger.head` and its like of docs/protocol.md."""

from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from mesodrive.ledger.verify import Head


class Doubt(NamedTuple):
    """A dose that was announced and whose outcome is not known. No strikes: priming."""

    number: int
    strikes: int
    dose_nl: int

    @property
    def total_nl(self) -> int:
        """What may have been given."""
        return max(1, self.strikes) * self.dose_nl


class Pending(NamedTuple):
    """A dose without outcome; one of this boot is under way or will get its outcome soon."""

    number: int
    strikes: int
    dose_nl: int
    since_this_boot: int

    @property
    def total_nl(self) -> int:
        """What may have been given."""
        return max(1, self.strikes) * self.dose_nl


class Damage(NamedTuple):
    """What is wrong with the records `first` to `last`; the words are those of docs/ledger.md."""

    what: str
    first: int
    last: int


class _Told(BaseModel):
    # A newer device may say more than this host knows; that is no reason to refuse it.
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class LedgerTotals(_Told):
    """Sums over all records. Doses without outcome count as given, and `uncertain_…` besides."""

    strikes: int
    delivered_nl: int
    primed_nl: int
    uncertain_strikes: int
    uncertain_nl: int
    session_strikes: int
    session_nl: int
    hour_nl: int
    left_nl: int
    boots: int
    faults: int
    on_ms: int


class LedgerHead(_Told):
    """The youngest record and what follows from all. `first` is the oldest that is still there."""

    sequence: int
    chain: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    first: int
    room: int
    boot: int
    damage: list[Damage]
    pending: list[Pending]
    totals: LedgerTotals
    cartridges: list[str]

    @property
    def head(self) -> Head:
        """As it is verified."""
        return Head(self.sequence, bytes.fromhex(self.chain))

    @property
    def in_doubt(self) -> list[Pending]:
        """The pending doses that are not under way: only a person can say what they gave."""
        return [dose for dose in self.pending if not dose.since_this_boot]


class LedgerRows(_Told):
    """Some records, as hex digits."""

    rows: list[Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]]
