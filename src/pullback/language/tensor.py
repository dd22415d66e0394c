"""Symbols in Python: tensors whose operators and NumPy functions build expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NoReturn, Self

import numpy as np

from pullback.errors import PullbackError
from pullback.expressions import Node, Program, Size, SizeLike, Variable
from pullback.expressions import constructors as make
from pullback.expressions.walks import post_order, variables
from pullback.language import array_functions, broadcasting
from pullback.language.array_functions import REDUCTIONS, apply_record
from pullback.language.broadcasting import Axes, shape_as_tuple
from pullback.language.declarations import check_name, declare
from pullback.language.history import History, add_variable
from pullback.language.literals import check_literals, node_of_number
from pullback.notation.names import Names
from pullback.notation.write import write

_WRITTEN_OUT = 60  # operations that a repr still writes out


Operator = Callable[["Tensor", "TensorLike"], "Tensor"]


def _operators(function: Callable[[Node, Node], Node]) -> tuple[Operator, Operator]:
    """An operator and its reflection, for a number on the left."""

    def operator(self: Tensor, other: TensorLike) -> Tensor:
        return lift(function, self, other)

    def reflected(self: Tensor, other: TensorLike) -> Tensor:
        return lift(function, other, self)

    return operator, reflected


class Tensor:
    """An expression with Python's operators and NumPy's meaning of them.

    ``*`` goes entry by entry and broadcasts, ``@`` is the matrix product, ``**`` the power entry
    by entry. NumPy functions called on it build expressions too.

    >>> U, x = matrix("U", "m", "n"), vector("x", "n")
    >>> np.tanh(U @ x).shape
    (Size(m),)
    """

    __slots__ = ("history", "node")
    __array_priority__ = 1000.0

    def __init__(self, node: Node, history: History | None = None) -> None:
        self.node = node
        self.history = history

    @classmethod
    def from_program(cls, program: Program) -> Self:
        """The result of a program, with the names of its lines."""
        return cls(program.result, History(program.result, program=program))

    @property
    def shape(self) -> tuple[Size, ...]:
        return self.node.shape

    @property
    def ndim(self) -> int:
        return self.node.order

    @property
    def name(self) -> str:
        """The name of a variable or named line, else empty."""
        if isinstance(self.node, Variable):
            return self.node.name
        return self.history.name_of(self.node) if self.history else ""

    @property
    def T(self) -> Tensor:
        """The axes in reverse order."""
        return self._made(array_functions.transpose)

    @property
    def program(self) -> Program:
        return self.to_program()

    def to_program(self) -> Program:
        """The expression as a program: its variables, and the lines named on the way.

        Raises PullbackError where one name means two things.
        """
        if self.history is not None and self.history.program_of(self.node) is not None:
            return self.history.program_of(self.node)  # type: ignore[return-value]
        empty: Any = ({}, {}, set(), set())
        lines, given, rows, closed = self.history.collect() if self.history else empty
        for variable in variables(self.node):
            add_variable(given, variable)
        for name in lines:
            if name in given:
                raise PullbackError(f"'{name}' names a variable and an intermediate")
        below = set(post_order(self.node))
        kept = {name: node for name, node in lines.items() if node in below}
        result_name = next((name for name, node in lines.items() if node is self.node), "")
        return Program(
            result=self.node,
            variables=given,
            lines=kept,
            rows=frozenset(rows & {*given, *kept}),
            result_name=result_name,
            closed=frozenset(closed & set(kept)),
        )

    def named(self, name: str) -> Tensor:
        """The same tensor as a named line, which derivations and code will use.

        >>> x = vector("x", "n")
        >>> list((x * x).named("q").sum().to_program().lines)
        ['q']
        """
        check_name(name)
        return Tensor(self.node, History(self.node, name=name, parents=_parents([self])))

    def sum(self, axis: Axes = None, keepdims: bool = False) -> Tensor:
        return self._made(REDUCTIONS["sum"], axis=axis, keepdims=keepdims)

    def mean(self, axis: Axes = None, keepdims: bool = False) -> Tensor:
        return self._made(REDUCTIONS["mean"], axis=axis, keepdims=keepdims)

    def prod(self, axis: Axes = None, keepdims: bool = False) -> Tensor:
        return self._made(REDUCTIONS["prod"], axis=axis, keepdims=keepdims)

    def max(self, axis: Axes = None, keepdims: bool = False) -> Tensor:
        return self._made(REDUCTIONS["max"], axis=axis, keepdims=keepdims)

    def min(self, axis: Axes = None, keepdims: bool = False) -> Tensor:
        return self._made(REDUCTIONS["min"], axis=axis, keepdims=keepdims)

    def var(self, axis: Axes = None, keepdims: bool = False) -> Tensor:
        return self._made(REDUCTIONS["var"], axis=axis, keepdims=keepdims)

    def std(self, axis: Axes = None, keepdims: bool = False) -> Tensor:
        return self._made(REDUCTIONS["std"], axis=axis, keepdims=keepdims)

    def dot(self, other: TensorLike) -> Tensor:
        return lift(array_functions.dot, self, other)

    def trace(self) -> Tensor:
        return self._made(array_functions.trace)

    def diagonal(self) -> Tensor:
        return self._made(array_functions.diag)

    def transpose(self, *axes: Any) -> Tensor:
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return self._made(array_functions.transpose, axes=order or None)

    def _made(self, function: Callable[..., Node], **options: Any) -> Tensor:
        return Tensor(function(self.node, **options), self.history)

    # operators

    __add__, __radd__ = _operators(broadcasting.plus)
    __sub__, __rsub__ = _operators(broadcasting.minus)
    __mul__, __rmul__ = _operators(broadcasting.multiply)
    __truediv__, __rtruediv__ = _operators(broadcasting.divide)
    __pow__, __rpow__ = _operators(broadcasting.power)
    __matmul__, __rmatmul__ = _operators(broadcasting.matmul)

    def __neg__(self) -> Tensor:
        return self._made(make.negate)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Tensor:
        return lift(lambda node: apply_record("abs", node), self)

    # what a symbol is not

    def __bool__(self) -> NoReturn:
        raise PullbackError(
            "a symbol has no truth value: its numbers are known only when code is called",
            hint="no if, and, or, not, while on symbols; relu and abs choose entry by entry",
        )

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Tensor) and other.node is self.node:
            return True  # the same expression; so symbols can be keys and members
        return self._no_comparison(other)

    def __hash__(self) -> int:
        return hash(self.node)

    def _no_comparison(self, _other: object) -> NoReturn:
        raise PullbackError(
            "symbols are not compared: their numbers are known only when code is called",
            hint="a.node is b.node tells whether two expressions are the same",
        )

    __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _no_comparison

    def __getitem__(self, key: object) -> NoReturn:
        raise PullbackError(
            "slices and entries of symbols are not supported",
            hint="make the parts variables of their own, or select by einsum",
        )

    def __iter__(self) -> Iterator[Any]:
        raise PullbackError("a symbol cannot be iterated: its sizes are symbolic")

    def __len__(self) -> int:
        if not self.shape or self.shape[0].constant is None:
            raise PullbackError(f"len() of a symbol of shape {shape_as_tuple(self.shape)}")
        return self.shape[0].constant

    def __float__(self) -> NoReturn:
        raise PullbackError("a symbol is no number; compile it and call the code")

    __int__ = __index__ = __complex__ = __float__

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise PullbackError("a symbol is no array; compile it and call the code")

    # NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        function = array_functions.ufunc(ufunc.__name__)
        called = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
        if function is None or method != "__call__":
            raise PullbackError(f"{called} has no meaning for symbols")
        if options:
            raise PullbackError(f"{called} on symbols takes no {', '.join(options)}")
        return lift(function, *inputs)

    def __array_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        module = func.__module__.removeprefix("numpy").lstrip(".")
        name = f"{module}.{func.__name__}" if module else func.__name__
        if name in ("shape", "ndim"):
            return getattr(args[0], name)
        function = array_functions.FUNCTIONS.get(name)
        if function is None:
            raise PullbackError(f"np.{name} has no meaning for symbols")
        try:
            return lift(function, *args, **kwargs)
        except TypeError as error:
            raise PullbackError(f"np.{name} on symbols: {error}") from None

    # how it shows

    def __repr__(self) -> str:
        return f"<Tensor {shape_as_tuple(self.shape)}: {self._written('text')}>"

    def _repr_latex_(self) -> str:
        return f"${self._written('latex')}$"

    def _written(self, style: str) -> str:
        count = len(post_order(self.node))
        if count > _WRITTEN_OUT:
            return rf"\text{{{count} operations}}" if style == "latex" else f"{count} operations"
        return write(self.node, Names.of(self.to_program()), style=style)


TensorLike = Tensor | int | float | Fraction


def as_node(value: Any) -> Node:
    """A tensor or number as a node."""
    return value.node if isinstance(value, Tensor) else node_of_number(value)


def lift(function: Callable[..., Node], *arguments: Any, **options: Any) -> Tensor:
    """A function of nodes applied to tensors and numbers; texts and axes pass as they are."""
    tensors = [a for a in arguments if isinstance(a, Tensor)]
    first = function in _LEADING_TEXT
    rest = arguments[1:] if first else arguments
    options = {n: o.node if isinstance(o, Tensor) else o for n, o in options.items()}
    if function in _AXES_BY_POSITION:
        nodes = [as_node(rest[0]), *rest[1:]]
    else:
        nodes = [as_node(a) for a in rest]
    result = function(*arguments[: int(first)], *nodes, **options)
    check_literals(result, [node for node in nodes if isinstance(node, Node)])
    parents = _parents(tensors)
    if len(parents) == 1:
        return Tensor(result, parents[0])
    return Tensor(result, History(result, parents=parents) if parents else None)


_LEADING_TEXT = frozenset({array_functions.einsum})
_AXES_BY_POSITION = frozenset(
    {
        *REDUCTIONS.values(),
        array_functions.transpose,
        array_functions.swapaxes,
        array_functions.norm,
    }
)


def _parents(tensors: Iterable[Tensor]) -> tuple[History, ...]:
    return tuple(dict.fromkeys(t.history for t in tensors if t.history is not None))


# variables


def tensor(name: str, *sizes: SizeLike, assume: str | Iterable[str] = ()) -> Tensor:
    """A variable with any number of axes: one size each, a name, a number or a polynomial of these.

    ``assume`` says what holds for it, as in ``"symmetric"``. Raises PullbackError for what is
    no name, no size or no assumption, and for an assumption that the shape contradicts.

    >>> tensor("T", "a", "b", 3).shape
    (Size(a), Size(b), Size(3))
    """
    check_name(name)
    shape, assumptions = declare(name, sizes, assume)
    node = make.variable(name, shape, assumptions)
    return Tensor(node, History(node))


def scalar(name: str, *, assume: str | Iterable[str] = ()) -> Tensor:
    """A variable without axes. Raises what :func:`tensor` raises.

    >>> scalar("s")
    <Tensor (): s>
    """
    return tensor(name, assume=assume)


def vector(name: str, size: SizeLike, *, assume: str | Iterable[str] = ()) -> Tensor:
    """A variable with one axis. Raises what :func:`tensor` raises.

    >>> vector("x", "n")
    <Tensor (n,): x>
    """
    return tensor(name, size, assume=assume)


def matrix(
    name: str, rows: SizeLike, columns: SizeLike, *, assume: str | Iterable[str] = ()
) -> Tensor:
    """A variable with two axes, also where one has size 1. Raises what :func:`tensor` raises.

    >>> matrix("A", "n", "n", assume="symmetric").T
    <Tensor (n, n): A>
    """
    return tensor(name, rows, columns, assume=assume)


def dims(names: str) -> Any:
    """Symbolic sizes by their names: one size for one name, else a tuple.

    >>> m, n = dims("m n")
    >>> vector("x", m + n).shape
    (Size(m + n),)
    """
    found = names.replace(",", " ").split()
    for name in found:
        check_name(name)
    if not found:
        raise PullbackError("dims needs names, as in dims('m n')")
    sizes = tuple(Size.of(name) for name in found)
    return sizes[0] if len(sizes) == 1 else sizes
