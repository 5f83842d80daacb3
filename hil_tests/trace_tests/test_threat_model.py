"""The threat model names tests that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "safety" / "threat-model.md"
TESTS = ("firmware/tests", "host/tests", "hil_tests", "boards/toolchain/tests")


def test_every_test_that_the_threat_model_names_exists():
    files = [file for folder in TESTS for file in (ROOT / folder).rglob("test_*.py")]
    known = {file.name for file in files}
    for file in files:
        text = file.read_text(encoding="utf-8")
        known |= set(re.findall(r"^def (test_\w+)", text, re.MULTILINE))
    named = set(re.findall(r"`(test_[\w.]+)`", PAGE.read_text(encoding="utf-8")))
    assert len(named) > 20
    assert named <= known


def test_every_threat_is_numbered_and_says_what_stays():
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if re.match(r"\| \d+ [STRIDE] ", line)
    ]
    assert [int(row[0].split()[0]) for row in rows] == list(range(1, len(rows) + 1))
    for row in rows:
        assert len(row) == 5
        assert row[1]
        assert row[2]
