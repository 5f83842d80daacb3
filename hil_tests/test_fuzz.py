"""No frame whatever harms the device, and the campaign would notice if one did."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from mesodrive_rig.campaigns.fuzz import calls, lenient, lines, on_micropython
from mesodrive_rig.campaigns.fuzz.__main__ import metrics, run
from mesodrive_rig.campaigns.fuzz.findings import ACCEPTED, REFUSED, WRONG, Findings
from mesodrive_rig.campaigns.fuzz.frames import sealed
from mesodrive_rig.campaigns.fuzz.oracle import request_in
from mesodrive_rig.campaigns.pure_firmware import firmware

SEED = 7


@pytest.mark.requirement("R16", "R23", "R26")
def test_no_frame_crashes_moves_or_is_wrongly_accepted():
    findings, slope = run(SEED, quick=True, jobs=1)
    assert findings.first == []
    assert all(metric.ok for metric in metrics(findings, slope, quick=True))
    assert findings.frames.total() >= 30_000
    assert findings.accepted >= 3_000


def test_micropython_is_part_of_it():
    assert on_micropython.is_built()


def nothing(*_: object) -> None:
    """Found wrong."""


def spoilt_decode(framing: Any) -> Callable[[bytes], object]:
    """A decoder that does not look at the checksum."""

    def decode(line: bytes) -> object:
        return framing.decode(sealed(line.rpartition(b" ")[0])[:-1])

    return decode


def test_a_device_that_does_not_look_at_checksums_is_found(monkeypatch: pytest.MonkeyPatch):
    framing = firmware("mesodrive_wire.framing")
    monkeypatch.setattr(firmware("injector.link"), "decode", spoilt_decode(framing))
    findings = lines.run("bug", 2_000)
    assert findings.wrong["wrongly accepted"]


def test_a_device_that_takes_any_request_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(firmware("injector.link"), "request_fault", nothing)
    findings = lines.run("bug", 2_000)
    assert findings.wrong["wrongly accepted"] or findings.wrong["crashed"]


def test_a_device_that_refuses_good_requests_is_found(monkeypatch: pytest.MonkeyPatch):
    link = firmware("injector.link")
    usual = link.request_fault

    def request_fault(message: dict[str, Any]) -> str | None:
        return "No." if message.get("method") == "ack" else usual(message)

    monkeypatch.setattr(link, "request_fault", request_fault)
    findings = lines.run("bug", 2_000)
    assert findings.wrong["wrongly refused"]


def test_a_device_that_keeps_all_answers_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(firmware("injector.link"), "_REMEMBERED", 10_000)
    findings = lines.run("bug", 2_000)
    assert findings.wrong["memory not bounded"]


def test_a_handler_that_fails_is_found(monkeypatch: pytest.MonkeyPatch):
    def ping(*_: object) -> int:
        return 1 // 0

    monkeypatch.setattr(firmware("injector.machine").Machine, "_ping", ping)
    findings = calls.run("bug", 200)
    assert findings.wrong["crashed"]


def test_a_method_that_moves_unasked_is_found(monkeypatch: pytest.MonkeyPatch):
    machine = firmware("injector.machine").Machine

    def ping(self: Any, *_: object) -> object:
        if self.controller.state == "READY":
            self.port.start_axis(self.port.PLUNGER, True, self.controller.job.plan.moves[184])
        return {}

    monkeypatch.setattr(machine, "_ping", ping)
    findings = calls.run("bug", 3_600)
    assert findings.wrong["moved"]


def test_a_refusal_that_changes_something_is_found(monkeypatch: pytest.MonkeyPatch):
    commands = firmware("injector.commands").Commands
    usual = commands.arm

    def arm(self: Any) -> object:
        self._inputs.masks["guard"] = 0
        return usual(self)

    monkeypatch.setattr(commands, "arm", arm)
    findings = calls.run("bug", 600)
    assert findings.wrong["changed although refused"]


def test_every_method_of_the_protocol_is_asked():
    table = calls.params_of((calls.PROTOCOL).read_text())
    methods = set(firmware("stand_ins").Machine().methods)
    assert methods <= table.keys()
    assert table["prime"] == ["volume_nl"]


@pytest.mark.parametrize(
    "line",
    [
        b'{"jsonrpc":"2.0","id":7,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":[[{}]]}}',
    ],
)
def test_the_oracle_knows_a_request(line: bytes):
    assert request_in(sealed(line)[:-1]) is not None
    assert request_in(line) is None
    assert request_in(sealed(line.replace(b"7", b"0"))[:-1]) is None


def ping(id: int) -> bytes:
    return sealed(b'{"jsonrpc":"2.0","id":%d,"method":"ping"}' % id)


def compared(stream: bytes, ran: list[tuple[int, bytes]]) -> dict[str, int]:
    """What is found wrong when these lines have run under MicroPython, as these ids."""
    findings = Findings()
    on_micropython.compare(findings, stream, [(id, line[:-1]) for id, line in ran])
    assert findings.accepted + findings.wrong[ACCEPTED] >= len(ran)
    return dict(findings.wrong)


@pytest.mark.requirement("R16")
@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"1.0","id":8,"method":"home","params":{"a":[[[[[[[8]]]]]]]}}',
        b'{"jsonrpc":"2.0","id":8,"method":"home","params":{"a":[[[[[8]]]]]}}',
        b'{"jsonrpc":"2.0","id":8.0,"method":"home"}',
        b'{"jsonrpc":"2.0","id":8,"method":8}',
        b'{"jsonrpc":"2.0","id":8,"method":"home","more":8}',
        b'{"jsonrpc":"2.0","id":7,"method":"home","params":{"a":8}}',  # stale
        b'{"jsonrpc":"2.0","id":18,"method":"home"}',  # not as 8
        b'{"jsonrpc":"1.0",,"id":8,"method":"home"}',  # no JSON, and no request either
        b'{"jsonrpc":"2.0","id":9,,"method":"home8"}',
        b'{"jsonrpc":"2.0","id":8,"method":"home"}}',
        b'{"jsonrpc":"2.0","id":8,"method":"home","params":[8',
        b"8",
    ],
)
def test_what_ran_under_micropython_and_is_no_request_is_found(body: bytes):
    line = sealed(body)
    wrong = compared(ping(7) + line + ping(30), [(7, ping(7)), (8, line), (30, ping(30))])
    assert wrong == {ACCEPTED: 1}


def test_a_request_that_is_json_to_micropython_only_may_run():
    line = sealed(b'{"jsonrpc":"2.0",,"id" 8,"method":"home"')
    assert compared(ping(7) + line + ping(30), [(7, ping(7)), (8, line), (30, ping(30))]) == {}


@pytest.mark.requirement("R16")
def test_what_ran_under_micropython_unsealed_twice_or_out_of_order_is_found():
    spoilt = ping(8).replace(b"8", b"9", 1)
    assert compared(ping(7) + spoilt, [(7, ping(7)), (9, spoilt)]) == {ACCEPTED: 1}
    assert compared(ping(7) * 2, [(7, ping(7))] * 2) == {ACCEPTED: 1}
    swapped = [(8, ping(8)), (7, ping(7))]
    assert compared(ping(7) + ping(8), swapped) == {ACCEPTED: 1, REFUSED: 1}
    assert compared(ping(7) + ping(8), [(8, ping(8))]) == {REFUSED: 1}


BODIES = [
    b'{"a",1 "b" [2 3],,}',
    b'{"a":[1}]',
    b'[1,[2],{"a":1}',
    b'{"a":1,"b"}',
    b'{"a" {"b"} "c" "d" 5}',
    rb'"\j\"\u0041\n"',
    b"[-007,0.5,true,false,null]",
    b"[ , ",
    b"[1]\x0b",
    b"",
    b"]",
    b"1 2",
    b"[1]]",
    b'{"a',
    b"{[1]:2}",
    b"[1-2]",
    b"[1\x0b]",
    b"[x]",
    b'"\0"',
    b'"\xff"',
]
READ = """
import json
for body in %r:
    try:
        print(json.dumps(json.loads(body.decode())))
    except ValueError:
        print()
"""


def leniently(body: bytes) -> object:
    try:
        return lenient.read(body)
    except ValueError:
        return None


def test_json_is_read_as_leniently_as_by_micropython_and_no_more():
    ran = subprocess.run(
        [on_micropython.MICROPYTHON, "-c", READ % BODIES], capture_output=True, check=True
    )
    told = ran.stdout.decode().splitlines()
    read = dict(zip(BODIES, (json.loads(line) if line else None for line in told), strict=True))
    assert read == {body: leniently(body) for body in BODIES}
    assert sum(value is not None for value in read.values()) == 9


def test_all_that_can_be_wrong_has_a_bound():
    findings = lines.run("bounds", 500)
    bounded = {metric.name for metric in metrics(findings, 0, quick=True) if metric.bound}
    assert set(WRONG) <= bounded
