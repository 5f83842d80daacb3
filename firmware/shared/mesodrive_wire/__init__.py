"""The wire, as both sides speak it: the firmware freezes this package, the host installs it.

It runs unchanged under CPython and MicroPython, so it uses only what both have.
"""

from mesodrive_wire.framing import MAX_LINE, STOP, FrameError, LineReader, decode, encode
from mesodrive_wire.messages import (
    BAD_PARAMS,
    BAD_REQUEST,
    BUSY,
    FAULTED,
    IN_DOUBT,
    INTERLOCK,
    INTERNAL,
    LIMIT,
    LOCKED,
    PARSE,
    PROTOCOL,
    STALE_ID,
    UNAUTHORIZED,
    UNKNOWN_METHOD,
    WRONG_STATE,
    error,
    notification,
    request,
    request_fault,
    result,
)

__all__ = [
    "BAD_PARAMS",
    "BAD_REQUEST",
    "BUSY",
    "FAULTED",
    "INTERLOCK",
    "INTERNAL",
    "IN_DOUBT",
    "LIMIT",
    "LOCKED",
    "MAX_LINE",
    "PARSE",
    "PROTOCOL",
    "STALE_ID",
    "STOP",
    "UNAUTHORIZED",
    "UNKNOWN_METHOD",
    "WRONG_STATE",
    "FrameError",
    "LineReader",
    "decode",
    "encode",
    "error",
    "notification",
    "request",
    "request_fault",
    "result",
]
