"""Rows about sums: nested sums open, complements close, expansion where it shortens."""

from __future__ import annotations

from collections.abc import Sequence

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Number, Sum
from pullback.expressions.placement import has_no_values
from pullback.functions.catalogue import primitive
from pullback.simplification.canonical import Certificate, certificate_of
from pullback.simplification.measure import measure
from pullback.simplification.products import Opened

Term = tuple[Number, Node]
Signature = tuple[int, ...]

MOST_CANDIDATES = 12


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


def like_terms(node: Node) -> Node | None:
    """Terms that are the same product, however bracketed or turned, count as one."""
    if not isinstance(node, Sum) or not 2 <= len(node.terms) <= 64:
        return None
    alike: dict[tuple[bytes, ...], list[int]] = {}
    for k, (_, term) in enumerate(node.terms):
        opened = Opened(term)
        leaves = sorted([opened.parts[at].node.digest for at in opened.leaves()])
        alike.setdefault(tuple(leaves), []).append(k)
    if len(alike) == len(node.terms):
        return None
    terms = list(node.terms)
    for group in alike.values():
        first: dict[Certificate, tuple[Node, int]] = {}
        for k in group if len(group) > 1 else ():
            coefficient, term = terms[k]
            key, sign = certificate_of(term)
            kept, its = first.setdefault(key, (term, sign))
            terms[k] = (coefficient * sign * its, kept)
    result = make.add(terms, node.shape)
    return None if result is node else result


def common_factors(node: Node) -> Node | None:
    """a b + a c + d = a (b + c) + d, for any product.

    Labels that are summed count as well, so A x + Aᵀ x = (A + Aᵀ) x.
    """
    if not isinstance(node, Sum) or not 2 <= len(node.terms) <= 32:
        return None
    products = [Opened(term) for _, term in node.terms]
    holders: dict[tuple[Node, Signature], dict[int, int]] = {}
    for k, product in enumerate(products):
        if len(set(product.output)) < len(product.output):
            continue
        for at, part in enumerate(product.parts):
            if make.constant_value(part.node) is None:
                key = part.node, _signature(part.labels, product)
                holders.setdefault(key, {}).setdefault(k, at)
    shared = [(key, held) for key, held in holders.items() if len(held) > 1]
    shared.sort(key=lambda s: (-len(s[1]), -s[0][0].order, s[0][0].digest, s[0][1]))
    best, least = None, measure(node)
    for (factor, labels), held in shared[:MOST_CANDIDATES]:
        group = [(node.terms[k][0], products[k], at) for k, at in held.items()]
        together = _taken_out(factor, labels, group, node)
        if together is None:
            continue
        rest = [term for k, term in enumerate(node.terms) if k not in held]
        result = make.add([*rest, (1, together)], node.shape)
        if measure(result) < least:
            best, least = result, measure(result)
    return best


def _signature(labels: Sequence[int], product: Opened) -> Signature:
    """The labels of a factor: those of the output as they are, the others numbered after them."""
    number = {label: label for label in product.output}
    for label in labels:
        number.setdefault(label, len(number))
    return tuple([number[label] for label in labels])


def _taken_out(
    factor: Node, labels: Signature, group: Sequence[tuple[Number, Opened, int]], node: Node
) -> Node | None:
    """The sum of products as ``factor`` times a sum, unless that sum has more axes than any part.

    A factor in the middle of matrix products would leave a tensor of four axes beside it.
    """
    sizes = {**dict(enumerate(node.shape)), **dict(zip(labels, factor.shape, strict=True))}
    taken = []
    for c, product, at in group:
        own = product.parts[at].labels
        number = {label: label for label in product.output}
        for label in own:
            number.setdefault(label, len(number))
        inner = product.sizes_above((at,))
        for label in inner:
            number.setdefault(label, len(number))
        others = [(n, [number[x] for x in ls]) for n, ls in product.others((at,))]
        summed = {number[x]: s for x, s in inner.items() if number[x] not in sizes}
        taken.append((c, others, summed))
    free = sorted({x for _, others, _ in taken for _, ls in others for x in ls if x in sizes})
    if len(free) > max(2, node.order):
        return None
    given = {label: sizes[label] for label in free}
    best: Node | None = None
    for axes in [free, free[::-1]] if len(free) == 2 else [free]:
        total = make.add([(c, make.contract(o, axes, {**given, **more})) for c, o, more in taken])
        if isinstance(total, Sum) and any(map(has_no_values, total.children)):
            return None  # a difference of two slices is not a product with a matrix of differences
        whole = make.contract([(factor, labels), (total, axes)], range(node.order), sizes)
        best = whole if best is None else min(best, whole, key=measure)
    return best


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
    return result if measure(result) < measure(node) else None


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
