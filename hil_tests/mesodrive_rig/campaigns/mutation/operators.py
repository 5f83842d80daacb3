"""The bugs that can be made of a module's source, one small change each.

Not changed: what people read (sentences, and what is formatted into them), annotations,
decorators, assertions, and what `__init__` sets up, which nothing could run without.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_WORKED_OUT: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
_CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}
_PASSED_BY = {"annotation", "returns", "decorator_list", "type_params"}


@dataclass
class Mutant:
    """One change: `parent.field`, or its element `index`, becomes `node`."""

    module: str
    scope: str  # the function or class around it, "" in the module itself
    owner: str | None  # the outermost function, whose code can be put in place of the old
    lines: tuple[int, int]  # that run it
    was: str
    becomes: str
    parent: ast.AST
    field: str
    index: int | None
    node: Any
    number: int = 0  # in its module

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names it as long as its line stays as it is."""
        return self.module, self.scope, self.was, self.becomes

    def swap(self) -> None:
        """Put the change in, or take it out again."""
        if self.index is None:
            now = getattr(self.parent, self.field)
            setattr(self.parent, self.field, self.node)
        else:
            held = getattr(self.parent, self.field)
            now, held[self.index] = held[self.index], self.node
        self.node = now


@dataclass(frozen=True)
class _Place:
    scope: str
    owner: str | None
    lines: tuple[int, int]
    line: str  # the first of the statement, as a person finds it
    setting_up: bool = False


def mutants(module: str, source: str, tree: ast.Module) -> list[Mutant]:
    """All of `tree`, which was parsed from `source`; each once."""
    found: dict[tuple[int, str, int | None, str], Mutant] = {}
    walk = _Walk(module, source.splitlines())
    for mutant in walk.within(tree, _Place("", None, (1, 1), "")):
        place = (id(mutant.parent), mutant.field, mutant.index, mutant.becomes)
        found.setdefault(place, mutant)
    for number, mutant in enumerate(found.values()):
        mutant.number = number
    return list(found.values())


class _Walk:
    def __init__(self, module: str, source: list[str]):
        self._module = module
        self._source = source

    def within(self, parent: ast.AST, place: _Place) -> Iterator[Mutant]:
        for field, value in ast.iter_fields(parent):
            if field in _PASSED_BY:
                continue
            if isinstance(value, list):
                for index, node in enumerate(value):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
                    if isinstance(node, ast.AST):
                        yield from self._at(node, parent, field, index, place)
            elif isinstance(value, ast.AST):
                yield from self._at(value, parent, field, None, place)

    def _at(
        self, node: ast.AST, parent: ast.AST, field: str, index: int | None, place: _Place
    ) -> Iterator[Mutant]:
        if _is_for_people(node) or isinstance(node, (ast.Assert, ast.Import, ast.ImportFrom)):
            return
        if isinstance(node, ast.stmt):
            place = self._statement(node, place)
        for change in _changes(node, parent, field, place):
            yield Mutant(
                self._module,
                place.scope,
                place.owner,
                place.lines,
                place.line,
                _shown(node, change),
                parent,
                field,
                index,
                change,
            )
        if isinstance(node, ast.FunctionDef):
            # Defaults are worked out where the function is made.
            yield from self.within(node.args, place)
            scope = f"{place.scope}.{node.name}".lstrip(".")
            owner = place.owner or scope
            inner = _Place(scope, owner, place.lines, place.line, node.name == "__init__")
            for number, statement in enumerate(node.body):
                yield from self._at(statement, node, "body", number, inner)
            return
        if isinstance(node, ast.ClassDef):
            place = _Place(f"{place.scope}.{node.name}".lstrip("."), None, place.lines, place.line)
        yield from self.within(node, place)

    def _statement(self, node: ast.stmt, place: _Place) -> _Place:
        last = node.end_lineno or node.lineno
        body: Any = getattr(node, "body", None)
        if body:
            last = max(node.lineno, body[0].lineno - 1)
        line = self._source[node.lineno - 1].strip()
        lines = (node.lineno, last)
        return _Place(place.scope, place.owner, lines, line, place.setting_up)


def _is_for_people(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return isinstance(node.left, ast.Constant) and isinstance(node.left.value, str)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _shown(node: Any, change: ast.AST) -> str:
    if isinstance(change, ast.Pass):
        return "pass"
    if isinstance(change, (ast.Tuple, ast.List, ast.Set)) and type(change) is type(node):
        return f"without {ast.unparse(_missing(node.elts, change.elts))}"
    if isinstance(change, ast.Dict) and isinstance(node, ast.Dict):
        missing = _missing(node.keys, change.keys)
        return f"without {ast.unparse(missing) if missing else '**'}"
    return f"{ast.unparse(node)} → {ast.unparse(change)}"


def _missing(values: list[Any], rest: list[Any]) -> Any:
    return next(
        (one for one, left in zip(values, rest, strict=False) if one is not left), values[-1]
    )


def _changes(node: ast.AST, parent: ast.AST, field: str, place: _Place) -> Iterator[Any]:
    if isinstance(node, ast.stmt):
        yield from _less(node, place)
    elif isinstance(node, ast.Constant):
        yield from _other_constants(node, parent)
    elif isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in _CALLED:
            other = ast.Name(_CALLED[name], ast.Load())
            yield ast.Call(other, node.args, node.keywords)
    elif isinstance(node, (ast.Tuple, ast.List, ast.Set, ast.Dict)):
        yield from _shorter(node, place)
    elif isinstance(node, ast.expr):
        yield from _other_operators(node)
    if isinstance(node, ast.expr) and _decides(node, parent, field):
        yield ast.UnaryOp(ast.Not(), node)


def _decides(node: ast.expr, parent: ast.AST, field: str) -> bool:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return False  # its operator is turned round anyway
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return False
    if field == "test":
        return isinstance(parent, (ast.If, ast.While, ast.IfExp))
    return field == "ifs"


def _less(node: ast.stmt, place: _Place) -> Iterator[ast.stmt]:
    """Without what the statement does."""
    if isinstance(node, ast.Return):
        value = node.value
        if value is not None and not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
    elif isinstance(
        node, (ast.Raise, ast.Continue, ast.Break, ast.AugAssign, ast.Delete, ast.Expr)
    ):
        if not place.setting_up or not isinstance(node, ast.Expr):
            yield ast.Pass()
    elif (
        isinstance(node, ast.Assign)
        and place.owner
        and not place.setting_up
        and any(isinstance(target, (ast.Attribute, ast.Subscript)) for target in node.targets)
    ):
        yield ast.Pass()
    if isinstance(node, ast.AugAssign) and type(node.op) in _WORKED_OUT:
        yield ast.AugAssign(node.target, _WORKED_OUT[type(node.op)](), node.value)


def _other_constants(node: ast.Constant, parent: ast.AST) -> Iterator[ast.Constant]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int) and not isinstance(parent, ast.UnaryOp):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)


def _shorter(node: ast.Tuple | ast.List | ast.Set | ast.Dict, place: _Place) -> Iterator[ast.expr]:
    """Without one element: of tables, and of names that are listed in the midst of code."""
    if isinstance(node, ast.Dict):
        if place.owner is None and len(node.keys) > 1:
            for n in range(len(node.keys)):
                yield ast.Dict(_without(node.keys, n), _without(node.values, n))
        return
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return  # names that are set
    names = all(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in node.elts)
    if len(node.elts) < 2 or (place.owner is not None and not names) or "__all__" in place.line:
        return
    for n in range(len(node.elts)):
        rest = _without(node.elts, n)
        if isinstance(node, ast.Set):
            yield ast.Set(rest)
        else:
            yield type(node)(rest, ast.Load())


def _without(values: list[Any], n: int) -> list[Any]:
    return values[:n] + values[n + 1 :]


def _other_operators(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Compare):
        for n, op in enumerate(node.ops):
            for other in _COMPARED[type(op)]:
                ops = [*node.ops[:n], other(), *node.ops[n + 1 :]]
                yield ast.Compare(node.left, ops, node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        for n in range(len(node.values)):
            rest = _without(node.values, n)
            yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in _WORKED_OUT:
        yield ast.BinOp(node.left, _WORKED_OUT[type(node.op)](), node.right)
