"""A catalogue function's own code text as instructions, read through Python's grammar."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from functools import cache

from pullback.compilation.arrays import Arrays
from pullback.compilation.contraction import LETTERS
from pullback.compilation.ir import Literal, Register, View, whole
from pullback.expressions.constructors import exact_number
from pullback.expressions.nodes import Apply
from pullback.expressions.sizes import Shape, Size
from pullback.functions.matrices import SYMMETRISED
from pullback.functions.record import Function
from pullback.simplification.canonical import parity
from pullback.simplification.definite import positive_definite

ELEMENTWISE = frozenset(
    [
        "exp",
        "expm1",
        "exp2",
        "log",
        "log1p",
        "log2",
        "log10",
        "sqrt",
        "cbrt",
        "abs",
        "sign",
        "sin",
        "cos",
        "tan",
        "arcsin",
        "arccos",
        "arctan",
        "arctan2",
        "sinh",
        "cosh",
        "tanh",
        "arcsinh",
        "arccosh",
        "arctanh",
        "maximum",
        "minimum",
        "hypot",
        "logaddexp",
        "square",
        "reciprocal",
        "floor",
        "ceil",
        "negative",
        "where",
        "power",
    ]
)
SPECIAL = frozenset({"erf", "erfc", "gamma", "gammaln", "digamma", "zeta"})  # of SciPy
OF_A_MATRIX = {  # the axes of the argument that the result has
    "linalg.inv": (-2, -1),
    "linalg.det": (),
    "linalg.pinv": (-1, -2),
    "linalg.cholesky": (-2, -1),
    "linalg.eigvalsh": (-1,),
    "sl.expm": (-2, -1),
}
REDUCTIONS = frozenset({"sum", "max", "min", "prod"})
# what is written for a function of a positive definite matrix, by its Cholesky factor
_BY_CHOLESKY = "2 * xp.sum(xp.log(xp.diagonal(xp.linalg.cholesky({0}), 0, -2, -1)), axis=-1)"
OF_POSITIVE_DEFINITE = {"logdet": _BY_CHOLESKY, "logabsdet": _BY_CHOLESKY}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
}


class Unreadable(Exception):
    """The text holds something that has no instruction of its own."""


@cache
def _statements(code: str, arguments: int) -> list[ast.stmt]:
    names = [f"_{k}" for k in range(arguments)]
    return ast.parse(code.format(*names)).body


def lower_call(arrays: Arrays, record: Function, node: Apply, arguments: list[View]) -> View:
    """The value of a function of the catalogue at views of its arguments.

    A text with something that has no instruction of its own is called as a function of its own.
    """
    arguments = [
        arrays.dense(view, child.shape)
        for view, child in zip(arguments, node.arguments, strict=True)
    ]
    if record.name == "power":
        return arrays.power(*arguments)
    if not record.elementwise:
        arguments = [
            _with_core(arrays, view, child.shape, len(core))
            for view, child, core in zip(
                arguments, node.arguments, record.signature.arguments, strict=True
            )
        ]
    reader = _Reader(arrays, arguments, node.shape)
    try:
        return reader.run(_statements(_code(record, node), len(arguments)))
    except Unreadable:
        full = [
            arrays.full(view, child.shape)
            for view, child in zip(arguments, node.arguments, strict=True)
        ]
        return whole(arrays.emit("helper", record.name, full, node.shape, (record.code,)))


def _code(record: Function, node: Apply) -> str:
    """The text of a record, shorter where its matrix is known to be symmetric or posdef."""
    code = record.code
    if record.name in OF_POSITIVE_DEFINITE and positive_definite(node.arguments[0]):
        return OF_POSITIVE_DEFINITE[record.name]
    if SYMMETRISED in code and parity(node.arguments[0]) == 1:
        return code.replace(SYMMETRISED, "{0}")
    return code


def _with_core(arrays: Arrays, view: View, shape: Shape, core: int) -> View:
    """The view with its last axes real and in order, as functions of whole arrays want them."""
    last = view.axes[len(view.axes) - core :]
    return arrays.full(view, shape) if None in last else view


class _Reader:
    """Walks the statements of one text; its values are views, its tuples lists of them."""

    def __init__(self, arrays: Arrays, arguments: list[View], shape: Shape) -> None:
        self.arrays = arrays
        self.names: dict[str, View] = {f"_{k}": view for k, view in enumerate(arguments)}
        self.shape = shape

    def run(self, statements: list[ast.stmt]) -> View:
        *before, last = statements
        for statement in before:
            if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
                raise Unreadable
            target = statement.targets[0]
            if isinstance(target, ast.Name):
                self.names[target.id] = self.value(statement.value)
            elif isinstance(target, ast.Tuple):
                self._unpack(target, statement.value)
            else:
                raise Unreadable
        if not isinstance(last, ast.Expr):
            raise Unreadable
        return self.value(last.value)

    def value(self, tree: ast.expr) -> View:
        arrays = self.arrays
        match tree:
            case ast.Constant(value=int() | float() as number):
                return View(Literal(exact_number(number)))
            case ast.Name(id=name) if name in self.names:
                return self.names[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return arrays.negative(self.value(operand))
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(op)(self.value(left), self.value(right))
            case ast.Attribute() if _dotted(tree) == "pi":
                return View(Literal(exact_number(math.pi)))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._compare(_COMPARE[type(op)], self.value(left), self.value(right))
            case ast.Subscript(value=inner, slice=index):
                return self._subscript(self.value(inner), index)
            case ast.Call(func=function, args=arguments, keywords=keywords):
                return self._call(_dotted(function), arguments, keywords)
        raise Unreadable

    def _compare(self, name: str, left: View, right: View) -> View:
        """A comparison; that a condition made of a comparison is not 0 is the comparison."""
        made = self.arrays.definition(left, "map", "where")
        if made is not None and name == "not_equal" and right.source == Literal(0):
            condition, *branches = made.operands
            if [b.source for b in branches] == [Literal(1), Literal(0)] and condition.plain:
                return View(condition.source, left.axes)
        return self.arrays.map(name, left, right)

    def _binary(self, op: ast.operator) -> Callable[[View, View], View]:
        arrays = self.arrays
        match op:
            case ast.Add():
                return arrays.add
            case ast.Sub():
                return arrays.subtract
            case ast.Mult():
                return arrays.multiply
            case ast.Div():
                return arrays.divide
            case ast.Pow():
                return arrays.power
        raise Unreadable

    def _subscript(self, view: View, index: ast.expr) -> View:
        """``[..., 0]`` on an axis that a reduction kept."""
        match index:
            case ast.Tuple(elts=[ast.Constant(value=v), ast.Constant(value=0)]) if v is Ellipsis:
                if view.axes and view.axes[-1] is None:
                    return View(view.source, view.axes[:-1])
        raise Unreadable

    def _call(self, name: str, arguments: list[ast.expr], keywords: list[ast.keyword]) -> View:
        known = name in ELEMENTWISE or name.removeprefix("special.") in SPECIAL
        if known and not keywords:
            return self.arrays.map(name, *map(self.value, arguments))
        if name in REDUCTIONS and len(arguments) == 1:
            options = {k.arg: k.value for k in keywords}
            keep = options.pop("keepdims", ast.Constant(value=False))
            view = self.value(arguments[0])
            axes = _axes(options.pop("axis", None), len(view.axes))
            if options or any(view.axes[k] is None for k in axes):
                raise Unreadable
            return self.arrays.reduce(name, view, axes, keepdims=ast.literal_eval(keep))
        if name == "swapaxes" and [ast.literal_eval(a) for a in arguments[1:]] == [-1, -2]:
            view = self.value(arguments[0])
            return View(view.source, (*view.axes[:-2], view.axes[-1], view.axes[-2]))
        if name == "diagonal" and [ast.literal_eval(a) for a in arguments[1:]] == [0, -2, -1]:
            return self._diagonal(self._matrix(arguments[0]))
        if name == "tril":
            return self._lower(self._matrix(arguments[0]), *map(ast.literal_eval, arguments[1:]))
        if name in OF_A_MATRIX and len(arguments) == 1 and not keywords:
            inner = self._matrix(arguments[0])
            shape = self._shape_of(inner)
            core = tuple([shape[axis] for axis in OF_A_MATRIX[name]])
            return whole(self.arrays.emit("call", name, [inner], shape[:-2] + core))
        raise Unreadable

    def _lower(self, view: View, offset: int = 0) -> View:
        """The entries on and below the diagonal j = i + offset, times a mask of 0 and 1."""
        relation = (Size.of(1), Size.of(-1)), Size.of(offset)
        shape = self._shape_of(view)[-2:]
        mask = self.arrays.emit("indicator", ">=", [], shape, relation)
        return self.arrays.multiply(view, whole(mask))

    def _diagonal(self, view: View) -> View:
        shape = self._shape_of(view)
        letters = LETTERS[: len(shape) - 1]
        subscripts = f"{letters}{letters[-1]}->{letters}"
        return whole(self.arrays.emit("einsum", subscripts, [view], shape[:-1]))

    def _unpack(self, target: ast.Tuple, tree: ast.expr) -> None:
        match tree:
            case ast.Call(func=function, args=[argument], keywords=[]):
                name = _dotted(function)
            case _:
                raise Unreadable
        if name != "linalg.slogdet":
            raise Unreadable
        inner = self._matrix(argument)
        shape = self._shape_of(inner)[:-2]
        both = self.arrays.emit("call", name, [inner], shape, kind="tuple")
        for position, part in enumerate(target.elts):
            assert isinstance(part, ast.Name)
            item = self.arrays.emit("item", "", [whole(both)], shape, (position,))
            self.names[part.id] = whole(item)

    def _matrix(self, tree: ast.expr) -> View:
        view = self.value(tree)
        if None in view.axes:
            raise Unreadable
        return view

    def _shape_of(self, view: View) -> Shape:
        assert isinstance(view.source, Register)
        return tuple([view.source.shape[a] for a in view.axes if a is not None])


def _dotted(function: ast.expr) -> str:
    """``xp.linalg.inv`` as "linalg.inv", ``sp.erf`` as "special.erf", ``sl.expm`` as it stands."""
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if not isinstance(function, ast.Name) or function.id not in ("xp", "sp", "sl"):
        raise Unreadable
    if function.id != "xp":
        parts.append({"sp": "special"}.get(function.id, function.id))
    return ".".join(reversed(parts))


def _axes(tree: ast.expr | None, order: int) -> list[int]:
    if tree is None:
        return list(range(order))
    value = ast.literal_eval(tree)
    return sorted(k % order for k in (value if isinstance(value, tuple) else (value,)))
