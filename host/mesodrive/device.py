"""A mesodrive device by its commands, checked and typed. Lengths in mm, volumes in µL."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mesodrive.access import Role, masked, proof
from mesodrive.errors import MesodriveError
from mesodrive.ledger.told import Doubt, LedgerHead, LedgerRows
from mesodrive.link.client import ANSWER_S, KEEPALIVE_S, Client, Ids
from mesodrive.link.port import Port
from mesodrive.telemetry import Shot, Shots, State, Trace, TraceEvent
from mesodrive_wire import PROTOCOL

_MOVE_S = 120.0  # the longest axis takes this long for all its travel and more
_LOAD_S = 60.0  # the device may have to make room in its ledger
_CREATE_S = 120.0  # all of the ledger's flash is erased
PING_S = 2.0  # for so long a device may strike unheard


class DeviceError(MesodriveError):
    """A device that is not what it should be."""


class _Answer(BaseModel):
    # A newer device may say more than this host knows; that is no reason to refuse it.
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


_A = TypeVar("_A", bound=BaseModel)


class Info(_Answer):
    """What the device is, as `info` of docs/protocol.md."""

    product: str
    version: str
    protocol: int
    board: str
    serial: str
    micropython: str
    state: State
    stop_class: str
    modes: list[str]
    claimed: bool
    locked: bool
    calibration: dict[str, int]
    limits: dict[str, int]
    last_id: int
    ram_free: int
    safe_ms: int


class Plan(_Answer):
    """What the device makes of a profile.

    `dose_us` from first to last step; from the start of a strike: `travel_us` to needle out,
    `strike_us` to the release, and then `return_us` to needle back. `push_felt`: a plunger that
    stands still is noticed while it should push; older firmware does not say, and does not feel.
    """

    profile: str
    dose_steps: int
    dose_us: int
    travel_us: int
    strike_us: int
    return_us: int
    period_us: int
    min_period_us: int
    depth_steps: int
    push_felt: bool = False


class Pong(_Answer):
    """The answer to `ping`."""

    state: State
    uptime_ms: int


class Alarm(_Answer):
    """A latched or last alarm: its code and what to do about it."""

    code: str
    text: str


class Status(_Answer):
    """How the device stands, as `status` of docs/protocol.md."""

    state: State
    why: str
    uptime_ms: int
    homed: bool
    inputs: dict[str, int]
    depth_um: int | None
    left_nl: int
    profile: str | None
    shots_done: int
    shots_total: int
    delivered_nl: int
    alarm: Alarm | None
    session_nl: int
    hour_nl: int
    alarm_times: int
    role: Role | None
    dropped: int
    in_doubt: list[Doubt]


class Challenge(_Answer):
    """What a proof is made from."""

    nonce: str
    counter: int


class Proved(_Answer):
    """Who the device takes the host for, and the id above which the host goes on."""

    role: str
    last_id: int


class Check(_Answer):
    """One check of the self-test and, where it failed, what was found."""

    name: str
    ok: bool
    detail: str


class SelfTest(_Answer):
    """The self-test's result."""

    passed: bool
    checks: list[Check]


class Device:
    """A device on an open port. Every command raises RefusedError with the device's own sentence
    when it says no, DeviceSilentError when nothing answers, PortLostError when the port goes."""

    def __init__(
        self,
        port: Port,
        on_notification: Callable[[str, dict[str, Any]], None] | None = None,
        ids: Ids | None = None,
        ping_s: float = PING_S,
    ):
        """A device that leaves a ping without an answer for `ping_s` is lost."""
        self.client = Client(port, on_notification, ids)
        self._ping_s = ping_s
        self._service: tuple[bytes, bytes] | None = None  # key and nonce of service's proof
        try:
            self.info = self._ask(Info, "info")
            if self.info.product != "mesodrive":
                raise DeviceError(f"On {port.name} is a {self.info.product}, not a mesodrive.")
            if self.info.protocol != PROTOCOL:
                raise DeviceError(
                    f"The device speaks protocol {self.info.protocol} and this host {PROTOCOL}; "
                    "flash the firmware that came with this host."
                )
        except BaseException:
            port.close()
            raise

    def __enter__(self) -> "Device":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def refresh(self) -> None:
        """Ask `info` again: keys, lock and limits change."""
        self.info = self._ask(Info, "info")

    def login(self, role: Role, key: bytes) -> None:
        """Prove `role`; holds until the port closes or nobody does anything for 3 minutes.

        The device must be in SAFE or FAULT. After a wrong proof it wants to wait.
        """
        asked = self._ask(Challenge, "auth.challenge", {"role": role})
        nonce = bytes.fromhex(asked.nonce)
        answer = proof(role, key, nonce, asked.counter).hex()
        proved = self._ask(Proved, "auth.prove", {"role": role, "proof": answer})
        self.client.go_on_above(proved.last_id)
        self._service = (key, nonce) if role == "service" else None

    def leave(self) -> None:
        """Take the proof back; nothing stays live."""
        self.client.call("auth.leave")
        self._service = None

    def set_key(self, role: Role, key: bytes) -> None:
        """Give `role` another key; wants service's proof, which ends with it. A new device takes
        service's key from anybody."""
        sent = key
        if self._service:
            service_key, nonce = self._service
            sent = masked(key, service_key, role, nonce)
        self.client.call("keys.set", {"role": role, "key": sent.hex()})
        self._service = None

    def set_value(self, name: str, value: int) -> None:
        """Lower a limit, or set a position that was measured; wants service's proof."""
        self.client.call("settings.set", {"name": name, "value": value})

    def unlock(self) -> None:
        """Let a device that locked itself be acknowledged again; wants service's proof."""
        self.client.call("unlock")

    def ping(self) -> Pong:
        """Which state the device is in; tells it that the host is there."""
        return self._ask(Pong, "ping", within_s=self._ping_s)

    def status(self) -> Status:
        """How the device stands."""
        return self._ask(Status, "status")

    def selftest(self) -> SelfTest:
        """Run the self-test; the device must be in SAFE or FAULT."""
        return self._ask(SelfTest, "selftest")

    def load(self, profile: Mapping[str, object]) -> Plan:
        """Hand over a profile; the device checks it again. Leaves it in SAFE."""
        params = {"profile": dict(profile)}
        # A long line, and nothing moves meanwhile: no need to send it as often as the others.
        return self._ask(Plan, "profile.load", params, within_s=_LOAD_S, again_s=ANSWER_S)

    def home(self) -> None:
        """Find the home switches and take position; returns in READY."""
        self.client.call("home", within_s=_MOVE_S)

    def prime(self, volume_ul: float) -> None:
        """Push `volume_ul` through the line, away from the skin; returns in READY."""
        self.client.call("prime", {"volume_nl": round(volume_ul * 1000)}, within_s=_MOVE_S)

    def arm(self) -> None:
        """From here on the operator's trigger begins the strikes."""
        self.client.call("arm")

    def disarm(self) -> None:
        """Stop what moves and take the trigger's power away."""
        self.client.stop_now()
        self.client.call("disarm")

    def acknowledge(self) -> None:
        """Leave a latched fault whose cause is gone."""
        self.client.call("ack")

    def shots(self, first: int, last: int) -> list[Shot]:
        """The strikes `first` to `last`, but for those that the device does not have any more."""
        found: list[Shot] = []
        while first <= last:
            rows = Shots.of(self.client.call("shots", {"first": first})).rows
            if not rows or rows[-1].shot < first:
                break
            found += [row for row in rows if row.shot <= last]
            first = rows[-1].shot + 1
        return found

    def trace(self) -> list[TraceEvent]:
        """The last events before the last stop, in order."""
        events: list[TraceEvent] = []
        while True:
            some = Trace.of(self.client.call("trace", {"first": len(events)}))
            events += some.rows
            if not some.rows or len(events) >= some.total:
                return events

    def ledger_head(self) -> LedgerHead:
        """The ledger's youngest record and its totals."""
        return self._ask(LedgerHead, "ledger.head")

    def ledger_records(self, first: int) -> list[bytes]:
        """Some records from sequence `first` on, in order; none when there are no more."""
        rows = self._ask(LedgerRows, "ledger.records", {"first": first}).rows
        return [bytes.fromhex(row) for row in rows]

    def countersign(self, sequence: int, mac: bytes, key: int) -> None:
        """Have the device record that this host has seen its ledger up to `sequence`."""
        params = {"sequence": sequence, "mac": mac.hex(), "key": key}
        self.client.call("ledger.countersign", params)

    def create_ledger(self) -> LedgerHead:
        """Have a device without a ledger make one; takes seconds."""
        return self._ask(LedgerHead, "ledger.create", within_s=_CREATE_S)

    def resolve(self, number: int, strikes: int, given_nl: int) -> None:
        """Say what a dose in doubt gave; the device must be in SAFE or FAULT."""
        params = {"number": number, "strikes": strikes, "given_nl": given_nl}
        self.client.call("dose.resolve", params)

    def close(self) -> None:
        """Give the port back; a device that is armed disarms itself."""
        self.client.close()

    def _ask(
        self,
        kind: type[_A],
        method: str,
        params: dict[str, Any] | None = None,
        within_s: float = ANSWER_S,
        again_s: float = KEEPALIVE_S,
    ) -> _A:
        answer = self.client.call(method, params, within_s=within_s, again_s=again_s)
        try:
            return kind.model_validate(answer)
        except ValidationError as error:
            raise DeviceError(
                f"The device's answer to {method} is not as this host expects; flash the "
                "firmware that came with this host."
            ) from error
