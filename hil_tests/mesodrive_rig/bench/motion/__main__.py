"""Run the motion benchmark: `make bench-motion` → build/bench/motion.json and plots.

All times are emulated, and every random choice is seeded, so two runs give the same figures.
"""

import argparse
import sys
import time

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from mesodrive_rig.bench.motion import app, baselines, block, chip, plots, report
from mesodrive_rig.bench.motion.ratios import ratios
from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.results import Metric, write_results

_FOLDER = ROOT / "build" / "bench"
_SEED = 1
_PARTS = {
    "PIO block alone": block.measure,
    "engine on the chip": chip.measure,
    "baselines": baselines.measure,
    "application": app.measure,
}


def main() -> int:
    """Run all parts; return 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--docs", action="store_true", help="write docs/performance.md anew")
    arguments = parser.parse_args()
    started = time.monotonic()
    metrics: list[Metric] = []
    series: dict[str, list[float]] = {}
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns) as progress:
        for name, measure in _PARTS.items():
            task = progress.add_task(name, total=None)
            part = measure(
                arguments.quick,
                lambda text, name=name, task=task: progress.update(
                    task, description=f"{name}: {text}"
                ),
            )
            progress.update(task, description=name, total=1, completed=1)
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
