"""A record that cannot be kept ends the session, and disarms."""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from mesodrive.records import Records, RecordsError, ShotReport
from mesodrive_rig.scripted import Exchange, result
from mesodrive_rig.scripted_session import ALL_DONE, Treatment, armed, loaded, shots


@contextmanager
def failing(when: Callable[[str], bool]) -> Generator[None]:
    """A disk that is full from the first INSERT on for which `when` holds."""

    def look(_connection: Any, cursor: sqlite3.Cursor, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT") and when(statement):
            (pages,) = cursor.execute("PRAGMA page_count").fetchone()
            cursor.execute(f"PRAGMA max_page_count = {pages}")
            cursor.execute("CREATE TABLE more AS SELECT zeroblob(1000000)")

    event.listen(Engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", look)


@pytest.mark.requirement("R27")
def test_records_that_take_no_session_keep_everything_still(records: Records) -> None:
    here = Treatment(records, *loaded())
    with failing(lambda _: True), pytest.raises(RecordsError):
        here.run()
    assert here.asked == ["info", "status", "profile.load"]


@pytest.mark.requirement("R27")
@pytest.mark.parametrize("which", range(1, 10))
def test_a_full_disk_disarms_and_is_one_sentence(records: Records, which: int) -> None:
    off = Exchange("disarm", result({"state": "READY"}))
    here = Treatment(records, *armed(*ALL_DONE), shots=20)
    here.port.script.exchanges.append(off)
    numbers = count()
    with (
        failing(lambda _: next(numbers) == which),
        pytest.raises(RecordsError, match="is full and nothing was written; free some space"),
    ):
        here.session.run()
    assert here.asked[-1] == "disarm"
    assert here.recorded == here.view.all("shot")
    assert here.record.ended_at is None


def test_a_full_disk_with_a_device_that_is_gone_closes_the_port(records: Records) -> None:
    here = Treatment(records, *armed(*shots(1)), Exchange("disarm"))
    with failing(lambda text: "INTO shot" in text), pytest.raises(RecordsError):
        here.session.run()
    assert here.port.closed


@pytest.mark.requirement("R27")
def test_a_defect_of_the_view_disarms_too(records: Records) -> None:
    here = Treatment(records, *armed(*shots(1)), Exchange("disarm", result({})))

    def defect(_: ShotReport) -> None:
        raise ZeroDivisionError

    here.view.at_shot = defect
    with pytest.raises(ZeroDivisionError):
        here.session.run()
    here.port.script.finish()
    assert here.asked[-1] == "disarm"
    assert here.recorded == [1]
