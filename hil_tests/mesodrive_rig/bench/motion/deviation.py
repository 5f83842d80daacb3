"""Every edge of a move against its plan while the chip has something else to do."""

from itertools import pairwise

from mesodrive_rig.bench.motion.part import Part, Progress
from mesodrive_rig.bench.motion.pins import LOADS, Bench
from mesodrive_rig.bench.motion.plans import (
    deviations_ns,
    move_words,
    planned_rises_ns,
    step_timing,
)
from mesodrive_rig.plant import Output
from mesodrive_rig.results import Metric

_NAMES = {
    "quiet": "idle",
    "collect": "during gc.collect()",
    "read": "during a USB flood",
    "write": "during flash writes",
}
_STEPS_S = 38_400  # the plunger's own top speed


def measure(bench: Bench, steps: int, progress: Progress) -> Part:
    """Run one move of `steps`, up and down its jerk-limited ramps, under each load."""
    bench.run(
        f"move = motion.plan(motion.Ramp(timing, drives.PLUNGER.limits, {_STEPS_S}), {steps})"
    )
    planned_ns = planned_rises_ns(move_words(bench, "move"), step_timing(bench))
    metrics: list[Metric] = []
    series: dict[str, list[float]] = {}
    for load in LOADS:
        progress(f"edges against the plan {_NAMES[load]}")
        bench.forget()
        ask = bench.ask_flooded if load == "read" else bench.ask
        ask(f"run(((PLUNGER, move),), {load})")
        rises_ns = bench.rises(Output.PLUNGER_STEP)
        off_ns = deviations_ns(rises_ns, planned_ns)
        metrics.append(
            Metric(
                f"whole chip: edge time against the plan {_NAMES[load]}",
                max(abs(off) for off in off_ns),
                "ns",
                "<= 200",
            )
        )
        series[f"jitter_ns.ours.{load}"] = [abs(b - a) for a, b in pairwise(off_ns)]
    return Part(metrics, series)
