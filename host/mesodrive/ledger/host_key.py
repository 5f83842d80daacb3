"""The key with which this computer countersigns the ledgers that it has seen."""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import platformdirs

from mesodrive.errors import MesodriveError
from mesodrive.lasting import make_folder, sync_folder

_SIZE = 32
_OTHERS = 0o077


class HostKeyError(MesodriveError):
    """A key that cannot be made, read or trusted."""


@dataclass(frozen=True)
class HostKey:
    """The secret, and the number by which records name it."""

    secret: bytes

    @property
    def number(self) -> int:
        return int.from_bytes(sha256(b"mesodrive host key" + self.secret).digest()[:4], "little")

    @classmethod
    def load(cls, path: Path | None = None) -> "HostKey":
        """The key in `path`, or in `default_path()`; made there, for its owner alone, if there is
        none. Raises HostKeyError."""
        path = path or default_path()
        try:
            make_folder(path.parent)
            try:
                return cls(_read(path))
            except FileNotFoundError:
                _make(path)
                return cls(_read(path))
        except OSError as error:
            raise HostKeyError(
                f"The key {path} cannot be used ({error.strerror or error}); let its owner read"
                " it and write to its folder."
            ) from error


def default_path() -> Path:
    """Where the key is: MESODRIVE_HOST_KEY, or the user's data folder."""
    named = os.environ.get("MESODRIVE_HOST_KEY")
    if named:
        return Path(named)
    return platformdirs.user_data_path("mesodrive", appauthor=False) / "countersign.key"


def _read(path: Path) -> bytes:
    if os.name == "posix" and path.stat().st_mode & _OTHERS:
        raise HostKeyError(
            f"The key {path} may be used by others than its owner; take that away with chmod 600,"
            " or delete it if somebody may have read it, and a new one is made."
        )
    try:
        secret = bytes.fromhex(path.read_text("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != _SIZE:
        raise HostKeyError(
            f"{path} holds no key; restore it from a backup, or delete it and a new one is made."
        )
    return secret


def _make(path: Path) -> None:
    """Whole or not at all, and never over one that another program has just made."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_bytes(_SIZE).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)
