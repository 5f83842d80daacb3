"""Puts a bug into modules that are loaded, or that are loaded from now on."""

import ast
import importlib.machinery
import sys
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from mesodrive_rig.campaigns.mutation.modules import Module
from mesodrive_rig.campaigns.mutation.operators import Mutant
from mesodrive_rig.emulated.rig import ROOT

_OURS = (str(ROOT / "firmware"), str(ROOT / "boards"), str(ROOT / "hil_tests" / "test_"))


class UnlikeError(Exception):
    """What is loaded cannot take the change; the module must be loaded anew."""


def compiled(module: Module, mutant: Mutant) -> CodeType:
    """The module's code with the bug in it; the tree is as before."""
    mutant.swap()
    try:
        tree: Any = ast.fix_missing_locations(module.tree)
        return compile(tree, str(module.path), "exec")
    finally:
        mutant.swap()


def put_in_place(module: Module, mutant: Mutant) -> None:
    """Give the loaded function the changed code, or its module the changed constants of its own.
    Whoever has imported the function has the bug too."""
    if mutant.owner is None:
        _put_constants_in_place(module, mutant)
        return
    code = _code_of(compiled(module, mutant), mutant.owner)
    found = False
    for loaded in list(sys.modules.values()):
        if getattr(loaded, "__file__", None) == str(module.path):
            for function in _functions(loaded, mutant.owner):
                try:
                    function.__code__ = code
                except ValueError as error:
                    raise UnlikeError from error
                found = True
    if not found:
        raise UnlikeError


def _put_constants_in_place(module: Module, mutant: Mutant) -> None:
    """Nobody else has taken what begins with an underscore. What else differs, others may have
    worked something out from when they were loaded."""
    code = compiled(module, mutant)
    found = False
    for loaded in list(sys.modules.values()):
        if getattr(loaded, "__file__", None) == str(module.path):
            made: dict[str, Any] = {"__name__": loaded.__name__, "__file__": str(module.path)}
            exec(code, made)
            changed = {
                name: value
                for name, value in made.items()
                if not name.startswith("__")
                and not isinstance(value, (FunctionType, ModuleType, type))
                and value != loaded.__dict__.get(name)
            }
            if not changed or not all(name.startswith("_") for name in changed):
                raise UnlikeError
            loaded.__dict__.update(changed)
            found = True
    if not found:
        raise UnlikeError


def load_from_now_on(module: Module, mutant: Mutant) -> None:
    """Forget whatever may have been imported, and import the module with the bug."""
    code = compiled(module, mutant)
    for name, loaded in list(sys.modules.items()):
        if str(getattr(loaded, "__file__", None) or "").startswith(_OURS):
            del sys.modules[name]
    loader: Any = importlib.machinery.SourceFileLoader
    usual = loader.get_code

    def get_code(self: Any, fullname: str) -> CodeType:
        if Path(self.path) == module.path:
            return code
        return usual(self, fullname)

    loader.get_code = get_code


def _code_of(code: CodeType, owner: str) -> CodeType:
    for part in owner.split("."):
        code = next(
            one for one in code.co_consts if isinstance(one, CodeType) and one.co_name == part
        )
    return code


def _functions(loaded: ModuleType, owner: str) -> list[FunctionType]:
    *classes, name = owner.split(".")
    holder: Any = loaded
    for part in classes:
        holder = holder.__dict__[part]
    found: Any = holder.__dict__.get(name)
    if isinstance(found, property):
        return [one for one in (found.fget, found.fset) if isinstance(one, FunctionType)]
    found = getattr(found, "__func__", found)  # of a static method
    return [found] if isinstance(found, FunctionType) else []
