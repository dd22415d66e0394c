"""A tensor as a sum of products of smaller tensors and δs, none of them multiplied out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import reduce

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Node, Number
from pullback.expressions.sizes import Shape, Size

Label = int
Factor = tuple[Node, tuple[Label, ...]]


@dataclass(frozen=True)
class Term:
    """``coefficient`` times the product of the factors; a label twice in ``output`` is a δ.

    A label of ``output`` that no factor has is a broadcast axis, or a δ alone.
    """

    coefficient: Number
    factors: tuple[Factor, ...]
    output: tuple[Label, ...]

    @property
    def stored(self) -> Size:
        """How many numbers the factors hold."""
        return sum((entries_of(node.shape) for node, _ in self.factors), Size.of(0))

    def sizes(self, shape: Shape) -> dict[Label, Size]:
        return dict(zip(self.output, shape, strict=True))


@dataclass(frozen=True)
class Factored:
    """A tensor as the sum of its terms."""

    shape: Shape
    terms: tuple[Term, ...]

    @property
    def entries(self) -> Size:
        """How many entries the tensor has."""
        return entries_of(self.shape)

    @property
    def stored(self) -> Size:
        return sum((term.stored for term in self.terms), Size.of(0))

    @property
    def dense(self) -> bool:
        """Whether there is nothing to keep: one factor along all the axes."""
        return len(self.terms) == 1 and self.terms[0].stored == self.entries

    def node(self) -> Node:
        """The tensor as an expression again."""
        return make.add(
            [(t.coefficient, product_of(t, self.shape)) for t in self.terms], self.shape
        )

    def diagonal(self, rows: int) -> Node:
        """The entries whose first ``rows`` indices are the others, no product made before."""
        terms = []
        for term in self.terms:
            same: dict[Hashable, Hashable] = {}
            for row, column in zip(term.output[:rows], term.output[rows:], strict=True):
                tie(same, column, row)
            root = rooted(same)
            factors = [(node, [root(x) for x in labels]) for node, labels in term.factors]
            sizes = {root(x): size for x, size in term.sizes(self.shape).items()}
            product = make.contract(factors, [root(x) for x in term.output[:rows]], sizes)
            terms.append((term.coefficient, product))
        return make.add(terms, self.shape[:rows])


def entries_of(shape: Iterable[Size]) -> Size:
    return reduce(lambda one, other: one * other, shape, Size.of(1))


def product_of(term: Term, shape: Shape) -> Node:
    """The product of a term's factors, without its coefficient."""
    return make.contract(term.factors, term.output, dict(term.sizes(shape)))


def rooted(same: dict[Hashable, Hashable]) -> Callable[[Hashable], Hashable]:
    def root(label: Hashable) -> Hashable:
        while label in same:
            label = same[label]
        return label

    return root


def tie(same: dict[Hashable, Hashable], one: Hashable, other: Hashable) -> None:
    """Two labels become equal, and whatever each is equal to already."""
    root = rooted(same)
    one, other = root(one), root(other)
    if one != other:
        same[one] = other
