"""What of a stream of bytes is a request, after docs/protocol.md and nothing else.

Nothing of the code under test is used here.
"""

import json
import re
import zlib
from typing import Any, NamedTuple

_SEALED = re.compile(rb"(.+) ([0-9a-f]{8})\r*", re.DOTALL)
_LINE = 2048  # bytes, the newline among them
_WHOLE = 2**53 - 1
FURTHEST_ID, LEAP = 2**52, 4096  # above it an id may lie so far ahead
_LEVELS = 4
_VALUES = 100


class Request(NamedTuple):
    """A line that is to be obeyed, or answered from memory."""

    id: int
    method: str
    params: dict[str, Any]


def lines(stream: bytes) -> list[bytes]:
    """The lines of a stream that ends with a newline; a stop byte belongs to none."""
    return stream.replace(b"\x18", b"").split(b"\n")[:-1]


def is_silent(line: bytes) -> bool:
    """An empty line needs no answer."""
    return len(line) < _LINE and not line.strip()


def is_sealed(line: bytes) -> bool:
    """Short enough, and with the right checksum."""
    sealed = _SEALED.fullmatch(line) if len(line) < _LINE else None
    return sealed is not None and zlib.crc32(sealed[1]) == int(sealed[2], 16)


def body_in(line: bytes) -> bytes:
    """A sealed line without its checksum."""
    return line.rstrip(b"\r")[:-9]


def request_in(line: bytes) -> Request | None:
    """The request of a line, or None when it is none."""
    return as_request(json.loads(body_in(line))) if is_sealed(line) and is_json(line) else None


def is_json(line: bytes) -> bool:
    """Whether a sealed line is JSON by the standard."""
    try:
        json.loads(body_in(line).decode("utf-8"))
    except (ValueError, RecursionError):
        return False
    return True


def as_request(message: Any) -> Request | None:
    """What was read, as a request, or None when it is none."""
    if not isinstance(message, dict):
        return None
    whole: dict[str, Any] = message  # pyright: ignore[reportUnknownVariableType]
    if not {"jsonrpc", "id", "method"} <= whole.keys() <= {"jsonrpc", "id", "method", "params"}:
        return None
    id, method, params = whole["id"], whole["method"], whole.get("params", {})
    if whole["jsonrpc"] != "2.0" or type(id) is not int or not 1 <= id <= _WHOLE:
        return None
    if not isinstance(method, str) or not isinstance(params, dict):
        return None
    if not _fits(params, _LEVELS) or _count(params) > _VALUES or not _are_small(params):
        return None
    return Request(id, method, params)


def _fits(value: Any, levels: int) -> bool:
    """Whether objects and lists are nested in so many levels at most."""
    if not _holds(value):
        return True
    return levels > 0 and all(_fits(inner, levels - 1) for inner in _inner(value))


def _count(value: Any) -> int:
    """Values within, at any depth."""
    return sum(1 + _count(inner) for inner in _inner(value))


def _are_small(value: Any) -> bool:
    if isinstance(value, int):
        return abs(value) <= _WHOLE
    return all(map(_are_small, _inner(value)))


def _holds(value: Any) -> bool:
    return isinstance(value, (dict, list))


def _inner(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]
