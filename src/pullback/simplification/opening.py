"""Rows that multiply a product out over one of its sums, where something then cancels or collects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Contraction, Node, Number, Sum
from pullback.simplification.canonical import Certificate, certificate_of
from pullback.simplification.factors import base_and_exponent, like_factors
from pullback.simplification.inverses import inverse_cancels, orthogonal_cancels
from pullback.simplification.measure import measure
from pullback.simplification.products import Label, Opened, multiplied_out, sums_in, tags
from pullback.simplification.terms import alike, like_terms
from pullback.simplification.totals import sums_to_one, unit_sum
from pullback.simplification.triangles import factor_beside_its_square, factor_squared

DEEPEST = 4  # sums within sums that are opened at once
MOST_TIMES = 4  # powers of a factor that meet the same sum
MOST_PRODUCTS = 60  # terms multiplied out in one search


def distribute_to_cancel(node: Node) -> Node | None:
    """a ⊙ (b/a + c) = b + a ⊙ c, X⁻¹(X + A) = I + X⁻¹ A, Σᵢ (xᵢ − c) = Σᵢ xᵢ − n c.

    A sum is opened where a factor outside cancels in a term, or where a term is known to be summed:
    a mere repetition along a summed axis, or one that sums to one.
    """
    return _cancelled(node, DEEPEST, iter(range(MOST_PRODUCTS)))


def _cancelled(node: Node, depth: int, allowance: Iterator[int]) -> Node | None:
    if not isinstance(node, Contraction) or "sum" not in tags(node):
        return None
    opened = Opened(node, deepest=3)
    for at, total, others in sums_in(opened):
        labels = opened.parts[at].labels
        held = {label for _, ls in others for label in ls}.union(opened.output)
        alone = set(labels) - held
        known = any(_known_total(term, labels, alone) for _, term in total.terms)
        if not known and (opened.parts[at].depth > 1 or not others):
            continue
        if any(next(allowance, None) is None for _ in total.terms):
            return None
        terms = list(multiplied_out(opened, at, others))
        shorter = [_shorter(core, depth, allowance) for _, core in terms]
        if not known and not any(
            short is not None and _powers(short) < _powers(core)
            for (_, core), short in zip(terms, shorter, strict=True)
        ):
            continue
        result = make.add(
            [
                (c, core if short is None else short)
                for (c, core), short in zip(terms, shorter, strict=True)
            ],
            node.shape,
        )
        result = like_terms(result) or result
        if measure(result) < measure(node):
            return result
    return None


def _shorter(core: Node, depth: int, allowance: Iterator[int]) -> Node | None:
    """A product after the first row that cancels something in it."""
    return (
        like_factors(core)
        or inverse_cancels(core)
        or orthogonal_cancels(core)
        or factor_squared(core)
        or factor_beside_its_square(core)
        or unit_sum(core)
        or (_cancelled(core, depth - 1, allowance) if depth else None)
    )


def _powers(node: Node) -> Fraction:
    """The exponents of all factors, without their signs: x/x has 2, and so have x² and 1/x²."""
    opened = Opened(node)
    total = Fraction(0)
    for k in opened.leaves():
        part = opened.parts[k].node
        if k and isinstance(part, Contraction) and make.has_delta(part):
            total += sum(map(_powers, part.children))
            continue
        base, exponent = base_and_exponent(part)
        count = len(Opened(base).leaves()) if base is not part else 1
        total += abs(Fraction(exponent)) * count
    return total


def _known_total(term: Node, labels: Sequence[Label], alone: set[Label]) -> bool:
    """Whether a term, summed over labels that nothing else has, is a multiple or a number."""
    if not alone:
        return False
    if sums_to_one(term):
        return labels[-1] in alone
    if not isinstance(term, Contraction):
        return False
    held = {x for _, ls in term.operands for x in ls}
    return any(
        label in alone and own not in held for own, label in zip(term.output, labels, strict=True)
    )


def alike_inside(node: Node) -> Node | None:
    """xᵀ(A + Aᵀ)x = 2 xᵀA x: terms of a sum that are equal beside the other factors."""
    if not isinstance(node, Contraction) or "sum" not in tags(node):
        return None
    opened = Opened(node)
    for at, total, others in sums_in(opened):
        groups = [group for group in alike(total) if len(group) > 1] if others else []
        terms: dict[int, tuple[Number, Node]] = dict(enumerate(total.terms))
        if not groups:
            continue
        products = list(multiplied_out(opened, at, others))
        for group in groups:
            first: dict[Certificate, tuple[int, Fraction]] = {}
            for k in group:
                c, product = products[k]
                key, sign = certificate_of(product)
                kept, value = first.setdefault(key, (k, Fraction(c * sign)))
                if kept != k:
                    c0, term = terms[kept]
                    ratio = 1 + Fraction(c * sign) / value
                    first[key] = kept, value * ratio
                    terms[kept] = make.exact_number(c0 * ratio), term
                    del terms[k]
        if len(terms) < len(total.terms):
            inner = make.add(terms.values(), total.shape)
            return opened.replaced((at,), [(inner, opened.parts[at].labels)])
    return None


def cancelled_under_a_power(node: Node) -> Node | None:
    """v⁻¹ (b/v + c)⁻¹ = (b + v c)⁻¹, v⁻² (b/v² + c)⁻¹ = (b + v² c)⁻¹: a factor meets its reciprocal."""
    if not isinstance(node, Contraction):
        return None
    opened = Opened(node, deepest=3)
    parts = [(at, part, *base_and_exponent(part.node)) for at, part in enumerate(opened.parts)]
    for at, below, total, exponent in parts:
        if not isinstance(total, Sum) or not isinstance(exponent, int) or exponent >= 0:
            continue
        for k, beside, base, power in parts:
            if k == at or power > exponent or beside.labels not in (below.labels, ()):
                continue
            axes = range(total.order)
            found = []
            for times in range(1, min(int(power / exponent), MOST_TIMES) + 1):
                taken = make.power(base, times)
                inside = make.contract([(total, axes), (taken, axes if base.order else ())], axes)
                shorter = distribute_to_cancel(inside)
                if shorter is not None:
                    left = make.power(base, make.exact_number(power - times * exponent))
                    factors = [(make.power(shorter, exponent), below.labels), (left, beside.labels)]
                    found.append(opened.replaced((at, k), factors))
            if found:
                return min(found, key=measure)
    return None
