"""How fast the engine steps on the whole chip with an exact count and every edge at its time."""

from mesodrive_rig.bench.motion.part import Part, Progress
from mesodrive_rig.bench.motion.pins import Bench
from mesodrive_rig.bench.motion.plans import (
    Timing,
    deviations_ns,
    move_words,
    planned_rises_ns,
    step_timing,
)
from mesodrive_rig.plant import Output
from mesodrive_rig.results import Metric

_RATES = (400_000, 1_000_000, 2_000_000, 3_000_000)
_RATES_AT_ONCE = (200_000, 500_000, 1_000_000)
_STEPS = {Output.PLUNGER_STEP: "PLUNGER", Output.DEPTH_STEP: "DEPTH"}
_STRIKE_ON_US, _STRIKE_PERIOD_US = 2_000, 4_000
_MOST_STEPS = 4_000


def measure(bench: Bench, steps: int, progress: Progress) -> Part:
    """Try each rate of a list; the answer is the highest at which nothing was wrong."""
    timing = step_timing(bench)
    alone = at_once = 0
    for steps_s in _RATES:
        progress(f"one axis at {steps_s:,} steps/s")
        if exact(bench, timing, (Output.PLUNGER_STEP,), steps_s, steps):
            alone = steps_s
    bench.run("port.hold_rail(); time.sleep_ms(50)")
    for number, steps_s in enumerate(_RATES_AT_ONCE):
        progress(f"two axes and strikes at {steps_s:,} steps/s")
        # The depth axis is the needle's stop: it goes forth and back, and not far.
        bench.run(f"port.hold_rail(); port._dir[DEPTH].value({1 - number % 2})")
        if exact(bench, timing, tuple(_STEPS), steps_s, min(steps, _MOST_STEPS), strike=True):
            at_once = steps_s
    bench.run("port.drop_rail()")
    return Part(
        [
            Metric("whole chip: top step rate, one axis, exact", alone, "steps/s", ">= 400000"),
            Metric(
                "whole chip: top step rate, two axes and strikes at once, exact",
                at_once,
                "steps/s each",
                ">= 200000",
            ),
        ],
        {"top_rate.ours": [alone]},
    )


def exact(
    bench: Bench,
    timing: Timing,
    axes: tuple[Output, ...],
    steps_s: int,
    steps: int,
    *,
    strike: bool = False,
) -> bool:
    """Whether all counts were exact and all edges at their times, those of the strikes too."""
    bench.run(f"move = fast_move({steps_s}, {steps})")
    planned_ns = planned_rises_ns(move_words(bench, "move"), timing)
    strikes = 0
    if strike:
        strikes = planned_ns[-1] // (_STRIKE_PERIOD_US * 1000) + 1
    bench.run(f"strikes = [square_strike({_STRIKE_ON_US}, {_STRIKE_PERIOD_US})] * {strikes}")
    moves = ", ".join(f"({_STEPS[axis]}, move)" for axis in axes)
    bench.forget()
    counted = bench.ask(f"run(({moves},), quiet, strikes)")
    if counted != [steps] * len(axes):
        return False
    for axis in axes:
        rises_ns = bench.rises(axis)
        if len(rises_ns) != steps or any(deviations_ns(rises_ns, planned_ns)):
            return False
    return _strikes_exact(bench, strikes)


def _strikes_exact(bench: Bench, strikes: int) -> bool:
    on_ns, period_ns = _STRIKE_ON_US * 1000, _STRIKE_PERIOD_US * 1000
    edges = bench.edges[Output.STRIKE]
    start_ns = edges[0][0] if edges else 0
    expected = [
        (start_ns + number * period_ns + (0 if level else on_ns), level)
        for number in range(strikes)
        for level in (True, False)
    ]
    return edges == expected
