"""Operators on nodes, so that a partial reads like the formula it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Node
from pullback.expressions.sizes import Shape, SizeLike


class Term:
    """A node with elementwise operators; numbers and scalars broadcast.

    >>> x = Term(make.variable("x", ["n"]))
    >>> (x / x**-1).node is (x * x).node
    True
    """

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node

    @property
    def shape(self) -> Shape:
        return self.node.shape

    def __add__(self, other: TermLike) -> Term:
        return self._sum(1, other, 1)

    def __sub__(self, other: TermLike) -> Term:
        return self._sum(1, other, -1)

    def __rsub__(self, other: TermLike) -> Term:
        return self._sum(-1, other, 1)

    def __neg__(self) -> Term:
        return Term(make.negate(self.node))

    def __mul__(self, other: TermLike) -> Term:
        return Term(make.multiply(self.node, as_term(other).node))

    def __truediv__(self, other: TermLike) -> Term:
        return self * as_term(other) ** -1

    def __rtruediv__(self, other: TermLike) -> Term:
        return as_term(other) * self**-1

    def __pow__(self, exponent: TermLike) -> Term:
        return Term(make.power(self.node, as_term(exponent).node))

    def __rpow__(self, base: TermLike) -> Term:
        return as_term(base) ** self

    __radd__ = __add__
    __rmul__ = __mul__

    def _sum(self, mine: int, other: TermLike, its: int) -> Term:
        left, right = self.node, as_term(other).node
        if left.order < right.order:
            left = make.broadcast(left, right.shape)
        elif right.order < left.order:
            right = make.broadcast(right, left.shape)
        return Term(make.add([(mine, left), (its, right)]))


TermLike = Term | Node | int | float | Fraction


def as_term(value: TermLike) -> Term:
    if isinstance(value, Term):
        return value
    return Term(value if isinstance(value, Node) else make.constant(value))


def einsum(
    subscripts: str, *operands: TermLike, sizes: Mapping[str, SizeLike] | None = None
) -> Term:
    """:func:`pullback.expressions.constructors.einsum` on terms."""
    return Term(make.einsum(subscripts, *(as_term(o).node for o in operands), sizes=sizes))


def total(value: TermLike) -> Term:
    """The sum of all entries."""
    return Term(make.total(as_term(value).node))


def count(value: TermLike, axes: Iterable[int] | None = None) -> Term:
    """The number of entries, along some axes or in all, as a scalar."""
    shape = as_term(value).shape
    factors = [make.size_value(shape[a]) for a in (range(len(shape)) if axes is None else axes)]
    return Term(make.multiply(make.constant(1), *factors))
