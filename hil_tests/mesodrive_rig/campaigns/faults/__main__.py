"""Each fault in each phase of a session: `make faults` → build/faults.json.

The session is played once. At each phase the process is forked for each fault: the copy goes on
with it until the device has stopped, or has given a right dose in spite of it, and is judged.
"""

import argparse
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Container, Iterable
from contextlib import closing

from rich.progress import Progress

from mesodrive.errors import MesodriveError
from mesodrive_rig.branch import Branches
from mesodrive_rig.campaigns.arguments import at_least_one
from mesodrive_rig.campaigns.faults.case import Case
from mesodrive_rig.campaigns.faults.cases import Cases
from mesodrive_rig.campaigns.faults.catalogue import FAULTS
from mesodrive_rig.campaigns.faults.fault import Fault
from mesodrive_rig.campaigns.faults.phases import COSTLY, UNTOLD, Phase
from mesodrive_rig.campaigns.faults.schedule import Plan, schedule
from mesodrive_rig.campaigns.faults.session import EnoughError, OverError, Session
from mesodrive_rig.campaigns.faults.treatment import SHOTS
from mesodrive_rig.campaigns.faults.trial import EXCESS_UL, Trial
from mesodrive_rig.emulated.rig import IMAGE, ROOT
from mesodrive_rig.results import Metric, write_results

_RESULTS = ROOT / "build" / "faults.json"
_CASES = ROOT / "build" / "faults-cases.jsonl"
_LEAST_CASES, _LEAST_FAULTS, _LEAST_PHASES = 1_200, 60, 20  # the faults each in the phases
_QUICK = 36


class Campaign:
    """Plays the session and tries `plan`: the faults of each phase. `aged`: with a flash that is
    nearly full. `times`: when the phases came in another session, for faults that are laid out
    for one that is still to come; in ms after the phase SAFE."""

    def __init__(
        self,
        plan: Plan,
        workers: int,
        took: Callable[[Case], None],
        *,
        aged: bool = False,
        times: dict[Phase, float] | None = None,
    ):
        self._plan = plan
        self._branches = Branches(workers)
        self._took = took
        self._times = times
        self.times: dict[Phase, float] = {}
        self._trial: Trial | None = None
        self._hand_over: Callable[[object], None] | None = None
        self._session = Session(self._visit, aged=aged)

    def run(self) -> None:
        """All cases."""
        ending: BaseException | None = None
        try:
            self._session.play()
        except EnoughError:
            pass
        except (OverError, MesodriveError) as error:
            ending = error
        except Exception:
            if not self._hand_over:
                raise
            self._break_off()
        if self._hand_over:
            self._judge(ending)
        if ending:
            raise ending
        self._branches.finish()

    def _judge(self, ending: BaseException | None) -> None:
        assert self._trial
        assert self._hand_over
        try:
            self._hand_over(self._trial.finish(ending))
        except Exception:
            self._break_off()

    def _break_off(self) -> None:
        """The trial itself went wrong: that too is a case, and not a good one."""
        assert self._trial
        assert self._hand_over
        self._hand_over(self._trial.broken(traceback.format_exc()))

    def _visit(self, phase: Phase) -> None:
        if self._hand_over or phase in self.times:
            return
        self.times[phase] = self._session.rig.now_ms()
        if self._times is not None:
            if phase is Phase.SAFE:
                self._try_to_come()
                if not self._hand_over:
                    raise EnoughError
            return
        for fault in self._plan.get(phase, []):
            if self._split(fault, phase):
                self._do(fault)
                return
        if all(planned in self.times for planned in self._plan):
            raise EnoughError

    def _do(self, fault: Fault) -> None:
        """Break it; where the person's script ends with that, what follows is all there is."""
        try:
            fault.deed(self._session)
            if fault.course:
                fault.course(self._session)
        except MesodriveError as error:
            self._judge(error)
        except Exception:
            self._break_off()
        if fault.course:
            self._judge(None)

    def _split(self, fault: Fault, phase: Phase) -> bool:
        """Go on in a copy of all this, in which `fault` is tried; whether this is the copy."""
        self._hand_over = self._branches.split(self._took)
        if not self._hand_over:
            return False
        session = self._session
        told = len(session.person.shots) if session.connected else 0
        session.ends_after = told + (2 if phase in UNTOLD else 1)
        if fault.wraps_us and phase in (Phase.PAUSED, Phase.DONE):
            session.ends_after = SHOTS
        self._trial = Trial(session, fault, phase)
        return True

    def _try_to_come(self) -> None:
        """Cases that begin here, in SAFE, so that something comes in their phase."""
        assert self._times is not None
        for phase, faults in self._plan.items():
            for fault in faults:
                if self._split(fault, phase):
                    after_ms = self._times[phase] - self._times[Phase.SAFE]
                    self._session.wrap(fault.wraps_us, after_ms)
                    return


def run_all(plan: Plan, workers: int, took: Callable[[Case], None]) -> None:
    """Each case of `plan` in a session of its kind."""

    def part(wanted: Callable[[Fault], bool], phases: Container[Phase] = tuple(Phase)) -> Plan:
        found = {p: [f for f in faults if wanted(f)] for p, faults in plan.items() if p in phases}
        return {phase: faults for phase, faults in found.items() if faults}

    def plain(fault: Fault) -> bool:
        return not (fault.aged or fault.wraps_us)

    for rest in (part(plain, set(Phase) - set(COSTLY)), part(plain, COSTLY)):
        if rest:
            Campaign(rest, workers, took).run()
    aged = part(lambda fault: fault.aged)
    if aged:
        Campaign(aged, workers, took, aged=True).run()
    wrapping = part(lambda fault: bool(fault.wraps_us))
    if wrapping:
        scout = Campaign({Phase.DONE: []}, workers, took)
        scout.run()
        Campaign(wrapping, workers, took, times=scout.times).run()


def never_named(cases: Iterable[Case]) -> list[str]:
    """Faults that some case must name and none did."""
    named = {case.fault for case in cases if case.outcome == "named"}
    return [fault.name for fault in FAULTS if not fault.unseen and fault.name not in named]


def widely_tried(cases: Iterable[Case]) -> int:
    """How many faults were each tried in as many phases as is asked for."""
    met = Counter(fault for fault, _ in {(case.fault, case.phase) for case in cases})
    return sum(1 for phases in met.values() if phases >= _LEAST_PHASES)


def metrics(
    cases: list[Case], *, quick: bool, not_run: int = 0, failed_first: int = 0
) -> list[Metric]:
    """Counts, and what must be none. `not_run`: cases of the plan that no session came to."""
    count = Counter(case.outcome for case in cases)
    latencies = [case.latency_ms for case in cases if case.latency_ms is not None]
    stopped = [case.safe_ms for case in cases if case.safe_ms is not None]

    def bound(text: str) -> str | None:
        return None if quick else text

    def failed(word: str) -> float:
        return sum(1 for case in cases if word in case.verdict)

    return [
        Metric("cases", len(cases), "", bound(f">= {_LEAST_CASES}")),
        Metric("faults", len({c.fault for c in cases}), "", bound(f">= {_LEAST_FAULTS}")),
        Metric("phases", len({c.phase for c in cases}), "", bound(f">= {_LEAST_PHASES}")),
        Metric("faults that were each tried in 20 phases or more", widely_tried(cases), "",
               bound(f">= {_LEAST_FAULTS}")),
        Metric("cases planned and not run", not_run, "", "== 0"),
        Metric("faults that must be named and never were", len(never_named(cases)), "",
               bound("== 0")),
        Metric("cases that failed, and not when tried again", failed_first, ""),
        Metric("named by the right alarm or refusal", count["named"], ""),
        Metric("harmless, doses right", count["harmless"], ""),
        Metric("not noticed", failed("not noticed"), "", "== 0"),
        Metric("not named rightly", failed("not named rightly"), "", "== 0"),
        Metric("most excess", max(c.excess_ul for c in cases), "uL", f"<= {EXCESS_UL}"),
        Metric("strikes that nobody asked for", sum(c.unasked_shots for c in cases), "", "== 0"),
        Metric("cases with a second wrong shot", failed("shots went wrong"), "", "== 0"),
        Metric(
            "restarts not told, or gone on after",
            failed("restart") + failed("after the reset"),
            "",
            "== 0",
        ),
        Metric("requests obeyed that must not be", failed("obeyed"), "", "== 0"),
        Metric("rail still on in SAFE or FAULT", failed("rail is still on"), "", "== 0"),
        Metric("cases that went on after an alarm", failed("after the alarm"), "", "== 0"),
        Metric("cases not stopped in time", failed("after it showed"), "", "== 0"),
        Metric("cases that still moved at the end", failed("still moves"), "", "== 0"),
        Metric("longest from cause or motion to alarm", max(latencies, default=0.0), "ms"),
        Metric("longest from cause or motion to the last edge", max(stopped, default=0.0), "ms"),
        Metric("cases with any verdict", sum(1 for c in cases if c.verdict), "", "== 0"),
    ]  # fmt: skip


def main() -> int:
    """Run the campaign; return 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few dozen cases")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most", type=at_least_one, help="so many cases, chosen evenly")
    parser.add_argument("--only", default="", help="cases whose 'fault / phase' holds this")
    parser.add_argument("--workers", type=at_least_one, default=2)
    parser.add_argument("--resume", action="store_true", help="keep what has been tried")
    parser.add_argument("--again", action="store_true", help="the same, and try anew what failed")
    arguments = parser.parse_args()
    if not schedule(arguments.seed, None, arguments.only):
        parser.error(
            f"no case has {arguments.only!r} in its 'fault / phase'; give --only a part of one as "
            f"it is written, such as '{FAULTS[0].name} / {Phase.ARMED}'"
        )
    most = _QUICK if arguments.quick else arguments.most
    with closing(Cases(_CASES, IMAGE, resumes=arguments.resume or arguments.again)) as cases:
        done = [key for key, case in cases.last.items() if not (arguments.again and case.verdict)]
        plan = schedule(arguments.seed, most, arguments.only, done)
        planned = {(fault.name, str(phase)) for phase, faults in plan.items() for fault in faults}
        with Progress() as progress:
            bar = progress.add_task("faults", total=len(planned))

            def took(case: Case) -> None:
                planned.discard((case.fault, case.phase))
                cases.add(case)
                progress.advance(bar)
                if case.verdict:
                    progress.console.print(f"{case.fault} / {case.phase}: {case.verdict}")

            run_all(plan, arguments.workers, took)
        seconds = sum(case.seconds for case in cases.last.values())
        tried = list(cases.last.values())
        quick = arguments.quick or bool(arguments.only)
        figures = metrics(
            tried, quick=quick, not_run=len(planned), failed_first=cases.failed_first
        )
    if not quick:
        for name in never_named(tried):
            print(f"Nothing named {name}.", file=sys.stderr)
    return write_results("faults", figures, _RESULTS, seed=arguments.seed, seconds=seconds)


if __name__ == "__main__":
    sys.exit(main())
