"""A TOML file → one entry of the catalogue, or every reason why not, each as one sentence."""

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mesodrive.presets.models import Entry
from mesodrive.presets.quantity import Quantity

EntryT = TypeVar("EntryT", bound=Entry)

_WHAT_IT_MUST_BE = {
    "string_type": "must be text in quotes",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most 40 characters",
    "string_pattern_mismatch": "may hold a to z, 0 to 9, '-' and '.', from a letter or digit on",
    "float_type": "must be a number without quotes",
    "finite_number": "must be a finite number",
    "list_type": "must be a list of texts in square brackets",
    "tuple_type": "must be two numbers in square brackets",
    "too_long": "must be two numbers in square brackets",
    "model_type": "must be a table with value, unit and source",
}


def read(path: Path, model: type[EntryT]) -> tuple[EntryT | None, list[str]]:
    """Return the entry in `path` and no sentence, or None and at least one sentence."""
    try:
        data: dict[str, object] = tomllib.loads(path.read_bytes().decode())
    except OSError as e:
        reason = (e.strerror or "unreadable").lower()
        return None, [f"{path} cannot be read ({reason}); check the path."]
    except UnicodeDecodeError:
        return None, [f"{path} is not UTF-8 text; save it as UTF-8."]
    except (tomllib.TOMLDecodeError, RecursionError) as e:
        return None, [f"{path} is not TOML ({str(e).rstrip('.')}); correct it there."]
    version = data.get("schema")
    if type(version) is not int or version != model.SCHEMA:
        return None, [f"{path.name}: {_schema_complaint(version, model.SCHEMA)}"]
    try:
        return model.model_validate(data), []
    except ValidationError as e:
        # A mistyped key also leaves the right one missing: name the mistype first.
        details = sorted(e.errors(), key=lambda d: d["type"] != "extra_forbidden")
        return None, [f"{path.name}: {_sentence(d, model)}" for d in details]


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return `; did you mean …?` with the nearest of `words`, or a list of them all."""
    choices = sorted(words)
    near = difflib.get_close_matches(word, choices, n=3)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; choose from {', '.join(choices)}."


def _schema_complaint(version: object, known: int) -> str:
    if version is None:
        return f"schema is missing; add 'schema = {known}' as the first line."
    if type(version) is int and version > known:
        return f"schema {version} is newer than this mesodrive knows ({known}); update mesodrive."
    if type(version) is int and 0 < version < known:
        return (
            f"schema {version} is of an older mesodrive, whose modes meant something else; check "
            f"mode and times against docs/presets.md, then write schema = {known}."
        )
    return f"schema must be {known}; correct it."


def _sentence(detail: ErrorDetails, model: type[Entry]) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    match detail["type"]:
        case "sentence":
            return f"{key} {detail['msg']}".lstrip()
        case "missing":
            return f"{key} is missing; add it."
        case "extra_forbidden":
            fields = model.model_fields if len(detail["loc"]) == 1 else Quantity.model_fields
            names = [field.alias or name for name, field in fields.items()]
            unknown = str(detail["loc"][-1])
            return f"{key} is not a known key{did_you_mean(unknown, names)}"
        case "literal_error":
            expected = cast("str", detail.get("ctx", {})["expected"])
            return f"{key} must be one of {expected}; choose one."
        case kind:
            must_be = _WHAT_IT_MUST_BE.get(kind, f"is wrong ({detail['msg']})")
            return f"{key} {must_be}; correct it."
