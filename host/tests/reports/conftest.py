"""What the tests of reports and exports share: real records of made-up sessions."""

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from mesodrive.ledger.fetch import fetch
from mesodrive.presets import load_preset, prescribe
from mesodrive.records import (
    EventKind,
    LedgerMark,
    Records,
    SessionFacts,
    SessionOutcome,
    SessionRecord,
    ShotOutcome,
    ShotReport,
)
from mesodrive_rig.ledger_model import LedgerModel

INFO: dict[str, object] = {
    "product": "mesodrive pico",
    "version": "0.1.0",
    "board": "pico",
    "serial": "E66118604B1F2A2C",
    "micropython": "1.25.0",
}


@pytest.fixture
def records(tmp_path: Path) -> Generator[Records]:
    """Empty records in a real file."""
    with Records.open(tmp_path / "records.db") as opened:
        yield opened


@pytest.fixture
def facts() -> SessionFacts:
    """A nappage session of 5 shots with a dose and a depth that are not the preset's."""
    preset = load_preset("nappage")
    prescription = prescribe(preset, overrides={"dose": 12, "depth": 1.5}, shots=5)
    return SessionFacts.of(preset, prescription, INFO, operator="<i>Ann</i> & Co")


@pytest.fixture
def shot() -> Callable[[int], ShotReport]:
    """The report of the shot of a number; every number of it differs from the others'."""

    def report(number: int) -> ShotReport:
        return ShotReport(
            number=number,
            t_ms=20_000 + 400 * number,
            outcome=ShotOutcome.DONE,
            why="",
            commanded_ul=12.0,
            dose_ul=12.0 + number / 1000,
            commanded_depth_mm=1.5,
            depth_mm=1.5 - number / 1000,
            steps=768,
            audit=768,
            out_ms=7.8,
            back_ms=170.2,
        )

    return report


@pytest.fixture
def complete(
    records: Records, facts: SessionFacts, shot: Callable[[int], ShotReport]
) -> SessionRecord:
    """All five shots, measured by the virtual injector."""
    id = records.start(facts)
    for number in range(1, 6):
        records.add_shots(id, [shot(number).with_truth(11.9 + number / 100, 1.52, 0.004)])
    records.finish(id, SessionOutcome.COMPLETE, "All shots are done.", 0, 0.0)
    return records.session(id)


@pytest.fixture
def zoned(records: Records, shot: Callable[[int], ShotReport]) -> SessionRecord:
    """Six of ten stamps of twelve needles on 10 cm²; the fourth missed, two reports are lost."""
    preset = load_preset("fractional")
    prescription = prescribe(preset, overrides={"dose": 12}, shots=10, zone_area_cm2=10)
    id = records.start(SessionFacts.of(preset, prescription, INFO))
    missed = {"outcome": ShotOutcome.MISFIRE, "out_ms": None, "depth_mm": None}
    reports = [shot(number) for number in (1, 2, 3, 4, 5, 6)]
    reports[3] = reports[3].model_copy(update=missed)
    records.add_shots(id, reports)
    records.finish(id, SessionOutcome.STOPPED, "It was stopped.", 2, 24.0, lost_shots=2)
    return records.session(id)


@pytest.fixture
def broken_off(
    records: Records, facts: SessionFacts, shot: Callable[[int], ShotReport]
) -> SessionRecord:
    """Three shots, the last stopped and not seen, then the link was lost."""
    id = records.start(facts)
    records.add_shots(id, [shot(1)])
    records.add_shots(id, [shot(2)])
    stopped = {
        "outcome": ShotOutcome.STOPPED,
        "why": "the guard is <open>",
        "dose_ul": 4.321,
        "depth_mm": None,
        "audit": 277,
        "back_ms": None,
    }
    records.add_shots(id, [shot(3).model_copy(update=stopped)])
    records.add_event(id, EventKind.ALARM, "high: the guard is <open>")
    records.finish(id, SessionOutcome.LINK_LOST, "The port vanished in shot 4.", 1, 12.0)
    return records.session(id)


@pytest.fixture
def in_doubt(
    records: Records, facts: SessionFacts, shot: Callable[[int], ShotReport]
) -> SessionRecord:
    """Two shots recorded, of five that the device had announced when it was reset."""
    device = LedgerModel()
    ledger = records.ledgers.begin("E66118604B1F2A2C")
    id = records.start(facts, LedgerMark(ledger.key, 0, 1))
    device.load(1, shots=5, dose_nl=12_000)
    device.announce(5, 12_000)
    device.boot()
    records.add_shots(id, [shot(1), shot(2)])
    records.finish(id, SessionOutcome.LINK_LOST, "The device has restarted.", 3, 36.0)
    fetch(device, "E66118604B1F2A2C", records.ledgers)
    return records.session(id)
