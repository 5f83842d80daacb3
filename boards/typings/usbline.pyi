"""Our own C module in the image; see firmware/c_modules/usbline."""

from collections.abc import Callable

from _typeshed import ReadableBuffer, WriteableBuffer

def connected() -> bool: ...
def readinto(buffer: WriteableBuffer, /) -> int: ...
def write(buffer: ReadableBuffer, /) -> int: ...
def discard() -> None: ...
def on_loss(handler: Callable[[None], object] | None) -> None:
    """Have `handler(None)` called when the port is closed, the bus sleeps or the cable is out."""

def on_stop(handler: Callable[[None], object] | None) -> None:
    """Have `handler(None)` called, between two bytecodes, when a stop byte arrives."""
