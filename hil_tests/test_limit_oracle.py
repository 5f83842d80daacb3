"""The device's limits agree with an oracle of their own, and the campaign would notice if not."""

from typing import Any

import pytest

from mesodrive_rig.campaigns.limits import cases, given
from mesodrive_rig.campaigns.limits.__main__ import metrics, run
from mesodrive_rig.campaigns.limits.oracle import KEYS, MODES, bounds, judge
from mesodrive_rig.campaigns.limits.trials import (
    CHANGED,
    REFUSED,
    TAKEN,
    TOO_SOON,
    WRONG,
    WRONG_REASON,
    Findings,
    Trials,
)
from mesodrive_rig.campaigns.pure_firmware import firmware
from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.trace.risk_file import load

SEED = 7


@pytest.mark.requirement("R8", "R9", "R11", "R12", "R29")
def test_every_limit_is_where_the_documents_say():
    findings = run(SEED, quick=True)
    figures = metrics(findings, quick=True)
    assert findings.first == []
    assert all(metric.ok for metric in figures)
    assert {f"cases: {part}" for part in findings.cases} <= {metric.name for metric in figures}
    assert findings.cases.total() >= 2_000
    assert findings.verdicts["taken"] >= 400
    assert findings.verdicts["refused"] >= 400


def tried(*parts: Any) -> Findings:
    findings = Findings()
    trials = Trials(findings)
    for part in parts:
        for values in part():
            trials.load("any", values)
    return findings


# a limit of the firmware, and another that it might have by mistake
SHIFTED = {
    "MAX_DEPTH_UM": 6_001,
    "MAX_DOSE_NL": 100_001,
    "MAX_DRIP_NL": 499_999,
    "MAX_SHOTS": 2_001,
    "MAX_DRY_SHOTS": 99_999,
    "MAX_BURST": 101,
    "MAX_SOFT_STRIKES": 49,
    "MAX_FLOW_NL_S": 2_000_001,
    "MAX_SETTLE_US": 1_000_001,
    "MIN_SETTLE_US": 999,
    "MIN_DWELL_US": 99,
    "MAX_DWELL_US": 4_999_999,
    "MAX_DRIP_US": 29_999_999,
    "MIN_REST_US": 199,
    "MIN_PERIOD_US": 3_999,
    "MAX_PERIOD_US": 59_999_999,
    "MAX_CARTRIDGE_UM": 13_001,
    "MAX_NEEDLES": 24,
    "MIN_NL_PER_MM": 1_001,
    "MAX_NL_PER_MM": 500_001,
    "MAX_FILL_NL": 10_000_001,
    "MAX_PRESSURE_PA": 1_000_001,
    "MIN_BEARS_PA": 10_001,
    "MAX_FRICTION_MN": 19_999,
}


@pytest.mark.parametrize("name", SHIFTED)
def test_a_limit_that_is_off_by_one_is_found(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setattr(firmware("injector.limits"), name, SHIFTED[name])
    findings = tried(cases.alone)
    assert findings.wrong[TAKEN] or findings.wrong[REFUSED] or findings.wrong[WRONG_REASON]


def test_a_refusal_that_changes_something_is_found(monkeypatch: pytest.MonkeyPatch):
    commands = firmware("injector.commands").Commands
    usual = commands.load

    def load(self: Any, params: Any) -> Any:
        self._control.why = "asked to load"
        return usual(self, params)

    monkeypatch.setattr(commands, "load", load)
    assert tried(cases.meeting).wrong[CHANGED]


def test_a_device_that_counts_wrongly_what_is_left_is_found(monkeypatch: pytest.MonkeyPatch):
    delivery = firmware("injector.delivery").Delivery
    usual: Any = delivery.left_nl.fget
    monkeypatch.setattr(delivery, "left_nl", property(lambda self: usual(self) + 20))  # pyright: ignore
    findings = Findings()
    Trials(findings).prime(1_000, 1_010)
    assert findings.wrong[TAKEN]


def test_a_strike_that_comes_too_soon_is_found(monkeypatch: pytest.MonkeyPatch):
    profile = firmware("injector.profile").Profile

    def period_after_us(self: Any, _strike: int) -> int:
        return self.period_us - 3

    monkeypatch.setattr(profile, "period_after_us", period_after_us)
    findings = Findings()
    Trials(findings).strike({**firmware("stand_ins").PROFILE, "period_us": 80_000})
    assert findings.wrong[TOO_SOON]


@pytest.mark.parametrize(
    ("name", "value"), [("MAX_SESSION_NL", 10_000_001), ("MAX_HOUR_NL", 20_000_001)]
)
def test_a_limit_of_session_or_hour_that_is_off_by_one_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, value: int
):
    monkeypatch.setattr(firmware("injector.limits"), name, value)
    findings = Findings()
    given.session(findings, quick=True)
    given.hour(findings, quick=True)
    assert findings.wrong[TAKEN]


def test_a_device_that_does_not_count_what_is_in_doubt_is_found(monkeypatch: pytest.MonkeyPatch):
    totals = firmware("injector.ledger.totals").Totals
    monkeypatch.setattr(totals, "uncertain_nl", 0)
    findings = Findings()
    given.session(findings, quick=True)
    assert findings.wrong[TAKEN]


def test_the_long_form_has_cases_enough():
    assert len([*cases.alone(), *cases.pairs(), *cases.meeting()]) >= 8_192
    doubtful = [
        one for one in map(judge, cases.meeting()) if one.perhaps and not one.must_be_refused
    ]
    assert len(doubtful) < 400


def test_the_oracle_knows_all_that_a_profile_holds():
    profile = firmware("stand_ins").PROFILE
    assert set(profile) - set(KEYS) <= {"version", "name", "mode", "cartridge"}
    assert set(firmware("injector.profile").MODES) == set(MODES)
    assert judge({**cases.base("series")}).must_be_taken


def test_the_oracle_agrees_with_the_figures_of_the_risk_file():
    stated = {bound for mode in MODES for pair in bounds(mode).values() for bound in pair}
    figures = {
        figure.what: figure.value
        for requirement in load(ROOT).requirements
        for figure in requirement.figures
        if (figure.code or "").startswith(("injector.limits:MAX_", "injector.limits:MIN_"))
    }
    stated |= {given.SESSION_NL, given.HOUR_NL}
    assert {value for what, value in figures.items() if "priming" not in what} <= stated


def test_all_that_can_be_wrong_has_a_bound():
    bounded = {metric.name for metric in metrics(Findings(), quick=True) if metric.bound}
    assert set(WRONG) <= bounded
