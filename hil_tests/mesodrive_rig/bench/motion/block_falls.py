"""The interlock line falls in every phase of a strike with its dose, clock by clock.

A time from the fall to an edge includes the two clocks of the chip's input synchroniser (RP2040
datasheet 3.5.6.3), which the emulator leaves out.
"""

from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

from mesodrive_rig.bench.motion.block_bench import (
    BOARD,
    CLOCKS_US,
    PLUNGER,
    SETTLED_CLOCKS,
    STEP_PINS,
    STRIKE,
    BlockBench,
)
from mesodrive_rig.bench.motion.part import Part, Progress
from mesodrive_rig.emulated.pio_block import CLOCK_NS
from mesodrive_rig.results import Metric

_STRIKE_PINS = (BOARD.STRIKE, BOARD.STRIKE_PEAK)
_SYNCHRONISER_CLOCKS = 2


class _Shot(NamedTuple):
    """A strike and its dose; `moments` are the clocks at which something begins or ends."""

    strike: list[int]
    dose: list[int]
    moments: list[int]
    clocks: int


class _Fall(NamedTuple):
    """What was seen after the line had fallen, in clocks, and what was wrong."""

    step_rise: int
    step_fall: int
    strike_edge: int
    steps_after: int
    steps_off: int
    left_on: int
    restarted: int


def measure(bench: BlockBench, quick: bool, progress: Progress, chance: Random) -> Part:
    """In every clock of a strike that is as short as the words allow to be clocked through, and
    around every moment of a true one, which is leapt through to shortly before."""
    short, true = _short_shot(bench), _true_shot(bench)
    sweep = list(range(-1, short.clocks))
    around = _around(true.moments) + [chance.randrange(true.clocks) for _ in range(200)]
    if quick:
        sweep = _around(short.moments)
        around = chance.sample(around, 30)
    falls: list[_Fall] = []
    for shot, points, lead in ((short, sweep, short.clocks + 1), (true, around, 100)):
        for number, at in enumerate(points):
            if not number % 50:
                progress(f"PIO block: interlock falls, {len(falls)}")
            falls.append(_fall(bench, shot, at, lead))
    worst = _Fall(*(max(column) for column in zip(*falls, strict=True)))
    swept = falls[: len(sweep)]
    synchronised = "with the input synchroniser's 2 clocks"
    return Part(
        [
            Metric("interlock falls", len(falls), "", ">= 60" if quick else ">= 500"),
            Metric(
                f"interlock → last STEP rise, {synchronised}",
                _ns(worst.step_rise),
                "ns",
                "<= 200",
            ),
            Metric(
                f"interlock → end of a STEP pulse that had begun, {synchronised}",
                _ns(worst.step_fall),
                "ns",
                "<= 200",
            ),
            Metric(
                f"interlock → last STRIKE or PEAK edge, {synchronised}",
                _ns(worst.strike_edge),
                "ns",
                "<= 200",
            ),
            Metric("steps after the interlock fell", worst.steps_after, "steps", "<= 1"),
            Metric("interlock falls: counter against pin", worst.steps_off, "steps", "== 0"),
            Metric("outputs left on after the interlock fell", worst.left_on, "", "== 0"),
            Metric("edges after the line came back", worst.restarted, "", "== 0"),
        ],
        {
            "stop.at_us": [at / CLOCKS_US for at in sweep],
            "stop.step_rise_ns": [_ns(fall.step_rise) for fall in swept],
            "stop.step_fall_ns": [_ns(fall.step_fall) for fall in swept],
            "stop.strike_ns": [_ns(fall.strike_edge) for fall in swept],
        },
    )


def _around(moments: list[int]) -> list[int]:
    """Every clock near to one of `moments`, farther than the programs are long."""
    return sorted({at + near for at in moments for near in range(-14, 15) if at + near >= 0})


def _ns(clocks: int) -> int:
    """0 where no edge came at all."""
    return (clocks + _SYNCHRONISER_CLOCKS) * CLOCK_NS if clocks else 0


def _fall(bench: BlockBench, shot: _Shot, at: int, lead: int) -> _Fall:
    """The line falls when `at` clocks of the shot are over, the last `lead` of them not leapt."""
    block = bench.block
    bench.ready(leap=lead <= at)
    mark = bench.mark(PLUNGER)
    block.put(STRIKE, shot.strike)
    block.feed(PLUNGER, shot.dose)
    start = block.start(PLUNGER, STRIKE)
    if block.leap:
        block.run_until(start + at - lead)
        block.drive(BOARD.INTERLOCK, True)  # as it is, but no machine is in the air now
        block.leap = False
    block.run_until(start + at)
    block.drive(BOARD.INTERLOCK, False)
    fell = block.clock
    block.run(SETTLED_CLOCKS)
    seen = len(block.edges)
    left_on = sum(block.level(gpio) for gpio in (STEP_PINS[PLUNGER], *_STRIKE_PINS))
    block.drive(BOARD.INTERLOCK, True)
    block.leap = True
    block.run(shot.clocks)
    rises = bench.rises(PLUNGER)
    falls = bench.edges(STEP_PINS[PLUNGER], False)
    strikes = [edge.clock for edge in block.edges if edge.gpio in _STRIKE_PINS]
    return _Fall(
        _last(rises, fell),
        _last(falls, fell),
        _last(strikes, fell),
        sum(clock > fell for clock in rises),
        abs(bench.counted(PLUNGER, since=mark) - len(rises)),
        left_on,
        len(block.edges) - seen,
    )


def _last(clocks: Sequence[int], fell: int) -> int:
    return max(0, clocks[-1] - fell) if clocks else 0


def _short_shot(bench: BlockBench) -> _Shot:
    motion = bench.firmware.motion
    speed, on_us = 1_500_000, 17
    limits = motion.Limits(speed, speed * speed // 6, None)
    ramp = motion.Ramp(bench.firmware.step_timing, limits, speed)
    return _shot(bench, ramp, ramp.least_steps + 5, (2, 4, on_us, on_us + 3))


def _true_shot(bench: BlockBench) -> _Shot:
    """2 µL in 1.5 mm, as the reference machine gives it."""
    motion, drives = bench.firmware.motion, bench.firmware.drives
    depth_um, steps, settle_us, dwell_us, rest_us = 1_500, 369, 1_000, 28_000, 1_000
    actuator, limits = drives.ACTUATOR, drives.PLUNGER.limits
    ramp = motion.Ramp(bench.firmware.step_timing, limits, limits.speed_steps_s, steps)
    out_us = actuator.travel_us(depth_um)
    on_us = out_us + dwell_us
    period_us = on_us + actuator.return_us(depth_um) + rest_us
    times_us = (actuator.peak_us(depth_um), out_us + settle_us, on_us, period_us)
    return _shot(bench, ramp, steps, times_us)


def _shot(bench: BlockBench, ramp: Any, steps: int, times_us: tuple[int, int, int, int]) -> _Shot:
    """`times_us`: the peak's end, the gate, the release, the next strike."""
    peak_us, gate_us, on_us, period_us = times_us
    firmware = bench.firmware
    strike = firmware.strike.strike_words(
        firmware.strike_timing, peak_us, on_us, period_us, gate_us
    )
    dose = list(firmware.motion.plan(ramp, steps, gated=True).words)
    bench.ready(leap=True)
    block = bench.block
    block.put(STRIKE, strike)
    block.feed(PLUNGER, dose)
    start = block.start(PLUNGER, STRIKE)
    clocks = (period_us + 1) * CLOCKS_US
    block.run(clocks)
    rises = bench.rises(PLUNGER)
    release = bench.edges(BOARD.STRIKE, False)[0]
    if len(rises) != steps or rises[-1] > release:
        raise ValueError("the dose of this shot is not over when the needle leaves")
    edges = {edge.clock - start for edge in block.edges if edge.gpio in _STRIKE_PINS}
    gate = gate_us * CLOCKS_US
    moments = {*edges, gate, rises[0] - start, rises[1] - start, rises[-1] - start}
    return _Shot(list(strike), dose, sorted(moments), clocks)
