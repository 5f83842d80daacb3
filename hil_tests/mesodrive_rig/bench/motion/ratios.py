"""How many times better the engine is than the baselines, from the data of one run.

Edges are timed to one clock, so what is less than a clock, theirs or ours, counts as one clock.
"""

from collections.abc import Mapping, Sequence

from mesodrive_rig.bench.motion.baselines import DRIVERS
from mesodrive_rig.bench.motion.pins import CLOCK_NS
from mesodrive_rig.results import Metric

# The three usual ways, as MicroPython's own defaults have them. The fourth, with hard interrupts,
# is measured beside them and stands without a bound: it has no jitter to be better than.
USUAL = ("timer", "sleep", "interrupt")

Series = Mapping[str, Sequence[float]]


def ratios(series: Series) -> list[Metric]:
    """For each figure the ratio to the best of the usual baselines, which is the one with a bound,
    and then to each of all. One that made other than the asked number of steps is not the best."""
    top = series["top_rate.ours"][0]
    exact = [driver for driver in USUAL if not series[f"surplus.{driver}.collect"][0]]
    rates = {driver: top / max(1, series[f"top_rate.{driver}"][0]) for driver in DRIVERS}
    jitter = _times(series, "jitter_ns", "collect", "collect")
    idle = _times(series, "stop_ns", "quiet", "stalled")
    collecting = _times(series, "stop_ns", "collect", "stalled")
    return [
        *_figure("top exact rate, ours ÷ baseline", rates, USUAL, 20),
        *_figure("worst jitter under gc.collect(), baseline ÷ ours", jitter, exact, 1000),
        *_figure("longest stop when idle, baseline ÷ ours", idle, USUAL, 100),
        *_figure("longest stop under gc.collect(), baseline ÷ ours", collecting, USUAL, 100),
    ]


def _times(series: Series, figure: str, load: str, our_load: str) -> dict[str, float]:
    ours = max(CLOCK_NS, *series[f"{figure}.ours.{our_load}"])
    return {
        driver: max(CLOCK_NS, *series[f"{figure}.{driver}.{load}"]) / ours for driver in DRIVERS
    }


def _figure(
    name: str, times: Mapping[str, float], able: Sequence[str], at_least: int
) -> list[Metric]:
    best = min(times[driver] for driver in able)
    return [
        Metric(f"{name}: the best of the usual", round(best, 1), "×", f">= {at_least}"),
        *(
            Metric(f"{name}: {DRIVERS[driver].name}", round(ratio, 1), "×")
            for driver, ratio in times.items()
        ),
    ]
