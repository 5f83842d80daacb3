"""Step drivers in the way MicroPython users write them today, on the same chip and measured
at the same pins. Their code is in snippets/."""

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from mesodrive_rig.bench.motion import stops
from mesodrive_rig.bench.motion.part import Part, Progress
from mesodrive_rig.bench.motion.pins import Bench
from mesodrive_rig.emulated.rig import IMAGE
from mesodrive_rig.plant import Output
from mesodrive_rig.results import Metric


class Driver(NamedTuple):
    """`setting` is run after the snippet."""

    name: str
    snippet: str
    setting: str = ""


DRIVERS = {
    "timer": Driver("machine.Timer callback a step", "timer_driver"),
    "sleep": Driver("sleep_us loop", "sleep_driver"),
    "interrupt": Driver("PIO pulse, one Python interrupt a step", "interrupt_driver"),
    "hard": Driver(
        "PIO pulse, one hard Python interrupt a step", "interrupt_driver", "HARD = True"
    ),
}
_LOADS = {"quiet": "quiet", "collect": "under gc.collect()", "read": "under a USB flood"}
_RATES = (60_000, 50_000, 40_000, 30_000, 25_000, 20_000, 15_000, 10_000, 7_500, 5_000)
_SLOW_RATES = (3_000, 2_000, 1_000, 500, 300, 200, 100)
_NEAR = 0.01  # of the rate that was asked for
_MODEST_S = 5_000  # steps/s, at which the jitter is measured
_SETTLED_MS = 2.0


def measure(quick: bool, progress: Progress, image: Path = IMAGE) -> Part:
    """Measure each driver on a chip of its own."""
    steps, times = (100, 8) if quick else (500, 32)
    parts = [measure_driver(driver, steps, times, progress, image) for driver in DRIVERS]
    metrics = [metric for part in parts for metric in part.metrics]
    return Part(metrics, {name: data for part in parts for name, data in part.series.items()})


def measure_driver(
    driver: str, steps: int, times: int, progress: Progress, image: Path = IMAGE, seed: int = 1
) -> Part:
    """Measure one: its jitter over `steps`, and `times` stops, under each load."""
    name, snippet, setting = DRIVERS[driver]
    progress(f"{name}: booting")
    bench = Bench("loads", snippet, image=image)
    bench.run(setting)
    top = _top_rate(bench, lambda text: progress(f"{name}: {text}"))
    metrics = [Metric(f"{name}: top exact rate", top, "steps/s")]
    series: dict[str, list[float]] = {f"top_rate.{driver}": [top]}
    for load, when in _LOADS.items():
        progress(f"{name}: jitter {when}")
        surplus, jitter_ns = _jitter(bench, steps, load)
        metrics += [
            Metric(f"{name}: worst jitter {when}", round(max(jitter_ns) / 1000, 3), "µs"),
            Metric(f"{name}: p99 jitter {when}", round(_p99(jitter_ns) / 1000, 3), "µs"),
            Metric(f"{name}: surplus steps of {steps} {when}", surplus, "steps"),
        ]
        series[f"jitter_ns.{driver}.{load}"] = jitter_ns
        series[f"surplus.{driver}.{load}"] = [surplus]
    for load in stops.LOADS:
        progress(f"{name}: stops {_LOADS[load]}")
        stops_ns, lost = stops.measure(bench, load, times, seed)
        longest_us = round(max(stops_ns) / 1000, 3)
        metrics += [
            Metric(f"{name}: longest stop {_LOADS[load]}", longest_us, "µs"),
            Metric(f"{name}: stops without effect {_LOADS[load]}", lost, f"of {times + lost}"),
        ]
        series[f"stop_ns.{driver}.{load}"] = stops_ns
    return Part(metrics, series)


def _top_rate(bench: Bench, progress: Progress) -> float:
    """The highest rate of the list at which just the steps asked for come, at that rate; or 0."""
    for rate in (*_RATES, *_SLOW_RATES):
        progress(f"{rate:,} steps/s")
        steps = max(20, min(200, rate // 50))
        rises_ns = _run(bench, steps, rate, "quiet")
        if len(rises_ns) == steps:
            got = 1e9 * (steps - 1) / (rises_ns[-1] - rises_ns[0])
            if abs(got / rate - 1) <= _NEAR:
                return rate
    return 0


def _jitter(bench: Bench, steps: int, load: str) -> tuple[int, list[float]]:
    """Steps beyond those asked for, and how far each interval is from the one asked for."""
    rises_ns = _run(bench, steps, _MODEST_S, load)
    asked_ns = 1e9 / _MODEST_S
    return len(rises_ns) - steps, [abs(b - a - asked_ns) for a, b in pairwise(rises_ns)]


def _p99(data: list[float]) -> float:
    return sorted(data)[int((len(data) - 1) * 0.99)]


def _run(bench: Bench, steps: int, rate: int, load: str) -> list[int]:
    """When the pin rose, those rises included that come after the driver thinks it is done."""
    bench.forget()
    ask = bench.ask_flooded if load == "read" else bench.ask
    ask(f"run({steps}, {rate}, {load})")
    bench.rig.run_for(_SETTLED_MS)
    return bench.rises(Output.PLUNGER_STEP)
