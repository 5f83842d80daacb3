"""Strikes of the shipping application: their rate, and how evenly they begin."""

from itertools import pairwise

from mesodrive_rig.bench.motion.app import DRY, AppBench
from mesodrive_rig.bench.motion.part import Part, Progress
from mesodrive_rig.operator import profile
from mesodrive_rig.results import Metric

# 2 µL, pushed as fast as the plunger's jerk allows in so short a way.
_DOSED = profile(
    shots=400,
    dose_nl=2_000,
    flow_nl_s=190_000,
    settle_us=1_000,
    dwell_us=32_000,
    rest_us=1_000,
    period_us=40_000,
)


def measure(quick: bool, progress: Progress) -> Part:
    """Dry and dosed series at their rates; all times are read at the pins."""
    bench = AppBench(progress)
    series: dict[str, list[float]] = {}
    metrics = [_dry(bench, hz, 3 if quick else 20, series) for hz in (1, 20, 100, 250)]
    metrics += _dosed(bench, 5 if quick else 60, series)
    return Part(metrics, series)


def _dry(bench: AppBench, rate_hz: int, count: int, series: dict[str, list[float]]) -> Metric:
    bench.progress(f"dry strikes at {rate_hz}/s")
    bench.begin(DRY | {"period_us": 1_000_000 // rate_hz})
    strikes = count if rate_hz < 50 else 25 * count
    bench.operator.wait(1000 * strikes / rate_hz)
    bench.operator.wait_until(lambda: len(bench.starts_us()) > strikes, 2000)
    bench.let_go()
    intervals = [b - a for a, b in pairwise(bench.starts_us())]
    series[f"dry.{rate_hz}"] = intervals
    worst = max(abs(us - 1e6 / rate_hz) for us in intervals)
    return Metric(
        f"dry strikes at {rate_hz}/s: worst start-to-start deviation",
        round(worst, 3),
        "µs",
        "<= 1",
    )


def _dosed(bench: AppBench, shots: int, series: dict[str, list[float]]) -> list[Metric]:
    bench.progress("dosed strikes")
    plan = bench.operator.make_ready(_DOSED)
    period_us = plan.min_period_us
    bench.begin(_DOSED | {"period_us": period_us})
    bench.operator.wait_until(lambda: len(bench.operator.shots) >= shots, 2000 * shots)
    bench.let_go()
    starts = bench.starts_us()
    worst = max(abs(b - a - period_us) for a, b in pairwise(starts))
    given = [shot for shot in bench.operator.shots if shot.outcome == "done"]
    wrong = sum(shot.audit != shot.steps for shot in given)
    series["strike.timing_ms"] = [
        edge.time_ms - starts[0] / 1000
        for edge in bench.edges.edges
        if edge.time_ms < starts[1] / 1000
    ]
    return [
        Metric(
            "dosed strikes, 2 µL",
            round(1e6 * (len(starts) - 1) / (starts[-1] - starts[0]), 1),
            "1/s",
            ">= 20",
        ),
        Metric("dosed strikes: worst start-to-start deviation", round(worst, 3), "µs", "<= 1"),
        Metric("dosed strikes whose counted steps differ from the plan", wrong, "", "== 0"),
    ]
