"""Random moves on the whole chip, many of them cut short: what the engine counted against what
came out of the pins."""

import random
from typing import NamedTuple

from mesodrive_rig.bench.motion.part import Part, Progress
from mesodrive_rig.bench.motion.pins import Bench
from mesodrive_rig.plant import Output, Sensor
from mesodrive_rig.results import Metric

_AXES = {
    "PLUNGER": (Output.PLUNGER_STEP, Output.PLUNGER_DIR),
    "DEPTH": (Output.DEPTH_STEP, Output.DEPTH_DIR),
}
_RAMPS_STEPS_S = (50_000, 150_000, 400_000, 800_000)
_STEPS = (200, 4_000)
_MOVES_AT_ONCE = 8
_HALT_US = (50, 3_000)  # after the start
_FALL_US = (100, 4_000)  # after DIR changed, which is when a move is made ready
_LOW_US = 150


class _Order(NamedTuple):
    """`watched`: the firmware watches the interlock, beside the step program; halt and fall: 0 for
    never."""

    axis: str
    ramp: int
    steps: int
    watched: bool
    halt_us: int
    fall_us: int


class _Pins:
    """Counts what comes out of the pins, move by move; each begins with a change of DIR."""

    def __init__(self, bench: Bench, orders: list[_Order]):
        self.steps: list[int] = []
        self.position = dict.fromkeys(_AXES, 0)
        self.directions: list[int] = []
        self._bench = bench
        self._orders = orders
        self._forward = dict.fromkeys(_AXES, -1)
        for axis, (step, direction) in _AXES.items():
            bench.at_edges(step, lambda _, level, axis=axis: self._stepped(axis, level))
            bench.at_edges(direction, lambda at, level, axis=axis: self._turned(axis, at, level))

    def _turned(self, axis: str, time_ns: int, level: bool) -> None:
        fall_us = self._orders[len(self.steps)].fall_us
        self.steps.append(0)
        self._forward[axis] = 1 if level else -1
        self.directions.append(self._forward[axis])
        if fall_us:
            self._bench.move_at(time_ns + fall_us * 1000, Sensor.STOP, False)
            self._bench.move_at(time_ns + (fall_us + _LOW_US) * 1000, Sensor.STOP, True)

    def _stepped(self, axis: str, level: bool) -> None:
        if level:
            self.steps[-1] += 1
            self.position[axis] += self._forward[axis]


def measure(bench: Bench, enough: int, progress: Progress, seed: int = 1) -> Part:
    """Move until there are `enough` steps; a third run to their end, a third are halted by the
    firmware and a third by the interlock line."""
    chance = random.Random(seed)
    bench.run(f"ramps = [fast_ramp(steps_s) for steps_s in {_RAMPS_STEPS_S}]")
    steps = moves = cut_short = off = apart = 0
    while steps < enough:
        progress(f"random moves: {steps:,} of {enough:,} steps")
        orders = [_order(chance) for _ in range(_MOVES_AT_ONCE)]
        counted, pins = _run(bench, orders)
        moves += len(orders)
        steps += sum(pins.steps)
        for order, ours, seen in zip(orders, counted, pins.steps, strict=True):
            cut_short += seen < order.steps
            off += abs(ours - seen)
        for axis in _AXES:
            moved = zip(orders, counted, pins.directions, strict=True)
            position = sum(ours * way for order, ours, way in moved if order.axis == axis)
            apart += abs(position - pins.position[axis])
    return Part(
        [
            Metric("whole chip: random moves", moves, ""),
            Metric("whole chip: of them cut short", cut_short, ""),
            Metric("whole chip: their steps at the pins", steps, "steps", f">= {enough}"),
            Metric("whole chip: steps by the audit against edges", off, "steps", "== 0"),
            Metric("whole chip: position by the audit against edges", apart, "steps", "== 0"),
        ],
        {},
    )


def _order(chance: random.Random) -> _Order:
    end = chance.choice(("by itself", "halt", "fall"))
    return _Order(
        axis=chance.choice(list(_AXES)),
        ramp=chance.randrange(len(_RAMPS_STEPS_S)),
        steps=chance.randrange(*_STEPS),
        watched=chance.random() < 0.5,
        halt_us=chance.randrange(*_HALT_US) if end == "halt" else 0,
        fall_us=chance.randrange(*_FALL_US) if end == "fall" else 0,
    )


def _run(bench: Bench, orders: list[_Order]) -> tuple[list[int], _Pins]:
    """Steps of each move by the audit, and at the pins."""
    bench.run("face_back()")
    pins = _Pins(bench, orders)
    sent = ", ".join(
        f"({order.axis}, {order.ramp}, {order.steps}, {order.watched}, {order.halt_us})"
        for order in orders
    )
    counted = bench.ask(f"run_at_random(ramps, ({sent},))")
    for outputs in _AXES.values():
        for output in outputs:
            bench.at_edges(output, None)
    return counted, pins
