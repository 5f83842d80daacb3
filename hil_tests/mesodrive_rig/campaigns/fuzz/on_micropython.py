"""The same frames into the same link under MicroPython, by its unix port."""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

from mesodrive_rig.campaigns.fuzz import lenient
from mesodrive_rig.campaigns.fuzz.findings import ACCEPTED, CRASHED, REFUSED, UNBOUNDED, Findings
from mesodrive_rig.campaigns.fuzz.frames import Frames
from mesodrive_rig.campaigns.fuzz.lines import KNOWN
from mesodrive_rig.campaigns.fuzz.oracle import (
    Request,
    as_request,
    body_in,
    is_json,
    is_sealed,
    lines,
    request_in,
)
from mesodrive_rig.emulated.rig import ROOT

MICROPYTHON = ROOT / "build" / "toolchain" / "bin" / "micropython"
_SCRIPT = ROOT / "firmware" / "tests" / "on_unix_port" / "fuzzed_lines.py"
_PATH = ":".join(str(ROOT / part) for part in ("firmware", "firmware/shared"))
_GROWTH = 4096  # bytes; the heap after each tenth of the frames


def is_built() -> bool:
    return MICROPYTHON.is_file()


def run(seed: str, count: int) -> Findings:
    """At least `count` frames.

    MicroPython reads JSON more leniently than the standard, see lenient.py. So a sealed line that
    is no JSON may run, if it is a request when read like that. A line that is JSON must be a
    request by the standard, and nothing that is not sealed may run.
    """
    random = Random(seed)
    frames = Frames(random, KNOWN)
    findings = Findings()
    stream = b""
    while stream.count(b"\n") < count:
        stream += b"".join(frames.some(200)) + b"\n"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frames"
        file.write_bytes(stream)
        ran = subprocess.run(
            [MICROPYTHON, "-X", "heapsize=4M", _SCRIPT, file],
            env={**os.environ, "MICROPYPATH": _PATH},
            capture_output=True,
            check=False,
        )
    findings.frames["under MicroPython"] = stream.count(b"\n")
    if ran.returncode:
        findings.blame(CRASHED, (ran.stdout + ran.stderr)[-500:].decode(errors="replace"))
        return findings
    *requests, heaps = ran.stdout.decode().splitlines()
    sizes = [int(size) for size in heaps.split()[2:]]
    if max(sizes) - min(sizes) > _GROWTH:
        findings.blame(UNBOUNDED, f"the heap held {sizes}")
    told = [request.split() for request in requests]
    compare(findings, stream, [(int(id), bytes.fromhex(line)) for id, line in told])
    return findings


def compare(findings: Findings, stream: bytes, ran: Sequence[tuple[int, bytes]]) -> None:
    """Hold what ran, each id with its line and in this order, against the lines of `stream`."""
    last_id = place = 0
    for line in lines(stream):
        wanted = request_in(line)
        is_due = wanted is not None and wanted.id > last_id
        if place == len(ran) or ran[place][1] != line:
            if is_due:
                findings.blame(REFUSED, f"under MicroPython: {line!r}")
            continue
        id = ran[place][0]
        request = wanted or _read_leniently(line)
        if request and request.id == id > last_id:
            findings.accepted += 1
        else:
            findings.blame(ACCEPTED, f"under MicroPython, as {id}: {line!r}")
        last_id = max(last_id, id)
        place += 1
    if place < len(ran):
        findings.blame(ACCEPTED, f"under MicroPython, not in this order: {ran[place:][:5]}")


def _read_leniently(line: bytes) -> Request | None:
    """The request of a sealed line that is no JSON but to MicroPython."""
    if not is_sealed(line) or is_json(line):
        return None
    try:
        return as_request(lenient.read(body_in(line)))
    except ValueError:
        return None
