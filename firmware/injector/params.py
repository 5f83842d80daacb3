"""Named values of a request: whole numbers within limits, and nothing that is not known."""

import binascii

from injector.errors import Refusal
from mesodrive_wire import BAD_PARAMS, LIMIT

_DIGITS = "0123456789abcdef"


def only(params: "dict[str, object]", known: "tuple[str, ...]") -> None:
    """Refuse any key that is not in `known`."""
    for key in params:
        if key not in known:
            raise Refusal(BAD_PARAMS, "There is no value called '%s' here; leave it out." % key)


def whole(params: "dict[str, object]", key: str, low: int, high: int) -> int:
    """Return params[key], a whole number from `low` to `high`; refuse anything else."""
    value = params.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refusal(BAD_PARAMS, "%s must be a whole number; it is %r." % (key, value))
    if not low <= value <= high:
        raise Refusal(
            LIMIT,
            "%s is %d, outside this device's hard limits of %d to %d." % (key, value, low, high),
            {"name": key, "value": value, "limit": low if value < low else high},
        )
    return value


def text(params: "dict[str, object]", key: str, longest: int) -> str:
    """Return params[key], a string of 1 to `longest` characters; refuse anything else."""
    value = params.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise Refusal(BAD_PARAMS, "%s must be a text of 1 to %d characters." % (key, longest))
    if any(0xD800 <= ord(character) < 0xE000 for character in value):
        raise Refusal(BAD_PARAMS, "%s must be a text, and has half a character in it." % key)
    return value


def digits(params: "dict[str, object]", key: str, size: int) -> bytes:
    """Return params[key], `size` bytes as lower-case hex digits; refuse anything else."""
    value = params.get(key)
    if (
        not isinstance(value, str)
        or len(value) != 2 * size
        or [digit for digit in value if digit not in _DIGITS]
    ):
        raise Refusal(BAD_PARAMS, "%s must be %d lower-case hex digits." % (key, 2 * size))
    return binascii.unhexlify(value)
