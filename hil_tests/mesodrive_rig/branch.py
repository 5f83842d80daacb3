"""Branches of a story: a rig that has come so far is tried several ways from there.

The emulator lives in the process, so a copy of the process is a copy of the rig, at the very
clock where it was.
"""

import os
import pickle
import select
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")


class BranchError(Exception):
    """A branch ended in an exception; the message is its traceback."""


class Branches:
    """Runs branches beside one another, at most `workers` of them."""

    def __init__(self, workers: int = 2):
        self._workers = workers
        self._running: dict[int, tuple[int, bytearray, Callable[[Any], None]]] = {}

    def start(self, work: Callable[[], _T], then: Callable[[_T], None]) -> None:
        """Run `work` in a copy of this process, and `then` here with what it returned, later.

        Waits while too many are running. What they return must be fit for pickle.
        """
        hand_over = self.split(then)
        if hand_over:
            try:
                hand_over(work())
            except BaseException:
                hand_over(BranchError(traceback.format_exc()))

    def split(self, then: Callable[[Any], None]) -> Callable[[object], None] | None:
        """Copy this process and go on in both: None here; in the copy a function that hands over
        what `then` is to get here, and ends the copy."""
        while len(self._running) >= self._workers:
            self._take()
        reader, writer = os.pipe()
        pid = os.fork()
        if not pid:
            return lambda value: _hand_over(value, writer)
        os.close(writer)
        self._running[reader] = (pid, bytearray(), then)
        return None

    def finish(self) -> None:
        """Wait for all of them."""
        while self._running:
            self._take()

    def _take(self) -> None:
        """Take what has come; raise BranchError for a branch that went wrong."""
        for reader in select.select(list(self._running), [], [])[0]:
            pid, heard, then = self._running[reader]
            data = os.read(reader, 1 << 16)
            heard += data
            if not data:
                del self._running[reader]
                os.close(reader)
                os.waitpid(pid, 0)
                if not heard:
                    raise BranchError("A branch died without a word.")
                value = pickle.loads(bytes(heard))
                if isinstance(value, BranchError):
                    raise value
                then(value)


def in_branch(work: Callable[[], _T]) -> _T:
    """What `work` returns, done in a copy of this process: here nothing has happened."""
    results: list[_T] = []
    branches = Branches(1)
    branches.start(work, results.append)
    branches.finish()
    return results[0]


def _hand_over(value: object, writer: int) -> None:
    try:
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(value, pipe)
    finally:
        os._exit(0)
