"""Rows about products: like factors meet, and sums of known value are taken."""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction
from itertools import combinations

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Number, Sum, Variable
from pullback.functions.catalogue import primitive

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
                return [*rest, (result, labels)]
    return None


def join(a: Node, b: Node) -> Node | None:
    """The elementwise product of two factors as one simpler node, or None."""
    (base, e), (other, f) = base_and_exponent(a), base_and_exponent(b)
    if base is other and (e != 1 or f != 1):
        return make.power(base, make.exact_number(Fraction(e) + f))
    for one, partner in ((a, b), (b, a)):
        if isinstance(one, Apply):
            for law in primitive(one).products:
                result = law.rewrite(*one.arguments, partner)
                if result is not None:
                    return result
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

    Products within it are opened as well, to a fixed depth so that deep chains stay linear.
    """
    if not isinstance(node, Contraction) or make.has_delta(node) or len(node.operands) < 2:
        return None
    outer: dict[int, Hashable] = dict(zip(node.output, labels, strict=True))
    for label in node.summed:
        outer[label] = (scope, label)
    factors: list[Factor] = []
    for place, (operand, inner) in enumerate(node.operands):
        named = tuple([outer[label] for label in inner])
        below = _factors_of(operand, named, (scope, place), depth - 1) if depth else None
        factors.extend([(operand, named)] if below is None else below)
    return factors


def distribute_to_cancel(node: Node) -> Node | None:
    """a ⊙ (b/a + c) = b + a ⊙ c: a sum is opened when a factor outside cancels in a term.

    With several factors outside, only when one cancels in every term, so that no product is
    written twice.
    """
    if not isinstance(node, Contraction) or len(node.operands) < 2:
        return None
    for place, (operand, labels) in enumerate(node.operands):
        if not isinstance(operand, Sum):
            continue
        others = [o for k, o in enumerate(node.operands) if k != place]
        terms = []
        cancelled = 0
        for coefficient, term in operand.terms:
            product = make.contract(
                [(term, labels), *others], node.output, dict(enumerate(node.sizes))
            )
            inner, core = make.split_coefficient(product)
            shorter = like_factors(core)
            cancelled += shorter is not None
            terms.append((coefficient * inner, core if shorter is None else shorter))
        if cancelled == len(terms) or (cancelled and len(others) == 1):
            return make.add(terms, node.shape)
    return None


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
