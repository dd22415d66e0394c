"""A product of products, opened as far as a rewrite needs and no further.

Inner products often have a name of the user's or are computed anyway, so a row opens only those
that hold the factors it rewrites.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Indicator, Node, Number, Sum, Variable
from pullback.expressions.sizes import Size
from pullback.expressions.walks import remembered
from pullback.functions.catalogue import primitive

Label = int
Factor = tuple[Node, tuple[Label, ...]]

DEEPEST = 5  # products within products that are looked into, so that long chains stay linear
MOST = 24
MOST_TERMS = 8  # of a sum that is multiplied out


@dataclass(frozen=True)
class Part:
    """A factor at some depth, under the labels of the whole; ``parent`` is the product it is in."""

    node: Node
    labels: tuple[Label, ...]
    parent: int
    depth: int


class Opened:
    """The parts of a product, inner products before their own factors.

    Part 0 is the whole. Labels are shared by all parts.
    """

    def __init__(self, root: Node, deepest: int = DEEPEST) -> None:
        self.root = root
        order = root.output if isinstance(root, Contraction) else tuple(range(root.order))
        self.output = order
        self.parts = [Part(root, order, -1, 0)]
        self.sizes: dict[int, dict[Label, Size]] = {}  # of each opened part
        self._fresh = root.order
        if isinstance(root, Contraction):
            self._fresh = len(root.sizes)
        at = 0
        while at < len(self.parts):
            part = self.parts[at]
            if part.depth < deepest and len(self.parts) < MOST and opens(part.node, at == 0):
                self._open(at)
            at += 1

    def _open(self, at: int) -> None:
        part = self.parts[at]
        node = part.node
        assert isinstance(node, Contraction)
        outer: dict[int, Label] = dict(zip(node.output, part.labels, strict=True))
        for label in range(len(node.sizes)):
            if label not in outer:
                outer[label] = label if at == 0 else self._fresh
                self._fresh += at != 0
        self.sizes[at] = {outer[k]: size for k, size in enumerate(node.sizes)}
        for inner, labels in node.operands:
            named = tuple([outer[label] for label in labels])
            self.parts.append(Part(inner, named, at, part.depth + 1))

    def fresh(self) -> Label:
        """A label that nothing has yet."""
        self._fresh += 1
        return self._fresh - 1

    def leaves(self) -> list[int]:
        """The parts that are not opened."""
        return [k for k in range(len(self.parts)) if k not in self.sizes]

    def tied(self) -> set[Label]:
        """The labels that factors tie to the output; all where a scalar is all one piece."""
        groups: list[set[Label]] = [{*self.output}] if self.output else []
        for at in self.leaves():
            labels = {*self.parts[at].labels}
            near = [g for g in groups if g & labels]
            if labels:
                groups = [g for g in groups if not g & labels] + [labels.union(*near)]
        if not self.output:
            return groups[0] if len(groups) == 1 else set()
        (found,) = [g for g in groups if g & {*self.output}]
        return found

    def cover(self, wanted: Sequence[int]) -> list[int]:
        """The factors of the product in which each wanted part is a factor of its own."""
        if 0 in wanted:
            return [0]
        above = {0} if self.sizes else set()
        for at in wanted:
            parent = self.parts[at].parent
            while parent >= 0:
                above.add(parent)
                parent = self.parts[parent].parent
        return [
            k
            for k, part in enumerate(self.parts)
            if k not in above and (part.parent in above or not above)
        ]

    def others(self, wanted: Sequence[int]) -> list[Factor]:
        """The factors beside the wanted ones."""
        cover = self.cover(wanted)
        return [(self.parts[k].node, self.parts[k].labels) for k in cover if k not in wanted]

    def sizes_above(self, wanted: Sequence[int]) -> dict[Label, Size]:
        """The sizes of the labels in the product that :meth:`cover` describes."""
        outer = dict(zip(self.output, self.root.shape, strict=True))
        if 0 in wanted:
            return outer
        merged = dict(self.sizes.get(0, outer))
        for at in wanted:
            parent = self.parts[at].parent
            while parent > 0:
                merged.update(self.sizes[parent])
                parent = self.parts[parent].parent
        return merged

    def replaced(self, wanted: Sequence[int], factors: Iterable[Factor]) -> Node:
        """The product with other factors in place of the wanted ones.

        A label that only the wanted ones had is summed by what takes their place.
        """
        given = [*factors, *self.others(wanted)]
        kept = {label for _, labels in given for label in labels}.union(self.output)
        lost = {label for k in wanted for label in self.parts[k].labels} - kept
        sizes = {x: s for x, s in self.sizes_above(wanted).items() if x not in lost}
        return make.contract(given, self.output, sizes)

    def flat(self) -> tuple[list[Factor], dict[Label, Size]]:
        """All the factors, as far as parts were opened; labels that no factor has included."""
        leaves = self.leaves()
        return [(self.parts[k].node, self.parts[k].labels) for k in leaves], self.sizes_above(
            leaves
        )


def opens(node: Node, whole: bool = False) -> bool:
    """Whether a part is a product whose factors can stand beside its own siblings."""
    return isinstance(node, Contraction) and (whole or not make.has_delta(node))


def sums_in(opened: Opened) -> Iterator[tuple[int, Sum, list[Factor]]]:
    """The sums among the parts of a product, each with its place and the factors beside it."""
    for at, part in enumerate(opened.parts):
        if isinstance(part.node, Sum) and len(part.node.terms) <= MOST_TERMS:
            yield at, part.node, opened.others((at,))


def multiplied_out(
    opened: Opened, at: int, others: Sequence[Factor]
) -> Iterator[tuple[Number, Node]]:
    """The terms of a product, one for each term of one of its sums."""
    part = opened.parts[at]
    sizes = opened.sizes_above((at,))
    assert isinstance(part.node, Sum)
    for coefficient, term in part.node.terms:
        product = make.contract([(term, part.labels), *others], opened.output, sizes)
        inner, core = make.split_coefficient(product)
        yield coefficient * inner, core


def hanging_together(factors: Sequence[Factor], ends: Sequence[Label]) -> list[Factor]:
    """The factors that these labels reach, directly or through labels that factors share."""
    reached, found = {*ends}, list[Factor]()
    while new := [f for f in factors if f not in found and reached & {*f[1]}]:
        found += new
        reached |= {x for _, labels in new for x in labels}
    return found


# what is known of the factors of a product, so that rows that cannot apply cost nothing

_tags: WeakKeyDictionary[Node, frozenset[str]] = WeakKeyDictionary()
_NONE: frozenset[str] = frozenset()
_INVERSE, _SUM, _UNIT_SUM = (frozenset((name,)) for name in ("inv", "sum", "unit-sum"))
_CHOLESKY = frozenset(("cholesky",))
_ADJUGATE = frozenset(("adjugate",))
_ORTHOGONAL = frozenset(("orthogonal",))
_LINEAR = frozenset(("linear",))
_INDICATOR = frozenset(("indicator",))
_DIVIDED = frozenset(("divided",))


def tags(root: Node) -> frozenset[str]:
    """What the factors of a product are: assumptions, inverses, sums, divisions by sums, …"""
    if not isinstance(root, Contraction):
        return _own_tags(root)
    return remembered(root, _tags, _products_below, _tags_below)


def _products_below(node: Node) -> list[Node]:
    return [child for child in node.children if isinstance(child, Contraction)]


def _tags_below(node: Node) -> frozenset[str]:
    below = [_tags[c] if isinstance(c, Contraction) else _own_tags(c) for c in node.children]
    return _NONE.union(*below) if any(below) else _NONE


def _divides(power: Apply) -> bool:
    base, exponent = power.arguments
    value = make.constant_value(exponent) if isinstance(base, Sum) else None
    return value is not None and value < 0


def _own_tags(node: Node) -> frozenset[str]:
    if isinstance(node, Variable):
        return node.assumptions
    if isinstance(node, Apply):
        if node.function == "inv":
            return _INVERSE | _own_tags(node.arguments[0])
        if node.function == "cholesky":
            return _CHOLESKY
        if node.function == "adjugate":
            return _ADJUGATE
        if node.function == "power":
            return _DIVIDED if _divides(node) else _NONE
        record = primitive(node)
        if record.orthogonal:
            return _ORTHOGONAL
        return _UNIT_SUM if record.unit_sum else _LINEAR if record.linear else _NONE
    if isinstance(node, Sum):
        return _SUM
    if isinstance(node, Indicator):
        return _INDICATOR
    return _NONE
