"""The PIO block alone with the firmware's own planner beside it."""

import sys
from collections.abc import Sequence
from importlib import import_module
from random import Random
from typing import Any, NamedTuple
from unittest.mock import MagicMock, patch

from mesodrive_rig.bench.motion.plans import Timing, planned_rises_ns
from mesodrive_rig.emulated.pio_block import CLOCK_NS, PioBlock
from mesodrive_rig.emulated.rig import ROOT, load_board

PLUNGER, STRIKE, DEPTH = 0, 1, 2
COUNTERS = {PLUNGER: 4, DEPTH: 5}
BOARD = load_board()
STEP_PINS = {PLUNGER: BOARD.PLUNGER_STEP, DEPTH: BOARD.DEPTH_STEP}

CLOCKS_US = 125
HIGH_CLOCKS = 16  # of a step pulse
SETTLED_CLOCKS = 100  # after these every edge that a stop leaves is over, and counted


class Firmware(NamedTuple):
    """The modules that plan, and what the programs of the image cost."""

    motion: Any
    strike: Any
    drives: Any
    step_timing: Any
    strike_timing: Any


def load_firmware() -> Firmware:
    """The files that are frozen into the image, run here; only what assembles the PIO programs
    is a stand-in."""
    for folder in (ROOT / "firmware", ROOT / "boards" / "pico"):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    motion = import_module("injector.motion")
    strike = import_module("injector.strike")
    drives = import_module("drives")
    with patch.dict(sys.modules, {"rp2": MagicMock()}):
        programs: Any = import_module("injector.ports.rp2_programs")
    clock_hz = programs.CLOCK_HZ
    return Firmware(
        motion,
        strike,
        drives,
        programs.step_timing(clock_hz),
        programs.strike_timing(clock_hz),
    )


class BlockBench:
    """The block of the shipping image, its CPU stopped for good."""

    def __init__(self) -> None:
        self.block = PioBlock()
        self.firmware = load_firmware()
        timing = self.firmware.step_timing
        self._timing = Timing(timing.hz, timing.first, timing.between)

    def ready(self, *, leap: bool) -> None:
        """Machines rewound as the firmware does, interlock closed, needle seen out."""
        block = self.block
        block.leap = leap
        for machine in (PLUNGER, STRIKE, DEPTH):
            block.rewind(machine)
        block.clear_flags(0)
        block.drive(BOARD.INTERLOCK, True)
        block.drive(BOARD.NEEDLE_OUT, True)
        block.run(10)
        block.edges.clear()

    def run(self, axis: int, words: Sequence[int], *, leap: bool = False) -> list[int]:
        """Run one move to its end; clocks of its rises, from its first instruction."""
        self.ready(leap=leap)
        self.block.feed(axis, words)
        start = self.block.start(axis)
        self.block.run_until(start + self.due(words)[-1] + SETTLED_CLOCKS)
        return [clock - start for clock in self.rises(axis)]

    def rises(self, axis: int) -> list[int]:
        return self.edges(STEP_PINS[axis], True)

    def edges(self, gpio: int, level: bool) -> list[int]:
        return [e.clock for e in self.block.edges if e.gpio == gpio and e.level is level]

    def mark(self, axis: int) -> int:
        """Where the edge counter of `axis` stands, for `counted`."""
        return self.block.x(COUNTERS[axis])

    def counted(self, axis: int, since: int) -> int:
        """Rises of `axis` that its counter has seen since that mark."""
        return since - self.mark(axis) & 0xFFFFFFFF

    def due(self, words: Sequence[int]) -> list[int]:
        """Clocks at which the rises of an ungated move are due, from its first instruction."""
        first_ns = (self._timing.first + words[1]) * self._timing.count_ns
        return [(first_ns + ns) // CLOCK_NS for ns in planned_rises_ns(words, self._timing)]

    def random_ramp(self, chance: Random) -> Any:
        """To a high speed on a short way, jerk-limited or not."""
        motion = self.firmware.motion
        slowest = 200_000
        top = self._timing.hz // self.firmware.step_timing.least_interval
        speed = round(slowest * (top / slowest) ** chance.random())
        accel = speed * speed // (2 * chance.randint(3, 100))
        jerk = chance.choice((None, accel * accel // speed * chance.randint(1, 8)))
        limits = motion.Limits(speed, accel, jerk)
        return motion.Ramp(self.firmware.step_timing, limits, speed)
