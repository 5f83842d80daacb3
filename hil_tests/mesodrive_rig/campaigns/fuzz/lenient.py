"""JSON as MicroPython reads it (extmod/modjson.c): more than the standard calls JSON.

Commas and colons are blanks, either bracket closes what is open, the outermost needs none at the
end, a key that has no value is left out, an unknown escape is the character itself, and a number
is any row of digits, signs, points and exponents that is one.
"""

import re
from typing import Any

_TOKEN = re.compile(
    r"[,: \t\n\r]*"
    r'(?:"(?P<text>(?:[^"\\\0]|\\(?:u.{4}|[^u]))*)"'
    r"|(?P<number>[-0-9][-+0-9.eE]*)"
    r"|(?P<word>true|false|null)"
    r"|(?P<open>[\[{])"
    r"|(?P<close>[\]}]))",
    re.DOTALL,
)
_WORDS = {"true": True, "false": False, "null": None}
_ESCAPE = re.compile(r"\\(?:u(.{4})|(.))", re.DOTALL)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_NOTHING = object()


def read(body: bytes) -> Any:
    """The value of `body`; its texts keep their bytes, each as a character, and a float stands
    for any. Raises ValueError when MicroPython would not read it."""
    body.decode()
    text = body.decode("latin-1")
    top: Any = _NOTHING
    within: list[Any] = []  # what is open, the innermost last
    key: Any = _NOTHING
    at = 0
    while token := _TOKEN.match(text, at):
        at = token.end()
        if token["close"]:
            if len(within) == 1:
                return _alone(top, text[at:])
            if not within:
                break
            within.pop()
            continue
        value = _value(token)
        if not within:
            top = value
            if not token["open"]:
                return _alone(top, text[at:])
        elif isinstance(within[-1], list):
            within[-1].append(value)  # pyright: ignore[reportUnknownMemberType]
        elif key is _NOTHING:
            if token["open"]:
                raise ValueError("A key is not a text or a number.")
            key = value
        else:
            within[-1][key] = value
            key = _NOTHING
        if token["open"]:
            within.append(value)
    if len(within) == 1:
        return _alone(top, text[at:].strip(",: \t\n\r"))
    raise ValueError("This cannot be read.")


def _value(token: "re.Match[str]") -> Any:
    if token["open"]:
        return [] if token["open"] == "[" else {}
    if token["word"]:
        return _WORDS[token["word"]]
    number = token["number"]
    if number:
        return 0.5 if re.search("[.eE]", number) else int(number)
    return _ESCAPE.sub(_character, token["text"])


def _character(escape: "re.Match[str]") -> str:
    digits, letter = escape[1], escape[2]
    if letter:
        return _LETTERS.get(letter, letter)
    return chr(int(digits, 16)) if re.fullmatch("[0-9a-fA-F]{4}", digits) else "?"


def _alone(value: Any, rest: str) -> Any:
    if rest.strip(" \t\n\r\v\f"):
        raise ValueError("Something follows.")
    return value
