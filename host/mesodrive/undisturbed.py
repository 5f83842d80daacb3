"""Work that Ctrl-C does not end."""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Generator[None]:
    """Ctrl-C pressed again does not keep the record from being closed."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears of it anyway
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
