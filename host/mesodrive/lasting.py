"""Folders and names of files that a power cut does not take back.

A file that was made or renamed is under its name for good only once its folder is on the disk.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path

# What says that folders cannot be synced there (a share, say), and not that the disk has failed.
_CANNOT = (errno.EINVAL, errno.EBADF, errno.ENOTSUP)


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make `folder`, with `mode`, and those above it, where they are not yet. Raises OSError."""
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    for one in new:
        sync_folder(one.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in `folder` to the disk, as far as the system lets one. Raises OSError when
    the disk fails."""
    if os.name != "posix":
        return  # Windows opens no folders
    with suppress(PermissionError):  # one that may be written to and not be read
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
        finally:
            os.close(descriptor)
