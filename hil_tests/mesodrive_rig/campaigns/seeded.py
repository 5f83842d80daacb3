"""Bugs that are put into a rule, to see whether a campaign finds them."""

import inspect
import textwrap
from pkgutil import resolve_name
from typing import Any


class Bug:
    """`told` is part of what the campaign must say of it; a piece is where, what stands there,
    and what the bug puts there."""

    def __init__(self, told: str, *pieces: tuple[str, str, str]):
        self.told = told
        self.pieces = pieces


def named(where: str) -> tuple[Any, Any]:
    """What holds a function, and the function: `module:function` or `module:Class.function`."""
    module, _, path = where.partition(":")
    holder = ":".join([module, path.rpartition(".")[0]]).rstrip(":")
    return resolve_name(holder), resolve_name(where)


def broken(function: Any, right: str, wrong: str) -> Any:
    """The function with one piece of it replaced; of a property, its getter."""
    if isinstance(function, property):
        function = function.fget  # its source makes a property again
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(right) == 1, f"{function.__name__} has changed; put the bug in anew"
    made: dict[str, Any] = {}
    exec(source.replace(right, wrong), inspect.unwrap(function).__globals__, made)
    return made[function.__name__]
