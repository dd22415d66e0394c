"""Rows about products: like factors meet, as powers or by what they are."""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction
from itertools import combinations

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Number, Sum
from pullback.functions.catalogue import primitive
from pullback.simplification.pairs import joined_by_name
from pullback.simplification.products import Opened

Labels = tuple[Hashable, ...]
Factor = tuple[Node, Labels]


def base_and_exponent(node: Node) -> tuple[Node, Number]:
    """x^a as (x, a) for a literal a; anything else as (node, 1)."""
    if isinstance(node, Apply) and node.function == "power":
        exponent = make.constant_value(node.arguments[1])
        if exponent is not None:
            return _root_and_exponent(node.arguments[0], exponent)
    return node, 1


def _root_and_exponent(base: Node, exponent: Number) -> tuple[Node, Number]:
    """(x x)ᵏ as x²ᵏ for an integer k; squares and cubes stand as products."""
    if not isinstance(base, Contraction) or not isinstance(exponent, int) or base.summed:
        return base, exponent
    first, labels = base.operands[0] if base.operands else (base, ())
    if labels != base.output or any(operand != (first, labels) for operand in base.operands):
        return base, exponent
    return first, exponent * len(base.operands)


def like_factors(node: Node) -> Node | None:
    """xᵃ ⊙ xᵇ = xᵃ⁺ᵇ, where one of them is written as a power, and what else joins in pairs.

    A nested product is opened when one of its factors meets its like outside.
    """
    if not isinstance(node, Contraction) or len(node.operands) < 2:
        return None
    node = on_the_diagonal(node)
    for whole in (False, True):
        factors = _open_where_likes_meet(node, whole)
        joined = _join_one_pair(factors)
        if joined is None:
            continue
        while joined is not None:
            factors, joined = joined, _join_one_pair(joined)
        return make.contract(factors, node.output, dict(enumerate(node.sizes)))
    return None


def on_the_diagonal(node: Contraction) -> Contraction:
    """δᵢⱼ aᵢ times bⱼ with both on one label, where they may meet."""
    one: dict[int, int] = {}  # labels that a δ makes equal to another

    def find(label: int) -> int:
        while label in one:
            label = one[label]
        return label

    opened: list[tuple[Node, tuple[int, ...]]] = []
    sizes = dict(enumerate(node.sizes))
    for operand, labels in node.operands:
        if not (isinstance(operand, Contraction) and operand.operands and make.has_delta(operand)):
            opened.append((operand, labels))
            continue
        inner = [len(sizes) + k for k in range(len(operand.sizes))]
        sizes.update(zip(inner, operand.sizes, strict=True))
        for own, outer in zip(operand.output, labels, strict=True):
            first, second = find(inner[own]), find(outer)
            if first != second:
                one[max(first, second)] = min(first, second)
        opened += [(n, tuple([inner[x] for x in ls])) for n, ls in operand.operands]
    if not one:
        return node
    factors = [(n, tuple([find(x) for x in ls])) for n, ls in opened]
    output = tuple([find(x) for x in node.output])
    made = make.contract(factors, output, {find(k): size for k, size in sizes.items()})
    return made if isinstance(made, Contraction) and len(made.operands) > 1 else node


def _join_one_pair(factors: list[Factor]) -> list[Factor] | None:
    for first in range(len(factors)):
        for second in range(first + 1, len(factors)):
            (a, labels), (b, others) = _distinct(factors[first]), _distinct(factors[second])
            result = join(a, b) if labels == others else None
            if result is not None:
                rest = [f for k, f in enumerate(factors) if k not in (first, second)]
                return [*rest, *((n, labels) for n in result)]
    return None


def _distinct(factor: Factor) -> Factor:
    """A factor under one label twice as its diagonal."""
    _, labels = factor
    if len({*labels}) == len(labels):
        return factor
    kept = tuple(dict.fromkeys(labels))
    return make.contract([factor], kept), kept


def join(a: Node, b: Node) -> tuple[Node, ...] | None:
    """The elementwise product of two factors as simpler ones, or None."""
    (base, e), (other, f) = base_and_exponent(a), base_and_exponent(b)
    if base is other and (e != 1 or f != 1):
        return (make.power(base, make.exact_number(Fraction(e) + f)),)
    multiple = _of_multiples(a, b) or _of_multiples(b, a)
    if multiple is not None:
        return (multiple,)
    symbolic = _exponents_collect(a, b)
    if symbolic is not None:
        return (symbolic,)
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


def _of_multiples(a: Node, b: Node) -> Node | None:
    """(c x)ᵉ xᵏ = c⁻ᵏ (c x)ᵉ⁺ᵏ for an integer k: √(2π)/(2π) = 1/√(2π)."""
    base, e = base_and_exponent(a)
    c, core = make.split_coefficient(base)
    number, rest = make.split_coefficient(b)
    other, k = base_and_exponent(rest)
    if c in (1, -1) or core is not other or not isinstance(k, int) or isinstance(e, int):
        return None
    factor = Fraction(number) / Fraction(c) ** k
    return make.scale(make.exact_number(factor), make.power(base, make.exact_number(e + k)))


def _exponents_collect(a: Node, b: Node) -> Node | None:
    """xᵖ⁻¹ x = xᵖ for exponents that collect; the base of a symbolic power is positive."""
    for one, other in ((a, b), (b, a)):
        if not isinstance(one, Apply) or one.function != "power":
            continue
        base, exponent = one.arguments
        more = make.ones(base.shape)
        if isinstance(other, Apply) and other.function == "power" and other.arguments[0] is base:
            more = other.arguments[1]
        elif other is not base:
            continue
        terms = [*_terms(exponent), *_terms(more)]
        total = make.add(terms, exponent.shape)
        if len(_terms(total)) < len(terms):
            return make.power(base, total)
    return None


def _terms(node: Node) -> tuple[tuple[Number, Node], ...]:
    return node.terms if isinstance(node, Sum) else ((1, node),)


def _open_where_likes_meet(node: Contraction, whole: bool) -> list[Factor]:
    """The factors of a product, those of an inner product among them if that lets likes meet.

    ``whole`` matrix products are factors, as A B is of M ⊙ (A B), else their own factors are.
    """
    outer: list[Factor] = list(node.operands)
    inner = [
        _factors_of(operand, labels, k, whole=whole) or []
        for k, (operand, labels) in enumerate(outer)
    ]
    if not any(inner):
        return outer
    by_labels: dict[Labels, list[tuple[int, Node]]] = {}
    for k, factor in enumerate(outer):
        for n, labels in map(_distinct, inner[k] or [factor]):
            by_labels.setdefault(labels, []).append((k, n))
    opened: set[int] = set()
    for same in by_labels.values():
        for (k, n), (j, other) in combinations(same, 2):
            apart = k != j or len({*outer[k][1]}) < len(outer[k][1])  # a diagonal joins in itself
            if apart and join(n, other) is not None:
                opened |= {k, j}
    return [
        f for k, factor in enumerate(outer) for f in (inner[k] if k in opened else []) or [factor]
    ]


def _factors_of(
    node: Node, labels: Labels, scope: Hashable, depth: int = 3, whole: bool = False
) -> list[Factor] | None:
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
    if whole and base.summed:
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
        below = _factors_of(operand, named, (scope, place), depth - 1, whole) if depth else None
        factors.extend([(operand, named)] if below is None else below)
    return factors


def powers_apart(node: Node) -> Node:
    """A product in which (a b)ᵏ stands as aᵏ bᵏ, for integer k."""
    opened = Opened(node)
    for at in opened.leaves():
        part = opened.parts[at]
        if isinstance(part.node, Apply) and part.node.function == "power":
            factors = _factors_of(part.node, part.labels, scope=-1, depth=0)
            if factors is not None:
                labels = [(n, tuple([x for x in ls if isinstance(x, int)])) for n, ls in factors]
                return powers_apart(opened.replaced((at,), labels))
    return node
