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
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event

from mesodrive.records import Records, RecordsError, SessionFacts, ShotReport
from mesodrive.records.models import Base

Wire = dict[str, object]


@pytest.fixture
def shot(wire: Wire) -> ShotReport:
    return ShotReport.from_wire(wire, depth_commanded_um=3000)


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
        records.add_shot(session_id, shot)


def test_the_migrations_make_the_tables_that_the_models_describe(path: Path) -> None:
    Records.open(path).close()
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


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


def test_a_newer_schema_is_refused_and_nothing_is_changed(path: Path, facts: SessionFacts) -> None:
    with Records.open(path) as records:
        records.start(facts)
    sql(path, "UPDATE alembic_version SET version_num = '0099'")
    before = digest(path)
    with pytest.raises(RecordsError, match=r"'0099'.*'0001'.*install the newer mesodrive"):
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
            records.add_shot(id, shot)
        assert records.session(id).shots == ()  # reading goes on
        other.execute("ROLLBACK")
        records.add_shot(id, shot)
        assert len(records.session(id).shots) == 1


def test_a_full_disk_is_one_sentence_and_keeps_what_was_recorded(
    path: Path, facts: SessionFacts, shot: ShotReport
) -> None:
    with Records.open(path) as records:
        id = records.start(facts)
        records.add_shot(id, shot)
    (pages,) = sql(path, "PRAGMA page_count")[0]
    many = [shot.model_copy(update={"number": n, "why": "x" * 1000}) for n in range(2, 40)]
    with every_connection(f"max_page_count = {pages}"), Records.open(path) as records:
        with pytest.raises(RecordsError, match=r"is full and nothing was written; free some"):
            add_all(records, id, many)
        recorded = records.session(id).shots
    with Records.open(path) as records:
        assert records.session(id).shots == recorded
        assert 1 <= len(recorded) < len(many)
        records.add_shot(id, many[len(recorded) - 1])


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
    records.add_shot(id, shot.model_copy(update={"number": number}))
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


def test_a_shot_is_in_the_file_as_soon_as_it_is_accepted(
    path: Path, facts: SessionFacts, shot: ShotReport
) -> None:
    with Records.open(path) as records:
        id = records.start(facts)
        for number in (1, 2, 3):
            records.add_shot(id, shot.model_copy(update={"number": number}))
            assert sql(path, "SELECT max(number) FROM shot") == [(number,)]
