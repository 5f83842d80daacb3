"""The interlock line falls while the CPU cannot do anything about it."""

import random
from itertools import chain
from typing import NamedTuple

from mesodrive_rig.bench.motion.part import Part, Progress
from mesodrive_rig.bench.motion.pins import CLOCK_NS, Bench
from mesodrive_rig.bench.motion.plans import step_timing
from mesodrive_rig.plant import Output, Sensor
from mesodrive_rig.results import Metric

_STEPS = (Output.PLUNGER_STEP, Output.DEPTH_STEP)
_STRIKE = (Output.STRIKE, Output.STRIKE_PEAK)
_STEPS_S = 200_000
_SETTLED_MS = 2.0
_AROUND_RISE_NS = (-64, 160)  # from shortly before a rise to shortly after its pulse


class _Stall(NamedTuple):
    """`window_us` is when the line falls, after the strike began; a move of `steps` and a strike
    of `strike_us` outlast it."""

    name: str
    snippet: str
    window_us: tuple[int, int]
    steps: int
    strike_us: int


_STALLS = (
    _Stall("interrupts off", "spin", (100, 1_300), 400, 2_000),
    _Stall("the flash erases", "write", (2_000, 40_000), 10_000, 80_000),
)


def measure(bench: Bench, falls: tuple[int, int], progress: Progress, seed: int = 1) -> Part:
    """Both axes and a strike are under way; the line falls anywhere in the pulses of the axes,
    `falls` times with the interrupts off and while the flash erases."""
    chance = random.Random(seed)
    metrics: list[Metric] = []
    last_edges_ns: list[float] = []
    for stall, times in zip(_STALLS, falls, strict=True):
        bench.run(f"move = fast_move({_STEPS_S}, {stall.steps})")
        bench.run(f"strikes = [square_strike({stall.strike_us}, {2 * stall.strike_us})]")
        interval_ns = _cruise_interval_ns(bench)
        seen: list[_Stop] = []
        for number in range(times):
            progress(f"interlock falls while {stall.name}: {number + 1} of {times}")
            not_before_ns = 1000 * chance.randrange(*stall.window_us)
            seen.append(_fall(bench, stall, not_before_ns, interval_ns + _off_ns(number)))
        metrics += [
            Metric(
                f"whole chip: interlock → last step rise, {stall.name}",
                max(stop.rise_ns for stop in seen),
                "ns",
                "<= 500",
            ),
            Metric(
                f"whole chip: interlock → last edge of step or strike, {stall.name}",
                max(stop.edge_ns for stop in seen),
                "ns",
                "<= 500",
            ),
            Metric(
                f"whole chip: steps after the interlock fell, {stall.name}",
                max(stop.steps for stop in seen),
                "steps",
                "<= 1",
            ),
            Metric(
                f"whole chip: position against edges at the pins, {stall.name}",
                sum(stop.miscounted for stop in seen),
                "steps off",
                "== 0",
            ),
        ]
        last_edges_ns += [stop.step_edge_ns for stop in seen]
    return Part(metrics, {"stop_ns.ours.stalled": last_edges_ns})


class _Stop(NamedTuple):
    """Times from the fall to the last step rise, step edge, and edge of any kind; 0 for none."""

    rise_ns: int
    step_edge_ns: int
    edge_ns: int
    steps: int  # the most of any axis
    miscounted: int


def _off_ns(number: int) -> int:
    """Sweeps the moments of a pulse, clock by clock but not in this order."""
    first, last = _AROUND_RISE_NS
    return first + 5 * CLOCK_NS * number % (last - first)


def _cruise_interval_ns(bench: Bench) -> int:
    return bench.ask(f"fast_ramp({_STEPS_S}).interval") * step_timing(bench).count_ns


def _fall(bench: Bench, stall: _Stall, not_before_ns: int, after_rise_ns: int) -> _Stop:
    """Have the line fall `after_rise_ns` after the first rise that comes `not_before_ns` after
    the strike began."""
    fell_ns = 0

    def stepped(time_ns: int, level: bool) -> None:
        nonlocal fell_ns
        strikes = bench.edges[Output.STRIKE]
        if level and not fell_ns and strikes and time_ns - strikes[0][0] >= not_before_ns:
            fell_ns = time_ns + after_rise_ns
            bench.move_at(fell_ns, Sensor.STOP, False)

    bench.forget()
    bench.at_edges(Output.PLUNGER_STEP, stepped)
    counted = bench.ask(f"run(((PLUNGER, move), (DEPTH, move)), {stall.snippet}, strikes)")
    bench.at_edges(Output.PLUNGER_STEP, None)
    bench.rig.run_for(_SETTLED_MS)
    bench.rig.set(Sensor.STOP, True)
    bench.rig.run_for(_SETTLED_MS)
    if not fell_ns:
        raise RuntimeError("The move was over before the line fell; make it longer.")
    after = {
        output: [(at - fell_ns, level) for at, level in bench.edges[output] if at > fell_ns]
        for output in (*_STEPS, *_STRIKE)
    }
    rises = [[at for at, level in after[output] if level] for output in _STEPS]
    return _Stop(
        rise_ns=max((0, *chain(*rises))),
        step_edge_ns=max((0, *(at for output in _STEPS for at, _ in after[output]))),
        edge_ns=max((0, *(at for edges in after.values() for at, _ in edges))),
        steps=max(map(len, rises)),
        miscounted=sum(
            abs(ours - len(bench.rises(output)))
            for ours, output in zip(counted, _STEPS, strict=True)
        ),
    )
