"""The keys that this computer has: one file a device, which only its owner may read.

A key that is on its way to the device is kept as "next" beside the one that held before: whatever
cuts the way short, one of the two is right.
"""

import json
import os
import re
import stat
from pathlib import Path
from typing import Any, cast

import platformdirs

from mesodrive.access import KEY_BYTES, Role
from mesodrive.errors import MesodriveError
from mesodrive.lasting import make_folder, sync_folder

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeysError(MesodriveError):
    """Keys that are missing, or not kept as keys must be."""


def keys_dir() -> Path:
    """Where keys are kept; MESODRIVE_KEYS names another folder."""
    if folder := os.environ.get("MESODRIVE_KEYS"):
        return Path(folder)
    return platformdirs.user_data_path("mesodrive", appauthor=False) / "keys"


class KeyStore:
    """All keys in `folder`. Every method raises KeysError for a file that is not as it must be."""

    def __init__(self, folder: Path | None = None):
        self.folder = folder or keys_dir()

    def path(self, serial: str) -> Path:
        """The file of a device, whose serial number is its own word: only a plain name will do."""
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", serial):
            raise KeysError(
                f"The device's serial number {serial!r} cannot name a file; flash the firmware "
                "that came with this host."
            )
        return self.folder / f"{serial}.json"

    def candidates(self, serial: str, role: Role) -> list[bytes]:
        """The keys that may be right: none, one, or two while one is on its way."""
        kept = self._read(serial)
        return [kept[name] for name in (role, f"{role} next") if name in kept]

    def pending(self, serial: str, role: Role) -> bytes | None:
        """The key that is on its way, if one is: nobody knows whether the device has it."""
        return self._read(serial).get(f"{role} next")

    def put(self, serial: str, role: Role, key: bytes) -> None:
        """Keep the key that holds."""
        kept = self._read(serial)
        kept.pop(f"{role} next", None)
        self._write(serial, kept | {role: key})

    def put_next(self, serial: str, role: Role, key: bytes) -> None:
        """Keep a key that is about to be sent, beside the one that holds."""
        self._write(serial, self._read(serial) | {f"{role} next": key})

    def _read(self, serial: str) -> dict[str, bytes]:
        path = self.path(serial)
        if not path.exists():
            return {}
        if os.name == "posix" and path.stat().st_mode & _OTHERS:
            raise KeysError(
                f"The keys in {path} can be read by others; change that with chmod 600, and give "
                "the device new keys if somebody may have read them."
            )
        try:
            kept: Any = json.loads(path.read_text(encoding="utf-8"))
            keys = {
                str(name): bytes.fromhex(value)
                for name, value in cast("dict[str, str]", kept).items()
            }
        except (ValueError, TypeError, AttributeError):
            keys = {"": b""}
        if any(len(key) != KEY_BYTES for key in keys.values()):
            raise KeysError(
                f"{path} holds no keys as mesodrive writes them; copy it again from the computer "
                "that claimed the device."
            )
        return keys

    def _write(self, serial: str, keys: dict[str, bytes]) -> None:
        path = self.path(serial)
        make_folder(self.folder, mode=0o700)
        beside = path.with_suffix(f".{os.getpid()}")
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({name: key.hex() for name, key in keys.items()}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(self.folder)
