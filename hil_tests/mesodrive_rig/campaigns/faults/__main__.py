"""Each fault in each phase of a session: `make faults` → build/faults.json.

The session is played once. At each phase the process is forked for each fault: the copy goes on
with it until the device has stopped, or has given a right dose in spite of it, and is judged.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import asdict

from rich.progress import Progress

from mesodrive.errors import MesodriveError
from mesodrive_rig.branch import BranchError, Branches
from mesodrive_rig.campaigns.faults.catalogue import FAULTS, Fault
from mesodrive_rig.campaigns.faults.phases import UNTOLD, Phase
from mesodrive_rig.campaigns.faults.session import EnoughError, OverError, Session
from mesodrive_rig.campaigns.faults.trial import EXCESS_UL, Case, Trial
from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.results import Metric, write_results

_RESULTS = ROOT / "build" / "faults.json"
_CASES = ROOT / "build" / "faults-cases.jsonl"
_LEAST_CASES, _LEAST_FAULTS, _LEAST_PHASES = 1_200, 60, 20
_QUICK = 36


class HostError(BaseException):
    """The host does something else from here on."""


class Campaign:
    """Plays the session and tries `plan`: the faults of each phase."""

    def __init__(self, plan: dict[Phase, list[Fault]], workers: int, took: Callable[[Case], None]):
        self._plan = plan
        self._branches = Branches(workers)
        self._took = took
        self._visited: set[Phase] = set()
        self._trial: Trial | None = None
        self._hand_over: Callable[[object], None] | None = None
        self._session = Session(self._visit)

    def run(self) -> None:
        """All cases."""
        ending: BaseException | None = None
        try:
            self._session.play()
        except EnoughError:
            pass
        except (OverError, MesodriveError, HostError) as error:
            ending = error
        except Exception as error:
            if not self._hand_over:
                raise
            self._hand_over(BranchError(f"{self._trial}: {error!r}"))
        if self._hand_over:
            try:
                assert self._trial
                self._hand_over(self._trial.finish(ending))
            except BaseException as error:
                self._hand_over(BranchError(f"{error!r}"))
        if ending:
            raise ending
        self._branches.finish()

    def _visit(self, phase: Phase) -> None:
        if self._hand_over or phase in self._visited:
            return
        self._visited.add(phase)
        for fault in self._plan.get(phase, []):
            self._hand_over = self._branches.split(self._took)
            if self._hand_over:
                session = self._session
                told = len(session.person.shots) if session.connected else 0
                session.ends_after = told + (2 if phase in UNTOLD else 1)
                self._trial = Trial(session, fault, phase)
                fault.deed(session)
                return
        if all(phase in self._visited for phase in self._plan):
            raise EnoughError


def schedule(seed: int, most: int | None, only: str) -> dict[Phase, list[Fault]]:
    """All faults in all phases, or `most` of the cases: each fault and each phase as often as
    any other, the pairs by chance."""
    faults = [fault for fault in FAULTS if only in fault.name]
    phases = list(Phase)
    cases = [(phase, fault) for fault in faults for phase in phases]
    if most is not None and most < len(cases):
        order = random.Random(seed)
        order.shuffle(faults)
        order.shuffle(phases)
        # Along the diagonals: each meets each other equally often.
        cases = [
            (phases[(row + lap) % len(phases)], fault)
            for lap in range(len(phases))
            for row, fault in enumerate(faults)
        ][:most]
    plan: dict[Phase, list[Fault]] = defaultdict(list)
    for phase, fault in cases:
        plan[phase].append(fault)
    return plan


def metrics(cases: list[Case], *, quick: bool) -> list[Metric]:
    """Counts, and what must be none."""
    count = Counter(case.outcome for case in cases)
    latencies = [case.latency_ms for case in cases if case.latency_ms is not None]

    def bound(text: str) -> str | None:
        return None if quick else text

    def failed(word: str) -> float:
        return sum(1 for case in cases if word in case.verdict)

    return [
        Metric("cases", len(cases), "", bound(f">= {_LEAST_CASES}")),
        Metric("faults", len({c.fault for c in cases}), "", bound(f">= {_LEAST_FAULTS}")),
        Metric("phases", len({c.phase for c in cases}), "", bound(f">= {_LEAST_PHASES}")),
        Metric("named by the right alarm or refusal", count["named"], ""),
        Metric("harmless, doses right", count["harmless"], ""),
        Metric("not noticed", failed("not noticed"), "", "== 0"),
        Metric("not named rightly", failed("not named rightly"), "", "== 0"),
        Metric("most excess", max(c.excess_ul for c in cases), "uL", f"<= {EXCESS_UL}"),
        Metric("strikes that nobody asked for", sum(c.unasked_shots for c in cases), "", "== 0"),
        Metric("cases with a second wrong shot", failed("shots went wrong"), "", "== 0"),
        Metric("cases not stopped in time", failed("after it showed"), "", "== 0"),
        Metric("cases that still moved at the end", failed("still moves"), "", "== 0"),
        Metric("longest from cause or motion to alarm", max(latencies, default=0.0), "ms"),
    ]


def main() -> int:
    """Run the campaign; return 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few dozen cases")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most", type=int, help="so many cases, chosen evenly")
    parser.add_argument("--only", default="", help="faults whose names hold this")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    most = _QUICK if arguments.quick else arguments.most
    plan = schedule(arguments.seed, most, arguments.only)
    started = time.monotonic()
    cases: list[Case] = []
    _CASES.parent.mkdir(parents=True, exist_ok=True)
    with Progress() as progress, _CASES.open("w") as log:
        bar = progress.add_task("faults", total=sum(len(faults) for faults in plan.values()))

        def took(case: Case) -> None:
            cases.append(case)
            log.write(json.dumps(asdict(case)) + "\n")
            log.flush()
            progress.advance(bar)
            if case.verdict:
                progress.console.print(f"{case.fault} / {case.phase}: {case.verdict}")

        Campaign(plan, arguments.workers, took).run()
    seconds = time.monotonic() - started
    quick = arguments.quick or bool(arguments.only)
    figures = metrics(cases, quick=quick)
    return write_results("faults", figures, _RESULTS, seed=arguments.seed, seconds=seconds)


if __name__ == "__main__":
    sys.exit(main())
