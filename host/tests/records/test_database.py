"""The file itself: its schema, its durability, and what happens when it cannot be used."""

import hashlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import event

from mesodrive.records import Records, RecordsError, SessionFacts, ShotReport
from mesodrive.records.models import Base


@contextmanager
def every_connection(pragma: str) -> Generator[None]:
    """Give every new connection inside a limit that the disk would otherwise have to have."""

    def apply(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA {pragma}")

    event.listen(sa.Engine, "connect", apply)
    try:
        yield
    finally:
        event.remove(sa.Engine, "connect", apply)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sql(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute(statement).fetchall()
        database.commit()
        return rows


def add_all(records: Records, session_id: str, shots: list[ShotReport]) -> None:
    for shot in shots:
        records.add_shots(session_id, [shot])


def test_the_migrations_make_the_tables_that_the_models_describe(path: Path) -> None:
    Records.open(path).close()
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


@pytest.mark.requirement("R27")
def test_every_commit_is_synced_and_every_shot_has_a_session(path: Path) -> None:
    seen: list[tuple[object, object]] = []

    def look(connection: sa.Connection) -> None:
        seen.append(
            (
                connection.exec_driver_sql("PRAGMA synchronous").scalar(),
                connection.exec_driver_sql("PRAGMA foreign_keys").scalar(),
            )
        )

    event.listen(sa.Engine, "begin", look)
    try:
        with Records.open(path) as records:
            records.sessions()
    finally:
        event.remove(sa.Engine, "begin", look)
    full, on = 2, 1
    assert set(seen) == {(full, on)}
    assert sql(path, "PRAGMA journal_mode") == [("wal",)]


def test_an_outcome_that_nobody_knows_cannot_be_stored(path: Path, facts: SessionFacts) -> None:
    with Records.open(path) as records:
        records.start(facts)
    with pytest.raises(sqlite3.IntegrityError, match="ck_session_outcome"):
        sql(path, "UPDATE session SET outcome = 'fine'")


def test_opening_again_changes_nothing(path: Path, facts: SessionFacts) -> None:
    with Records.open(path) as records:
        records.start(facts)
    before = digest(path)
    Records.open(path).close()
    assert digest(path) == before


FIRST_SCHEMA = """
INSERT INTO session (id, started_at, host_version, outcome, reason, preset_name, preset_title,
 planned_shots, preset, as_run, profile, device) VALUES ('old', '2025-01-01 10:00:00', '0.1.0',
 'running', '', 'nappage', 'Nappage', 20, '{}', '{"preset": "nappage", "title": "Nappage",
 "technique": "nappage", "mode": "series", "depth_mm": 3.0, "dose_ul": 10.0, "rate_hz": 2.5,
 "flow_ul_s": 100.0, "settle_ms": 20, "dwell_ms": 140, "rest_ms": 50, "period_ms": 400,
 "shots": 20, "fill_ul": 1000.0, "viscosity_cp": 1.0, "cartridge": {}, "syringe": {},
 "changes": []}', '{"version": 1}', '{"product": "mesodrive", "version": "0.1.0",
 "board": "pico", "serial": "E6", "micropython": "1.25"}');
INSERT INTO shot (session_key, number, t_ms, outcome, why, commanded_ul, dose_ul,
 commanded_depth_mm, depth_mm, steps, audit, out_ms, back_ms, received_at) VALUES
 (1, 1, 15400, 'done', '', 10.0, 9.997, 3.0, 2.998, 1845, 1845, 7.855, 170.195,
 '2025-01-01 10:00:20');
INSERT INTO event (session_key, at, kind, text) VALUES
 (1, '2025-01-01 10:00:10', 'state', 'ARMED: armed by the host');
"""


def test_records_of_the_first_mesodrive_are_brought_along_whole(
    path: Path, facts: SessionFacts, shot: ShotReport
) -> None:
    path.parent.mkdir()
    migrations = Config()
    migrations.set_main_option("script_location", "mesodrive.records:migrations")
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrations.attributes["connection"] = connection
        command.upgrade(migrations, "0001")
    engine.dispose()
    with closing(sqlite3.connect(path)) as database:
        database.executescript(FIRST_SCHEMA)

    with Records.open(path) as records:
        old = records.session("old")
        assert (old.facts.as_run.burst, old.facts.as_run.period_ms) == (1, 400)
        assert (old.lost_shots, old.facts.zone_area_cm2, old.facts.coverage(1)) == (None,) * 3
        assert [(one.number, one.t_ms, one.dose_ul) for one in old.shots] == [(1, 15400, 9.997)]
        assert [event.text for event in old.events] == ["ARMED: armed by the host"]
        id = records.start(facts)
        records.add_shots(id, [shot])
        assert records.session(id).shots[0].t_ms == 15400.123
    (rules,) = sql(path, "SELECT sql FROM sqlite_schema WHERE name = 'shot'")
    for rule in ("ck_shot_outcome", "uq_shot_session_key", "fk_shot_session_key", "pk_shot"):
        assert str(rules).count(f"CONSTRAINT {rule} ") == 1


def test_a_newer_schema_is_refused_and_nothing_is_changed(path: Path, facts: SessionFacts) -> None:
    with Records.open(path) as records:
        records.start(facts)
    sql(path, "UPDATE alembic_version SET version_num = '0099'")
    before = digest(path)
    with pytest.raises(RecordsError, match=r"'0099'.*'0003'.*install the newer mesodrive"):
        Records.open(path)
    assert digest(path) == before


def test_a_database_of_something_else_is_refused_and_nothing_is_changed(path: Path) -> None:
    path.parent.mkdir()
    sql(path, "CREATE TABLE recipe (name TEXT)")
    before = digest(path)
    with pytest.raises(RecordsError, match="something other than mesodrive's records"):
        Records.open(path)
    assert digest(path) == before


def test_a_file_that_is_no_database_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database at all, but long enough to have a header of its own\n" * 20)
    before = digest(path)
    with pytest.raises(RecordsError, match="is not a database of records"):
        Records.open(path)
    assert digest(path) == before


def test_a_damaged_database_is_named_as_such(path: Path, facts: SessionFacts) -> None:
    with Records.open(path) as records:
        for _ in range(20):
            records.start(facts)
    content = bytearray(path.read_bytes())
    content[8192:] = os.urandom(len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(RecordsError, match="damaged"), Records.open(path) as records:
        records.sessions()


@pytest.mark.parametrize("place", [".", "file/records.db"])
def test_a_place_that_cannot_be_opened_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecordsError, match=r"cannot be opened.*MESODRIVE_RECORDS"):
        Records.open(tmp_path / place)


def test_a_locked_database_is_waited_for_and_then_refused(
    path: Path, facts: SessionFacts, shot: ShotReport
) -> None:
    with (
        Records.open(path, lock_timeout_s=0.1) as records,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        id = records.start(facts)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordsError, match="locked by another program"):
            records.add_shots(id, [shot])
        assert records.session(id).shots == ()  # reading goes on
        other.execute("ROLLBACK")
        records.add_shots(id, [shot])
        assert len(records.session(id).shots) == 1


@pytest.mark.requirement("R27")
def test_a_full_disk_is_one_sentence_and_keeps_what_was_recorded(
    path: Path, facts: SessionFacts, shot: ShotReport
) -> None:
    with Records.open(path) as records:
        id = records.start(facts)
        records.add_shots(id, [shot])
    (pages,) = sql(path, "PRAGMA page_count")[0]
    many = [shot.model_copy(update={"number": n, "why": "x" * 1000}) for n in range(2, 40)]
    with every_connection(f"max_page_count = {pages}"), Records.open(path) as records:
        with pytest.raises(RecordsError, match=r"is full and nothing was written; free some"):
            add_all(records, id, many)
        recorded = records.session(id).shots
    with Records.open(path) as records:
        assert records.session(id).shots == recorded
        assert 1 <= len(recorded) < len(many)
        records.add_shots(id, [many[len(recorded) - 1]])


def test_a_disk_too_full_for_the_tables_leaves_no_half_schema(
    path: Path, facts: SessionFacts
) -> None:
    with every_connection("max_page_count = 4"), pytest.raises(RecordsError, match="is full"):
        Records.open(path)
    assert sql(path, "SELECT * FROM sqlite_schema") == []
    with Records.open(path) as records:
        records.start(facts)


def test_records_that_may_only_be_read_are_one_sentence(path: Path, facts: SessionFacts) -> None:
    Records.open(path).close()
    with (
        every_connection("query_only = ON"),
        Records.open(path) as records,
        pytest.raises(RecordsError, match="may only be read"),
    ):
        records.start(facts)


@pytest.mark.requirement("R27")
def test_a_killed_program_loses_no_shot_that_was_recorded(
    path: Path, facts: SessionFacts, shot: ShotReport
) -> None:
    program = """
import os, sys
from pathlib import Path
from mesodrive.records import Records, SessionFacts, ShotReport

records = Records.open(Path(sys.argv[1]))
id = records.start(SessionFacts.model_validate_json(sys.argv[2]))
shot = ShotReport.model_validate_json(sys.argv[3])
for number in range(1, 8):
    records.add_shots(id, [shot.model_copy(update={"number": number})])
print(id, flush=True)
os._exit(9)
"""
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            program,
            str(path),
            facts.model_dump_json(),
            shot.model_dump_json(),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == 9, killed.stderr
    with Records.open(path) as records:
        session = records.session(killed.stdout.strip())
    assert [s.number for s in session.shots] == [1, 2, 3, 4, 5, 6, 7]
    assert session.shots[6].model_dump(exclude={"received_at", "number"}) == shot.model_dump(
        exclude={"number"}
    )
    assert session.facts == facts


@pytest.mark.requirement("R27")
def test_a_shot_is_in_the_file_as_soon_as_it_is_accepted(
    path: Path, facts: SessionFacts, shot: ShotReport
) -> None:
    with Records.open(path) as records:
        id = records.start(facts)
        for number in (1, 2, 3):
            records.add_shots(id, [shot.model_copy(update={"number": number})])
            assert sql(path, "SELECT max(number) FROM shot") == [(number,)]
