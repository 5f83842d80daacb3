"""What the tests of the records share."""

from pathlib import Path

import pytest

from mesodrive.presets import load_preset, prescribe
from mesodrive.records import SessionFacts

INFO: dict[str, object] = {
    "product": "mesodrive pico",
    "version": "0.1.0",
    "protocol": 1,
    "board": "pico",
    "serial": "E66118604B1F2A2C",
    "micropython": "1.25.0",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a test's records are."""
    return tmp_path / "clinic" / "records.db"


@pytest.fixture
def facts() -> SessionFacts:
    """A nappage session of 20 shots, with a dose that is not the preset's."""
    preset = load_preset("nappage")
    return SessionFacts.of(preset, prescribe(preset, overrides={"dose": 12}), INFO, "A. Example")


@pytest.fixture
def wire() -> dict[str, object]:
    """A `shot` notification as docs/protocol.md has it."""
    return {
        "seq": 17,
        "shot": 1,
        "t_ms": 15400,
        "outcome": "done",
        "why": "",
        "depth_um": 2998,
        "commanded_nl": 12000,
        "dose_nl": 12010,
        "steps": 768,
        "audit": 768,
        "out_us": 7855,
        "back_us": 170195,
    }
