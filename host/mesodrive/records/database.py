"""Opens the SQLite file: durable settings, whole transactions, migrations, refusal of the rest."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import platformdirs
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection

from mesodrive import __version__
from mesodrive.records.errors import RecordsError, in_one_sentence

_WRITE = "mesodrive_write"


def default_path() -> Path:
    """Where the records are: MESODRIVE_RECORDS, or the user's data folder."""
    named = os.environ.get("MESODRIVE_RECORDS")
    if named:
        return Path(named)
    return platformdirs.user_data_path("mesodrive", appauthor=False) / "records.db"


def open_database(path: Path, lock_timeout_s: float) -> sa.Engine:
    """Return an engine on the records at `path`, created or migrated to this version's schema.

    Waits up to `lock_timeout_s` for another program's lock. Raises RecordsError, and changes
    nothing, when the file is of a newer schema or is not a database of records.
    """
    migrations = Config()
    migrations.set_main_option("script_location", "mesodrive.records:migrations")
    scripts = ScriptDirectory.from_config(migrations)
    newest = scripts.get_current_head()

    with in_one_sentence(path):
        found = _revision_of(path)
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise RecordsError(
            f"The records {path} have the schema '{found}' and mesodrive {__version__} knows them"
            f" up to '{newest}'; install the newer mesodrive that wrote them or name another file"
            f" with MESODRIVE_RECORDS."
        )

    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)), connect_args={"timeout": lock_timeout_s}
    )
    event.listen(engine, "connect", _make_durable)
    event.listen(engine, "begin", _begin)
    if found != newest:
        with in_one_sentence(path), writer(engine).begin() as connection:
            migrations.attributes["connection"] = connection
            command.upgrade(migrations, "head")
    return engine


def writer(engine: sa.Engine) -> sa.Engine:
    """The same engine, whose transactions take the write lock at once.

    A transaction that reads first and asks for the lock later can be refused in the middle.
    """
    return engine.execution_options(**{_WRITE: True})


def _revision_of(path: Path) -> str | None:
    """The schema revision in the file, None when there is nothing in it yet."""
    if path.is_dir():
        raise IsADirectoryError(path)
    if not path.exists():
        return None
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_schema")}
        if not tables:
            return None
        if "alembic_version" not in tables:
            raise RecordsError(
                f"{path} is a database of something other than mesodrive's records; name another"
                f" file with MESODRIVE_RECORDS."
            )
        (revision,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(revision)


def _make_durable(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # WAL alone syncs at checkpoints, not at commits
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    # Said outright: left to itself, sqlite3 begins at the first change of a row, and a migration's
    # CREATE TABLE would stand outside of every transaction.
    writes = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
