"""Every limit of the device at its boundaries against an independent oracle: `make limits` →
build/limits.json.
"""

import argparse
import sys
import time
from itertools import product
from random import Random

from rich.progress import track

from mesodrive_rig.campaigns.limits import cases, given
from mesodrive_rig.campaigns.limits.trials import WRONG, Findings, Trials
from mesodrive_rig.campaigns.pure_firmware import firmware
from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.results import Metric, write_results

_RESULTS = ROOT / "build" / "limits.json"
_LEAST_CASES = 8_192
_PARTS = (
    "one limit",
    "two limits",
    "limits that meet",
    "prime",
    "arm",
    "strikes",
    "session",
    "hour",
    "in doubt",
)
_PRIMED_NL = (0, 1, 2, 1_000, 499_999, 500_000, 500_001, 10_000_000)
_LEFT_NL = (1, 2, 999, 1_000, 1_001, 499_999, 500_000, 500_001)
_QUICKEST = {
    "mode": "dry",
    "dose_nl": 0,
    "fill_nl": 0,
    "depth_um": 100,
    "settle_us": 0,
    "dwell_us": 100,
}


def run(seed: int, *, quick: bool) -> Findings:
    """All cases; `quick` tries some of them."""
    findings = Findings()
    trials = Trials(findings)
    random = Random(seed)
    parts = {
        "one limit": (list(cases.alone()), 0.5),
        "two limits": (list(cases.pairs()), 0.02),
        "limits that meet": (list(cases.meeting()), 0.1),
    }
    for part, (found, share) in parts.items():
        chosen = cases.some(found, share, random) if quick else found
        for values in track(chosen, part):
            trials.load(part, values)
    left = _LEFT_NL[3:5] if quick else _LEFT_NL
    for nl, wanted in track(list(product(left, _PRIMED_NL)), "priming"):
        trials.prime(nl, wanted)
    _arm(trials, quick=quick)
    _strikes(trials, quick=quick)
    for part in (given.session, given.hour):
        part(findings, quick=quick)
    given.doubt(findings)
    return findings


def _arm(trials: Trials, *, quick: bool) -> None:
    """One machine, ever less in its syringe: as if primed by so many steps."""
    nl_per_mm = 17_349
    step_nl = nl_per_mm / 3_200
    shots = (1, 3) if quick else (1, 2, 3, 50, 200)
    for count, dose in track(list(product(shots, (1, 6, 1_000, 5_000))), "arming"):
        machine = firmware("stand_ins").Machine().boot()
        room = {"dwell_us": 200_000, "period_us": 500_000}
        machine.make_ready(shots=count, dose_nl=dose, fill_nl=count * dose + 100, **room)
        job = machine.job
        most = int(200 / step_nl)
        for steps in range(most):
            left = count * dose + 100 - round(steps * step_nl)
            trials.arm(machine, count, dose, left, step_nl)
            job.prime_done(1)


def _strikes(trials: Trials, *, quick: bool) -> None:
    """The least period and rest, in every mode that has them, and pulls one upon the other."""
    periods = (4_000, 4_001, 20_000)
    soft = (0, 3) if quick else (0, 1, 3, 50)
    chosen = [
        {**_QUICKEST, "rest_us": rest, "period_us": period, "soft_strikes": strikes, "shots": 20}
        for rest, period, strikes in product((200, 201), periods, soft)
    ]
    for mode in ("single", "burst", "series", "drip"):
        for period in (80_000, 81_001):
            profile = {**firmware("stand_ins").PROFILE, "mode": mode, "period_us": period}
            profile["burst"] = 2 if mode == "burst" else 1
            chosen.append(profile)
    for values in track(chosen, "strikes"):
        trials.strike(values)


def metrics(findings: Findings, *, quick: bool) -> list[Metric]:
    """Cases by part, and what must be none."""
    least = None if quick else f">= {_LEAST_CASES}"
    found = [Metric("cases", findings.cases.total(), "", least)]
    found += [Metric(f"cases: {part}", findings.cases[part], "", ">= 1") for part in _PARTS]
    found += [Metric(f"cases {verdict}", n, "") for verdict, n in findings.verdicts.items()]
    found += [Metric(what, findings.wrong[what], "", "== 0") for what in WRONG]
    return found


def main() -> int:
    """Run the campaign; return 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="some of the cases")
    parser.add_argument("--seed", type=int, default=1, help="which cases of the short form")
    arguments = parser.parse_args()
    started = time.monotonic()
    findings = run(arguments.seed, quick=arguments.quick)
    for fault in findings.first:
        print(fault, file=sys.stderr)
    seconds = time.monotonic() - started
    figures = metrics(findings, quick=arguments.quick)
    return write_results("limits", figures, _RESULTS, seed=arguments.seed, seconds=seconds)


if __name__ == "__main__":
    sys.exit(main())
