"""Nested products opened into one, down to the factors that have a name or are no product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Contraction, Node, Sum
from pullback.expressions.sizes import Size
from pullback.notation.names import Names

Label = int


@dataclass(frozen=True)
class Factor:
    node: Node
    labels: tuple[Label, ...]


@dataclass(frozen=True)
class Product:
    """``value`` times a sum over labels of a product of factors.

    ``output`` has one label per axis; ``counts`` are labels that no factor holds and that are
    summed, each of which multiplies by its size.
    """

    value: Fraction
    factors: tuple[Factor, ...]
    output: tuple[Label, ...]
    sizes: dict[Label, Size]
    counts: tuple[Label, ...]

    @property
    def summed(self) -> list[Label]:
        held = {label for f in self.factors for label in f.labels}
        return sorted(held - set(self.output))


def opened(root: Node, names: Names, keep: Callable[[Node], bool] = lambda node: False) -> Product:
    """The product that ``root`` is, nested products, views and multiples opened.

    A node that has a name is a factor; so is one that ``keep`` accepts. The root is opened
    even if it has a name. Linear in the number of nodes opened.
    """
    value = Fraction(1)
    sizes: dict[Label, Size] = {}
    parent: dict[Label, Label] = {}

    def fresh(size: Size) -> Label:
        label = len(parent)
        parent[label] = label
        sizes[label] = size
        return label

    def find(label: Label) -> Label:
        while parent[label] != label:
            parent[label] = parent[parent[label]]
            label = parent[label]
        return label

    def join(one: Label, other: Label) -> None:
        one, other = find(one), find(other)
        parent[max(one, other)] = min(one, other)

    output = [fresh(size) for size in root.shape]
    factors: list[tuple[Node, Sequence[Label]]] = []
    pending: list[tuple[Node, Sequence[Label]]] = [(root, output)]
    while pending:
        node, labels = pending.pop()
        named = names.through(node) if node is not root else None
        if node is not root and (node in names or keep(node)):
            factors.append((node, labels))
        elif named is not None and named[1] is not root:
            coefficient, core, axes = named
            value *= coefficient
            by_axis = dict(zip(axes, labels, strict=True))
            factors.append((core, [by_axis[k] for k in range(core.order)]))
        elif isinstance(node, Sum) and len(node.terms) == 1:
            coefficient, core = node.terms[0]
            value *= coefficient
            pending.append((core, labels))
        elif isinstance(node, Contraction):
            own = [fresh(size) for size in node.sizes]
            for inner, outer in zip(node.output, labels, strict=True):
                join(outer, own[inner])
            pending.extend((n, [own[k] for k in ls]) for n, ls in reversed(node.operands))
        else:
            factors.append((node, labels))
    final = tuple([Factor(n, tuple([find(label) for label in ls])) for n, ls in factors])
    out = tuple([find(label) for label in output])
    held = {label for f in final for label in f.labels} | set(out)
    counts = tuple([label for label in parent if find(label) == label and label not in held])
    return Product(value, final, out, sizes, counts)


def constant_of(node: Node) -> Fraction | None:
    """The number in every entry of a constant node."""
    found = make.constant_value(node)
    return None if found is None else Fraction(found)
