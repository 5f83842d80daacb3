"""A campaign that was given a number it cannot use says so in a sentence and begins nothing."""

import subprocess
import sys
from argparse import ArgumentTypeError

import pytest

from mesodrive_rig.campaigns.arguments import at_least_one


@pytest.mark.parametrize("text", ["0", "-3", "x", "1.5", "", " "])
def test_what_is_no_count_is_refused_by_name(text: str):
    with pytest.raises(ArgumentTypeError, match="is no whole number from 1 on"):
        at_least_one(text)


def test_a_count_is_taken():
    assert (at_least_one("1"), at_least_one("1300")) == (1, 1300)


@pytest.mark.parametrize(
    ("name", "argument", "value"),
    [
        ("faults", "--most", "-3"),
        ("faults", "--workers", "0"),
        ("fuzz", "--jobs", "0"),
        ("mutation", "--budget", "0"),
        ("mutation", "--module", "nothing"),
        ("soak", "--days", "0"),
    ],
)
def test_a_campaign_names_the_argument_that_is_wrong(name: str, argument: str, value: str):
    command = (sys.executable, "-m", f"mesodrive_rig.campaigns.{name}", argument, value)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert argument in done.stderr
    assert value in done.stderr
    assert "Traceback" not in done.stderr
