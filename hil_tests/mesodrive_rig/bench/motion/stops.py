"""How long a baseline goes on after its stop line has fallen."""

import random
from functools import partial

from mesodrive_rig.bench.motion.pins import Bench
from mesodrive_rig.plant import Output, Sensor

_RATE_S = 10_000  # steps/s
LOADS = {"quiet": (2_000, 2_100), "collect": (2_000, 25_000)}  # µs: one step; one collection
_LEAD_NS = 40_000  # the longest before a step
_CLOSED_AFTER_NS = 2_000_000
_AGAIN_NS = 30_000_000  # a stop that has had no effect for so long is lost


def measure(bench: Bench, load: str, times: int, seed: int) -> tuple[list[float], int]:
    """From the first fall of the line to the last edge, 0 when none came after it, of each run;
    and how many falls had no effect.

    Half of the falls are swept over a step or over a collection. The other half come shortly
    before a step, as those do that the engine is measured with.
    """
    bench.forget()
    hand = _Hand(bench, load, times, seed)
    bench.run(f"run_until_stopped(run, {_RATE_S}, {load}, {times})")
    hand.off()
    edges_ns = [time_ns for time_ns, _ in bench.edges[Output.PLUNGER_STEP]]
    stops_ns: list[float] = []
    for fell_ns, closed_ns in zip(hand.falls_ns, hand.closed_ns, strict=True):
        last_ns = max(at for at in edges_ns if at < closed_ns)
        stops_ns.append(max(0, last_ns - fell_ns))
    return stops_ns, hand.again


class _Hand:
    """Opens the stop line once a run, and again if nothing came of it, as a person would."""

    def __init__(self, bench: Bench, load: str, times: int, seed: int):
        self.falls_ns: list[int] = []  # the first of each run
        self.closed_ns: list[int] = []  # the last of each run
        self.again = 0
        self._bench = bench
        self._window_us = LOADS[load]
        self._times = times
        self._chance = random.Random(seed)
        self._runs = 0
        self._aimed_after_ns = 0  # the next step from then on
        self._stepped_ns = 0
        bench.when_busy(self._began_or_ended)
        bench.at_edges(Output.PLUNGER_STEP, self._stepped)

    def off(self) -> None:
        self._runs = 0  # for the looks that are still to come
        self._bench.when_busy(None)
        self._bench.at_edges(Output.PLUNGER_STEP, None)

    def _part(self) -> float:
        """From 0 to 1 in the course of all runs."""
        return (self._runs - self._chance.random()) / self._times

    def _began_or_ended(self, time_ns: int, busy: bool) -> None:
        if not busy:
            self.closed_ns.append(time_ns + _CLOSED_AFTER_NS)
            self._bench.move_at(self.closed_ns[-1], Sensor.STOP, True)
            return
        self._runs += 1
        first_us, last_us = self._window_us
        at_ns = time_ns + round(1000 * (first_us + self._part() * (last_us - first_us)))
        if self._runs % 2:
            self._fall_first(at_ns)
        else:
            self._aimed_after_ns = at_ns

    def _stepped(self, time_ns: int, level: bool) -> None:
        if not level:
            return
        interval_ns = time_ns - self._stepped_ns
        self._stepped_ns = time_ns
        if 0 < self._aimed_after_ns <= time_ns:
            self._aimed_after_ns = 0
            lead_ns = min(interval_ns, round(self._part() * _LEAD_NS))
            self._fall_first(time_ns + interval_ns - lead_ns)

    def _fall_first(self, time_ns: int) -> None:
        self.falls_ns.append(time_ns)
        self._fall(time_ns)

    def _fall(self, time_ns: int) -> None:
        self._bench.move_at(time_ns, Sensor.STOP, False)
        self._bench.call_at(time_ns + _AGAIN_NS, partial(self._look, self._runs))

    def _look(self, run: int) -> None:
        if self._bench.busy and run == self._runs:
            self.again += 1
            now_ns = self._bench.now_ns()
            self._bench.move_at(now_ns, Sensor.STOP, True)
            self._fall(now_ns + _CLOSED_AFTER_NS)
