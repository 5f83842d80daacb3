"""Debian packages that the build needs from the machine, and how they get there."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from toolchain.errors import ToolchainError
from toolchain.paths import LOGS
from toolchain.progress import StepError, run_step

_APT_STATUS = re.compile(r"^(?:dl|pm)status:.*?:(\d+(?:\.\d+)?):")


@dataclass(frozen=True)
class Need:
    package: str
    is_present: Callable[[], bool]


def _program(*names: str) -> bool:
    return all(shutil.which(name) for name in names)


def _compiler_finds(compiler: str, file: str) -> bool:
    """GCC answers with a bare name when it does not have the file."""
    if not _program(compiler):
        return False
    answer = subprocess.run(
        [compiler, f"-print-file-name={file}"], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() not in ("", file)


NATIVE_COMPILER = (
    Need("build-essential", lambda: _program("make") and _compiler_finds("gcc", "crt1.o")),
)
ARM_COMPILER = (
    Need("cmake", lambda: _program("cmake")),
    Need("gcc-arm-none-eabi", lambda: _program("arm-none-eabi-gcc")),
    Need("libnewlib-arm-none-eabi", lambda: _compiler_finds("arm-none-eabi-gcc", "nano.specs")),
    Need(
        "libstdc++-arm-none-eabi-newlib",
        lambda: _compiler_finds("arm-none-eabi-gcc", "libstdc++.a"),
    ),
)
PYTHON_VENV = (Need("python3-venv", lambda: importlib.util.find_spec("ensurepip") is not None),)


def without_make() -> dict[str, str]:
    """The environment without what our own make has put into it, for a make of another project."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MAKE") and name not in ("MFLAGS", "BOARD", "PORT", "BUILD")
    }


def apt_percent(line: str) -> float | None:
    """Reads apt's machine-readable progress (`-o APT::Status-Fd=1`)."""
    match = _APT_STATUS.match(line)
    return float(match[1]) if match else None


def ensure(needs: Iterable[Need]) -> None:
    """Install what is missing, or say which command does; raises `ToolchainError`."""
    missing = [need for need in needs if not need.is_present()]
    if not missing:
        return
    packages = [need.package for need in missing]
    by_hand = "sudo apt-get install --no-install-recommends " + " ".join(packages)
    if os.geteuid() != 0 or not _program("apt-get"):
        raise ToolchainError(
            f"The build needs the Debian packages {', '.join(packages)}: "
            f"run `{by_hand}` and then the same command again."
        )
    _apt_install(packages)
    still_missing = [need.package for need in missing if not need.is_present()]
    if still_missing:
        raise ToolchainError(
            f"{', '.join(still_missing)} was installed but this machine still does not find it: "
            "put Debian's own programs first in PATH and run the same command again."
        )


def _apt_install(packages: list[str]) -> None:
    log = LOGS / "apt-install.log"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    apt = ["apt-get", "-o", "APT::Status-Fd=1", "-o", "Acquire::Retries=2"]
    try:
        run_step("Refresh Debian's package lists", [*apt, "update"], log, env=environment)
    except StepError as failure:
        # One unreachable third-party list fails the whole update and need not stop the install.
        print(f"Going on with the lists at hand ({failure.cause}).")
    run_step(
        f"Install {' '.join(packages)}",
        [*apt, "install", "-y", "--no-install-recommends", *packages],
        log,
        percent=apt_percent,
        env=environment,
    )
