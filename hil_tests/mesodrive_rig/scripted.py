"""A device that plays a script, for tests of the host: which requests come, and what each brings.

`ScriptedPort` plays it in memory, on a clock of its own; `scripted_terminal` on a pseudo-terminal,
in real time. A request that the script does not expect is an error, and so is one that it expects
and that never comes: `Script.finish` raises for both.
"""

import os
import pty
import select
import threading
import time
import tty
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mesodrive.ledger.told import LedgerTotals
from mesodrive.link.port import PortLostError
from mesodrive.telemetry import Shot
from mesodrive_wire import (
    PROTOCOL,
    STOP,
    FrameError,
    LineReader,
    decode,
    encode,
    error,
    notification,
)
from mesodrive_wire import result as result_message

if TYPE_CHECKING:
    from mesodrive_rig.ledger_model import LedgerModel

LEDGER_METHODS = ("ledger.head", "ledger.records", "ledger.countersign", "dose.resolve")
_LOGIN: Mapping[str, Mapping[str, Any]] = {
    "auth.challenge": {"nonce": "00" * 16, "counter": 0},
    "auth.prove": {"role": "operator", "last_id": 1 << 52},
}


class Vanish:
    """The port goes away."""


@dataclass(frozen=True)
class Becomes:
    """The device is in this state, whether or not the host hears of it."""

    state: str


Item = float | bytes | Vanish | Becomes | Callable[[int], bytes]
"""What the device does: wait so many seconds, say a line (that may quote the id), and so on."""


class Exchange:
    """A request, and what it brings; see `again`."""

    def __init__(self, method: str, *items: Item, params: dict[str, Any] | None = None):
        """`params` must be those of the request; None lets any pass."""
        self.method = method
        self.params = params
        self.arrivals = [items]

    def again(self, *items: Item) -> "Exchange":
        """The same line must come once more, and then brings `items`.

        Beyond that the line may come again and brings nothing, as while the device works on it.
        """
        self.arrivals.append(items)
        return self


@dataclass(frozen=True)
class Heard:
    """A line from the host, and when it came."""

    at_s: float
    line: bytes
    id: int
    method: str
    params: dict[str, Any]


@dataclass
class Script:
    """What is expected, and what has been heard. A `ping` is answered by itself unless it is the
    next that is expected; what it then tells is `state`. So is a login: any key is right."""

    exchanges: list[Exchange]
    state: str = "SAFE"
    heard: list[Heard] = field(default_factory=list[Heard])
    stops: int = 0  # "stop now" bytes heard
    ledger: "LedgerModel | None" = None  # answers what is asked of the ledger; None: it is empty
    _due: list[tuple[float, bytes | Vanish | Becomes]] = field(default_factory=list[Any])
    _reader: LineReader = field(default_factory=LineReader)
    _last: tuple[bytes, list[tuple[Item, ...]]] = (b"", [])
    _wrong: list[str] = field(default_factory=list[str])

    def hear(self, data: bytes, now_s: float) -> None:
        """Take what the host has sent."""
        self.stops += data.count(STOP)
        for line in self._reader.feed(data):
            try:
                message: Any = decode(line or b"")
            except FrameError as fault:
                self._wrong.append(str(fault))
                continue
            heard = Heard(
                now_s, line or b"", message["id"], message["method"], message.get("params", {})
            )
            self.heard.append(heard)
            self._act(heard)

    def say(self, now_s: float) -> list[bytes | Vanish]:
        """What is due by now."""
        said: list[bytes | Vanish] = []
        for _, what in [due for due in self._due if due[0] <= now_s]:
            if isinstance(what, Becomes):
                self.state = what.state
            else:
                said.append(what)
        self._due = [due for due in self._due if due[0] > now_s]
        return said

    def next_s(self) -> float | None:
        """When there is more to say."""
        return min((at_s for at_s, _ in self._due), default=None)

    def methods(self) -> list[str]:
        """The methods heard; pings, logins, the ledger's and repeated lines left out."""
        lines = {heard.line: heard.method for heard in self.heard}
        unheeded = ("ping", *_LOGIN, *LEDGER_METHODS)
        return [method for method in lines.values() if method not in unheeded]

    def finish(self) -> None:
        """Raise AssertionError for what came unexpected and for what did not come."""
        left = [exchange.method for exchange in self.exchanges]
        left += [f"{decode(self._last[0])['method']} again" for _ in self._last[1]]
        assert not self._wrong, f"not expected: {self._wrong}"
        assert not left, f"expected and never asked: {left}"

    def _act(self, heard: Heard) -> None:
        line, more = self._last
        if heard.line == line:
            if more:
                self._play(more.pop(0), heard)
        elif self.exchanges and self.exchanges[0].method == heard.method:
            exchange = self.exchanges.pop(0)
            if more:
                self._wrong.append(f"{heard.method} before a line came again")
            if exchange.params not in (None, heard.params):
                self._wrong.append(f"{heard.method} with {heard.params}")
            self._last = (heard.line, exchange.arrivals[1:])
            self._play(exchange.arrivals[0], heard)
        elif heard.method == "ping":
            self._play([result({"state": self.state, "uptime_ms": 1000})], heard)
        elif heard.method in LEDGER_METHODS:
            self._last = (heard.line, [])
            self._play([self._of_ledger(heard)], heard)
        elif heard.method in _LOGIN:
            self._last = (heard.line, [])
            self._play([result(_LOGIN[heard.method])], heard)
        else:
            self._wrong.append(f"{heard.method} with {heard.params}")

    def _of_ledger(self, heard: Heard) -> Callable[[int], bytes]:
        if self.ledger is None:
            return result(EMPTY_LEDGER if heard.method == "ledger.head" else {"rows": []})
        return result(self.ledger.answer(heard.method, heard.params))

    def _play(self, items: Sequence[Item], heard: Heard) -> None:
        at_s = heard.at_s
        for item in items:
            if isinstance(item, float | int):
                at_s += item
            elif isinstance(item, bytes | Vanish | Becomes):
                self._due.append((at_s, item))
            else:
                self._due.append((at_s, item(heard.id)))
        self._due.sort(key=lambda due: due[0])


class ScriptedPort:
    """A `mesodrive.link.port.Port` in memory: reading lets time pass, writing takes none."""

    name = "scripted"

    def __init__(
        self, *exchanges: Exchange, state: str = "SAFE", ledger: "LedgerModel | None" = None
    ):
        self.script = Script(list(exchanges), state, ledger=ledger)
        self.closed = False
        self._now_s = 0.0

    def now_s(self) -> float:
        return self._now_s

    def read(self, timeout_s: float) -> bytes:
        self._check()
        next_s = self.script.next_s()
        end_s = self._now_s + timeout_s
        self._now_s = end_s if next_s is None else max(self._now_s, min(end_s, next_s))
        data = b""
        for what in self.script.say(self._now_s):
            if isinstance(what, Vanish):
                self.closed = True
                break
            data += what
        if not data:
            self._check()
        return data

    def write(self, data: bytes) -> None:
        self._check()
        self.script.hear(data, self._now_s)

    def close(self) -> None:
        self.closed = True

    def _check(self) -> None:
        if self.closed:
            raise PortLostError("The port scripted is gone; check the cable and connect again.")


@contextmanager
def scripted_terminal(
    *exchanges: Exchange, ledger: "LedgerModel | None" = None
) -> Generator[tuple[str, Script]]:
    """A pseudo-terminal with a device at its other end: its path, and the script it plays."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    script = Script(list(exchanges), ledger=ledger)
    over = threading.Event()
    player = threading.Thread(target=_play_on, args=(master, slave, script, over))
    player.start()
    try:
        yield os.ttyname(slave), script
    finally:
        over.set()
        player.join()


def _play_on(master: int, slave: int, script: Script, over: threading.Event) -> None:
    try:
        while not over.is_set():
            if select.select([master], [], [], 0.005)[0]:
                script.hear(os.read(master, 4096), time.monotonic())
            for what in script.say(time.monotonic()):
                if isinstance(what, Vanish):
                    return
                os.write(master, what)
    finally:
        os.close(slave)
        os.close(master)


# what devices say


def result(value: object) -> Callable[[int], bytes]:
    """The answer `value`."""
    return lambda id: encode(result_message(id, value))


def refusal(code: int, sentence: str, **data: object) -> Callable[[int], bytes]:
    """The answer no."""
    return lambda id: encode(error(id, code, sentence, data))


def unreadable() -> bytes:
    """What a device says to a broken line."""
    return encode(error(None, -32700, "The line's checksum does not match its text."))


def note(method: str, seq: int, **params: object) -> bytes:
    """A notification."""
    return encode(notification(method, seq, params))


def state(seq: int, name: str, why: str = "the script says so") -> tuple[Becomes, bytes]:
    """A new state, and its notification."""
    return Becomes(name), note("state", seq, state=name, was="SAFE", why=why)


def shots(seq: int, *rows: list[object], lost: int = 0) -> bytes:
    """The notification of some strikes; see `row`."""
    return note("shots", seq, lost=lost, rows=list(rows))


def shot(seq: int, number: int, **changes: object) -> bytes:
    """The notification of one strike."""
    return shots(seq, row(number, **changes))


def live(seq: int, **changes: object) -> bytes:
    """The notification of how the session stands, ten times a second."""
    return note("status", seq, **{**LIVE, **changes})


def torn(item: Callable[[int], bytes] | bytes) -> Callable[[int], bytes]:
    """The line with a bit turned over on the way."""

    def turned(id: int) -> bytes:
        line = bytearray(item(id) if callable(item) else item)
        line[len(line) // 2] ^= 1
        return bytes(line)

    return turned


def cut(item: Callable[[int], bytes] | bytes) -> Callable[[int], bytes]:
    """The first half of the line, and its newline."""

    def halved(id: int) -> bytes:
        line = item(id) if callable(item) else item
        return line[: len(line) // 2] + b"\n"

    return halved


INFO: Mapping[str, Any] = {
    "product": "mesodrive",
    "version": "0.1.0",
    "protocol": PROTOCOL,
    "board": "pico",
    "serial": "E66118604B1F2A2C",
    "micropython": "1.25.0",
    "state": "SAFE",
    "stop_class": "hardware",
    "modes": ["single", "burst", "series", "stamp", "drip", "dry"],
    "claimed": True,
    "locked": False,
    "calibration": {"depth_surface_um": 1000, "plunger_empty_um": 60_000},
    "limits": {"depth_um": 6000, "dose_nl": 100_000, "shots": 2000},
    "last_id": 0,
    "ram_free": 150_000,
    "safe_ms": 320,
}
STATUS: Mapping[str, Any] = {
    "state": "SAFE",
    "why": "self-test passed",
    "uptime_ms": 1000,
    "homed": False,
    "inputs": {"guard": 1, "stop": 1, "cartridge": 1, "contact": 0, "trigger": 0},
    "depth_um": None,
    "left_nl": 0,
    "profile": None,
    "shots_done": 0,
    "shots_total": 0,
    "delivered_nl": 0,
    "alarm": None,
    "session_nl": 0,
    "hour_nl": 0,
    "alarm_times": 0,
    "role": "operator",
    "dropped": 0,
    "in_doubt": [],
}
EMPTY_LEDGER: Mapping[str, Any] = {
    "sequence": 0,
    "chain": "00" * 16,
    "first": 1,
    "room": 60,
    "boot": 1,
    "damage": [],
    "pending": [],
    "totals": dict.fromkeys(LedgerTotals.model_fields, 0),
    "cartridges": [],
}
LIVE: Mapping[str, Any] = {
    "state": "DELIVERING",
    "uptime_ms": 1000,
    "shots_done": 0,
    "delivered_nl": 0,
    "left_nl": 1_000_000,
    "inputs": 0b0_0111_1111,
}
PROFILE_ID = "5f3a90c1"
PLAN: Mapping[str, Any] = {
    "profile": PROFILE_ID,
    "dose_steps": 1845,
    "dose_us": 105_000,
    "travel_us": 3128,
    "strike_us": 163_128,
    "return_us": 3162,
    "period_us": 400_000,
    "min_period_us": 219_290,
    "depth_steps": 9600,
    "push_felt": True,
}


def info(**changes: object) -> Exchange:
    """`info` and its answer; a Device asks it when it opens."""
    return Exchange("info", result({**INFO, **changes}))


def status(**changes: object) -> Exchange:
    """`status` and its answer."""
    return Exchange("status", result({**STATUS, **changes}))


def row(number: int, **changes: object) -> list[object]:
    """A strike as the wire tells it: 10 µL, done; `changes` by the names of `Shot`."""
    done = Shot(
        shot=number,
        t_us=5_000_000 + 400_000 * number,
        outcome="done",
        dose_nl=9997,
        steps=1845,
        audit=1845,
        out_us=3014,
        back_us=166_000,
        why="",
    )
    return list({**done._asdict(), **changes}.values())
