"""A stamp beside a result says from which inputs it was made."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

_IGNORED_FOLDERS = {"__pycache__", "tests"}


def fingerprint(paths: Iterable[Path], *texts: str) -> str:
    """SHA-256 over the texts and over name and content of every file in `paths`.

    Folders are walked; test and cache folders are left out, because no image contains them.
    """
    digest = hashlib.sha256()
    for text in texts:
        digest.update(f"{len(text)}:{text}".encode())
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            name = file.relative_to(path.parent)
            if file.is_file() and not _IGNORED_FOLDERS.intersection(name.parts):
                digest.update(f"{name}:{file.stat().st_size}:".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()


def is_current(stamp: Path, wanted: str) -> bool:
    return stamp.is_file() and stamp.read_text(encoding="ascii") == wanted


def write(stamp: Path, value: str) -> None:
    stamp.write_text(value, encoding="ascii")
