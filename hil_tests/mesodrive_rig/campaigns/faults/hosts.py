"""The host: gone, silent, babbling, lying. The hands stay where they are meanwhile."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from mesodrive_rig.campaigns.faults.fault import SLOW_MS, TRAVEL_MS, Deed, Fault
from mesodrive_rig.campaigns.faults.phases import Phase
from mesodrive_rig.campaigns.faults.session import Session
from mesodrive_rig.campaigns.faults.treatment import DOSE
from mesodrive_wire import encode, request

_REFUSED = "each request has its answer, a refusal mostly; the device goes on"
_LASTS_MS = 800.0  # longer than any host may be silent
_FLOOD_MS = 200.0
_EACH_MS = 2.0
_NOISE_EACH_MS = 20.0
_LEAST_ID, _MOST_ID = 1, 2**53 - 1
_NOBODY_CONNECTED = (Phase.BOOT, Phase.SELF_TEST)
_RAIL_OFF = (Phase.SAFE, Phase.LOADING, Phase.FAULT, Phase.ACKNOWLEDGED)
_NOBODY_CAN_STRIKE = ("SAFE", "READY", "FAULT")  # or the strikes were done within half a second

# What no state in which anything is live allows, and what is past the limits in any.
_FORBIDDEN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ledger.create", {}),
    ("unlock", {}),
    ("keys.set", {"role": "service", "key": "11" * 32}),
    ("settings.set", {"name": "depth_um", "value": 6000}),
    ("dose.resolve", {"number": 1, "strikes": 0, "given_nl": 0}),
    ("ledger.countersign", {"sequence": 10**6, "mac": "00" * 16, "key": 1}),
    ("auth.prove", {"role": "service", "proof": "00" * 32}),
    ("strike", {}),
    ("prime", {"volume_nl": 500_001}),
    ("shots", {"first": 0}),
)
_PAST_LIMITS: tuple[dict[str, Any], ...] = (
    {"depth_um": 6_001},
    {"dose_nl": 100_001},
    {"shots": 2_001},
    {"flow_nl_s": 2_000_001},
    {"dwell_us": 5_000_001},
    {"period_us": 3_999},
    {"bears_pa": 1_000_001},
    {"fill_nl": -1},
)


def _silent(session: Session) -> None:
    session.rig.run_for(_LASTS_MS)


def _gone_and_back(session: Session) -> None:
    """The line is dead for a while; then somebody comes to look."""
    session.rig.run_for(_LASTS_MS)
    session.rig.chip.plug_in()


def _closed(session: Session) -> None:
    session.person.device.close()
    session.rig.run_for(_LASTS_MS)


def _sending(
    what: Callable[[Session, Random], bytes], each_ms: float, lasts_ms: float = _LASTS_MS
) -> Deed:
    """Something all the time, and nothing is read in turn but by the driver."""

    def do(session: Session) -> None:
        random = Random(7)
        until_ms = session.rig.now_ms() + lasts_ms
        while session.rig.now_ms() < until_ms:
            session.rig.chip.send(what(session, random))
            session.rig.run_for(each_ms)
            session.rig.chip.take()

    return do


def _next_id(session: Session) -> int:
    client: Any = session.person.device.client
    client._next_id += 1  # the host itself is mad: they are its own ids
    return client._next_id - 1


def _flood(session: Session) -> None:
    def ask(session: Session, _: Random) -> bytes:
        return encode(request(_next_id(session), "status", {}))

    _sending(ask, _EACH_MS, _FLOOD_MS)(session)
    _let_it_home(session)


def _lying(lines: Callable[[Session], list[bytes]], *, refused: bool = True) -> Deed:
    """Each line, 20 ms apart; the person's own program goes on beside it. If they are to be
    `refused`, those that are not are noted."""

    def do(session: Session) -> None:
        session.person.wait(20)
        sent = lines(session)
        if refused:
            _note_obeyed(session, [json.loads(line[: line.rindex(b" ")]) for line in sent])
        for line in sent:
            session.rig.chip.send(line)
            session.person.wait(20)
        session.person.wait(100)
        _let_it_home(session)

    return do


def _let_it_home(session: Session) -> None:
    """A homing that the person asked for goes on beside all that, and comes to its end."""
    until_ms = session.rig.now_ms() + TRAVEL_MS
    while session.person.state() == "HOMING" and session.rig.now_ms() < until_ms:
        session.person.wait(100)


def _note_obeyed(session: Session, asked: list[dict[str, Any]]) -> None:
    client: Any = session.person.device.client
    methods = {message["id"]: message["method"] for message in asked}
    dispatch = client._dispatch

    def look(message: dict[str, Any]) -> bool:
        if "result" in message and message.get("id") in methods:
            session.obeyed.append(methods[message["id"]])
        return dispatch(message)

    client._dispatch = look


def _forbidden(session: Session) -> list[bytes]:
    return [encode(request(_next_id(session), method, params)) for method, params in _FORBIDDEN]


def _past_limits(session: Session) -> list[bytes]:
    return [
        encode(request(_next_id(session), "profile.load", {"profile": DOSE | change}))
        for change in _PAST_LIMITS
    ]


def _replayed(session: Session) -> list[bytes]:
    """All that was said so far and moves something."""
    sent = [line for line in session.sent if b'"ping"' not in line and b'"status"' not in line]
    return sent[-12:]


def _wrong_ids(session: Session) -> list[bytes]:
    client: Any = session.person.device.client
    last = client._next_id - 2  # the answer to the one after it may still be to come
    ids = [_LEAST_ID, last - 1000, _MOST_ID + 1, last]
    return [
        encode(request(id, "prime", {"volume_nl": 100 + place})) for place, id in enumerate(ids)
    ]


def hosts() -> list[Fault]:
    """Whatever the host does, the device stops by itself or goes on as the person wants."""

    def fault(
        name: str,
        course: Deed,
        *,
        deed: Deed = lambda _: None,
        codes: tuple[str, ...] = ("host_lost",),
        words: tuple[str, ...] = (),
        harmless: bool = False,
        harmless_in: tuple[Phase, ...] | None = None,
        harmless_at: tuple[str, ...] = (),
    ) -> Fault:
        return Fault(name, "host", deed, codes, words, SLOW_MS, harmless, harmless_in, harmless_at,
                     course=course, not_in=_NOBODY_CONNECTED,
                     unseen=_REFUSED if harmless and not harmless_at else "")  # fmt: skip

    return [
        fault("cable pulled", _gone_and_back, deed=lambda s: s.rig.chip.pull_cable(),
              harmless_in=_RAIL_OFF),
        fault("port closed", _closed, harmless_in=_RAIL_OFF),
        fault("host silent", _silent, harmless=True, harmless_at=_NOBODY_CAN_STRIKE),
        fault("host sends noise", _sending(lambda _, random: random.randbytes(60), _NOISE_EACH_MS),
              words=("stopped by the host",), harmless=True, harmless_at=_NOBODY_CAN_STRIKE),
        fault("host sends noise without a stop",
              _sending(lambda _, random: random.randbytes(60).replace(b"\x18", b"x"),
                       _NOISE_EACH_MS),
              harmless=True, harmless_at=_NOBODY_CAN_STRIKE),
        fault("host floods with requests", _flood, harmless=True),
        fault("host asks what is forbidden", _lying(_forbidden), harmless=True),
        fault("host asks past the limits", _lying(_past_limits), harmless=True),
        fault("host says all again", _lying(_replayed, refused=False), harmless=True),
        fault("host uses wrong ids", _lying(_wrong_ids), harmless=True),
    ]  # fmt: skip
