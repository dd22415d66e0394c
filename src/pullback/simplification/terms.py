"""Rows about sums: nested sums open, complements close, expansion where it shortens."""

from __future__ import annotations

from dataclasses import dataclass

from pullback.differentiation.local import opened
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Number, Sum
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
    """a b + a c + d = a (b + c) + d, for any product.

    Labels that are summed count as well, so A x + Aᵀ x = (A + Aᵀ) x.
    """
    if not isinstance(node, Sum) or not 2 <= len(node.terms) <= 32:
        return None
    products = [(c, _Product.of(term)) for c, term in node.terms]
    holders: dict[Node, list[int]] = {}
    for k, (_, product) in enumerate(products):
        for factor in dict.fromkeys(product.nodes if product else ()):
            holders.setdefault(factor, []).append(k)
    shared = [(factor, held) for factor, held in holders.items() if len(held) > 1]
    shared.sort(key=lambda s: (-len(s[1]), -s[0].order, s[0].digest))
    for factor, held in shared:
        group = [(c, p) for c, p in (products[k] for k in held) if p is not None]
        together = _taken_out(factor, group, node)
        if together is None:
            continue
        rest = [term for k, term in enumerate(node.terms) if k not in held]
        result = make.add([*rest, (1, together)], node.shape)
        if _weight(result) < _weight(node):
            return result
    return None


def _taken_out(factor: Node, group: list[tuple[Number, _Product]], node: Node) -> Node | None:
    """The sum of products as ``factor`` times a sum, if it has the same labels in each."""
    taken = [(c, *product.without(factor)) for c, product in group]
    if len({labels for _, labels, _ in taken}) != 1:
        return None
    labels = taken[0][1]
    sizes = {**dict(zip(labels, factor.shape, strict=True)), **dict(enumerate(node.shape))}
    inner = sorted({label for _, _, rest in taken for _, ls in rest for label in ls})
    free = [label for label in inner if label in sizes]
    given = {label: sizes[label] for label in free}
    total = make.add([(c, make.contract(rest, free, given)) for c, _, rest in taken])
    return make.contract([(factor, labels), (total, free)], range(node.order), sizes)


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
