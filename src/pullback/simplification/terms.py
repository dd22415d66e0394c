"""Rows about sums: nested sums open, complements close, expansion where it shortens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd, lcm

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Number, SizeValue, Sum
from pullback.expressions.placement import has_no_values
from pullback.functions.catalogue import CATALOGUE, primitive
from pullback.simplification.canonical import Certificate, certificate_of, parity
from pullback.simplification.factors import base_and_exponent, like_factors, powers_apart
from pullback.simplification.measure import measure
from pullback.simplification.products import Factor, Opened
from pullback.simplification.totals import unit_sum

Term = tuple[Number, Node]
Labels = tuple[int, ...]
Signature = tuple[int, ...]

MOST_CANDIDATES = 12


@dataclass(frozen=True)
class Held:
    """A part of a product that others have too: its place, and its labels.

    ``loose`` says that it belongs to a scalar beside the rest; ``beside`` is put with the others.
    """

    product: Opened
    at: int
    labels: Labels
    loose: bool = False
    beside: tuple[Factor, ...] = ()


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
    result = like_terms(result) or result
    count = len(result.terms) if isinstance(result, Sum) else 1
    return result if count < len(flat) else None


def common_number(node: Node) -> Node | None:
    """2a − 2b = 2 (a − b) and 2a + 4b = 2 (a + 2b)."""
    if not isinstance(node, Sum) or len(node.terms) < 2:
        return None
    coefficients = [Fraction(c) for c, _ in node.terms]
    over = lcm(*[c.denominator for c in coefficients])
    number = Fraction(gcd(*[int(c * over) for c in coefficients]), over)
    if number == 1:
        return None
    inner = make.add(
        [(c / number, term) for c, (_, term) in zip(coefficients, node.terms, strict=True)]
    )
    return make.scale(make.exact_number(number), inner)


def like_terms(node: Node) -> Node | None:
    """Terms that are the same product, however bracketed or turned, count as one."""
    if not isinstance(node, Sum) or not 2 <= len(node.terms) <= 64:
        return None
    groups = alike(node)
    if len(groups) == len(node.terms):
        return None
    terms = list(node.terms)
    for group in groups:
        first: dict[Certificate, tuple[Node, int]] = {}
        for k in group if len(group) > 1 else ():
            coefficient, term = terms[k]
            key, sign = certificate_of(term)
            kept, its = first.setdefault(key, (term, sign))
            terms[k] = (coefficient * sign * its, kept)
    result = make.add(terms, node.shape)
    return None if result is node else result


def same_diagonal(node: Node) -> Node | None:
    """δ_ij a_i + δ_ij b_i = δ_ij (a_i + b_i)."""
    if not isinstance(node, Sum) or not 2 <= len(node.terms) <= 32:
        return None
    groups: dict[tuple[int, ...], list[tuple[Number, Contraction]]] = {}
    for c, term in node.terms:
        if isinstance(term, Contraction) and make.has_delta(term) and _holds_its_axes(term):
            groups.setdefault(term.output, []).append((c, term))
    output, group = max(groups.items(), key=lambda g: len(g[1]), default=((), []))
    if len(group) < 2:
        return None
    axes = list(dict.fromkeys(output))
    inner = [(c, make.contract(t.operands, axes, dict(enumerate(t.sizes)))) for c, t in group]
    diagonal = make.contract([(make.add(inner), axes)], output)
    rest = [(c, t) for c, t in node.terms if all(t is not other for _, other in group)]
    return make.add([*rest, (1, diagonal)])


def _holds_its_axes(term: Contraction) -> bool:
    """Whether some factor stands on every axis; a multiple of δ alone is better left so."""
    return {label for _, labels in term.operands for label in labels} >= {*term.output}


def choices_by_one_condition(node: Node) -> Node | None:
    """where(c, a, b) + where(c, d, e) = where(c, a + d, b + e), with whatever multiples of them."""
    if not isinstance(node, Sum) or not 2 <= len(node.terms) <= 32:
        return None
    groups: dict[Node, list[tuple[Number, Node]]] = {}
    for c, term in node.terms:
        if isinstance(term, Apply) and term.function == "where":
            groups.setdefault(term.arguments[0], []).append((c, term))
    condition, group = max(groups.items(), key=lambda g: len(g[1]), default=(node, []))
    if len(group) < 2:
        return None
    branches = [make.add([(c, t.children[k]) for c, t in group], node.shape) for k in (1, 2)]
    chosen = CATALOGUE["where"].apply([condition, *branches])
    rest = [(c, t) for c, t in node.terms if all(t is not other for _, other in group)]
    return make.add([*rest, (1, chosen)])


def alike(node: Sum) -> list[list[int]]:
    """The places of the terms of a sum, those that are made of the same factors together."""
    groups: dict[tuple[bytes, ...], list[int]] = {}
    for k, (_, term) in enumerate(node.terms):
        opened = Opened(term)
        leaves = sorted([opened.parts[at].node.digest for at in opened.leaves()])
        groups.setdefault(tuple(leaves), []).append(k)
    return list(groups.values())


def common_factors(node: Node) -> Node | None:
    """a b + a c + d = a (b + c) + d, for any product.

    Labels that are summed count as well, so A x + Aᵀ x = (A + Aᵀ) x. What belongs to a scalar
    beside the rest is taken out as a whole, but for symmetric pairs: (aᵀx) b + (bᵀx) a is
    (b aᵀ + a bᵀ) x. A sum may leave δ behind: u − A u = (I − A) u.
    """
    if not isinstance(node, Sum) or not 2 <= len(node.terms) <= 32:
        return None
    apart = [(c, powers_apart(term)) for c, term in node.terms]
    best = _common(node, list(node.terms))
    if any(new is not old for (_, new), (_, old) in zip(apart, node.terms, strict=True)):
        other = _common(node, apart)
        if other is not None and (best is None or measure(other) < measure(best)):
            return other
    return best


def _common(node: Sum, terms: Sequence[Term]) -> Node | None:
    """The shortest sum of these terms, which are those of ``node``, with a factor taken out."""
    products = [Opened(term) for _, term in terms]
    holders: dict[tuple[Node, Signature], dict[int, Held]] = {}
    for k, product in enumerate(products):
        tied = product.tied()
        diagonal = len(set(product.output)) < len(product.output)
        for at, part in enumerate(product.parts):
            if make.constant_value(part.node) is not None:
                continue
            if part.labels and diagonal:
                continue
            key = part.node, _signature(part.labels, product)
            loose = bool(part.labels) and not tied & {*part.labels}
            holders.setdefault(key, {}).setdefault(k, Held(product, at, part.labels, loose))
    _with_identities(holders, products)
    _with_powers(holders)
    shared = [(key, held) for key, held in holders.items() if len(held) > 1]
    shared.sort(key=lambda s: (-len(s[1]), -s[0][0].order, s[0][0].digest, s[0][1]))
    best, least = None, measure(node)
    for (factor, labels), held in shared[:MOST_CANDIDATES]:
        if isinstance(base_and_exponent(factor)[0], SizeValue) and len(held) < len(products):
            continue  # what is divided by a size is a mean
        group = [(terms[k][0], one) for k, one in held.items()]
        found = _taken_out(factor, labels, group, node)
        if found is None:
            continue
        together, inner = found
        if any(one.loose for one in held.values()) and not _symmetric_pair(inner):
            continue
        rest = [term for k, term in enumerate(terms) if k not in held]
        result = make.add([*rest, (1, together)], node.shape)
        if measure(result) < least:
            best, least = result, measure(result)
    return best


def _symmetric_pair(node: Node) -> bool:
    """M + Mᵀ, where M is not symmetric itself."""
    return isinstance(node, Sum) and parity(node) == 1 and not any(map(parity, node.children))


def _with_identities(
    holders: dict[tuple[Node, Signature], dict[int, Held]], products: Sequence[Opened]
) -> None:
    """Sums that are factors elsewhere with a summed label: u_i = δ_ij u_j."""
    for k, product in enumerate(products):
        part = product.parts[0]
        if not isinstance(part.node, Sum):
            continue
        for place, label in enumerate(part.labels):
            joint = product.fresh()
            labels = (*part.labels[:place], joint, *part.labels[place + 1 :])
            held = holders.get((part.node, _signature(labels, product)))
            if held is not None:
                one = make.delta(part.node.shape[place]), (label, joint)
                held.setdefault(k, Held(product, 0, labels, beside=(one,)))


def _with_powers(holders: dict[tuple[Node, Signature], dict[int, Held]]) -> None:
    """Powers of one base, of which the smallest is taken out of the others: a/x² + b/x³."""
    bases: dict[tuple[Node, Signature, bool], dict[int, tuple[Number, Held]]] = {}
    for (node, labels), held in holders.items():
        base, exponent = base_and_exponent(node)
        for k, one in held.items():
            group = bases.setdefault((base, labels, exponent > 0), {})
            if not one.beside:
                group.setdefault(k, (exponent, one))
    for (base, labels, _), group in bases.items():
        exponents = {e for e, _ in group.values()}
        if len(exponents) < 2:
            continue
        least = min(exponents, key=lambda e: e * e)
        joined = {}
        for k, (e, one) in group.items():
            left = make.power(base, make.exact_number(Fraction(e) - least))
            beside = () if e == least else ((left, one.labels),)
            joined[k] = replace(one, beside=beside)
        holders[make.power(base, least), labels] = joined


def _signature(labels: Sequence[int], product: Opened) -> Signature:
    """The labels of a factor: those of the output as they are, the others numbered after them."""
    number = {label: label for label in product.output}
    for label in labels:
        number.setdefault(label, len(number))
    return tuple([number[label] for label in labels])


def _taken_out(
    factor: Node, labels: Signature, group: Sequence[tuple[Number, Held]], node: Node
) -> tuple[Node, Node] | None:
    """The sum of products as ``factor`` times a sum, and that sum.

    None if the sum has more axes than any part: a factor in the middle of matrix products would
    leave a tensor of four axes beside it.
    """
    if not labels:
        rest = make.add([(c, one.product.replaced((one.at,), one.beside)) for c, one in group])
        axes = range(node.order)
        return make.contract([(factor, ()), (rest, axes)], axes), rest
    sizes = {**dict(enumerate(node.shape)), **dict(zip(labels, factor.shape, strict=True))}
    taken = []
    for c, one in group:
        number = {label: label for label in one.product.output}
        for label in one.labels:
            number.setdefault(label, len(number))
        inner = one.product.sizes_above((one.at,))
        for label in inner:
            number.setdefault(label, len(number))
        others = [
            (n, [number[x] for x in ls]) for n, ls in (*one.product.others((one.at,)), *one.beside)
        ]
        summed = {number[x]: s for x, s in inner.items() if number[x] not in sizes}
        taken.append((c, others, summed))
    free = sorted({x for _, others, _ in taken for _, ls in others for x in ls if x in sizes})
    if len(free) > max(2, node.order):
        return None
    given = {label: sizes[label] for label in free}
    found = []
    for order in [free, free[::-1]] if len(free) == 2 else [free]:
        total = make.add([(c, make.contract(o, order, {**given, **more})) for c, o, more in taken])
        if isinstance(total, Sum) and any(map(has_no_values, total.children)):
            return None  # a difference of two slices is not a product with a matrix of differences
        whole = make.contract([(factor, labels), (total, order)], range(node.order), sizes)
        found.append((whole, total))
    return min(found, key=lambda pair: measure(pair[0]))


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
    result = like_terms(result) or result
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
    products = [(c, make.contract(factors, term.output, sizes)) for c, factors in partial]
    return [(c, unit_sum(p) or like_factors(p) or p) for c, p in products]


def _open_complement(node: Node, present: set[Node]) -> list[Term]:
    """f(−x) as 1 − f(x), where f(x) is present as well."""
    if isinstance(node, Apply):
        law = primitive(node).complement
        other = law.rewrite(*node.arguments) if law else None
        if other is not None and other in present and other.digest < node.digest:
            return [(1, make.ones(node.shape)), (-1, other)]
    return [(1, node)]
