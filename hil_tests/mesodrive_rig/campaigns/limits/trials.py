"""Cases tried on the firmware's own machine."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from mesodrive_rig.campaigns.limits.oracle import Values, Verdict, cycle_us, judge
from mesodrive_rig.campaigns.pure_firmware import firmware

_BAD_PARAMS, _LIMIT = -32602, -32002
_KEPT = 20

TAKEN = "taken, and must not be"
REFUSED = "refused, and must not be"
WRONG_REASON = "refused for another reason"
CHANGED = "changed something although refused"
TOO_SOON = "a strike before its time"
TOO_FEW = "fewer strikes than the profile has"
WRONG = (TAKEN, REFUSED, WRONG_REASON, CHANGED, TOO_SOON, TOO_FEW)


@dataclass
class Findings:
    """Cases by part, and what was wrong."""

    cases: Counter[str] = field(default_factory=Counter[str])
    verdicts: Counter[str] = field(default_factory=Counter[str])
    wrong: Counter[str] = field(default_factory=Counter[str])
    first: list[str] = field(default_factory=list[str])

    def blame(self, what: str, how: str) -> None:
        self.wrong[what] += 1
        if len(self.first) < _KEPT:
            self.first.append(f"{what}: {how}")


class Trials:
    """A machine that is asked for what each case says."""

    def __init__(self, findings: Findings):
        self.findings = findings
        self.machine: Any = firmware("stand_ins").Machine().boot()
        self._profile: Values = dict(firmware("stand_ins").PROFILE)

    def load(self, part: str, values: Values) -> None:
        """A profile of these values; keys that the case does not speak of are good ones."""
        profile = {**self._profile, **values}
        for key in set(self._profile) - {"version", "name", "cartridge"} - values.keys():
            del profile[key]
        verdict = judge(values)
        before = self.machine.snapshot()
        result, refusal = self.machine.request("profile.load", {"profile": profile})
        if verdict.must_be_taken or verdict.must_be_refused:
            self.findings.cases[part] += 1
        else:
            self.findings.verdicts["too near to tell, not counted"] += 1
        if refusal is None:
            self.findings.verdicts["taken"] += 1
            self._check_taken(values, verdict, result)
            return
        self.findings.verdicts["refused"] += 1
        if self.machine.snapshot() != before:
            self.findings.blame(CHANGED, repr(values))
        if verdict.must_be_taken:
            self.findings.blame(REFUSED, f"{refusal.sentence} {values}")
        elif not _fits(refusal, verdict):
            self.findings.blame(WRONG_REASON, f"{refusal.sentence} {values}")

    def _check_taken(self, values: Values, verdict: Verdict, plan: Values) -> None:
        if verdict.must_be_refused:
            self.findings.blame(TAKEN, repr(values))
            return
        dose_ends = plan["travel_us"] + values["settle_us"] + plan["dose_us"]
        if (
            plan["min_period_us"] > values["period_us"]
            or plan["min_period_us"] < cycle_us(values)
            or (values["dose_nl"] and dose_ends > plan["strike_us"])
        ):
            self.findings.blame(TAKEN, f"with the plan {plan}: {values}")

    def prime(self, left_nl: int, wanted_nl: int) -> None:
        """A priming of so much, when so much is left in the syringe."""
        machine = firmware("stand_ins").Machine().boot()
        machine.make_ready(fill_nl=left_nl, dose_nl=1, shots=1)
        self._ask(
            machine, "prime", {"volume_nl": wanted_nl}, 1 <= wanted_nl <= min(500_000, left_nl)
        )

    def arm(
        self, machine: Any, shots_left: int, dose_nl: int, left_nl: int, step_nl: float
    ) -> None:
        """Arming for so many shots with so much left. The doses before are whole steps."""
        needed = shots_left * dose_nl
        may = needed <= left_nl if needed <= left_nl or needed > left_nl + step_nl + 1 else None
        self._ask(machine, "arm", {}, may and shots_left > 0)
        machine.request("disarm")

    def _ask(self, machine: Any, method: str, params: Values, may: bool | None) -> None:
        before = machine.snapshot()
        refusal = machine.request(method, params)[1]
        if may is None:
            self.findings.verdicts["too near to tell, not counted"] += 1
        else:
            self.findings.cases[method] += 1
        self.findings.verdicts["refused" if refusal else "taken"] += 1
        asked = f"{method} {params} with {machine.commands.status()['left_nl']} nl left"
        if refusal and machine.snapshot() != before:
            self.findings.blame(CHANGED, asked)
        if refusal and may:
            self.findings.blame(REFUSED, f"{refusal.sentence} {asked}")
        if not refusal and may is False:
            self.findings.blame(TAKEN, asked)

    def strike(self, values: Values) -> None:
        """As many strikes as the profile has, pull after pull; none may come before its time."""
        machine = firmware("stand_ins").Machine().boot()
        machine.make_ready(**values)
        refusal = machine.request("arm")[1]
        if refusal:
            raise refusal
        held_ms = 60 if values["mode"] in ("single", "drip") else 2 * values["period_us"] // 100
        for _ in range(3 * values["shots"]):
            machine.pull(held_ms)  # let go and pulled again before the period is over
            if machine.state == "READY":
                break
        ticks_us: int = firmware("stand_ins").TICKS_US
        begun: list[int] = machine.port.begun
        self.findings.cases["strikes"] += max(0, len(begun) - 1)
        for one, next_one in pairwise(begun):
            # A whole count of the strike program is up to 16 ns short.
            if next_one - one < (values["period_us"] - 1) * ticks_us:
                self.findings.blame(TOO_SOON, f"{(next_one - one) / ticks_us} µs: {values}")
        if len(begun) > values["shots"]:
            self.findings.blame(TAKEN, f"{len(begun)} strikes: {values}")
        if len(begun) < values["shots"]:
            self.findings.blame(TOO_FEW, f"{len(begun)}: {values}")


def _fits(refusal: Any, verdict: Verdict) -> bool:
    """Whether the reason given is one of those that there are."""
    if refusal.code == _BAD_PARAMS:
        return any(key in refusal.sentence for key in verdict.ill)
    data: Values = refusal.data or {}
    named = data.get("name")
    if refusal.code != _LIMIT:
        return False
    if named is None:
        return verdict.never or verdict.perhaps
    return named in verdict.wrong
