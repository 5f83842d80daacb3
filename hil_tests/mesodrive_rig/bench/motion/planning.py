"""What planning a shot costs on the chip, how the planned shot looks at the pins, one strike with
its dose, and the rail when the program hangs."""

from itertools import pairwise

from mesodrive_rig.bench.motion.part import Part, Progress
from mesodrive_rig.bench.motion.pins import Bench
from mesodrive_rig.bench.motion.plans import (
    deviations_ns,
    move_words,
    planned_rises_ns,
    step_timing,
)
from mesodrive_rig.plant import Output
from mesodrive_rig.results import Metric

_SHOT = (10_000, 17_349, 100_000)  # nL, nL a mm of a 1 mL syringe, nL/s
_STRIKE_UM, _STRIKE_STEPS, _DWELL_US = 1_000, 369, 40_000  # a dose of 2 µL


def measure(bench: Bench, progress: Progress) -> Part:
    """The same in the quick form and in the long one."""
    progress("planning a 10 µL shot")
    bench.run(f"move, *costs = planning_costs{_SHOT}")
    ramp_us, plan_us, ramp_bytes, plan_bytes = bench.ask("costs")
    planned_ns = planned_rises_ns(move_words(bench, "move"), step_timing(bench))
    bench.forget()
    bench.run("run(((PLUNGER, move),), quiet)")
    rises_ns = bench.rises(Output.PLUNGER_STEP)
    deviations_ns(rises_ns, planned_ns)  # as many as planned
    intervals_ns = [b - a for a, b in pairwise(rises_ns)]
    metrics = [
        Metric("steps of a 10 µL shot", len(rises_ns), "steps"),
        Metric("planning its ramp, once a profile", round(ramp_us / 1000, 2), "ms"),
        Metric("planning the shot", round(plan_us / 1000, 2), "ms", "<= 10"),
        Metric("heap used by the ramp, garbage included", ramp_bytes, "bytes"),
        Metric("heap used by the plan", plan_bytes, "bytes"),
    ]
    series = {
        "shot.time_ms": [(at - rises_ns[0]) / 1e6 for at in rises_ns[1:]],
        "shot.steps_s": [1e9 / interval for interval in intervals_ns],
    }
    progress("one strike with its dose")
    series |= _strike(bench)
    progress("the rail when the program hangs")
    return Part([*metrics, _dead_man(bench)], series)


def _strike(bench: Bench) -> dict[str, list[float]]:
    """Edges of one dosed strike in ms after its start."""
    bench.run("limits = drives.PLUNGER.limits")
    bench.run(
        f"dose = motion.plan(motion.Ramp(timing, limits, 18_000, {_STRIKE_STEPS}),"
        f" {_STRIKE_STEPS}, True)"
    )
    bench.forget()
    start_us, out_us, back_us = bench.ask(f"strike_with_dose({_STRIKE_UM}, dose, {_DWELL_US})")
    start_ns = bench.rises(Output.STRIKE)[0]
    return {
        "strike.needle_ms": [(at - start_us) / 1000 for at in (out_us, back_us)],
        **{
            f"strike.{output}_ms": [(at - start_ns) / 1e6 for at, _ in bench.edges[output]]
            for output in (Output.STRIKE, Output.STRIKE_PEAK)
        },
        "strike.steps_ms": [(at - start_ns) / 1e6 for at in bench.rises(Output.PLUNGER_STEP)],
    }


def _dead_man(bench: Bench) -> Metric:
    bench.forget()
    bench.run("hang()")
    fell_ns, level = bench.edges[Output.ENABLE][-1]
    held_ms = float("inf") if level else (fell_ns - bench.began_ns) / 1e6
    return Metric("dead-man: last word → ENABLE falls", round(held_ms, 3), "ms", "<= 202.5")
