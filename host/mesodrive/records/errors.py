"""What can go wrong with the records, as sentences for a person."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from mesodrive.errors import MesodriveError
from mesodrive.ledger.rows import NewerRowError, RowError


class RecordsError(MesodriveError):
    """The records cannot be read or written, or do not accept what they were given."""


# SQLite's primary result codes, https://www.sqlite.org/rescode.html; {path} is the database.
_SENTENCES = {
    sqlite3.SQLITE_FULL: (
        "The disk that holds the records {path} is full and nothing was written; free some space"
        " there or name another file with MESODRIVE_RECORDS."
    ),
    sqlite3.SQLITE_READONLY: (
        "The records {path} may only be read and nothing was written; allow writing to the file"
        " and its folder or name another file with MESODRIVE_RECORDS."
    ),
    sqlite3.SQLITE_BUSY: (
        "The records {path} are locked by another program and nothing was written; close that"
        " program and try again."
    ),
    sqlite3.SQLITE_NOTADB: (
        "{path} is not a database of records; name another file with MESODRIVE_RECORDS."
    ),
    sqlite3.SQLITE_CORRUPT: (
        "The records {path} are damaged; restore them from a backup or name another file with"
        " MESODRIVE_RECORDS."
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "The records {path} cannot be opened; check that this is a file in a folder that you may"
        " write to or name another file with MESODRIVE_RECORDS."
    ),
}
_OTHER = (
    "The records {path} cannot be used because SQLite says '{cause}'; check the disk or name"
    " another file with MESODRIVE_RECORDS."
)


@contextmanager
def in_one_sentence(path: Path) -> Generator[None]:
    """Turn every error of the database `path` or its folder into a RecordsError."""
    try:
        yield
    except sqlite3.Error as e:
        raise RecordsError(_sentence(e, path)) from e
    except DBAPIError as e:
        raise RecordsError(_sentence(e.orig, path)) from e
    except NewerRowError as e:
        raise RecordsError(str(e)) from e
    except RowError as e:  # they were whole when they were recorded
        raise RecordsError(_SENTENCES[sqlite3.SQLITE_CORRUPT].format(path=path)) from e
    except OSError as e:
        raise RecordsError(_SENTENCES[sqlite3.SQLITE_CANTOPEN].format(path=path)) from e


def _sentence(cause: BaseException | None, path: Path) -> str:
    code = getattr(cause, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    return _SENTENCES.get(primary or 0, _OTHER).format(path=path, cause=cause)
