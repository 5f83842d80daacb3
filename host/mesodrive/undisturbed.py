"""A program that moves something ends in order, however it is told to, and once."""

import signal
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any] | signal.Handlers

# Ctrl-C, a computer that shuts down, a terminal that is closed; Windows has no SIGHUP.
_ENDS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@contextmanager
def ended_as_by_ctrl_c() -> Generator[None]:
    """Every way to end this program raises KeyboardInterrupt, but what it was told to ignore."""
    with _handling({end: signal.default_int_handler for end in _ENDS if not _is_ignored(end)}):
        yield


@contextmanager
def undisturbed() -> Generator[None]:
    """Ctrl-C pressed again, and the like, do not keep the record from being closed."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears of it anyway
        return
    with _handling(dict.fromkeys(_ENDS, signal.SIG_IGN)):
        yield


@contextmanager
def _handling(handlers: Mapping[signal.Signals, Handler]) -> Generator[None]:
    before = {end: signal.signal(end, handler) for end, handler in handlers.items()}
    try:
        yield
    finally:
        for end, handler in before.items():
            signal.signal(end, handler)


def _is_ignored(end: signal.Signals) -> bool:
    return signal.getsignal(end) is signal.SIG_IGN
