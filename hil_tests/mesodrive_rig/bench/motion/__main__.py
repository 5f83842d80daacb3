"""Run the motion benchmark: `make bench-motion` → build/bench/motion.json and plots.

All times are emulated, and every random choice is seeded, so two runs give the same figures.
"""

import argparse
import sys
import time

from mesodrive_rig.bench.motion import plots, report
from mesodrive_rig.bench.motion.parts import measured
from mesodrive_rig.bench.motion.ratios import ratios
from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.results import Metric, write_results

_FOLDER = ROOT / "build" / "bench"
_SEED = 1


def main() -> int:
    """Run all parts; return 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--docs", action="store_true", help="write docs/performance.md anew")
    arguments = parser.parse_args()
    started = time.monotonic()
    metrics: list[Metric] = []
    series: dict[str, list[float]] = {}
    for part in measured(arguments.quick):
        metrics += part.metrics
        series |= part.series
    metrics += ratios(series)
    drawn = plots.draw(series, _FOLDER)
    if arguments.docs:
        report.write_page(metrics, drawn)
    seconds = time.monotonic() - started
    return write_results("motion", metrics, _FOLDER / "motion.json", seed=_SEED, seconds=seconds)


if __name__ == "__main__":
    sys.exit(main())
