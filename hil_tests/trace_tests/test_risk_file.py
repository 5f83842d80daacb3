"""The risk file of this checkout is whole and has the firmware's numbers."""

import subprocess
import sys
from pathlib import Path
from pkgutil import resolve_name

import pytest

from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.trace import risk_file
from mesodrive_rig.trace.risk_file import Figure, RiskFileError

RISK = risk_file.load(ROOT)
IN_CODE = [
    figure for requirement in RISK.requirements for figure in requirement.figures if figure.code
]


def test_the_22_requirements_that_carry_over_are_there():
    assert {f"R{n}" for n in range(1, 23)} <= {requirement.id for requirement in RISK.requirements}


@pytest.mark.parametrize("figure", IN_CODE, ids=lambda figure: figure.code)
def test_a_figure_is_the_one_that_the_firmware_has(figure: Figure):
    assert figure.code
    assert resolve_name(figure.code) == figure.value


@pytest.mark.timeout(300)
def test_every_reference_leads_somewhere_and_the_page_is_current():
    done = subprocess.run(
        [sys.executable, "-m", "mesodrive_rig.trace", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


HAZARD = """
[[hazard]]
id = "H1"
group = "Needle"
title = "moves"
controls = [{ requirement = "R1", by = "a switch" }]
"""
REQUIREMENT = """
[[requirement]]
id = "R1"
title = "It stops"
text = "Always."
"""


def written(root: Path, hazards: str = HAZARD, requirements: str = REQUIREMENT) -> Path:
    (root / risk_file.HAZARDS).parent.mkdir(parents=True)
    (root / risk_file.HAZARDS).write_text(hazards)
    (root / risk_file.REQUIREMENTS).write_text(requirements)
    return root


def test_a_text_may_be_broken_into_lines(tmp_path: Path):
    text = '"""A needle\nthat  moves."""'
    risk = risk_file.load(written(tmp_path, HAZARD.replace('"moves"', text)))
    assert risk.hazards[0].title == "A needle that moves."


@pytest.mark.parametrize(
    ("hazards", "requirements", "sentence"),
    [
        ("[[hazard]", REQUIREMENT, r"hazards\.toml is not TOML: .*\."),
        (HAZARD + 'level = "high"', REQUIREMENT, r"hazards\.toml, hazard\.0\.level: Extra .*\."),
        (HAZARD.replace("H1", "1"), REQUIREMENT, r"hazards\.toml, hazard\.0\.id: String .*\."),
        (HAZARD, REQUIREMENT.replace('"Always."', '" "'), r"requirement\.0\.text: String .*\."),
        (HAZARD, REQUIREMENT + 'open = "all"', r"requirement\.0\.open: Input .*\."),
    ],
    ids=["no TOML", "unknown key", "no id", "no text", "no list"],
)
def test_a_spoilt_file_is_refused_with_the_place(
    tmp_path: Path, hazards: str, requirements: str, sentence: str
):
    with pytest.raises(RiskFileError, match=sentence):
        risk_file.load(written(tmp_path, hazards, requirements))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(RiskFileError, match=r"hazards\.toml cannot be read: No such file"):
        risk_file.load(tmp_path)
