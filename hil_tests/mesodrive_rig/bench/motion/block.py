"""The PIO block alone, clock by clock: top rates, edge times, interlock falls, a step audit.

Nothing but the state machines of the shipping image moves here; `PioBlock` says how. Plans come
from the firmware's own planner.
"""

from collections.abc import Sequence
from itertools import pairwise
from random import Random

from mesodrive_rig.bench.motion import block_audit, block_falls
from mesodrive_rig.bench.motion.block_bench import PLUNGER, BlockBench
from mesodrive_rig.bench.motion.part import Part, Progress
from mesodrive_rig.emulated.pio_block import CLOCK_NS
from mesodrive_rig.results import Metric


def measure(quick: bool, progress: Progress, seed: int = 1) -> Part:
    """Boot the image, stop its CPU, and play CPU, DMA and needle."""
    progress("PIO block: boot")
    bench = BlockBench()
    chance = Random(seed)
    parts = [
        _rates(bench, quick, progress),
        _deviations(bench, quick, progress, chance),
        block_falls.measure(bench, quick, progress, chance),
        block_audit.measure(bench, quick, progress, chance),
    ]
    return Part(
        [metric for part in parts for metric in part.metrics],
        {name: values for part in parts for name, values in part.series.items()},
    )


def _rates(bench: BlockBench, quick: bool, progress: Progress) -> Part:
    """The fastest of the least delays at which each step comes, is counted, and is in time."""
    steps = 2_000 if quick else 20_000
    metrics: list[Metric] = []
    for how, pairs, steps_of_pair in (
        ("one pair of words", 1, steps),
        ("a pair of words for each step", steps, 1),
    ):
        progress(f"PIO block: top rate, {how}")
        best = 0
        for delay in (2, 1, 0):
            words = [steps_of_pair - 1, delay] * pairs
            mark = bench.mark(PLUNGER)
            rises = bench.run(PLUNGER, words)
            if bench.counted(PLUNGER, since=mark) == steps and rises == bench.due(words):
                interval_ns = (rises[-1] - rises[0]) * CLOCK_NS / (steps - 1)
                best = max(best, round(1e9 / interval_ns))
        metrics.append(
            Metric(f"top step rate, PIO block, {how}, exact", best, "steps/s", ">= 2500000")
        )
    return Part(metrics, {})


def _deviations(bench: BlockBench, quick: bool, progress: Progress, chance: Random) -> Part:
    """The plunger's own move at full speed, and fast ones, each also against its mirror image."""
    firmware = bench.firmware
    plan = firmware.motion.plan
    limits = firmware.drives.PLUNGER.limits
    ramp = firmware.motion.Ramp(firmware.step_timing, limits, limits.speed_steps_s)
    moves = [plan(ramp, ramp.least_steps if quick else 3 * ramp.least_steps)]
    for _ in range(5 if quick else 40):
        ramp = bench.random_ramp(chance)
        moves.append(plan(ramp, ramp.least_steps + chance.randrange(500)))
    off = unlike = steps = 0
    series: dict[str, list[float]] = {}
    for number, move in enumerate(moves):
        progress(f"PIO block: edge times, move {number + 1} of {len(moves)}")
        rises = bench.run(PLUNGER, move.words)
        steps += len(rises)
        off = max(off, *_apart(rises, bench.due(move.words)))
        mirrored = [rises[0] + rises[-1] - clock for clock in reversed(rises)]
        unlike = max(unlike, *_apart(rises, mirrored))
        if not series:
            series = _velocity(rises)
    return Part(
        [
            Metric("edge times seen, PIO block clock by clock", steps, "steps"),
            Metric("edge time against the plan, PIO block", off * CLOCK_NS, "ns", "<= 100"),
            Metric("a move against its mirror image", unlike * CLOCK_NS, "ns", "== 0"),
        ],
        series,
    )


def _apart(seen: Sequence[int], due: Sequence[int]) -> list[int]:
    return [abs(a - b) for a, b in zip(seen, due, strict=True)]


def _velocity(rises: list[int]) -> dict[str, list[float]]:
    """Steps/s between each two rises, against the time half way between them."""
    return {
        "velocity.time_ms": [(a + b) / 2 * CLOCK_NS / 1e6 for a, b in pairwise(rises)],
        "velocity.steps_s": [1e9 / ((b - a) * CLOCK_NS) for a, b in pairwise(rises)],
    }
