"""Symbols in Python: tensors whose operators and NumPy functions build expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NoReturn, Self

import numpy as np

from pullback.errors import PullbackError
from pullback.expressions import Node, Program, Size, Variable
from pullback.expressions import constructors as make
from pullback.expressions.walks import post_order
from pullback.language import array_functions, broadcasting
from pullback.language.applying import ALL, LIST, TEXT, apply_record
from pullback.language.broadcasting import shape_as_tuple
from pullback.language.callers import place_called
from pullback.language.declarations import check_name
from pullback.language.history import History, program_of
from pullback.language.instead import instead_of
from pullback.language.literals import check_literals, node_of_number
from pullback.language.several import SEVERAL
from pullback.language.subscripts import subscripted
from pullback.language.tensor_methods import ArrayMethods
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


def _comparison(name: str) -> Operator:
    def compared(self: Tensor, other: TensorLike) -> Tensor:
        return lift(lambda *nodes: apply_record(name, *nodes), self, other)

    return compared


class Tensor(ArrayMethods):
    """An expression with Python's operators and NumPy's meaning of them.

    ``*`` goes entry by entry and broadcasts, ``@`` is the matrix product, ``**`` the power entry
    by entry, ``x[1:]`` and its like take entries, counted from 0. NumPy functions called on it
    build expressions too. ``<`` and ``>`` are 1 where they hold, else 0, for ``where``.

    >>> U, x = Tensor(make.variable("U", ["m", "n"])), Tensor(make.variable("x", ["n"]))
    >>> np.tanh(U @ x).shape, x[1:].shape
    ((Size(m),), (Size(n - 1),))
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
    def shape(self) -> tuple[Dim, ...]:
        return tuple([Dim(size.terms) for size in self.node.shape])

    @property
    def size(self) -> Dim:
        """The number of entries."""
        total = Dim(Size.of(1).terms)
        for size in self.shape:
            total = total * size
        return total

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
    def program(self) -> Program:
        return self.to_program()

    def to_program(self) -> Program:
        """The expression as a program: its variables, and the lines named on the way.

        Raises PullbackError where one name means two things.
        """
        return program_of(self.node, self.history)

    def named(self, name: str) -> Tensor:
        """The same tensor as a named line, which derivations and code will use.

        >>> x = Tensor(make.variable("x", ["n"]))
        >>> list((x * x).named("q").sum().to_program().lines)
        ['q']
        """
        check_name(name)
        return Tensor(self.node, History(self.node, name=name, parents=_parents([self])))

    def dot(self, other: TensorLike) -> Tensor:
        return lift(array_functions.dot, self, other)

    def _made(self, function: Callable[..., Node], *stated: Any, **options: Any) -> Self:
        try:
            return type(self)(function(self.node, *stated, **options), self.history)
        except PullbackError as error:
            raise error.at(place_called()) from None

    # operators

    __add__, __radd__ = _operators(broadcasting.plus)
    __sub__, __rsub__ = _operators(broadcasting.minus)
    __mul__, __rmul__ = _operators(broadcasting.multiply)
    __truediv__, __rtruediv__ = _operators(broadcasting.divide)
    __pow__, __rpow__ = _operators(broadcasting.power)
    __matmul__, __rmatmul__ = _operators(broadcasting.matmul)
    __lt__, __le__ = _comparison("less"), _comparison("less_equal")
    __gt__, __ge__ = _comparison("greater"), _comparison("greater_equal")

    def __neg__(self) -> Tensor:
        return self._made(make.negate)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Tensor:
        return lift(lambda node: apply_record("abs", node), self)

    def __getitem__(self, key: Any) -> Tensor:
        parts = key if isinstance(key, tuple) else (key,)
        return self._made(subscripted, tuple([getattr(p, "node", p) for p in parts]))

    def __len__(self) -> int:
        if not self.node.order:
            raise _refusal("a scalar has no length")
        return int(self.shape[0])

    def __iter__(self) -> Iterator[Tensor]:
        """The entries along the first axis, if its size is a number."""
        if not self.node.order:
            raise _refusal("a scalar has no entries to go over")
        if self.node.shape[0].constant is None:
            message = f"a loop over an axis of size {self.node.shape[0]}, which is no number"
            hint = "pb.sum and pb.einsum add up over an axis; a loop needs a fixed size, as in pb.vector('x', 3)"
            raise _refusal(message, hint)
        return iter([self[k] for k in range(len(self))])

    # what a symbol is not

    def __bool__(self) -> NoReturn:
        raise _refusal(
            "a symbol has no truth value: its numbers are known only when code is called",
            "no if, while, and, or, not on symbols: pb.where(condition, a, b) chooses entry by entry",
        )

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Tensor) and other.node is self.node:
            return True  # the same expression; so symbols can be keys and members
        return self._no_comparison(other)

    def __hash__(self) -> int:
        return hash(self.node)

    def _no_comparison(self, _other: object) -> NoReturn:
        raise _refusal(
            "symbols are not compared by == and !=: their numbers are known only when code is called",
            "np.equal(a, b) goes entry by entry; a.node is b.node tells whether two expressions are the same",
        )

    __ne__ = _no_comparison

    def __setitem__(self, key: object, value: object) -> NoReturn:
        raise _refusal(
            "entries of a symbol cannot be assigned: it stands for a formula, not for memory",
            "build the whole, as pb.concatenate([a, x[1:]]) or pb.where(condition, a, x)",
        )

    def __float__(self) -> NoReturn:
        raise _refusal("a symbol is no number; compile it and call the code")

    __int__ = __index__ = __complex__ = __float__

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise _refusal("a symbol is no array; compile it and call the code")

    # NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return _of_ufunc(ufunc, method, inputs, options)

    def __array_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        module = func.__module__.removeprefix("numpy").lstrip(".")
        name = f"{module}.{func.__name__}" if module else func.__name__
        if name in ("shape", "ndim", "size"):
            return getattr(args[0], name)
        if name in SEVERAL:
            holder, parts = SEVERAL[name]
            return holder(*[lift(part, *args, **kwargs) for part in parts])
        function = array_functions.FUNCTIONS.get(name)
        if function is None:
            raise _refusal(f"np.{name} has no meaning for symbols", instead_of(name))
        try:
            return lift(function.call, *args, values=function.values, **kwargs)
        except TypeError as error:
            raise _refusal(f"np.{name} on symbols: {error}") from None

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


class Dim(Size):
    """A size as Python code has it: with whole numbers it stays one, else it is a number.

    >>> n = Dim(Size.of("n").terms)
    >>> n - 1, (1 / n).shape, np.sqrt(n).shape
    (Size(n - 1), (), ())
    """

    __slots__ = ()

    def __add__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a + b, broadcasting.plus)

    def __sub__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a - b, broadcasting.minus)

    def __rsub__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: b - a, lambda a, b: broadcasting.minus(b, a))

    def __mul__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a * b, broadcasting.multiply)

    __radd__, __rmul__ = __add__, __mul__

    def _with(
        self, other: Any, exact: Callable[[Size, Size], Size], lifted: Callable[..., Node]
    ) -> Any:
        if isinstance(other, int | np.integer | Size) and not isinstance(other, bool):
            number = Size(other.terms) if isinstance(other, Size) else Size.of(int(other))
            return Dim(exact(Size(self.terms), number).terms)
        return lift(lifted, self, other)

    def __truediv__(self, other: Any) -> Tensor:
        return lift(broadcasting.divide, self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return lift(broadcasting.divide, other, self)

    def __pow__(self, other: Any) -> Any:
        if isinstance(other, int) and 0 <= other <= 64:
            power = Size.of(1)
            for _ in range(other):
                power = power * self
            return Dim(power.terms)
        return lift(broadcasting.power, self, other)

    def __floordiv__(self, other: Any) -> Dim:
        found = self.floor(other) if isinstance(other, int) and other > 0 else None
        if found is None:
            raise _refusal(f"{self} // {other} is no polynomial in sizes", "name the part: n = 2*k")
        return Dim(found.terms)

    def __int__(self) -> int:
        if self.constant is None:
            hint = "fix it, as in pb.vector('x', 3), or write pb.sum, pb.einsum, pb.eye(n), pb.full(1, n)"
            raise _refusal(f"the size {self} is no number here", hint)
        return self.constant

    __index__ = __int__

    def __lt__(self, other: Any) -> bool:
        return int(self) < int(other)

    def __le__(self, other: Any) -> bool:
        return int(self) <= int(other)

    def __gt__(self, other: Any) -> bool:
        return int(self) > int(other)

    def __ge__(self, other: Any) -> bool:
        return int(self) >= int(other)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return _of_ufunc(ufunc, method, inputs, options)


TensorLike = Tensor | Size | int | float | Fraction


def _refusal(message: str, hint: str = "") -> PullbackError:
    return PullbackError(message, place_called(), hint)


def _of_ufunc(
    ufunc: np.ufunc, method: str, inputs: Sequence[Any], options: Mapping[str, Any]
) -> Tensor:
    function = array_functions.ufunc(ufunc.__name__)
    called = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
    if function is None or method != "__call__":
        raise _refusal(f"{called} has no meaning for symbols", instead_of(ufunc.__name__))
    if options:
        raise _refusal(f"{called} on symbols takes no {', '.join(options)}")
    return lift(function, *inputs)


def as_node(value: Any) -> Node:
    """A tensor or number as a node."""
    return value.node if isinstance(value, Tensor) else node_of_number(value)


def lift(
    function: Callable[..., Node], *arguments: Any, values: int = ALL, **options: Any
) -> Tensor:
    """A function of nodes applied to tensors and numbers; what is no value passes as it is.

    ``values`` is how many arguments are values, as in an ``ArrayFunction``.
    """
    tensors: list[Tensor] = []

    def value(item: Any) -> Any:
        if isinstance(item, list | tuple) and values == LIST:
            return [value(part) for part in item]
        if isinstance(item, Tensor):
            tensors.append(item)
        return as_node(item)

    first = 1 if values == TEXT else 0
    stop = {LIST: 1, TEXT: len(arguments)}.get(values, values)
    try:
        nodes = [value(a) if first <= i < stop else a for i, a in enumerate(arguments)]
        stated = {n: value(o) if isinstance(o, Tensor) else o for n, o in options.items()}
        result = function(*nodes, **stated)
        check_literals(result, [node for node in nodes if isinstance(node, Node)])
    except PullbackError as error:
        raise error.at(place_called()) from None
    parents = _parents(tensors)
    if len(parents) == 1:
        return Tensor(result, parents[0])
    return Tensor(result, History(result, parents=parents) if parents else None)


def _parents(tensors: Iterable[Tensor]) -> tuple[History, ...]:
    return tuple(dict.fromkeys(t.history for t in tensors if t.history is not None))
