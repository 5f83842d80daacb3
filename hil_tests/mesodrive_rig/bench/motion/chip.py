"""The shipping image in service mode: its own engine, driven from the prompt and measured at the
pins. The CPU, the DMA and the USB line are all emulated with it."""

from pathlib import Path
from typing import NamedTuple

from mesodrive_rig.bench.motion import audit, deviation, halts, planning, rates
from mesodrive_rig.bench.motion.part import Part, Progress
from mesodrive_rig.bench.motion.pins import Bench
from mesodrive_rig.emulated.rig import IMAGE


class _Size(NamedTuple):
    """`falls`: with the interrupts off, while the flash erases."""

    top_rate_steps: int
    deviation_steps: int
    random_steps: int
    falls: tuple[int, int]


_LONG = _Size(20_000, 12_000, 100_000, falls=(84, 7))
_QUICK = _Size(1_000, 3_000, 10_000, falls=(14, 1))


def measure(quick: bool, progress: Progress, image: Path = IMAGE) -> Part:
    """Measure all parts one after another on one chip."""
    size = _QUICK if quick else _LONG
    progress("booting in service mode")
    bench = Bench("loads", "engine", image=image)
    parts = [
        planning.measure(bench, progress),
        rates.measure(bench, size.top_rate_steps, progress),
        deviation.measure(bench, size.deviation_steps, progress),
        audit.measure(bench, size.random_steps, progress),
        halts.measure(bench, size.falls, progress),
    ]
    metrics = [metric for part in parts for metric in part.metrics]
    return Part(metrics, {name: data for part in parts for name, data in part.series.items()})
