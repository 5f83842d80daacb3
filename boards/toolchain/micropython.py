"""Builds MicroPython's own programs for this machine: the cross compiler and the unix port."""

import os
import shutil
from pathlib import Path

from toolchain import sources, stamps, system
from toolchain.paths import BIN, LOGS
from toolchain.progress import run_step

MPY_CROSS = BIN / "mpy-cross"
UNIX_PORT = BIN / "micropython"

_UNIX_OPTIONS = (
    "VARIANT=standard",
    "MICROPY_PY_SSL=0",
    "MICROPY_SSL_MBEDTLS=0",
    "MICROPY_PY_FFI=0",
    "MICROPY_PY_BTREE=0",
    "FROZEN_MANIFEST=",
)


def build_environment(tree: sources.SourceTree) -> dict[str, str]:
    """The environment for MicroPython's build."""
    environment = system.without_make()
    # MicroPython asks git for its version and would find ours, in whose folder it lies.
    environment["GIT_CEILING_DIRECTORIES"] = str(tree.path.parent)
    environment["MICROPY_MPYCROSS"] = str(MPY_CROSS)
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # a person's checkout stays as it is
    # MicroPython's scripts write sets out as they come; this gives them one order.
    environment["PYTHONHASHSEED"] = "0"
    if tree.identity:
        # MicroPython writes the day of the build into the image, which would then never be the
        # same twice; the day of its release says more.
        released_s = int((tree.path / "py/mpconfig.h").stat().st_mtime)
        environment.setdefault("SOURCE_DATE_EPOCH", str(released_s))
    return environment


def build_mpy_cross(tree: sources.SourceTree) -> None:
    _build(tree, "mpy-cross", "mpy-cross", (), MPY_CROSS)


def build_unix_port(tree: sources.SourceTree) -> None:
    _build(tree, "MicroPython's unix port", "ports/unix", _UNIX_OPTIONS, UNIX_PORT)


def _build(
    tree: sources.SourceTree, title: str, folder: str, options: tuple[str, ...], program: Path
) -> None:
    stamp = program.with_suffix(".stamp")
    identity = stamps.fingerprint([Path(__file__)], tree.identity or "", str(tree.work))
    if tree.identity and program.is_file() and stamps.is_current(stamp, identity):
        return
    system.ensure(system.NATIVE_COMPILER)
    out = tree.work / program.name
    stamp.unlink(missing_ok=True)
    BIN.mkdir(parents=True, exist_ok=True)
    run_step(
        f"Build {title} {tree.version}",
        [
            "make",
            "-C",
            str(tree.path / folder),
            f"BUILD={out}",
            f"-j{os.cpu_count() or 1}",
            *options,
        ],
        LOGS / f"{program.name}.log",
        env=build_environment(tree),
    )
    shutil.copy2(out / program.name, program)
    stamps.write(stamp, identity)
