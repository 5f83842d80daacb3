"""The risk file: hazards, and the requirements that control them, as docs/safety holds them.

Unknown keys, missing ones and wrong kinds are refused here; what a name refers to is looked at
in `matrix`.
"""

import tomllib
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError

HAZARDS = "docs/safety/hazards.toml"
REQUIREMENTS = "docs/safety/requirements.toml"


def _one_line(text: str) -> str:
    return " ".join(text.split())


_Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_one_line)
]
_Rows = TypeVar("_Rows", bound=BaseModel)


class RiskFileError(Exception):
    """One sentence: what is wrong with the risk file, and where."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Figure(_Row):
    """A number that a requirement sets, and why it is this one.

    `source` names rows of `[sources]`; none of them: our own choice. `code`, such as
    "injector.limits:HOST_SILENCE_MS", is where the firmware has the same number.
    """

    what: _Text
    value: int | float
    unit: str = ""
    why: _Text
    source: list[str] = []
    code: str | None = None


class Requirement(_Row):
    """What must hold. `open` lists what is missing until it does."""

    id: Annotated[str, StringConstraints(pattern=r"^R[1-9]\d*$")]
    title: _Text
    text: _Text
    source: list[str] = []
    figures: list[Figure] = []
    open: list[_Text] = []


class Control(_Row):
    """How a requirement keeps a hazard from harming."""

    requirement: str
    by: _Text


class Hazard(_Row):
    """What can hurt. `information` is what people are told, `remains` what stays all the same."""

    id: Annotated[str, StringConstraints(pattern=r"^H[1-9]\d*$")]
    group: _Text
    title: _Text
    controls: list[Control] = []
    information: _Text | None = None
    remains: _Text | None = None

    @property
    def is_controlled(self) -> bool:
        return bool(self.controls or self.information)


class _Hazards(_Row):
    hazard: list[Hazard]


class _Requirements(_Row):
    sources: dict[str, _Text] = {}
    requirement: list[Requirement]


class RiskFile(_Row):
    """Both files as one. Ids are not checked to be unique, nor references to lead anywhere."""

    hazards: list[Hazard]
    requirements: list[Requirement]
    sources: dict[str, str]


def load(root: Path) -> RiskFile:
    """Read the risk file of the checkout at `root`. Raises RiskFileError."""
    hazards = _read(root / HAZARDS, _Hazards)
    requirements = _read(root / REQUIREMENTS, _Requirements)
    return RiskFile(
        hazards=hazards.hazard,
        requirements=requirements.requirement,
        sources=requirements.sources,
    )


def _read(path: Path, kind: type[_Rows]) -> _Rows:
    try:
        return kind.model_validate(tomllib.loads(path.read_text()))
    except OSError as error:
        raise RiskFileError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RiskFileError(f"{path} is not TOML: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RiskFileError(f"{path}, {place}: {first['msg']}.") from error
