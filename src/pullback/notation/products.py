"""Nested products opened into one, down to the factors that have a name or are no product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Contraction, Node, Sum
from pullback.expressions.sizes import Size
from pullback.notation.names import Names

Label = int
MOST_TERMS = 50


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


def opened(root: Node, names: Names, defined: Node | None = None) -> Product:
    """The product that ``root`` is, nested products, views and multiples opened.

    A node that has a name is a factor, and so is a multiple or transpose of one; but not the
    root, nor anything through ``defined``, the node whose own formula is being written. Linear
    in the number of nodes opened.
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
        if node is not root and node in names:
            factors.append((node, labels))
        elif named is not None and named[1] is not root and named[1] is not defined:
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


def distributed(product: Product, names: Names, defined: Node | None = None) -> list[Product]:
    """The products whose sum is this one, sums of tensors of more than two axes multiplied out."""
    done: list[Product] = []
    waiting = [product]
    while waiting:
        p = waiting.pop()
        at = next(
            (k for k, f in enumerate(p.factors) if isinstance(f.node, Sum) and f.node.order > 2),
            None,
        )
        if at is None or len(done) + len(waiting) > MOST_TERMS:
            done.append(p)
            continue
        factor = p.factors[at]
        others = p.factors[:at] + p.factors[at + 1 :]
        assert isinstance(factor.node, Sum)
        waiting.extend(
            _spliced(p, others, factor.labels, opened(term, names, defined), Fraction(c))
            for c, term in reversed(factor.node.terms)
        )
    return done


def _spliced(
    p: Product, others: tuple[Factor, ...], labels: tuple[Label, ...], inner: Product, c: Fraction
) -> Product:
    """``p`` with ``inner`` in place of the factor it has lost, which stood on ``labels``."""
    shift = 1 + max([*p.sizes, *inner.sizes], default=0)
    sizes = {**p.sizes, **{label + shift: size for label, size in inner.sizes.items()}}
    same: dict[Label, Label] = {}

    def find(label: Label) -> Label:
        while label in same:
            label = same[label]
        return label

    for own, outer in zip(inner.output, labels, strict=True):
        one, other = find(own + shift), find(outer)
        if one != other:
            same[max(one, other)] = min(one, other)
    factors = [*others]
    factors += [Factor(f.node, tuple([k + shift for k in f.labels])) for f in inner.factors]
    moved = [Factor(f.node, tuple([find(k) for k in f.labels])) for f in factors]
    output = tuple([find(k) for k in p.output])
    held = {k for f in moved for k in f.labels} | set(output)
    lost = {find(k) for k in labels} - held
    counts = (*p.counts, *(k + shift for k in inner.counts), *sorted(lost))
    return Product(p.value * c * inner.value, tuple(moved), output, sizes, counts)


def constant_of(node: Node) -> Fraction | None:
    """The number in every entry of a constant node."""
    found = make.constant_value(node)
    return None if found is None else Fraction(found)
