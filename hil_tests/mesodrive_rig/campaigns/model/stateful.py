"""Hosts, cable and device in any order of events: `make model` → build/model.json.

The device is the firmware's own machine on a stand-in port, the host the real client. Chance
chooses among the rules of play.py; after each one the witness compares.
See docs/safety/campaigns.md.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from random import Random

from rich.progress import Progress

from mesodrive_rig.campaigns.model.play import RULES, Play, step
from mesodrive_rig.campaigns.model.violation import Violation
from mesodrive_rig.campaigns.model.world import new_world
from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.results import Metric, write_results

_RESULTS = ROOT / "build" / "model.json"
_LEAST_STEPS = 1_000_000
_STEPS = 200  # of one life, from a new device on
_LIVES = 25  # that one worker is given at a time
_WORKERS = 2
_KEPT = 20
_TRAIL = 12


@dataclass
class Findings:
    """What was done, and what was wrong."""

    counts: Counter[str] = field(default_factory=Counter[str])
    first: list[str] = field(default_factory=list[str])

    def add(self, other: "Findings") -> None:
        self.counts += other.counts
        self.first += other.first[: max(0, _KEPT - len(self.first))]


def live(seed: str, steps: int = _STEPS) -> Findings:
    """One life of a device: chance plays so many steps, or until something is wrong."""
    random = Random(seed)
    play = Play(new_world(random.getrandbits(64)))
    rules, weights = list(RULES), list(RULES.values())
    findings = Findings()
    trail: list[str] = []
    try:
        for rule in random.choices(rules, weights, k=steps):
            trail.append(rule.__name__)
            step(play, rule, random)
            findings.counts["steps"] += 1
    except Violation as violation:
        findings.counts["violations"] += 1
        ways = ", ".join(trail[-_TRAIL:])
        findings.first.append(f"{seed}, step {len(trail)}: {violation} (after {ways})")
    findings.counts.update(play.world.witness.counts)
    findings.counts["hosts"] += play.hosts
    findings.counts["misfortunes"] += play.world.misfortunes
    return findings


def lives(seed: int, first: int, count: int) -> Findings:
    """Some lives, one after another."""
    findings = Findings()
    for number in range(first, first + count):
        findings.add(live(f"{seed}/{number}"))
    return findings


def run(seed: int, *, quick: bool, told: Callable[[int], None] = lambda _: None) -> Findings:
    """All lives; `told(steps)` is called as they end."""
    wanted = 4_000 if quick else _LEAST_STEPS
    jobs = -(-wanted // (_STEPS * _LIVES)) + (0 if quick else 1)
    findings = Findings()
    for some in _in_parallel(seed, jobs) if jobs > 1 else iter([lives(seed, 0, _LIVES)]):
        findings.add(some)
        told(some.counts["steps"])
    return findings


def _in_parallel(seed: int, jobs: int) -> Iterator[Findings]:
    with ProcessPoolExecutor(_WORKERS) as pool:
        futures = [pool.submit(lives, seed, job * _LIVES, _LIVES) for job in range(jobs)]
        for future in as_completed(futures):
            yield future.result()


def metrics(findings: Findings, *, quick: bool) -> list[Metric]:
    """Steps, what they came to, and what must be none."""
    counts = findings.counts
    names = [name for name in sorted(counts) if name not in ("steps", "violations")]
    return [
        Metric("steps", counts["steps"], "", None if quick else f">= {_LEAST_STEPS}"),
        Metric("violations", counts["violations"], "", "== 0"),
        *(Metric(name, counts[name], "") for name in names),
    ]


def main() -> int:
    """Run the model; return 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="some of the steps")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    started = time.monotonic()
    with Progress() as progress:
        task = progress.add_task("steps", total=4_000 if arguments.quick else _LEAST_STEPS)
        findings = run(
            arguments.seed, quick=arguments.quick, told=lambda n: progress.advance(task, n)
        )
    for fault in findings.first:
        print(fault, file=sys.stderr)
    seconds = time.monotonic() - started
    figures = metrics(findings, quick=arguments.quick)
    return write_results("model", figures, _RESULTS, seed=arguments.seed, seconds=seconds)
