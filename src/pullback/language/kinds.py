"""The kinds an entity can have, and the rule each operator follows on them.

A rule says, before any size is known, what kind comes out, which axes must have equal sizes, and
which axis of which operand each axis of the result is. It serves three passes: the search over
readings looks at kinds, unification at the equal axes, lowering makes the contraction it describes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pullback.expressions import Node, Shape, Size

NUMBER, SCALAR, COLUMN, ROW, MATRIX = range(5)  # a tensor of order k ≥ 3 has the kind k + 2

Kind = int
Axis = tuple[int, int]  # (operand, axis)
Build = Callable[[Sequence[Node], Shape], Node]  # of the operands and the shape of the result

_NAMES = ("a number", "a scalar", "a column", "a row", "a matrix")


def order_of(kind: Kind) -> int:
    return (0, 0, 1, 1, 2)[kind] if kind <= MATRIX else kind - 2


def kind_of_order(order: int) -> Kind:
    """The kind of a shape as Python states it; vectors are columns."""
    return (SCALAR, COLUMN, MATRIX)[order] if order < 3 else order + 2


def shape_of_sizes(sizes: Sequence[Size]) -> tuple[Kind, Shape]:
    """Kind and shape of sizes as written; ``1 n`` is a row and ``n 1`` a column."""
    if len(sizes) == 2 and 1 in (sizes[0].constant, sizes[1].constant):
        if sizes[0] == sizes[1]:
            return SCALAR, ()
        return (ROW, (sizes[1],)) if sizes[0].constant == 1 else (COLUMN, (sizes[0],))
    return kind_of_order(len(sizes)), tuple(sizes)


def kind_text(kind: Kind) -> str:
    return _NAMES[kind] if kind <= MATRIX else f"a tensor of order {kind - 2}"


@dataclass(frozen=True, slots=True)
class Extent:
    """A size that follows from those of operands, as the m + n of two vectors joined.

    ``size`` is a polynomial in the names that :func:`length` gives to axes of operands, and in
    named sizes; with a ``step`` it is the floor of that over the step, plus one: the number of
    entries that a slice with steps takes. ``by`` divides it, exactly. ``cut`` names the axes in the
    order in which they are joined, or the slowest first where they are merged. It is the
    ``smaller`` of those in ``cut``, where that is asked for and can be told.
    """

    size: Size
    step: int = 0
    by: Size | None = None
    cut: tuple[Axis, ...] = ()
    smaller: bool = False

    def value(self, sizes: Mapping[str, Size]) -> Size | None:
        """The size where those of the axes are known; None if it is no polynomial."""
        if self.smaller:
            given = [sizes[f"{operand}.{axis}"] for operand, axis in self.cut]
            least = [s for s in given if all((other - s).at_least(0) for other in given)]
            return least[0] if least else None
        size = self.size.put(sizes)
        if self.by is not None:
            return size.divided(self.by)
        if not self.step:
            return size
        whole = size.floor(self.step)
        return None if whole is None else whole + 1

    @property
    def rational(self) -> bool:
        """Whether only the operands determine it, not they by it."""
        return bool(self.step) or self.by is not None or self.smaller

    @property
    def axes(self) -> tuple[Axis, ...]:
        if self.cut:
            return self.cut
        parts = [name.split(".") for name in self.size.names if "." in name]
        return tuple(sorted((int(operand), int(axis)) for operand, axis in parts))


def length(operand: int, axis: int) -> Size:
    """The size of an operand's axis before it is known; no user's size has such a name."""
    return Size.of(f"{operand}.{axis}")


def smaller(axes: tuple[Axis, ...]) -> Extent:
    """The smaller of the sizes of these axes."""
    return Extent(sum((length(*axis) for axis in axes), Size.of(0)), cut=axes, smaller=True)


@dataclass(frozen=True, slots=True)
class Rule:
    """What an operation makes of operands of certain kinds.

    ``axes`` names, for each axis of the result, the operand's axis it is, or how its size follows
    from theirs; None is an axis that takes its size from its surroundings. ``broadcasts`` counts
    scalars that are no literals and have to be repeated. With ``stretch`` an axis known to have
    size 1 is equal to any other.
    ``build`` makes the node where the kinds of the operands decide how, and the rule does not say.
    """

    kind: Kind
    axes: tuple[Axis | Extent | None, ...] = ()
    equal: tuple[tuple[Axis | Extent, Axis | Extent], ...] = ()
    broadcasts: int = 0
    stretch: bool = False
    build: Build | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an operation has no meaning for operands of these kinds, and what to write instead."""

    message: str
    hint: str = ""


Verdict = Rule | Refusal


def axes_of(operand: int, kind: Kind) -> tuple[Axis, ...]:
    return tuple((operand, axis) for axis in range(order_of(kind)))


def scalar_kind(kinds: Sequence[Kind]) -> Kind:
    """The kind of a scalar made of these: a number only if all are."""
    return NUMBER if all(kind == NUMBER for kind in kinds) else SCALAR


@cache
def entrywise(kinds: tuple[Kind, ...], free: int = 99, what: str = "combine") -> Verdict:
    """Operands of one kind, entry by entry; scalars are repeated.

    From position ``free`` on a scalar is a parameter, whose repetition is not counted.
    """
    leader = next((i for i, kind in enumerate(kinds) if order_of(kind)), None)
    if leader is None:
        return Rule(scalar_kind(kinds))
    kind = kinds[leader]
    equal: list[tuple[Axis, Axis]] = []
    broadcasts = 0
    for i, other in enumerate(kinds):
        if other == kind:
            equal += (
                zip(axes_of(leader, kind), axes_of(i, other), strict=True) if i != leader else []
            )
        elif order_of(other) == 0:
            broadcasts += other == SCALAR and i < free
        else:
            hint = ""
            if {kind, other} == {COLUMN, ROW}:
                hint = "transpose one of them; a column times a row is their outer product"
            elif MATRIX in (kind, other):
                hint = "to repeat a vector along a matrix, multiply it by vector(1)'"
            return Refusal(f"cannot {what} {kind_text(kinds[leader])} and {kind_text(other)}", hint)
    return Rule(kind, axes_of(leader, kind), tuple(equal), broadcasts)


@cache
def product(left: Kind, right: Kind) -> Verdict:
    """The matrix product; rows and columns are matrices with one axis of size 1."""
    if not order_of(left) or not order_of(right):
        kind = right if not order_of(left) else left
        if not order_of(kind):
            return Rule(scalar_kind((left, right)))
        return Rule(kind, axes_of(0 if order_of(left) else 1, kind))
    if max(left, right) > MATRIX:
        return Refusal("* does not say which axes of a tensor to sum", "from Python, use einsum")
    rows, inner = _as_matrix(0, left)
    other, columns = _as_matrix(1, right)
    if (inner is None) != (other is None):
        hint = "x'*y is the dot product, x*y' the outer product, x.*y goes entry by entry"
        if left == MATRIX:
            hint = "transpose the row first: A*x'"
        elif right == MATRIX:
            hint = "transpose the column first: x'*A"
        return Refusal(f"cannot multiply {kind_text(left)} by {kind_text(right)}", hint)
    equal = ((inner, other),) if inner is not None and other is not None else ()
    axes = tuple(axis for axis in (rows, columns) if axis is not None)
    if rows is None:
        kind = SCALAR if columns is None else ROW
    else:
        kind = COLUMN if columns is None else MATRIX
    return Rule(kind, axes, equal)


def _as_matrix(operand: int, kind: Kind) -> tuple[Axis | None, Axis | None]:
    first = (operand, 0)
    return {COLUMN: (first, None), ROW: (None, first), MATRIX: (first, (operand, 1))}[kind]


@cache
def dot(left: Kind, right: Kind) -> Verdict:
    """The dot product of two vectors, however they stand."""
    if order_of(left) != 1 or order_of(right) != 1:
        wrong = left if order_of(left) != 1 else right
        return Refusal(f"a dot product takes two vectors, not {kind_text(wrong)}")
    return Rule(SCALAR, (), (((0, 0), (1, 0)),))


@cache
def middle_dot(left: Kind, right: Kind) -> Verdict:
    """``·``: of two columns or two rows the dot product, else the product."""
    if left == right and order_of(left) == 1:
        return dot(left, right)
    return product(left, right)


@cache
def outer(left: Kind, right: Kind) -> Verdict:
    if order_of(left) != 1 or order_of(right) != 1:
        wrong = left if order_of(left) != 1 else right
        return Refusal(f"an outer product takes two vectors, not {kind_text(wrong)}")
    return Rule(MATRIX, ((0, 0), (1, 0)))


@cache
def division(left: Kind, right: Kind) -> Verdict:
    if order_of(right):
        hint = "write ./ to divide entry by entry"
        if left == right == MATRIX:
            hint = "write A*inv(B), or ./ to divide entry by entry"
        return Refusal(f"/ divides by a scalar, not by {kind_text(right)}", hint)
    return product(left, right)


@cache
def power(base: Kind, exponent: Kind) -> Verdict:
    """``^``: of a scalar, or a whole power of a square matrix."""
    if order_of(exponent):
        return Refusal(
            f"^ does not raise to {kind_text(exponent)}", "write .^ to raise entry by entry"
        )
    if not order_of(base):
        return Rule(scalar_kind((base, exponent)))
    if base == MATRIX and exponent == NUMBER:
        return Rule(MATRIX, ((0, 0), (0, 1)), (((0, 0), (0, 1)),))
    if base == MATRIX:
        return Refusal("a matrix is raised to whole numbers only", "write .^ entry by entry")
    return Refusal(f"^ does not raise {kind_text(base)}", "write .^ to raise entry by entry")


@cache
def transpose(kind: Kind) -> Verdict:
    if kind > MATRIX:
        return Refusal("' does not say how to permute a tensor", "from Python, use einsum")
    if kind == MATRIX:
        return Rule(MATRIX, ((0, 1), (0, 0)))
    return Rule({COLUMN: ROW, ROW: COLUMN}.get(kind, kind), axes_of(0, kind))


@cache
def diagonal(kind: Kind) -> Verdict:
    """``diag``: of a vector a matrix, of a matrix its diagonal."""
    if kind in (COLUMN, ROW):
        return Rule(MATRIX, ((0, 0), (0, 0)))
    if kind == MATRIX:
        return Rule(COLUMN, ((0, 0),), (((0, 0), (0, 1)),))
    return Refusal(f"diag takes a vector or a matrix, not {kind_text(kind)}")


OPERATORS: dict[str, Callable[[Kind, Kind], Verdict]] = {
    "*": product,
    "·": middle_dot,
    "/": division,
    ".*": lambda left, right: entrywise((left, right), what="multiply"),
    "./": lambda left, right: entrywise((left, right), what="divide"),
    "^": power,
    ".^": lambda base, exponent: entrywise((base, exponent), free=1, what="raise"),
    "+": lambda left, right: entrywise((left, right), what="add"),
}
