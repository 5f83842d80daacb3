"""Children that each do one thing and tell how it ended; some at a time, none for ever."""

import json
import os
import resource
import selectors
import signal
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_WALL_S = 600  # one that only waits; what counts is the time it works
_MEMORY = 3 << 30

DIED = "it died or never ended"


class WorkError(Exception):
    """`work` raised; the message is its traceback."""


@dataclass
class _Child:
    job: Any
    pid: int
    ends_at: float
    heard: bytes = b""


def each(
    jobs: Iterable[tuple[Any, int]],
    work: Callable[[Any], object],
    at_once: int,
    wall_s: float = _WALL_S,
) -> Iterator[tuple[Any, Any]]:
    """Do `work` on each job in a child of its own that may compute for so many seconds; yield the
    job and what it returned, or DIED, as they end. Raises WorkError when `work` does."""
    waiting = iter(jobs)
    children: dict[int, _Child] = {}
    with selectors.DefaultSelector() as selector:
        while True:
            while len(children) < at_once:
                job, seconds = next(waiting, (None, 0))
                if job is None:
                    break
                fd, child = _start(job, seconds, work, wall_s)
                children[fd] = child
                selector.register(fd, selectors.EVENT_READ)
            if not children:
                return
            for key, _ in selector.select(1.0):
                part = os.read(key.fd, 65536)
                children[key.fd].heard += part
                if not part:
                    child = children.pop(key.fd)
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    os.waitpid(child.pid, 0)
                    yield child.job, _told(child.heard)
            for child in children.values():
                if time.monotonic() > child.ends_at:
                    os.kill(child.pid, signal.SIGKILL)


def _told(heard: bytes) -> Any:
    if not heard:
        return DIED
    raised, value = json.loads(heard)
    if raised:
        raise WorkError(value)
    return value


def _start(
    job: Any, seconds: int, work: Callable[[Any], object], wall_s: float
) -> tuple[int, _Child]:
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return ours, _Child(job, pid, time.monotonic() + wall_s)
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        try:
            told = json.dumps([False, work(job)]).encode()
        except MemoryError:
            told = b""
        except Exception:
            told = json.dumps([True, traceback.format_exc()]).encode()
        with os.fdopen(theirs, "wb") as pipe:
            pipe.write(told)
    finally:
        os._exit(0)
