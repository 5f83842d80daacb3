"""Power cuts at every instant of the ledger's life: `make powercuts` → build/powercuts.json.

The firmware's own ledger runs on a model of its flash. After each cut the device starts again, and
must know all that had been promised: see ledger_work.py. Then the image that ships is cut off in a
session on the emulated chip, and started anew: see chip_session.py, chip_cuts.py.
"""

import argparse
import sys
import time
from collections.abc import Iterable

from rich.progress import Progress, track

from mesodrive_rig.campaigns.chip_cuts import ChipFindings, NewChip, cut_chip
from mesodrive_rig.campaigns.chip_session import ChipSession
from mesodrive_rig.campaigns.chip_session import Cut as ChipCut
from mesodrive_rig.campaigns.cut_sweeps import REAL, SMALL, Cut, Findings, Sweeps, any_cuts
from mesodrive_rig.campaigns.flash_model import Manner, Mood
from mesodrive_rig.campaigns.flip_sweeps import Flips
from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.results import Metric, write_results

_RESULTS = ROOT / "build" / "powercuts.json"
_LEAST_POINTS = 100_000
_LEAST_CHIP_CUTS = 200
_QUICK_CHIP_CUTS = 6  # about

# The first cut of a pair; and the second, which meets whatever the first has left in doubt.
FIRST = (
    Cut(Manner.BEFORE, Mood.RANDOM),
    Cut(Manner.TORN, Mood.RANDOM, 1),
    Cut(Manner.TORN, Mood.RANDOM, 45),
    Cut(Manner.PART, Mood.RANDOM),
    Cut(Manner.BITS, Mood.RANDOM),
    Cut(Manner.BEGUN, Mood.ONES),
    Cut(Manner.HALF, Mood.RANDOM),
    Cut(Manner.NEARLY, Mood.ONES),
    Cut(Manner.NEARLY, Mood.ZEROS),
)
SECOND = (
    Cut(Manner.BEFORE, Mood.RANDOM),
    Cut(Manner.BITS, Mood.RANDOM),
    Cut(Manner.BEGUN, Mood.ONES),
    Cut(Manner.NEARLY, Mood.ONES),
    Cut(Manner.NEARLY, Mood.ZEROS),
)


def run(seed: int, *, quick: bool) -> Findings:
    """All sweeps; `quick` looks at every so many operations and bits."""
    findings = Findings()
    small = Sweeps(SMALL, seed, findings)
    real = Sweeps(REAL, seed, findings)
    flips = Flips(small)
    random = small.random
    times = 50 if quick else 2_000

    for number in _every(1, len(small.moments), "single cuts"):
        operation = small.moments[number].operation
        cuts = any_cuts(operation, random, every_byte=not quick, times=1 if quick else 10)
        small.single_cuts(number, cuts)
    for number in _every(100 if quick else 3, len(real.moments), "single cuts, 4 KiB"):
        operation = real.moments[number].operation
        real.single_cuts(number, any_cuts(operation, random, every_byte=False, times=1))
    for number in _every(40 if quick else 1, len(small.moments), "pairs of cuts"):
        small.pairs(number, FIRST, SECOND)
    for bit in _every(83 if quick else 1, flips.bits, "one bit turned"):
        flips.one_bit(bit)
    for _ in _every(1, times, "several bits turned"):
        flips.several_bits()
    for _ in _every(1, times, "head spoilt"):
        flips.head()
    return findings


def play_chip(seed: int, *, quick: bool) -> tuple[NewChip, list[ChipCut]]:
    """The emulated chip in a session: its cuts, a few when `quick`, and a chip to start anew."""
    session = ChipSession(seed, operations=3 if quick else 1, each_ms=40 if quick else 2)
    cuts = session.play()
    some = cuts[:: max(1, len(cuts) // _QUICK_CHIP_CUTS)] if quick else cuts
    return NewChip(session.history), some


def run_chip(seed: int, *, quick: bool) -> ChipFindings:
    """The emulated chip, started anew after each cut."""
    with Progress() as progress:
        bar = progress.add_task("the chip in a session", total=None)
        chip, cuts = play_chip(seed, quick=quick)
        progress.update(bar, total=len(cuts), description="the chip started anew")
        return cut_chip(chip, cuts, lambda done: progress.update(bar, completed=done))


def _every(step: int, end: int, what: str) -> Iterable[int]:
    return track(range(0, end, step), what)


def metrics(findings: Findings, *, quick: bool) -> list[Metric]:
    """Points by sweep, and what must be none."""
    points = sum(findings.points.values())
    least = None if quick else f">= {_LEAST_POINTS}"
    found = [Metric("points", points, "", least)]
    found += [Metric(f"points: {name}", count, "") for name, count in findings.points.items()]
    wrong = findings.wrong
    found += [
        Metric("records lost", wrong["lost"] + wrong["chain"], "", "== 0"),
        Metric("records doubled or invented", wrong["doubled"] + wrong["invented"], "", "== 0"),
        Metric("reformatted", wrong["reformatted"], "", "== 0"),
        Metric("totals wrong", wrong["totals"], "", "== 0"),
        Metric("refused although whole", wrong["refused"], "", "== 0"),
        Metric("turned bits not noticed", wrong["undetected"], "", "== 0"),
        Metric("crashes, forbidden use of the flash", wrong["crashed"], "", "== 0"),
    ]
    return found


def chip_metrics(findings: ChipFindings, *, quick: bool) -> list[Metric]:
    """The same for the emulated chip."""
    least = None if quick else f">= {_LEAST_CHIP_CUTS}"
    some = None if quick else ">= 1"
    return [
        Metric("chip cuts", findings.cuts, "", least),
        Metric("chip started after them", findings.starts, "", ">= 1"),
        Metric("chip cuts in a program or erase", findings.at_operations, "", ">= 1"),
        Metric("chip cuts that left a dose in doubt", findings.in_doubt, "", some),
        Metric("chip: lost", findings.count("lost"), "", "== 0"),
        Metric("chip: doubled", findings.count("doubled"), "", "== 0"),
        Metric("chip: reformatted", findings.count("reformatted"), "", "== 0"),
        Metric("chip: totals wrong, doubt not shown", findings.count("totals"), "", "== 0"),
        Metric("chip: driven after the start", findings.count("moved"), "", "== 0"),
        Metric("chip: did not start or answer", findings.count("crashed"), "", "== 0"),
    ]


def main() -> int:
    """Run the campaign; return 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="some of the points")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    started = time.monotonic()
    findings = run(arguments.seed, quick=arguments.quick)
    chip = run_chip(arguments.seed, quick=arguments.quick)
    for fault in [*findings.first, *chip.wrong]:
        print(fault, file=sys.stderr)
    seconds = time.monotonic() - started
    figures = metrics(findings, quick=arguments.quick)
    figures += chip_metrics(chip, quick=arguments.quick)
    return write_results("powercuts", figures, _RESULTS, seed=arguments.seed, seconds=seconds)


if __name__ == "__main__":
    sys.exit(main())
