"""Broken and hostile frames against the wire and the machine: `make fuzz` → build/fuzz.json.

All runs in the firmware's own modules: under CPython, and a part under MicroPython's unix port.
"""

import argparse
import sys
import time
from collections.abc import Callable
from multiprocessing import Pool

from rich.progress import track

from mesodrive_rig.campaigns.arguments import at_least_one
from mesodrive_rig.campaigns.fuzz import calls, lines, memory, on_micropython
from mesodrive_rig.campaigns.fuzz.findings import WRONG, Findings
from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.results import Metric, write_results

_RESULTS = ROOT / "build" / "fuzz.json"
_LEAST_FRAMES = 10_000_000
_PARTS: dict[str, Callable[[str, int], Findings]] = {
    "lines": lines.run,
    "calls": calls.run,
    "machine": calls.run_frames,
    "micropython": on_micropython.run,
}
# part: blocks of so many frames
_LONG = {
    "lines": (190, 50_000),
    "calls": (50, 10_000),
    "machine": (25, 10_000),
    "micropython": (10, 20_000),
}
_QUICK = {
    "lines": (2, 20_000),
    "calls": (2, 2_500),
    "machine": (1, 4_000),
    "micropython": (1, 4_000),
}

Block = tuple[str, str, int]


def blocks(seed: int, *, quick: bool) -> list[Block]:
    """Part, seed of its own and frames of each block."""
    return [
        (part, f"{seed} {part} {number}", frames)
        for part, (times, frames) in (_QUICK if quick else _LONG).items()
        for number in range(times)
    ]


def do(block: Block) -> Findings:
    part, seed, frames = block
    return _PARTS[part](seed, frames)


def run(seed: int, *, quick: bool, jobs: int) -> tuple[Findings, float]:
    """All blocks, and by how many bytes a frame the memory held grows."""
    findings = Findings()
    chosen = blocks(seed, quick=quick)
    if jobs == 1:
        for block in track(chosen, "frames"):
            findings.add(do(block))
    else:
        with Pool(jobs) as pool:
            for found in track(pool.imap_unordered(do, chosen), "frames", total=len(chosen)):
                findings.add(found)
    slope, frames = memory.growth(str(seed), *((9, 3) if quick else (30, 40)))
    findings.frames["with memory watched"] = frames
    return findings, slope


def metrics(findings: Findings, slope: float, *, quick: bool) -> list[Metric]:
    """Frames by part, and what must be none."""
    least = None if quick else f">= {_LEAST_FRAMES}"
    found = [Metric("frames and calls", findings.frames.total(), "", least)]
    found += [Metric(f"of them {part}", count, "") for part, count in findings.frames.items()]
    found.append(Metric("requests among them, rightly accepted", findings.accepted, ""))
    found += [Metric(what, findings.wrong[what], "", "== 0") for what in WRONG]
    found.append(Metric("memory held grows by", round(slope, 4), "B/frame", "<= 0"))
    return found


def main() -> int:
    """Run the campaign; return 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="some of the frames")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=at_least_one, default=2, help="processes")
    arguments = parser.parse_args()
    started = time.monotonic()
    findings, slope = run(arguments.seed, quick=arguments.quick, jobs=arguments.jobs)
    for fault in findings.first:
        print(fault, file=sys.stderr)
    seconds = time.monotonic() - started
    figures = metrics(findings, slope, quick=arguments.quick)
    return write_results("fuzz", figures, _RESULTS, seed=arguments.seed, seconds=seconds)


if __name__ == "__main__":
    sys.exit(main())
