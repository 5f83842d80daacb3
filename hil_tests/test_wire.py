"""The wire through the shipping image: what is broken changes nothing, what is repeated runs once,
and a host that does not read stops nothing.
"""

import random
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from mesodrive_rig.emulated.edges import EdgeLog
from mesodrive_rig.emulated.rig import EmulatedRig
from mesodrive_rig.operator import NEAR_HOME, NL_PER_STEP, PRIME_UL, Operator, profile
from mesodrive_rig.plant import Output, Sensor
from mesodrive_wire import (
    BAD_PARAMS,
    BAD_REQUEST,
    MAX_LINE,
    PARSE,
    STALE_ID,
    UNKNOWN_METHOD,
    LineReader,
    decode,
    encode,
    request,
)

pytestmark = pytest.mark.hil

READY = profile(depth_um=250)  # the shallowest needle is home soonest
# strikes one after another, as many as can be told
FAST_DRY = READY | {
    "mode": "dry",
    "shots": 200,
    "dose_nl": 0,
    "settle_us": 0,
    "dwell_us": 1000,
    "rest_us": 5000,
    "period_us": 30_000,
}
ANSWER_MS = 2000
COSTLY_MS = 150  # 31 of them on the bus; watchdog and dead-man wait 250 from look to look


def answers_in(heard: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was `heard` without the notifications."""
    return [message for message in heard if "id" in message]


def notes(heard: list[dict[str, Any]], method: str | None = None) -> list[dict[str, Any]]:
    """The params of the notifications in what was `heard`, of all or of those called `method`."""
    told = [message for message in heard if "method" in message]
    return [note["params"] for note in told if method in (None, note["method"])]


class Wire:
    """The serial line in the raw, on a device that is homed and ready."""

    def __init__(self) -> None:
        self.rig = EmulatedRig(NEAR_HOME)
        self.edges = EdgeLog(self.rig)
        self.operator = Operator(self.rig)
        self.operator.make_ready(READY)
        self.operator.device.prime(PRIME_UL)
        self.port = self.operator.device.client.port
        self.last_id = self.operator.device.client.call("info")["last_id"]
        self.seqs: list[int] = []  # of all notifications heard
        self._reader = LineReader()

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def line(self, method: str, params: dict[str, Any] | None = None) -> bytes:
        """A good request with a fresh id."""
        return encode(request(self.next_id(), method, params))

    def hear(self, ms: float) -> list[dict[str, Any]]:
        """All messages that come within `ms`."""
        heard: list[dict[str, Any]] = []
        end = self.rig.now_ms() + ms
        while self.rig.now_ms() < end:
            for line in self._reader.feed(self.port.read((end - self.rig.now_ms()) / 1000)):
                assert line is not None
                heard.append(decode(line))
        self.seqs += [note["seq"] for note in notes(heard)]
        return heard

    def ask(self, line: bytes, answers: int = 1) -> list[dict[str, Any]]:
        """Send; return the `answers`, and any that come in 20 ms after that."""
        self.port.write(line)
        heard: list[dict[str, Any]] = []
        end = self.rig.now_ms() + ANSWER_MS
        while len(heard) < answers and self.rig.now_ms() < end:
            heard += answers_in(self.hear(5))
        return heard + answers_in(self.hear(20))

    def status(self) -> dict[str, Any]:
        (answer,) = self.ask(self.line("status"))
        del answer["result"]["uptime_ms"]
        return answer["result"]


@pytest.fixture(scope="module")
def wire() -> Wire:
    return Wire()


def refused(wire: Wire, line: Callable[[], bytes]) -> dict[str, Any]:
    """Send what cannot be carried out; return the one error. All must be as it was before."""
    before = wire.status()
    (answer,) = wire.ask(line())
    assert wire.status() == before
    sentence = answer["error"]["message"]
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return answer


def with_checksum(body: bytes) -> bytes:
    """`body` as a line whose checksum is right."""
    return body + b" %08x\n" % zlib.crc32(body)


SPOILED: dict[str, Callable[[bytes], bytes]] = {
    "cut short": lambda line: line[: len(line) // 2] + b"\n",
    "beginning lost": lambda line: line[3:],
    "checksum cut short": lambda line: line[:-2] + b"\n",
    "bit flipped": lambda line: line.replace(b"home", b"hoMe"),
    "space added": lambda line: line.replace(b" ", b"  "),
    "upper case": lambda line: line[:-1].upper() + b"\n",
    "no checksum": lambda _: b"home\n",
    "not json": lambda _: with_checksum(b"home, please"),
    "no object": lambda _: with_checksum(b"[1,2]"),
    "nested": lambda _: with_checksum(b"[" * 1500),
    "not utf-8": lambda _: with_checksum(b'{"a":"\xff\xfe"}'),
    "too long": lambda _: b"x" * (MAX_LINE + 500) + b"\n",
}


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
def test_a_broken_line_is_refused_and_changes_nothing(wire: Wire, spoil: Callable[[bytes], bytes]):
    answer = refused(wire, lambda: spoil(wire.line("home")))
    assert (answer["id"], answer["error"]["code"]) == (None, PARSE)


@pytest.mark.requirement("R26")
@pytest.mark.parametrize(
    "body",
    [
        b'{"id":%d,"method":"home"}',
        b'{"jsonrpc":"2.0","id":"%d","method":"home"}',
        b'{"jsonrpc":"2.0","id":-%d,"method":"home"}',
        b'{"jsonrpc":"2.0","id":%d.5,"method":"home"}',
        b'{"jsonrpc":"2.0","id":%d,"method":7}',
        b'{"jsonrpc":"2.0","id":%d,"method":"home","params":[1]}',
        b'{"jsonrpc":"2.0","id":%d,"method":"home","at":"once"}',
        b'{"jsonrpc":"2.0","id":%d,"method":"home","' + b"y" * 1900 + b'":1}',
    ],
)
def test_what_is_no_request_is_refused_and_changes_nothing(wire: Wire, body: bytes):
    answer = refused(wire, lambda: with_checksum(body % wire.next_id()))
    assert (answer["id"], answer["error"]["code"]) == (None, BAD_REQUEST)


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("method", ["hom", "", "__init__", "z" * 1900, "é"])
def test_an_unknown_method_is_refused(wire: Wire, method: str):
    answer = refused(wire, lambda: wire.line(method))
    assert (answer["id"], answer["error"]["code"]) == (wire.last_id - 1, UNKNOWN_METHOD)


@pytest.mark.requirement("R26")
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("home", {"fast": 1}),
        ("arm", {"x" * 1900: 1}),
        ("prime", {}),
        ("prime", {"volume_nl": "1000"}),
        ("prime", {"volume_nl": "9" * 1900}),
        ("prime", {"volume_nl": 1000, "flow": 1}),
        ("shots", {"first": None}),
        ("profile.load", {"profile": []}),
    ],
)
def test_unknown_or_wrong_params_are_refused(wire: Wire, method: str, params: dict[str, Any]):
    answer = refused(wire, lambda: wire.line(method, params))
    assert (answer["id"], answer["error"]["code"]) == (wire.last_id - 1, BAD_PARAMS)


# Each within a line's length, sealed, and dear to read, to compare or to print.
COSTLY: dict[str, bytes] = {
    "a thousand numbers": b'"a":[' + b",".join([b"1"] * 950) + b"]",
    "numbers without commas": b'"a":[' + b" ".join([b"7"] * 950) + b"]",
    "empty objects": b'"a":[' + b"{}" * 900 + b"]",
    "empty texts": b'"a":[' + b'""' * 900 + b"]",
    "many keys": b",".join(b'"%d":1' % n for n in range(220)),
    "a number of 1900 digits": b'"first":' + b"9" * 1900,
    "a fraction of 1900 digits": b'"first":1.' + b"9" * 1900,
    "a great exponent": b'"first":1e999999999',
}


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("kind", COSTLY)
def test_a_line_that_is_dear_to_read_is_refused_in_time(wire: Wire, kind: str):
    body = b'{"jsonrpc":"2.0","id":%d,"method":"shots","params":{%s}}'
    before = wire.status()
    line = with_checksum(body % (wire.next_id(), COSTLY[kind]))
    sent = wire.rig.now_ms()
    wire.port.write(line)
    heard: list[dict[str, Any]] = []
    while not heard:
        heard = answers_in(wire.hear(1))
        assert wire.rig.now_ms() - sent < COSTLY_MS, "no answer in time"
    error = heard[0]["error"]
    if error["code"] == PARSE:  # memory had no room for the list
        assert "too much to read" in error["message"]
    else:
        assert error["code"] in (BAD_REQUEST, BAD_PARAMS)
    assert wire.status() == before


@pytest.mark.requirement("R16")
def test_the_same_line_twice_runs_once_and_is_answered_twice(wire: Wire):
    before_ul = wire.rig.truth().pushed_ul
    wire.edges.clear()
    line = wire.line("prime", {"volume_nl": 5000})
    wire.port.write(line)
    assert wire.rig.run_until(lambda: bool(wire.edges.rises(Output.PLUNGER_STEP)), 100)
    assert answers_in(wire.hear(1)) == []
    wire.port.write(line)
    answers = answers_in(wire.hear(400)) + wire.ask(line)
    assert len(answers) >= 2
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["id"] == wire.last_id
    assert len(wire.edges.rises(Output.PLUNGER_STEP)) == round(5000 / NL_PER_STEP)
    assert 1000 * (wire.rig.truth().pushed_ul - before_ul) == pytest.approx(5000, abs=NL_PER_STEP)


@pytest.mark.requirement("R16")
def test_an_id_that_was_used_otherwise_is_stale(wire: Wire):
    used = wire.next_id()
    wire.ask(encode(request(used, "ping")))
    for id in (used, used - 1000):
        before = wire.status()
        (answer,) = wire.ask(encode(request(id, "disarm")))
        assert (answer["id"], answer["error"]["code"]) == (id, STALE_ID)
        assert answer["error"]["data"] == {"last_id": wire.last_id}
        assert wire.status() == before


def test_two_requests_at_once_are_both_answered(wire: Wire):
    answers = wire.ask(wire.line("ping") + wire.line("status"), 2)
    assert [answer["id"] for answer in answers] == [wire.last_id - 1, wire.last_id]


FLOODS: dict[str, Callable[[random.Random], list[bytes]]] = {
    "short lines": lambda noise: [noise.randbytes(noise.randrange(1, 4)) for _ in range(100)],
    "long lines": lambda noise: [noise.randbytes(noise.randrange(1, 3000)) for _ in range(5)],
    "no line at all": lambda noise: [noise.randbytes(6_000).replace(b"\n", b"")],
}


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("kind", FLOODS)
def test_after_a_flood_of_garbage_a_good_request_is_answered(wire: Wire, kind: str):
    before = wire.status()
    lines = FLOODS[kind](random.Random(1))
    heard = wire.ask(b"\n".join(lines) + b"\n", 10_000)  # until the device is quiet
    assert heard
    assert {(answer["id"], answer["error"]["code"]) for answer in heard} == {(None, PARSE)}
    assert wire.status() == before


def strike_on(wire: Wire) -> None:
    """From READY, PAUSED or ARMED to strikes, one after another, without reading on."""
    if wire.status()["state"] == "READY":
        wire.ask(wire.line("arm"))
    wire.rig.set(Sensor.CONTACT, True)
    wire.hear(50)
    wire.edges.clear()
    wire.rig.set(Sensor.TRIGGER, True)


@pytest.fixture(scope="module")
def dry(wire: Wire) -> Wire:
    """The wire of a device that is ready for quick strikes."""
    wire.operator.make_ready(FAST_DRY)  # with ids of its own, above ours
    wire.last_id = wire.operator.device.client.call("info")["last_id"]
    return wire


def rows_in(heard: list[dict[str, Any]]) -> list[int]:
    """The numbers of the strikes that were told, in order."""
    return [row[0] for told in notes(heard, "shots") for row in told["rows"]]


@pytest.mark.requirement("R27")
def test_a_host_that_does_not_read_loses_no_answer_and_no_strike(dry: Wire):
    dry.seqs.clear()
    strike_on(dry)
    asked: list[int] = []
    for _ in range(18):  # 2.7 s: the host speaks, but takes nothing
        dry.rig.run_for(150)
        dry.port.write(dry.line("ping"))
        asked.append(dry.last_id)
    dry.rig.set(Sensor.TRIGGER, False)
    dry.rig.run_for(50)
    strikes = len(dry.edges.rises(Output.STRIKE))
    assert strikes > 70  # it went on all the while
    heard = dry.hear(400)
    assert [answer["id"] for answer in answers_in(heard)] == asked
    assert rows_in(heard) == list(range(1, strikes + 1))
    assert dry.seqs == list(range(dry.seqs[0], dry.seqs[0] + len(dry.seqs)))


def test_what_a_host_did_not_read_in_time_shows_as_a_gap_and_is_counted(dry: Wire):
    dropped = dry.status()["dropped"]
    done = dry.status()["shots_done"]
    dry.seqs.clear()
    strike_on(dry)
    asked: list[int] = []
    for _ in range(44):  # long answers, more than the host's own driver keeps for it
        dry.port.write(dry.line("status"))
        asked.append(dry.last_id)
        dry.rig.run_for(8)
    dry.rig.run_for(80)
    assert len(dry.edges.rises(Output.STRIKE)) > 10
    dry.rig.set(Sensor.TRIGGER, False)  # a state that cannot be told any more
    dry.rig.run_for(50)
    heard = dry.hear(300)
    assert [answer["id"] for answer in answers_in(heard)] == asked
    dry.ask(dry.line("disarm"))  # the next notification shows the gap
    lost = dry.seqs[-1] - dry.seqs[0] + 1 - len(dry.seqs)
    assert lost > 0
    status = dry.status()
    assert (status["state"], status["dropped"] - dropped) == ("READY", lost)
    # No strike was lost with them, and each is still to be had.
    strikes = status["shots_done"]
    assert rows_in(heard) == list(range(done + 1, strikes + 1))
    (answer,) = dry.ask(dry.line("shots", {"first": strikes}))
    assert [row[0] for row in answer["result"]["rows"]] == [strikes]
    dry.operator.rest()
