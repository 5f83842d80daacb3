"""Random moves of both axes of the PIO block, many of them cut short: steps that were commanded,
edges at the pins, and what the counters say."""

from bisect import bisect_right
from random import Random
from typing import Any

from mesodrive_rig.bench.motion.block_bench import (
    BOARD,
    DEPTH,
    HIGH_CLOCKS,
    PLUNGER,
    SETTLED_CLOCKS,
    STEP_PINS,
    STRIKE,
    BlockBench,
)
from mesodrive_rig.bench.motion.part import Part, Progress
from mesodrive_rig.emulated.pio_block import CLOCK_NS
from mesodrive_rig.results import Metric

_AXES = (PLUNGER, DEPTH)
_RAMPS = (10, 60)  # quick, long
_STEPS = (100_000, 10_000_000)
_LONGEST = (2_000, 20_000)
_CLOCK_BY_CLOCK = 50  # every so many times the block does not leap
_ENDS = ("whole", "interlock", "halt")
# registers.halt: STRIKE off, and STEP low not before the longest pulse is over
_SET_PINS_0, _NOP_SIDE_0 = 0xE000, 0xA042
_HALT_CLOCKS = HIGH_CLOCKS


def measure(bench: BlockBench, quick: bool, progress: Progress, chance: Random) -> Part:
    """Both axes start in one clock; a third of the times they run to their end, a third the
    interlock falls, and a third they are halted as the firmware halts them."""
    enough = _STEPS[not quick]
    ramps = [bench.random_ramp(chance) for _ in range(_RAMPS[not quick])]
    audit = _Audit(bench, chance)
    while audit.steps < enough:
        if not audit.times % 10:
            progress(f"PIO block: random moves, {audit.steps:,} of {enough:,} steps")
        audit.run([_plan(bench, chance, ramps, _LONGEST[not quick]) for _ in _AXES])
    apart = sum(abs(audit.at_pins[axis] - audit.by_counter[axis]) for axis in _AXES)
    return Part(
        [
            Metric("random moves, PIO block", 2 * audit.times, ""),
            Metric("of them cut short", audit.cut_short, ""),
            Metric("their steps", audit.steps, "steps", f">= {enough}"),
            Metric(
                "of them really clock by clock",
                audit.clocked_steps,
                "steps",
                None if quick else ">= 100000",
            ),
            Metric("steps commanded against edges", audit.commanded_off, "steps", "== 0"),
            Metric("edges against the counter", audit.counted_off, "steps", "== 0"),
            Metric("position at the pins against the counter", apart, "steps", "== 0"),
            Metric("pulses cut short", audit.short_pulses, "", "== 0"),
            Metric(
                "edge time against the plan in random moves",
                audit.off_clocks * CLOCK_NS,
                "ns",
                "<= 100",
            ),
        ],
        {},
    )


def _plan(bench: BlockBench, chance: Random, ramps: list[Any], longest: int) -> list[int]:
    ramp = chance.choice(ramps)
    steps = ramp.least_steps + chance.randrange(longest)
    return list(bench.firmware.motion.plan(ramp, steps).words)


class _Audit:
    def __init__(self, bench: BlockBench, chance: Random):
        self.times = 0
        self.cut_short = 0  # moves
        self.steps = 0
        self.clocked_steps = 0
        self.commanded_off = 0
        self.counted_off = 0
        self.short_pulses = 0
        self.off_clocks = 0
        self.at_pins: dict[int, int] = dict.fromkeys(_AXES, 0)
        self.by_counter: dict[int, int] = dict.fromkeys(_AXES, 0)
        self._bench = bench
        self._chance = chance
        self._marks = {axis: bench.mark(axis) for axis in _AXES}

    def run(self, moves: list[list[int]]) -> None:
        """One move for each axis."""
        bench, block = self._bench, self._bench.block
        leap = self.times % _CLOCK_BY_CLOCK != 0
        end = _ENDS[self.times % len(_ENDS)]
        bench.ready(leap=leap)
        for axis, words in zip(_AXES, moves, strict=True):
            block.feed(axis, words)
        start = block.start(*_AXES)
        due = [[start + clock for clock in bench.due(words)] for words in moves]
        last = max(clocks[-1] for clocks in due)
        cut = last if end == "whole" else start + self._chance.randrange(last - start)
        block.run_until(cut)
        if end == "interlock":
            self._interlock_falls()
        elif end == "halt":
            self._halt()
        block.run(SETTLED_CLOCKS)
        self.times += 1
        for axis, clocks in zip(_AXES, due, strict=True):
            steps = self._look(axis, clocks, cut, 1 if end == "interlock" else 0)
            self.steps += steps
            self.clocked_steps += 0 if leap else steps

    def _interlock_falls(self) -> None:
        block = self._bench.block
        block.drive(BOARD.INTERLOCK, False)
        block.run(SETTLED_CLOCKS)
        block.drive(BOARD.INTERLOCK, True)

    def _halt(self) -> None:
        block = self._bench.block
        block.stop(*_AXES, STRIKE)
        block.execute(STRIKE, _SET_PINS_0)
        for axis in _AXES:
            block.abort(axis)
        block.run(_HALT_CLOCKS)
        for axis in _AXES:
            block.execute(axis, _NOP_SIDE_0)

    def _look(self, axis: int, due: list[int], cut: int, allowed: int) -> int:
        """Account for the move of `axis`, which was stopped after clock `cut` and might then make
        `allowed` steps more; the steps that it made."""
        bench = self._bench
        rises = bench.rises(axis)
        falls = bench.edges(STEP_PINS[axis], False)
        wanted = bisect_right(due, cut)
        made = len(rises)
        self.cut_short += made < len(due)
        self.commanded_off += max(0, wanted - made, made - wanted - allowed)
        self.off_clocks = max(
            self.off_clocks, *(abs(a - b) for a, b in zip(rises, due, strict=False)), 0
        )
        self.short_pulses += sum(
            fall - rise < HIGH_CLOCKS for rise, fall in zip(rises, falls, strict=True)
        )
        counted = bench.counted(axis, since=self._marks[axis])
        self._marks[axis] = bench.mark(axis)
        self.counted_off += abs(counted - made)
        direction = self._chance.choice((1, -1))
        self.at_pins[axis] += direction * made
        self.by_counter[axis] += direction * counted
        return made
