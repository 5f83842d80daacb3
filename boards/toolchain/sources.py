"""MicroPython's source tree: unpacked from the distribution's archives, or a person's checkout."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from toolchain import debian, stamps
from toolchain.debian import LIBRARIES, MICROPYTHON, TINYUSB, WAY_OUT, Part
from toolchain.errors import ToolchainError
from toolchain.paths import TOOLCHAIN, shown
from toolchain.progress import Progress

OLDEST_VERSION = (1, 25)
_NEEDED_FOLDERS = (*(part.place for part in (*LIBRARIES, TINYUSB)), "lib/micropython-lib")
_VERSION_PART = re.compile(r"#define MICROPY_VERSION_(?:MAJOR|MINOR|MICRO) (\d+)")


@dataclass(frozen=True)
class SourceTree:
    """A MicroPython tree with its libraries in place.

    `identity` is None for a person's checkout, which may change under us at any time.
    """

    path: Path
    version: str
    work: Path
    identity: str | None


def get() -> SourceTree:
    """The tree to build from; downloaded once, or the one that MICROPYTHON_DIR names."""
    named = os.environ.get("MICROPYTHON_DIR")
    checkout = Path(named).expanduser().resolve() if named else None
    for path in (TOOLCHAIN, checkout or TOOLCHAIN):
        if " " in str(path):
            raise ToolchainError(
                f"MicroPython cannot be built in {path}, whose name has a space: move the folder."
            )
    return _checkout(checkout) if checkout else _downloaded()


def _checkout(path: Path) -> SourceTree:
    if not (path / "py/mpconfig.h").is_file():
        raise ToolchainError(f"MICROPYTHON_DIR={path} is not a MicroPython checkout: correct it.")
    for folder in _NEEDED_FOLDERS:
        if not any((path / folder).glob("*")):
            raise ToolchainError(
                f"MICROPYTHON_DIR={path} lacks {folder}: "
                f"run `make -C {path}/ports/rp2 submodules` and then the same command again."
            )
    version = _version_of(path)
    if tuple(int(number) for number in version.split(".")[:2]) < OLDEST_VERSION:
        raise ToolchainError(
            f"MICROPYTHON_DIR={path} is MicroPython {version}, and the firmware needs "
            f"{'.'.join(map(str, OLDEST_VERSION))} or newer: check a newer release out."
        )
    work = TOOLCHAIN / f"checkout-{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    return SourceTree(path, version, work, None)


def archives() -> dict[str, str]:
    """The SHA-256 of each archive that the image is built from, by its file's name."""
    identity = _downloaded().identity
    assert identity
    return json.loads(identity)


def _version_of(tree: Path) -> str:
    return ".".join(_VERSION_PART.findall((tree / "py/mpconfig.h").read_text(encoding="utf-8")))


def _downloaded() -> SourceTree:
    wanted = stamps.fingerprint([], debian.RELEASE, repr((MICROPYTHON, LIBRARIES, TINYUSB)))
    work = TOOLCHAIN / f"debian-{wanted[:8]}"
    tree = work / "source"
    record = work / "SOURCES.json"
    if not record.is_file():
        shutil.rmtree(work, ignore_errors=True)
        archives = work / "archives"
        archives.mkdir(parents=True)
        debian.download(archives, work / "apt-lists")
        _unpack(archives, tree)
        hashes = {file.name: _sha256(file) for file in sorted(archives.iterdir())}
        shutil.rmtree(work / "apt-lists")
        record.write_text(json.dumps(hashes, indent=2) + "\n", encoding="ascii")
    return SourceTree(tree, _version_of(tree), work, record.read_text(encoding="ascii"))


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _unpack(archives: Path, tree: Path) -> None:
    scratch = archives.parent / "scratch"
    with Progress("Unpack the sources"):
        for part in (MICROPYTHON, *LIBRARIES):
            shutil.rmtree(scratch, ignore_errors=True)
            with tarfile.open(_archive(archives, part)) as archive:
                # Python before 3.11.4 has no filters; the archives are verified either way.
                if hasattr(tarfile, "data_filter"):
                    archive.extractall(scratch, filter="data")
                else:
                    archive.extractall(scratch)
            (top,) = scratch.iterdir()
            _put(top, tree / part.place)
        package = _archive(archives, TINYUSB)
        subprocess.run(["dpkg-deb", "-x", str(package), str(scratch)], check=True)
        _put(scratch / "usr/src/tinyusb", tree / TINYUSB.place)
        # The build only looks whether this file exists; nothing of the library is frozen in.
        marker = tree / "lib/micropython-lib/README.md"
        marker.parent.mkdir(exist_ok=True)
        marker.touch()
        shutil.rmtree(scratch)


def _archive(archives: Path, part: Part) -> Path:
    found = sorted(archives.glob(part.archive))
    if len(found) != 1:
        names = ", ".join(sorted(file.name for file in archives.glob(f"{part.package}_*")))
        raise ToolchainError(
            f"Debian {debian.RELEASE} now carries {names or 'nothing'} where this build knows "
            f"{part.archive}: update the table in {shown(Path(debian.__file__))}, {WAY_OUT}."
        )
    return found[0]


def _put(folder: Path, place: Path) -> None:
    """Move an unpacked folder to its place, where the archive may hold an empty one."""
    if place.is_dir():
        shutil.rmtree(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(place)
