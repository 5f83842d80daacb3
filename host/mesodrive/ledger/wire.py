"""The requests of docs/protocol.md that are about the ledger, checked and typed."""

from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mesodrive.errors import MesodriveError
from mesodrive.ledger.rows import SIZE
from mesodrive.ledger.verify import Head
from mesodrive.link.client import KEEPALIVE_S, Client

_CHAIN_HEX = r"^[0-9a-f]{32}$"
_WITHIN_S = 10.0  # the device may be reading flash
_Count = Annotated[int, Field(ge=0)]


class LedgerWireError(MesodriveError):
    """A device that tells of its ledger what this host cannot understand."""


class Pending(NamedTuple):
    """A dose without outcome: at most so many strikes of `dose_nl`, none of them for priming."""

    number: _Count
    strikes: _Count
    dose_nl: _Count
    since_this_boot: _Count

    @property
    def total_nl(self) -> int:
        return max(1, self.strikes) * self.dose_nl


class Damage(NamedTuple):
    """What is wrong with the records from … to …, in the words of docs/ledger.md."""

    what: str
    first: int
    last: int


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class DeviceTotals(_Told):
    """What the device adds up; doses in doubt count as given in full, except in `left_nl`."""

    strikes: _Count
    delivered_nl: _Count
    primed_nl: _Count
    uncertain_strikes: _Count
    uncertain_nl: _Count
    session_strikes: _Count
    session_nl: _Count
    hour_nl: _Count
    left_nl: _Count
    boots: _Count
    faults: _Count
    on_ms: _Count


class DeviceHead(_Told):
    """How the ledger stands on the device; `first` is the oldest record that it keeps."""

    sequence: _Count
    chain: Annotated[str, Field(pattern=_CHAIN_HEX)]
    first: _Count
    room: int
    boot: _Count
    damage: list[Damage]
    pending: list[Pending]
    totals: DeviceTotals
    cartridges: list[str]

    @property
    def head(self) -> Head:
        return Head(self.sequence, bytes.fromhex(self.chain))

    @property
    def in_doubt(self) -> list[Pending]:
        """The pending doses that are not under way: only a person can say what became of them."""
        return [dose for dose in self.pending if not dose.since_this_boot]


_T = TypeVar("_T", bound=_Told)


class _Rows(_Told):
    rows: list[Annotated[str, Field(pattern=rf"^[0-9a-f]{{{2 * SIZE}}}$")]]


class DeviceLedger:
    """The ledger of the device that `client` speaks to. RefusedError and the like as there."""

    def __init__(self, client: Client):
        self._client = client

    def head(self) -> DeviceHead:
        """How it stands."""
        return self._ask(DeviceHead, "ledger.head", {})

    def records(self, first: int) -> list[bytes]:
        """Some records, in order, from number `first` on or the oldest after it."""
        told = self._ask(_Rows, "ledger.records", {"first": first})
        return [bytes.fromhex(row) for row in told.rows]

    def countersign(self, sequence: int, mac: bytes, key: int) -> None:
        """Have the device record that this host has seen its ledger up to there."""
        params = {"sequence": sequence, "mac": mac.hex(), "key": key}
        self._client.call("ledger.countersign", params, within_s=_WITHIN_S)

    def resolve(self, number: int, strikes: int, given_nl: int) -> None:
        """Say what was given of a dose in doubt."""
        params = {"number": number, "strikes": strikes, "given_nl": given_nl}
        self._client.call("dose.resolve", params, within_s=_WITHIN_S)

    def _ask(self, kind: type[_T], method: str, params: dict[str, Any]) -> _T:
        answer = self._client.call(method, params, within_s=_WITHIN_S, again_s=2 * KEEPALIVE_S)
        try:
            return kind.model_validate(answer)
        except ValidationError as error:
            raise LedgerWireError(
                f"The device's answer to {method} is not as this host expects; flash the firmware"
                " that came with this host."
            ) from error
