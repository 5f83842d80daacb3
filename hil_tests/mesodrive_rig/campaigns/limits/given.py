"""Limits for session and hour: what was given before, in every manner, and what is asked for now.

The oracle is a sum: 10 mL in a session, 20 mL in an hour, into the skin, and what nobody saw end
counts as given.
"""

from itertools import product
from typing import Any, NamedTuple

from mesodrive_rig.campaigns.limits.trials import (
    CHANGED,
    REFUSED,
    TAKEN,
    WRONG_REASON,
    Findings,
)
from mesodrive_rig.campaigns.pure_firmware import firmware

SESSION_NL, HOUR_NL = 10_000_000, 20_000_000
_MINUTE_MS = 60_000
_LIMIT = -32002
_IN_DOUBT = -32009


class Deed(NamedTuple):
    """What an earlier boot did. Without strikes it primed; `given` None: cut off in the midst."""

    strikes: int
    dose_nl: int
    given: int | None
    new_session: bool = False
    minute: int = 0


def _counted(deed: Deed) -> int:
    """Into the skin, the worst that can be."""
    if not deed.strikes:
        return 0
    return deed.strikes * deed.dose_nl if deed.given is None else deed.given


def _device(deeds: list[Deed], minute: int) -> Any:
    """A device that has done all this, started again when its clock stood at `minute`."""
    machine = firmware("stand_ins").Machine()
    record = firmware("injector.ledger.record")
    clock = [0]
    ledger = firmware("injector.ledger").Ledger.open(machine.port.ledger_flash, lambda: clock[0])
    ledger.append(record.BOOT, cause=1, image=0)
    for command, deed in enumerate(deeds, 1):
        clock[0] = deed.minute * _MINUTE_MS
        if deed.new_session:
            profile = {"profile": 1, "mode": b"series", "shots": 1, "dose_nl": 1, "depth_um": 1}
            ledger.append(record.PROFILE, **profile, new_session=1)
        number = ledger.intend(command, deed.strikes, deed.dose_nl)
        if deed.given is not None:
            ledger.outcome(number, deed.strikes, deed.given, b"done")
    clock[0] = minute * _MINUTE_MS
    ledger.append(record.FAULT, code=b"stop", state=b"ARMED")
    return machine.boot()


def _profile(nl: int) -> dict[str, Any]:
    """One that gives so much in all."""
    shots = max(1, nl // 100_000)
    assert nl % shots == 0
    return {
        **firmware("stand_ins").PROFILE,
        "shots": shots,
        "dose_nl": nl // shots,
        "fill_nl": 10_000_000,
        "syringe_nl_per_mm": 200_000,
        "flow_nl_s": 1_000_000,
        "dwell_us": 1_000_000,
        "period_us": 2_000_000,
        "pressure_pa": 1_000,
    }


def _ask(
    findings: Findings, part: str, machine: Any, nl: int, past: set[str], *, perhaps: bool = False
) -> None:
    """`past`: the limits that this goes past; `perhaps`: the hour may have gone by or not."""
    before = machine.snapshot()
    refusal = machine.request("profile.load", {"profile": _profile(nl)})[1]
    findings.cases[part] += not perhaps
    findings.verdicts["refused" if refusal else "taken"] += 1
    asked = f"{nl} nl, past {past or 'nothing'}"
    if refusal and machine.snapshot() != before:
        findings.blame(CHANGED, asked)
    if not refusal and past:
        findings.blame(TAKEN, asked)
    elif refusal and not past and not perhaps:
        findings.blame(REFUSED, f"{asked}: {refusal.sentence}")
    elif refusal and (refusal.code != _LIMIT or refusal.data["name"] not in (past or {"hour_nl"})):
        findings.blame(WRONG_REASON, f"{asked}: {refusal.sentence}")


def session(findings: Findings, *, quick: bool) -> None:
    """All that one session may have given, in one dose or two, known or not."""
    asked = (1, 100_000) if quick else (1, 1_000, 100_000, 500_000, 2_000_000)
    for nl, off in product(asked, (-1, 0, 1)):
        given = SESSION_NL - nl + off
        half = given // 2
        for deeds in (
            [Deed(100, 100_000, given)],
            [Deed(1, given, None)],
            [Deed(1, half, None), Deed(200, 100_000, given - half)],
            [Deed(1, half, half), Deed(1, given - half, None)],
            [Deed(0, 500_000, 500_000), Deed(100, 100_000, given)],
            [Deed(0, 500_000, None), Deed(100, 100_000, given)],
        ):
            counted = sum(map(_counted, deeds))
            past = {"session_nl"} if counted + nl > SESSION_NL else set[str]()
            _ask(findings, "session", _device(deeds, 0), nl, past)


def hour(findings: Findings, *, quick: bool) -> None:
    """Two sessions within an hour, a third that begins; and later."""
    minutes = (0, 59, 71) if quick else (0, 1, 30, 59, 60, 65, 70, 71, 120, 100_000)
    for minute, off, known in product(minutes, (-1, 0, 1), (True, False)):
        nl = 2_000_000
        second = 8_000_000 + off
        deeds = [
            Deed(100, 100_000, SESSION_NL),
            Deed(1, second, second if known else None, new_session=True),
        ]
        machine = _device(deeds, minute)
        machine.port.set("cartridge", 0)
        machine.run(1_100)
        machine.port.set("cartridge", 1)
        machine.run(20)
        # What nobody saw end may have been given just now.
        in_doubt = 0 if known else second
        within = 10_000_000 + second if minute < 60 else in_doubt
        past = {"hour_nl"} if within + nl > HOUR_NL else set[str]()
        if in_doubt + nl > SESSION_NL:
            past.add("session_nl")
        _ask(findings, "hour", machine, nl, past, perhaps=60 <= minute <= 70)


def doubt(findings: Findings) -> None:
    """A dose in doubt lets none follow before a person has said what it gave."""
    for strikes, dose in product((0, 1, 50), (1, 100_000)):
        machine = _device([Deed(strikes, dose, None)], 0)
        machine.make_ready()
        for method, params in (("arm", {}), ("prime", {"volume_nl": 1_000})):
            before = machine.snapshot()
            refusal = machine.request(method, params)[1]
            findings.cases["in doubt"] += 1
            if refusal is None:
                findings.blame(TAKEN, f"{method} with {strikes} × {dose} nl in doubt")
            elif refusal.code != _IN_DOUBT:
                findings.blame(WRONG_REASON, refusal.sentence)
            elif machine.snapshot() != before:
                findings.blame(CHANGED, method)
