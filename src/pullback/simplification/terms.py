"""Rows about sums: nested sums open, complements close, expansion where it shortens."""

from __future__ import annotations

from dataclasses import dataclass

from pullback.differentiation.local import opened
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Number, Sum
from pullback.expressions.sizes import Size
from pullback.functions.catalogue import primitive

Term = tuple[Number, Node]


def open_inner_sums(node: Node) -> Node | None:
    """a + k(b + c) = a + kb + kc where terms then collect; else a sum stays as it was named."""
    if not isinstance(node, Sum) or len(node.terms) > 32:
        return None
    if not any(isinstance(core, Sum) for _, core in node.terms):
        return None
    flat = [
        (c * k, core)
        for c, term in node.terms
        for k, core in (term.terms if isinstance(term, Sum) else ((1, term),))
    ]
    result = make.add(flat, node.shape)
    count = len(result.terms) if isinstance(result, Sum) else 1
    return result if count < len(flat) else None


def common_number(node: Node) -> Node | None:
    """2a − 2b = 2(a − b)."""
    if not isinstance(node, Sum) or len(node.terms) < 2:
        return None
    first = node.terms[0][0]
    number = max(first, -first)
    if number == 1 or any(c not in (number, -number) for c, _ in node.terms):
        return None
    inner = make.add([(1 if c > 0 else -1, term) for c, term in node.terms])
    return make.scale(number, inner)


def common_factors(node: Node) -> Node | None:
    """a b + a c = a (b + c), for any product; summed labels included, so Ax + Aᵀx = (A + Aᵀ)x."""
    if not isinstance(node, Sum) or not 2 <= len(node.terms) <= 32:
        return None
    products = [_Product.of(term) for _, term in node.terms]
    first = products[0]
    if first is None:
        return None
    shared = set(first.nodes)
    for product in products:
        if product is None:
            return None
        shared &= set(product.nodes)
    for factor in sorted(shared, key=lambda n: (-n.order, n.digest)):
        taken = [p.without(factor) for p in products if p is not None]
        places = {labels for labels, _ in taken}
        if len(places) != 1:
            continue
        (labels,) = places
        inner = sorted({label for _, rest in taken for _, ls in rest for label in ls})
        free = [x for x in inner if x in labels or x < node.order]
        sizes = first.sizes_of(labels, factor, node)
        if any(x not in sizes for x in free):
            continue
        rest = make.add(
            [
                (c, make.contract(factors, free, {x: sizes[x] for x in free}))
                for (c, _), (_, factors) in zip(node.terms, taken, strict=True)
            ]
        )
        result = make.contract([(factor, labels), (rest, free)], range(node.order), sizes)
        if _weight(result) < _weight(node):
            return result
    return None


@dataclass(frozen=True)
class _Product:
    """A product whose output labels are 0, 1, … and whose summed labels come after."""

    factors: tuple[tuple[Node, tuple[int, ...]], ...]
    order: int

    @classmethod
    def of(cls, node: Node) -> _Product | None:
        if not isinstance(node, Contraction):
            return cls(((node, tuple(range(node.order))),), node.order)
        return None if make.has_delta(node) else cls(node.operands, node.order)

    @property
    def nodes(self) -> list[Node]:
        return [node for node, _ in self.factors]

    def without(self, factor: Node) -> tuple[tuple[int, ...], list[tuple[Node, tuple[int, ...]]]]:
        """The labels of ``factor``, its summed ones numbered first, and the other factors."""
        place = self.nodes.index(factor)
        number = {label: label for label in range(self.order)}
        for label in self.factors[place][1]:
            number.setdefault(label, len(number))
        for _, labels in self.factors:
            for label in labels:
                number.setdefault(label, len(number))
        renamed = [(n, tuple([number[x] for x in ls])) for n, ls in self.factors]
        return renamed[place][1], [f for k, f in enumerate(renamed) if k != place]

    def sizes_of(self, labels: tuple[int, ...], factor: Node, node: Node) -> dict[int, Size]:
        """Sizes of the labels of the result and of the factor taken out."""
        return {**dict(zip(labels, factor.shape, strict=True)), **dict(enumerate(node.shape))}


def complement(node: Node) -> Node | None:
    """1 − f(x) as one function, for a function whose record says which."""
    if not isinstance(node, Sum):
        return None
    constant = next((c for c, t in node.terms if make.constant_value(t) == 1), None)
    if constant is None:
        return None
    for c, term in node.terms:
        viewed = make.through_view(term)
        core = viewed[0] if viewed else term
        if c != -constant or not isinstance(core, Apply):
            continue
        law = primitive(core).complement
        replaced = law.rewrite(*core.arguments) if law else None
        if replaced is not None:
            if viewed:
                replaced = make.view_like(replaced, viewed[1])
            rest = [(k, t) for k, t in node.terms if t is not term]
            rest.remove((constant, make.ones(node.shape)))
            return make.add([*rest, (constant, replaced)], node.shape)
    return None


def expand_and_collect(node: Node) -> Node | None:
    """Products multiplied out, where the sum gets fewer factors by it.

    A complement is opened as well: −y σ(−z) + (1 − y) σ(z) = σ(z) − y.
    """
    if not isinstance(node, Sum) or not 2 <= len(node.terms) <= 6:
        return None
    if not any(isinstance(t, Contraction) for _, t in node.terms):
        return None
    present = {n for _, t in node.terms for n in (t, *t.children)}
    if not any(isinstance(n, Sum) for n in present):
        return None
    expanded = [(c * k, e) for c, term in node.terms for k, e in _expansion(term, present)]
    if len(expanded) > 24:
        return None
    result = make.add(expanded, node.shape)
    return result if _weight(result) < _weight(node) else None


def _expansion(term: Node, present: set[Node]) -> list[Term]:
    """A product as the sum of its multiplied-out terms."""
    if not isinstance(term, Contraction):
        return _open_complement(term, present)
    partial: list[tuple[Number, list[tuple[Node, tuple[int, ...]]]]] = [(1, [])]
    for operand, labels in term.operands:
        choices = (
            list(operand.terms) if isinstance(operand, Sum) else _open_complement(operand, present)
        )
        partial = [
            (c * k, [*factors, (choice, labels)]) for c, factors in partial for k, choice in choices
        ]
        if len(partial) > 24:
            return [(1, term)]
    sizes = dict(enumerate(term.sizes))
    return [(c, make.contract(factors, term.output, sizes)) for c, factors in partial]


def _open_complement(node: Node, present: set[Node]) -> list[Term]:
    """f(−x) as 1 − f(x), where f(x) is present as well."""
    if isinstance(node, Apply):
        law = primitive(node).complement
        other = law.rewrite(*node.arguments) if law else None
        if other is not None and other in present and other.digest < node.digest:
            return [(1, make.ones(node.shape)), (-1, other)]
    return [(1, node)]


def _weight(node: Node) -> int:
    """How long a sum of products of sums is to write."""
    terms = [t for _, t in node.terms] if isinstance(node, Sum) else [node]
    weight = 0
    for term in terms:
        parts = [n for n, _ in opened(term, range(term.order))]
        weight += 1 + sum(len(n.terms) + 1 if isinstance(n, Sum) else 1 for n in parts)
    return weight
