"""Frames into the real reader, decoder and link, held against the oracle."""

from random import Random
from typing import Any

from mesodrive_rig.campaigns.fuzz.findings import (
    ACCEPTED,
    CRASHED,
    MISANSWERED,
    REFUSED,
    UNBOUNDED,
    Findings,
)
from mesodrive_rig.campaigns.fuzz.frames import Frames
from mesodrive_rig.campaigns.fuzz.oracle import (
    FURTHEST_ID,
    LEAP,
    Request,
    is_silent,
    lines,
    request_in,
)
from mesodrive_rig.campaigns.pure_firmware import firmware

KNOWN: list[tuple[str, dict[str, Any]]] = [
    ("ping", {}),
    ("status", {}),
    ("arm", {}),
    ("disarm", {}),
    ("home", {}),
    ("ack", {}),
    ("prime", {"volume_nl": 10_000}),
    ("shots", {"first": 1}),
    ("trace", {"first": 0}),
    ("profile.load", {"profile": {"version": 2, "name": "é, {nappage} [1]", "shots": 3}}),
]
_REMEMBERED = 16
_TOGETHER = 200


class Cable:
    """A serial line on which all has arrived, and whose answers are counted."""

    def __init__(self) -> None:
        self.answers = 0
        self.unnamed = 0  # of them, to no id
        self._arrived = memoryview(b"")

    def arrive(self, stream: bytes) -> None:
        self._arrived = memoryview(stream)

    @property
    def empty(self) -> bool:
        return not self._arrived

    def connected(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:
        n = min(len(buffer), len(self._arrived))
        buffer[:n] = self._arrived[:n]
        self._arrived = self._arrived[n:]
        return n

    def write(self, part: memoryview) -> int:
        sent = bytes(part)
        self.answers += sent.count(b"\n")
        self.unnamed += sent.count(b'"id":null')
        return len(sent)

    def discard(self) -> None:
        self._arrived = memoryview(b"")


class Recorder(dict[str, Any]):
    """Stands where the methods are: each is known, and only written down."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: list[tuple[str, Any]] = []

    def get(self, key: str, _default: Any = None) -> Any:
        def handler(params: Any, _: object) -> dict[str, Any]:
            self.ran.append((key, params))
            return {}

        return handler


class Expected:
    """What a device that obeys docs/protocol.md does with a stream."""

    def __init__(self) -> None:
        self.last_id = 0
        self.ran: list[tuple[str, Any]] = []
        self.heard = 0
        self.answers = 0
        self.unnamed = 0
        self.frames = 0
        self._kept: list[Request] = []

    def take(self, stream: bytes) -> None:
        for line in lines(stream):
            self.frames += 1
            if is_silent(line):
                continue
            self.answers += 1
            request = request_in(line)
            if request is None:
                self.unnamed += 1
            elif self.last_id < request.id <= max(FURTHEST_ID, self.last_id + LEAP):
                self.last_id = request.id
                self.heard += 1
                self.ran.append((request.method, request.params))
                self._kept = [*self._kept, request][-_REMEMBERED:]
            elif request in self._kept:
                self.heard += 1


def held(link: Any) -> list[int]:
    """How much each thing holds that grows with what comes."""
    queue, answers, reader = (getattr(link, f"_{name}") for name in ("queue", "answers", "reader"))
    return [len(queue), len(answers), len(reader._line)]


BOUNDS = [56 + 64, _REMEMBERED, 2048]


def run(seed: str, count: int) -> Findings:
    """At least `count` frames into one link."""
    random = Random(seed)
    frames = Frames(random, KNOWN)
    cable, recorder, expected = Cable(), Recorder(), Expected()
    link = firmware("injector.link").Link(cable, recorder)
    findings = Findings()
    while expected.frames < count:
        stream = b"".join(frames.some(_TOGETHER))
        stream += b"" if stream.endswith(b"\n") else b"\n"
        before = len(expected.ran)
        expected.take(stream)
        frames.go_on_from(expected.last_id)
        cable.arrive(stream)
        try:
            while not cable.empty:
                link.step()
                if any(now > most for now, most in zip(held(link), BOUNDS, strict=True)):
                    findings.blame(UNBOUNDED, f"{held(link)} are held")
                    break
            link.step()
        except Exception as error:
            findings.blame(CRASHED, f"{error!r} by {stream!r}")
            return findings
        _compare(findings, before, recorder, expected)
        got = (link.last_id, link.heard, cable.answers, cable.unnamed)
        wanted = (expected.last_id, expected.heard, expected.answers, expected.unnamed)
        if got != wanted:
            findings.blame(MISANSWERED, f"{got} and not {wanted} after {stream!r}")
            break
        findings.accepted += len(expected.ran)
        recorder.ran.clear()
        expected.ran.clear()
    findings.frames["into the link"] = expected.frames
    return findings


def _compare(findings: Findings, before: int, recorder: Recorder, expected: Expected) -> None:
    if recorder.ran == expected.ran:
        return
    for ran in recorder.ran[before:]:
        if ran not in expected.ran:
            findings.blame(ACCEPTED, repr(ran))
    for wanted in expected.ran[before:]:
        if wanted not in recorder.ran:
            findings.blame(REFUSED, repr(wanted))
    if not findings.wrong:
        findings.blame(MISANSWERED, "not in this order")
