"""Runs the long commands and shows how they go: one updating line on a terminal, plain lines
elsewhere. What a command prints goes to a log file.
"""

import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from toolchain.errors import ToolchainError
from toolchain.paths import shown

_TERMINAL_REFRESH_S = 0.5
_PLAIN_REFRESH_S = 15.0
# Compilers and apt tell the cause first; the last exception of a traceback tells it.
_FIRST_CAUSE = re.compile(r"^(E: |ERROR: |fatal: )|: (fatal )?error: |\*\*\* |No space left")
_LAST_CAUSE = re.compile(r"^\s*\w*Error: ")

PercentOf = Callable[[str], float | None]


class StepError(ToolchainError):
    """A command ended with an error; `cause` is the telling line of its output."""

    def __init__(self, title: str, cause: str, log: Path) -> None:
        super().__init__(
            f"{title} failed: {cause.rstrip('.')}; the whole output is in {shown(log)}."
        )
        self.cause = cause


class Progress:
    """The line that says what is going on, for how long, and how far it is."""

    def __init__(self, title: str) -> None:
        self.percent: float | None = None
        self._title = title
        self._terminal = sys.stdout.isatty()
        self._started_s = time.monotonic()
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        self._show("...")
        self._ticker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._ticker.join()
        self._show(f": {'done' if kind is None else 'failed'} after {self._elapsed_s():.0f} s")
        if self._terminal:
            print()

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started_s

    def _tick(self) -> None:
        while not self._ended.wait(_TERMINAL_REFRESH_S if self._terminal else _PLAIN_REFRESH_S):
            part = "" if self.percent is None else f" {self.percent:.0f} %,"
            self._show(f":{part} {self._elapsed_s():.0f} s")

    def _show(self, state: str) -> None:
        text = f"{self._title}{state}"
        if self._terminal:
            # A line that wraps could not be written over.
            room = shutil.get_terminal_size().columns - 1
            print(f"\r\033[K{text[-room:]}", end="", flush=True)
        else:
            print(text, flush=True)


def no_percent(_line: str) -> float | None:
    return None


def run_step(
    title: str,
    command: Sequence[str],
    log: Path,
    *,
    percent: PercentOf = no_percent,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run `command` to its end, or raise `StepError`. `percent` reads one line of its output."""
    log.parent.mkdir(parents=True, exist_ok=True)
    first_cause = last_cause = ""
    last = "no output"
    with log.open("a", encoding="utf-8") as log_file, Progress(title) as progress:
        log_file.write(f"$ {shlex.join(command)}\n")
        log_file.flush()
        with subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                log_file.write(line)
                progress.percent = percent(line) or progress.percent
                last = line.strip() or last
                if not first_cause and _FIRST_CAUSE.search(line):
                    first_cause = line.strip()
                if _LAST_CAUSE.match(line):
                    last_cause = line.strip()
        if process.returncode != 0:
            raise StepError(title, first_cause or last_cause or last, log)
