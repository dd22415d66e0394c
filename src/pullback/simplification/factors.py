"""Rows about products: like factors meet, and sums of known value are taken."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from fractions import Fraction
from itertools import combinations

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Number, Sum, Variable
from pullback.functions.catalogue import primitive
from pullback.simplification.inverses import inverse_cancels, orthogonal_cancels
from pullback.simplification.measure import measure
from pullback.simplification.pairs import joined_by_name
from pullback.simplification.products import Opened, tags
from pullback.simplification.terms import like_terms

Labels = tuple[Hashable, ...]
Factor = tuple[Node, Labels]


def base_and_exponent(node: Node) -> tuple[Node, Number]:
    """x^a as (x, a) for a literal a; anything else as (node, 1)."""
    if isinstance(node, Apply) and node.function == "power":
        exponent = make.constant_value(node.arguments[1])
        if exponent is not None:
            return node.arguments[0], exponent
    return node, 1


def like_factors(node: Node) -> Node | None:
    """xᵃ ⊙ xᵇ = xᵃ⁺ᵇ, where one of them is written as a power, and what else joins in pairs.

    A nested product is opened when one of its factors meets its like outside.
    """
    if not isinstance(node, Contraction) or len(node.operands) < 2:
        return None
    factors = _open_where_likes_meet(node)
    joined = _join_one_pair(factors)
    if joined is None:
        return None
    while joined is not None:
        factors, joined = joined, _join_one_pair(joined)
    return make.contract(factors, node.output, dict(enumerate(node.sizes)))


def _join_one_pair(factors: list[Factor]) -> list[Factor] | None:
    for first in range(len(factors)):
        for second in range(first + 1, len(factors)):
            (a, labels), (b, others) = factors[first], factors[second]
            result = join(a, b) if labels == others else None
            if result is not None:
                rest = [f for k, f in enumerate(factors) if k not in (first, second)]
                return [*rest, *((n, labels) for n in result)]
    return None


def join(a: Node, b: Node) -> tuple[Node, ...] | None:
    """The elementwise product of two factors as simpler ones, or None."""
    (base, e), (other, f) = base_and_exponent(a), base_and_exponent(b)
    if base is other and (e != 1 or f != 1):
        return (make.power(base, make.exact_number(Fraction(e) + f)),)
    special = joined_by_name(a, b)
    if special is not None:
        return special
    for one, partner in ((a, b), (b, a)):
        if isinstance(one, Apply):
            for law in primitive(one).products:
                result = law.rewrite(*one.arguments, partner)
                if result is not None:
                    return (result,)
    return None


def _open_where_likes_meet(node: Contraction) -> list[Factor]:
    """The factors of a product, those of an inner product among them if that lets likes meet."""
    outer: list[Factor] = list(node.operands)
    inner = [_factors_of(operand, labels, k) or [] for k, (operand, labels) in enumerate(outer)]
    if not any(inner):
        return outer
    by_labels: dict[Labels, list[tuple[int, Node]]] = {}
    for k, factor in enumerate(outer):
        for n, labels in inner[k] or [factor]:
            by_labels.setdefault(labels, []).append((k, n))
    opened: set[int] = set()
    for same in by_labels.values():
        for (k, n), (j, other) in combinations(same, 2):
            if k != j and join(n, other) is not None:
                opened |= {k, j}
    return [
        f for k, factor in enumerate(outer) for f in (inner[k] if k in opened else []) or [factor]
    ]


def _factors_of(node: Node, labels: Labels, scope: Hashable, depth: int = 3) -> list[Factor] | None:
    """The factors of an inner product under outer labels; None if it is no plain product.

    Products within it are opened as well, to a fixed depth so that deep chains stay linear. An
    integer power of a product is the product of the powers.
    """
    base = node
    exponent: Number = 1
    if isinstance(node, Apply) and node.function == "power":
        base, exponent = base_and_exponent(node)
    if not isinstance(base, Contraction) or make.has_delta(base) or len(base.operands) < 2:
        return None
    if exponent != 1 and (not isinstance(exponent, int) or base.summed):
        return None
    outer: dict[int, Hashable] = dict(zip(base.output, labels, strict=True))
    for label in base.summed:
        outer[label] = (scope, label)
    factors: list[Factor] = []
    for place, (inner, own) in enumerate(base.operands):
        operand = inner if exponent == 1 else make.power(inner, exponent)
        named = tuple([outer[label] for label in own])
        below = _factors_of(operand, named, (scope, place), depth - 1) if depth else None
        factors.extend([(operand, named)] if below is None else below)
    return factors


def distribute_to_cancel(node: Node) -> Node | None:
    """a ⊙ (b/a + c) = b + a ⊙ c, X⁻¹(X + A) = I + X⁻¹ A, Σᵢ (xᵢ − c) = Σᵢ xᵢ − n c.

    A sum is opened where a factor outside cancels in a term, or a summed axis is a mere
    repetition in a term.
    """
    if not isinstance(node, Contraction) or "sum" not in tags(node):
        return None
    opened = Opened(node, deepest=3)
    for at, part in enumerate(opened.parts):
        if not isinstance(part.node, Sum) or len(part.node.terms) > 8:
            continue
        others = opened.others((at,))
        held = {label for _, labels in others for label in labels}.union(opened.output)
        alone = set(part.labels) - held
        repeats = any(_repeats(term, part.labels, alone) for _, term in part.node.terms)
        if not repeats and (part.depth > 1 or not others):
            continue
        result = _distributed(part.node, part.labels, others, opened, at, cancel=not repeats)
        if result is not None and measure(result) < measure(node):
            return result
    return None


def _distributed(
    total: Sum, labels: Labels, others: Sequence[Factor], opened: Opened, at: int, *, cancel: bool
) -> Node | None:
    """A product multiplied out over one of its sums; ``cancel`` insists that a term gets shorter."""
    terms = []
    sizes = opened.sizes_above((at,))
    for coefficient, term in total.terms:
        product = make.contract([(term, labels), *others], opened.output, sizes)
        inner, core = make.split_coefficient(product)
        shorter = like_factors(core) or inverse_cancels(core) or orthogonal_cancels(core)
        if shorter is not None and cancel:
            cancel = _powers(shorter) >= _powers(core)
        terms.append((coefficient * inner, core if shorter is None else shorter))
    if cancel:
        return None
    result = make.add(terms, opened.root.shape)
    return like_terms(result) or result


def _powers(node: Node) -> Fraction:
    """The exponents of all factors, without their signs: x/x has 2, and so have x² and 1/x²."""
    opened = Opened(node)
    exponents = [base_and_exponent(opened.parts[k].node)[1] for k in opened.leaves()]
    return sum((abs(Fraction(e)) for e in exponents), Fraction(0))


def _repeats(term: Node, labels: Labels, alone: set[int]) -> bool:
    """Whether a term is a broadcast along one of these labels."""
    if not alone or not isinstance(term, Contraction):
        return False
    held = {x for _, ls in term.operands for x in ls}
    return any(
        label in alone and own not in held for own, label in zip(term.output, labels, strict=True)
    )


def unit_sum(node: Node) -> Node | None:
    """Σᵢ pᵢ = 1 for what is declared or known to sum to one over its last axis."""
    if not isinstance(node, Contraction) or not any(map(_holds_unit_sum, node.children)):
        return None
    factors: list[Factor] = []
    outer: list[Factor] = list(node.operands)
    for place, (operand, labels) in enumerate(outer):
        inner = _factors_of(operand, labels, place)
        open_it = inner is not None and any(_sums_to_one(n) for n, _ in inner)
        factors.extend(inner if open_it and inner is not None else [(operand, labels)])
    for place, (operand, labels) in enumerate(factors):
        if not labels or not _sums_to_one(operand):
            continue
        last = labels[-1]
        others = [f for k, f in enumerate(factors) if k != place]
        if last in node.output or last in labels[:-1] or any(last in ls for _, ls in others):
            continue
        kept = make.ones(operand.shape[:-1]), labels[:-1]
        sizes = {label: s for label, s in enumerate(node.sizes) if label != last}
        return make.contract([*others, kept], node.output, sizes)
    return None


def _holds_unit_sum(node: Node) -> bool:
    return _sums_to_one(node) or (
        isinstance(node, Contraction) and any(map(_sums_to_one, node.children))
    )


def _sums_to_one(node: Node) -> bool:
    if isinstance(node, Variable):
        return "unit-sum" in node.assumptions
    return isinstance(node, Apply) and primitive(node).unit_sum
