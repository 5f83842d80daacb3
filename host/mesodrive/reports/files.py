"""Writes a file whole or not at all."""

import os
from pathlib import Path
from uuid import uuid4

from mesodrive.errors import MesodriveError
from mesodrive.lasting import make_folder, sync_folder


class ReportError(MesodriveError):
    """A report or an export could not be written."""


def write_whole(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8; a file that was there stays as it was until all is done.

    Raises ReportError when the disk is full or the place cannot be written to; then nothing of
    the new file remains, unless it is the disk itself that fails at the very end.
    """
    if not path.name:
        raise ReportError(f"{path} is a folder; give the name of a file.")
    part = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    try:
        make_folder(path.parent)
        try:
            with part.open("x", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as e:
        raise ReportError(
            f"{path} was not written ({(e.strerror or str(e)).lower()}); free some space there or"
            f" choose another place."
        ) from e
