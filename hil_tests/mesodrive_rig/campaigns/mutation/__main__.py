"""Bugs in the safety modules, and whether the tests find them: `make mutation` →
build/mutation.json. The survivors that nobody has explained yet go to build/survivors.toml.
"""

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

import pytest
from rich.progress import Progress

from mesodrive_rig.campaigns.arguments import at_least_one
from mesodrive_rig.campaigns.mutation.forks import DIED, each
from mesodrive_rig.campaigns.mutation.hunt import (
    BUDGET_S,
    UNLIKE,
    Coverage,
    Hunter,
    Session,
    Survey,
    hunt_anew,
    hunt_loaded,
    run_pytest,
)
from mesodrive_rig.campaigns.mutation.kept import Files, Kept
from mesodrive_rig.campaigns.mutation.modules import SAFETY, TESTS, Module, read
from mesodrive_rig.campaigns.mutation.operators import Mutant
from mesodrive_rig.campaigns.mutation.survivors import SURVIVORS, explained, listed
from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.results import Metric, write_results

_RESULTS = ROOT / "build" / "mutation.json"
_UNEXPLAINED = ROOT / "build" / "survivors.toml"
_KEPT = ROOT / "build" / "mutation"  # what makes the next run quicker, and nothing else
_LEAST_KILLED = 95

# Small modules with quick tests, to see that bugs are made and found.
_QUICK = {
    "inputs": "firmware/tests/test_inputs.py",
    "params": "firmware/tests/test_params.py",
    "dose": "firmware/tests/test_dose.py",
    "wire/messages": "firmware/tests/test_messages.py",
}
_QUICK_BUGS = 24

Job = tuple[Module, Mutant]


@dataclass
class Findings:
    """What became of each bug."""

    killed: Counter[str] = field(default_factory=Counter[str])  # by module
    survived: list[Mutant] = field(default_factory=list[Mutant])
    broken: list[str] = field(default_factory=list[str])  # tests that fail without any bug

    def take(self, mutant: Mutant, found: str | None) -> None:
        if found is None:
            self.survived.append(mutant)
        else:
            self.killed[mutant.module] += 1

    def unexplained(self) -> list[Mutant]:
        known = explained()
        return [mutant for mutant in self.survived if not known.get(mutant.key)]


def survey(kept: Kept) -> Coverage:
    """What the tests cover; in a child, so that nothing is loaded here."""
    known, missing = kept.coverage()
    if not missing:
        return known

    def work(_: object) -> object:
        plugin = Survey(set(SAFETY.values()))
        run_pytest([str(ROOT / file) for file in missing], plugin)
        return plugin.found.to_json()

    ((_, told),) = each([(True, 1800)], work, 1, wall_s=3600)
    if told == DIED:
        raise RuntimeError("The tests do not run; run them by pytest first.")
    seen = Coverage.from_json(told)
    kept.keep_coverage(seen, missing)
    known.add(seen)
    return known


def run(jobs: list[Job], tests: list[str], at_once: int, budget_s: int = BUDGET_S) -> Findings:
    """Let `tests` hunt the bugs of `jobs`, each for about so long; see BUDGET_S."""
    findings = Findings()
    kept = Kept(_KEPT, Files(tests), budget_s)
    with Progress() as progress:
        task = progress.add_task("what the tests cover", total=None)
        coverage = survey(kept)
        findings.broken = coverage.failed
        hunter = Hunter(coverage, kept.before, kept.new_to, budget_s)
        progress.update(task, description="bugs", total=len(jobs), completed=0)

        def took(mutant: Mutant, found: str | None, *, new: bool = True) -> None:
            findings.take(mutant, found)
            if new:
                kept.keep(mutant, found)
            progress.advance(task)
            if found is None:  # a person may begin to read
                with _UNEXPLAINED.open("a") as file:
                    file.write(listed(mutant) + "\n")

        known = {id(mutant): found for _, mutant in jobs if (found := kept.killer(mutant))}
        for _, mutant in jobs:
            if found := known.get(id(mutant)):
                hunter.learn(mutant, [found], found)
                took(mutant, found, new=False)
        why = explained()  # what is known to survive takes longest, so it comes last
        jobs = [job for job in jobs if id(job[1]) not in known]
        jobs.sort(key=lambda job: job[1].key in why)
        anew: list[Job] = []

        def hunt(session: Session) -> None:
            for module, mutant, found in hunt_loaded(session, hunter, jobs, at_once):
                if found == UNLIKE:
                    anew.append((module, mutant))
                else:
                    took(mutant, found)

        if jobs and run_pytest(tests, Session(hunt)) != pytest.ExitCode.OK:
            raise RuntimeError("The hunt was broken off; pytest has told why.")
        for _, mutant, found in hunt_anew(hunter, anew, at_once):
            took(mutant, found)
        kept.save()
    return findings


def all_jobs(names: list[str]) -> list[Job]:
    """Every bug of these modules."""
    return [(module, mutant) for module in map(read, names) for mutant in module.mutants]


def quick(seed: int) -> Findings:
    """Some bugs of a few small modules, with the tests of those alone."""
    jobs = Random(seed).sample(all_jobs(list(_QUICK)), _QUICK_BUGS)
    return run(jobs, [str(ROOT / path) for path in _QUICK.values()], 1)


def metrics(findings: Findings, *, whole: bool) -> list[Metric]:
    """Bugs by module, and the score over all."""
    killed = findings.killed.total()
    bugs = killed + len(findings.survived)
    score = 100 * killed / max(1, bugs)
    unexplained = len(findings.unexplained())
    found = [
        Metric("bugs", bugs, ""),
        Metric("found", killed, ""),
        Metric("found, of all", round(score, 2), "%", f">= {_LEAST_KILLED}" if whole else None),
        Metric("survivors", len(findings.survived), ""),
        Metric("survivors without an explanation", unexplained, "", "== 0" if whole else None),
        Metric("tests that fail without a bug", len(findings.broken), "", "== 0"),
    ]
    survived = Counter(mutant.module for mutant in findings.survived)
    for name in SAFETY:
        of_it = findings.killed[name] + survived[name]
        if of_it:
            share = round(100 * findings.killed[name] / of_it, 1)
            found.append(Metric(f"{name}: {of_it} bugs, found", share, "%"))
    return found


def main() -> int:
    """Run the campaign; return 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="some bugs of a few small modules")
    parser.add_argument("--seed", type=int, default=1, help="which bugs of the short form")
    parser.add_argument(
        "--module",
        action="append",
        choices=sorted(SAFETY),
        metavar="NAME",
        help="only this one, as dose or ledger/log; may be given again",
    )
    parser.add_argument("--jobs", type=at_least_one, default=2, help="tests at a time")
    help = "s of tests, slowed down, for each bug; less finds less"
    parser.add_argument("--budget", type=at_least_one, default=BUDGET_S, help=help)
    arguments = parser.parse_args()
    started = time.monotonic()
    _UNEXPLAINED.parent.mkdir(exist_ok=True)
    _UNEXPLAINED.write_text("")
    if arguments.quick:
        findings = quick(arguments.seed)
    else:
        tests = [str(ROOT / path) for path in TESTS]
        findings = run(
            all_jobs(arguments.module or list(SAFETY)), tests, arguments.jobs, arguments.budget
        )
    for test in findings.broken:
        print(f"fails without a bug: {test}", file=sys.stderr)
    unexplained = sorted(findings.unexplained(), key=lambda mutant: mutant.key)
    _UNEXPLAINED.write_text("\n".join(listed(mutant) for mutant in unexplained))
    if unexplained and not arguments.quick:
        print(f"To be found or explained in {SURVIVORS.name}: see {_UNEXPLAINED}")
    seconds = time.monotonic() - started
    whole = not arguments.quick and not arguments.module
    figures = metrics(findings, whole=whole)
    return write_results("mutation", figures, _RESULTS, seed=arguments.seed, seconds=seconds)


if __name__ == "__main__":
    sys.exit(main())
