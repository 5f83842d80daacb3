"""The short form of the faults campaign (`make faults`): some faults in some phases."""

import re
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from mesodrive_rig.campaigns.faults import __main__ as campaign
from mesodrive_rig.campaigns.faults.__main__ import (
    Campaign,
    metrics,
    never_named,
    widely_tried,
)
from mesodrive_rig.campaigns.faults.case import Case
from mesodrive_rig.campaigns.faults.cases import Cases
from mesodrive_rig.campaigns.faults.catalogue import FAULTS
from mesodrive_rig.campaigns.faults.phases import COSTLY, CROSSED, Phase
from mesodrive_rig.campaigns.faults.schedule import schedule
from mesodrive_rig.campaigns.faults.trial import EXCESS_UL
from mesodrive_rig.emulated.rig import ROOT

pytestmark = pytest.mark.hil

PHASES = [Phase.READY, Phase.ARMED, Phase.DOSE_MID]
NAMES = [
    "guard open or grounded",
    "guard shorted to 3V3",
    "cartridge bounces",
    "needle_out open or grounded",
    "enable open",
    "stop, pair 2 welded",
    "coil misfires",
    "needle sticks",
    "core locks up",
    "syringe empty",
    "cable pulled",
]


@pytest.fixture(scope="module")
def cases() -> dict[tuple[str, str], Case]:
    """All of them, from one session."""
    found: dict[tuple[str, str], Case] = {}

    def took(case: Case) -> None:
        found[case.fault, case.phase] = case

    faults = [fault for fault in FAULTS if fault.name in NAMES]
    Campaign(dict.fromkeys(PHASES, faults), 1, took).run()
    return found


@pytest.mark.requirement("R3", "R7")
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", NAMES)
def test_a_fault_stops_the_device_in_time_is_named_and_gives_nothing_more(
    cases: dict[tuple[str, str], Case], name: str, phase: Phase
):
    case = cases[name, phase]
    assert case.verdict == "", case
    assert case.excess_ul <= EXCESS_UL
    assert case.unasked_shots == 0


# what the campaign counts

NAMED = Case("a", "ready", "named", "air", ("air",), 1.0, 1.0, 0.0, 0, 0, "", 1.0)


def test_each_fault_is_tried_where_it_bites_however_few_cases_are_asked_for():
    biting = {(fault.name, phase) for fault in FAULTS for phase in fault.bites_in}
    plan = schedule(seed=3, most=60, only="")
    tried = {(fault.name, phase) for phase, faults in plan.items() for fault in faults}
    assert biting
    assert biting <= tried
    assert len(tried) == 60


def _met(most: int) -> dict[str, set[Phase]]:
    met: dict[str, set[Phase]] = {fault.name: set() for fault in FAULTS}
    for phase, faults in schedule(seed=1, most=most, only="").items():
        for fault in faults:
            met[fault.name].add(phase)
    return met


def test_what_make_faults_tries_is_a_product_and_leaves_no_fault_out():
    assert len(CROSSED) == 20
    assert set(Phase) - set(COSTLY) < set(CROSSED)
    asked = re.search(r"faults --most (\d+)", (ROOT / "Makefile").read_text())
    assert asked
    met = _met(int(asked[1]))
    crossed = {name for name, phases in met.items() if phases >= set(CROSSED)}
    assert len(crossed) >= 60
    groups = {fault.group for fault in FAULTS if fault.name in crossed}
    assert groups == {fault.group for fault in FAULTS} - {"flash", "clock"}
    possible = {fault.name: len(Phase) - len(fault.not_in) for fault in FAULTS}
    seldom = [name for name, phases in met.items() if len(phases) < 6]
    assert [name for name in seldom if possible[name] > 6] == []


def test_only_what_no_case_has_is_told_before_anything_is_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    log = tmp_path / "cases"
    log.write_text("what was tried")
    monkeypatch.setattr(campaign, "_CASES", log)
    monkeypatch.setattr(sys, "argv", ["faults", "--only", "gaurd open"])
    with pytest.raises(SystemExit) as ended:
        campaign.main()
    assert ended.value.code == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert "'gaurd open'" in told
    assert "such as 'guard open or grounded / armed'" in told
    assert log.read_text() == "what was tried"


def test_a_plan_too_small_for_the_product_is_spread():
    met = _met(36)
    assert max(len(phases) for phases in met.values()) <= 3
    assert len({phase for phases in met.values() for phase in phases}) >= 15


def test_faults_that_were_each_tried_in_20_phases_are_counted():
    phases = [str(phase) for phase in Phase]
    wide = [replace(NAMED, phase=phase) for phase in phases[:20]]
    narrow = [replace(NAMED, fault="b", phase=phase) for phase in phases[:19]]
    assert widely_tried([*wide, *narrow]) == 1
    assert widely_tried([*wide, *narrow, narrow[0]]) == 1  # tried again is not tried elsewhere


def test_where_it_bites_no_fault_is_harmless():
    assert not any(fault.may_be_harmless(p) for fault in FAULTS for p in fault.bites_in)


def test_a_fault_that_must_be_named_and_never_was_misses_a_bound():
    must = [fault.name for fault in FAULTS if not fault.unseen]
    cases = [replace(NAMED, fault=name) for name in must]
    assert never_named(cases) == []
    cases[0] = replace(cases[0], outcome="harmless")
    assert never_named(cases) == [must[0]]
    assert "faults that must be named and never were" in _missed(cases)


def test_a_case_that_no_session_came_to_misses_a_bound():
    assert "cases planned and not run" not in _missed([NAMED])
    assert "cases planned and not run" in _missed([NAMED], not_run=1)


def _missed(cases: list[Case], not_run: int = 0) -> list[str]:
    return [
        metric.name for metric in metrics(cases, quick=False, not_run=not_run) if not metric.ok
    ]


def test_cases_of_another_image_do_not_count_and_a_failure_that_passed_later_is_told(
    tmp_path: Path,
):
    image, log = tmp_path / "image", tmp_path / "cases"
    image.write_bytes(b"one")
    with closing(Cases(log, image, resumes=False)) as cases:
        cases.add(replace(NAMED, verdict="not noticed"))
        cases.add(replace(NAMED, fault="b"))
        assert cases.failed_first == 0
        cases.add(NAMED)
        assert cases.failed_first == 1
    with closing(Cases(log, image, resumes=True)) as cases:
        assert cases.last == {("a", "ready"): NAMED, ("b", "ready"): replace(NAMED, fault="b")}
        assert cases.failed_first == 1
    image.write_bytes(b"another")
    with closing(Cases(log, image, resumes=True)) as cases:
        assert cases.last == {}
