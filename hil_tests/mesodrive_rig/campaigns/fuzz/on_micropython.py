"""The same frames into the same link under MicroPython, by its unix port."""

import os
import subprocess
import tempfile
from pathlib import Path
from random import Random

from mesodrive_rig.campaigns.fuzz.findings import ACCEPTED, CRASHED, REFUSED, UNBOUNDED, Findings
from mesodrive_rig.campaigns.fuzz.frames import Frames
from mesodrive_rig.campaigns.fuzz.lines import KNOWN
from mesodrive_rig.campaigns.fuzz.oracle import is_sealed, is_silent, lines, request_in
from mesodrive_rig.emulated.rig import ROOT

_MICROPYTHON = ROOT / "build" / "toolchain" / "bin" / "micropython"
_SCRIPT = ROOT / "firmware" / "tests" / "on_unix_port" / "fuzzed_lines.py"
_PATH = ":".join(str(ROOT / part) for part in ("firmware", "firmware/shared"))
_GROWTH = 4096  # bytes; the heap after each tenth of the frames


def is_built() -> bool:
    return _MICROPYTHON.is_file()


def run(seed: str, count: int) -> Findings:
    """At least `count` frames.

    MicroPython reads JSON more leniently than the standard: commas and colons are blanks to it.
    So a sealed line that is not quite JSON may be read; what is read must still be a request,
    and nothing that is not sealed may be.
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
            [_MICROPYTHON, "-X", "heapsize=4M", _SCRIPT, file],
            env={**os.environ, "MICROPYPATH": _PATH},
            capture_output=True,
            check=False,
        )
    findings.frames["under MicroPython"] = stream.count(b"\n")
    if ran.returncode:
        findings.blame(CRASHED, (ran.stdout + ran.stderr)[-500:].decode(errors="replace"))
        return findings
    *ids, heaps = ran.stdout.decode().splitlines()
    sizes = [int(size) for size in heaps.split()[2:]]
    if max(sizes) - min(sizes) > _GROWTH:
        findings.blame(UNBOUNDED, f"the heap held {sizes}")
    _compare(findings, stream, [int(id) for id in ids])
    return findings


def _compare(findings: Findings, stream: bytes, ran: list[int]) -> None:
    findings.accepted += len(ran)
    last_id = place = 0
    for line in lines(stream):
        if is_silent(line) or not is_sealed(line):
            continue
        request = request_in(line)
        id = ran[place] if place < len(ran) else 0
        if request and request.id > last_id:
            if id != request.id:
                findings.blame(REFUSED, f"under MicroPython: {line!r}")
                continue
        elif request or not id or b"%d" % id not in line:
            continue
        last_id = id
        place += 1
    if place < len(ran):
        findings.blame(ACCEPTED, f"under MicroPython: {ran[place:][:5]}")
