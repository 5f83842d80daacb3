"""What the tests of the records share."""

from pathlib import Path

import pytest

from mesodrive.presets import load_preset, prescribe
from mesodrive.records import SessionFacts, ShotReport
from mesodrive.telemetry import Shot

INFO: dict[str, object] = {
    "product": "mesodrive pico",
    "version": "0.1.0",
    "protocol": 2,
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
def wire() -> Shot:
    """A strike as the device tells it."""
    return Shot(
        shot=1,
        t_us=15_400_123,
        outcome="done",
        dose_nl=12_010,
        steps=768,
        audit=768,
        out_us=7855,
        back_us=170_195,
        why="",
    )


@pytest.fixture
def shot(wire: Shot) -> ShotReport:
    """The same as a report of 12 µL at 3 mm."""
    return ShotReport.of(wire, commanded_nl=12_000, commanded_depth_um=3000)
