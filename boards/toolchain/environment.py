"""The Python environment of the host tool and the tests, from the hash-locked requirements."""

import re
import sys
from pathlib import Path

from toolchain import stamps, system
from toolchain.errors import ToolchainError
from toolchain.paths import BOARDS, BUILD, LOGS, ROOT, VENV, shown
from toolchain.progress import PercentOf, StepError, no_percent, run_step

PYPROJECT = ROOT / "pyproject.toml"
LOCK = ROOT / "requirements.lock"
PYTHON = VENV / "bin/python"

_PIP_INSTALL = (str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check")

_LOCKED_PACKAGE = re.compile(r"^[A-Za-z0-9._-]+==", re.MULTILINE)


def build_venv() -> None:
    """Make `build/venv` from the lock, with the project itself editable in it."""
    log = LOGS / "venv.log"
    packages_stamp = VENV / "packages.stamp"
    packages = stamps.fingerprint([LOCK], sys.version, str(VENV))
    if not stamps.is_current(packages_stamp, packages):
        system.ensure(system.PYTHON_VENV)
        run_step(f"Make {shown(VENV)}", [sys.executable, "-m", "venv", "--clear", str(VENV)], log)
        _download_and_install(
            "Install the locked Python packages",
            ["--requirement", str(LOCK)],
            log,
            _collected_percent(LOCK),
        )
        stamps.write(packages_stamp, packages)
    project_stamp = VENV / "project.stamp"
    project = stamps.fingerprint([PYPROJECT])
    if not stamps.is_current(project_stamp, project):
        run_step(
            "Install mesodrive itself",
            [*_PIP_INSTALL, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)],
            log,
        )
        stamps.write(project_stamp, project)


def install_typings(board: str) -> None:
    """Put the type stubs of the board's MicroPython into `build/typings/<board>`."""
    lock = BOARDS / board / "typings.lock"
    target = BUILD / "typings" / board
    stamp = target / "mesodrive.stamp"
    identity = stamps.fingerprint([lock])
    if stamps.is_current(stamp, identity):
        return
    _download_and_install(
        f"Install the type stubs of the {board} board",
        ["--no-deps", "--upgrade", "--target", str(target), "--requirement", str(lock)],
        LOGS / "typings.log",
    )
    stamps.write(stamp, identity)


def lock() -> None:
    """Resolve the dependencies anew and write the lock files, hashes but no addresses."""
    _pip_compile(PYPROJECT, LOCK, "--extra=sim", "--extra=dev")
    for wanted in sorted(BOARDS.glob("*/typings.in")):
        _pip_compile(wanted, wanted.with_suffix(".lock"))


def _pip_compile(wanted: Path, lock_file: Path, *options: str) -> None:
    command = [str(PYTHON), "-m", "piptools", "compile", "--quiet", "--upgrade"]
    command += ["--generate-hashes", "--allow-unsafe", "--strip-extras", "--no-header"]
    command += ["--no-emit-index-url", "--no-emit-trusted-host", "--no-emit-find-links"]
    run_step(
        f"Write {shown(lock_file)}",
        [*command, *options, f"--output-file={shown(lock_file)}", shown(wanted)],
        LOGS / "lock.log",
        cwd=ROOT,
    )


def _download_and_install(
    title: str, arguments: list[str], log: Path, percent: PercentOf = no_percent
) -> None:
    try:
        run_step(title, [*_PIP_INSTALL, "--require-hashes", *arguments], log, percent=percent)
    except StepError as failure:
        raise ToolchainError(
            f"{title} failed ({failure.cause}): check the network and pip's own settings "
            f"(`pip config list`), then run the same command again; all of it is in {shown(log)}."
        ) from failure


def _collected_percent(lock_file: Path) -> PercentOf:
    """Counts the packages that pip has got; installing them takes about as long again."""
    total = len(_LOCKED_PACKAGE.findall(lock_file.read_text(encoding="utf-8")))
    collected = 0

    def percent(line: str) -> float | None:
        nonlocal collected
        collected += line.startswith(("Collecting ", "Processing "))
        return 50.0 * collected / total

    return percent
