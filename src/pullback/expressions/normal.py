"""Sums and products in normal form: what every other constructor is made of.

Local means: like terms are collected, literals gather in front, δs and ones vanish into labels,
indicators that share an index meet. Nested products are *not* flattened here: a gradient through
a thousand layers would become quadratic. Flattening belongs to those who plan code or recognise
matrix notation.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from fractions import Fraction
from typing import Any

from pullback.errors import PullbackError, ShapeError
from pullback.expressions import relations
from pullback.expressions.nodes import (
    Contraction,
    Indicator,
    Labels,
    Node,
    Number,
    SizeValue,
    Sum,
    intern,
)
from pullback.expressions.sizes import Shape, Size, SizeLike, shape_of, shape_text

LONGEST = 4096  # bits of a power that is written out


def exact_number(value: int | float | Fraction) -> Number:
    """A literal as an exact rational; a float is the decimal it prints as.

    >>> exact_number(0.1), exact_number(2.0)
    (Fraction(1, 10), 2)
    """
    if hasattr(value, "__index__"):
        value = int(value)  # a NumPy integer has more digits than a float
    elif isinstance(value, float) or type(value).__module__ == "numpy":
        if not math.isfinite(value):
            raise PullbackError(f"{value} is not a number an expression can hold")
        value = Fraction(repr(float(value)))
    fraction = Fraction(value)
    return fraction.numerator if fraction.denominator == 1 else fraction


def plain(number: Number) -> Number:
    if isinstance(number, Fraction) and number.denominator == 1:
        return number.numerator
    return number


def number_power(base: Number, exponent: int) -> Number | None:
    """A power of a number as a number; None where it has no value or is too long to write out.

    >>> number_power(2, -3), number_power(2, 2**20), number_power(0, -1)
    (Fraction(1, 8), None, None)
    """
    value = Fraction(base)
    bits = max(value.numerator.bit_length(), value.denominator.bit_length())
    if bits * abs(exponent) > LONGEST or not (value or exponent > 0):
        return None
    return plain(value**exponent)


def zeros(shape: Iterable[SizeLike]) -> Node:
    return intern(Sum, shape_of(shape), terms=())


def is_zero(node: Node) -> bool:
    return isinstance(node, Sum) and not node.terms


def ones(shape: Iterable[SizeLike]) -> Node:
    """The tensor of ones: a contraction of nothing."""
    sizes = shape_of(shape)
    return _contraction((), tuple(range(len(sizes))), sizes)


def constant(value: int | float | Fraction, shape: Iterable[SizeLike] = ()) -> Node:
    return scale(exact_number(value), ones(shape))


def size_value(size: SizeLike) -> Node:
    """A size as a scalar; a fixed one is a literal.

    >>> size_value(3) is constant(3)
    True
    """
    size = Size.of(size)
    if size.constant is not None:
        return constant(size.constant)
    return intern(SizeValue, (), size=size)


def split_coefficient(node: Node) -> tuple[Number, Node]:
    """The literal in front of a node, and the rest."""
    if isinstance(node, Sum) and len(node.terms) == 1:
        return node.terms[0]
    return 1, node


def scale(coefficient: Number, node: Node) -> Node:
    """A number times a node."""
    return add([(coefficient, node)], node.shape)


def add(terms: Iterable[tuple[Number, Node]], shape: Shape | None = None) -> Node:
    """A linear combination, like terms collected and zeros dropped.

    >>> from pullback.expressions.constructors import variable
    >>> x = variable("x", ["n"])
    >>> is_zero(add([(1, x), (-1, x)]))
    True
    """
    collected: dict[Node, Number] = {}
    for coefficient, node in terms:
        if shape is None:
            shape = node.shape
        elif node.shape != shape:
            raise ShapeError(f"cannot add {shape_text(shape)} and {shape_text(node.shape)}")
        inner, core = split_coefficient(node)
        if coefficient and not is_zero(core):
            collected[core] = collected.get(core, 0) + coefficient * inner
    if shape is None:
        raise ValueError("a sum without terms needs its shape")
    kept = [(plain(c), node) for node, c in collected.items() if c]
    if len(kept) == 1 and kept[0][0] == 1:
        return kept[0][1]
    kept.sort(key=lambda term: term[1].digest)
    return intern(Sum, shape, terms=tuple(kept))


def has_delta(node: Contraction) -> bool:
    """Whether two output axes are tied by a δ."""
    return len(set(node.output)) < len(node.output)


def is_view(node: Node) -> bool:
    """Whether the node only permutes, broadcasts or takes diagonals of at most one operand."""
    return isinstance(node, Contraction) and len(node.operands) <= 1 and not node.summed


def contract(
    operands: Iterable[tuple[Node, Iterable[Hashable]]],
    output: Iterable[Hashable],
    sizes: Mapping[Any, Size] | None = None,
) -> Node:
    """A sum of products: one label per axis of each operand; what ``output`` lacks is summed.

    A label of ``output`` that no operand has needs its size in ``sizes`` and is a broadcast
    axis; a label that comes twice in ``output`` is a δ; a label of ``sizes`` that nothing else
    has is summed over all the same, and multiplies by its size. Raises ShapeError when two axes with
    one label have two sizes.

    >>> from pullback.expressions.constructors import variable
    >>> A, x = variable("A", ["m", "n"]), variable("x", ["n"])
    >>> contract([(A, "ij"), (x, "j")], "i").shape
    (Size(m),)
    """
    size_of: dict[Hashable, Size] = dict(sizes or {})
    coefficient: Number = 1
    factors: list[tuple[Node, list[Hashable]]] = []
    same: dict[Hashable, Hashable] = {}  # δ: label → label it equals

    def root(label: Hashable) -> Hashable:
        while label in same:
            label = same[label]
        return label

    out = list(output)
    pending = [(node, list(labels)) for node, labels in reversed(list(operands))]
    while pending:
        node, labels = pending.pop()
        for label, size in zip(labels, node.shape, strict=True):
            if size_of.setdefault(label, size) != size:
                raise ShapeError(f"cannot match an axis of size {size_of[label]} with {size}")
        if isinstance(node, Sum) and len(node.terms) <= 1:
            if not node.terms:
                coefficient = 0  # the labels of the other operands still count
                continue
            coefficient *= node.terms[0][0]
            pending.append((node.terms[0][1], labels))
        elif is_view(node):
            assert isinstance(node, Contraction)
            outer: dict[int, Hashable] = {}
            for inner, label in zip(node.output, labels, strict=True):
                first, second = root(outer.setdefault(inner, label)), root(label)
                if first != second:
                    same[second] = first
            pending.extend((n, [outer[i] for i in ls]) for n, ls in node.operands)
        else:
            factors.append((node, labels))

    if not coefficient:
        return zeros(size_of[label] for label in out)
    if same:
        factors = [(node, [root(label) for label in labels]) for node, labels in factors]
        out = [root(label) for label in out]
    used = {root(x) for x in size_of}
    if any(isinstance(node, Indicator) for node, _ in factors):
        settled = _settled(factors, out, size_of)
        if settled is None:
            return zeros(size_of[label] for label in out)
        factors, out, gone = settled
        used -= gone
    return scale(plain(coefficient), _canonical(factors, out, size_of, used))


def _settled(
    factors: list[tuple[Node, list[Hashable]]],
    out: list[Hashable],
    size_of: Mapping[Hashable, Size],
) -> tuple[list[tuple[Node, list[Hashable]]], list[Hashable], set[Hashable]] | None:
    """Factors and output with the relations among labels reduced, and the labels that are gone.

    None where no indices satisfy them, so that the product is 0.
    """
    others = [(n, ls) for n, ls in factors if not isinstance(n, Indicator)]
    held = {*out, *(label for _, labels in others for label in labels)}
    settled = relations.settle(
        [relations.relation_of(n, ls) for n, ls in factors if isinstance(n, Indicator)],
        held,
        size_of,
    )
    if settled.relations is None:
        return None
    for kept, gone in settled.same:
        others = [(n, [kept if x == gone else x for x in ls]) for n, ls in others]
        out = [kept if x == gone else x for x in out]
    rest = [relations.indicator_of(r, size_of) for r in settled.relations]
    return [*others, *rest], out, settled.summed.union(gone for _, gone in settled.same)


def _canonical(
    factors: list[tuple[Node, list[Hashable]]],
    out: list[Hashable],
    size_of: Mapping[Hashable, Size],
    used: set[Hashable],
) -> Node:
    """The contraction with its operands in canonical order and labels numbered by appearance."""
    number: dict[Hashable, int] = {}
    for label in out:
        number.setdefault(label, len(number))
    if len(factors) > 1:
        last = len(number)
        factors.sort(key=lambda f: (f[0].digest, [number.get(label, last) for label in f[1]]))
    for _, labels in factors:
        for label in labels:
            number.setdefault(label, len(number))
    for label in used:
        if label not in number and size_of[label].constant != 1:
            # summed, and in no operand: the sum of ones is the size
            factor = size_value(size_of[label])
            rest = _canonical(factors, out, size_of, used - {label})
            return contract([(factor, ()), (rest, range(rest.order))], range(rest.order))
    output = tuple([number[label] for label in out])
    if len(factors) == 1:
        node, labels = factors[0]
        if tuple([number[label] for label in labels]) == output and len(number) == len(output):
            return node
    sizes = tuple([size_of[label] for label in number])
    operands = tuple([(n, tuple([number[label] for label in ls])) for n, ls in factors])
    return _contraction(operands, output, sizes)


def _contraction(
    operands: tuple[tuple[Node, Labels], ...], output: Labels, sizes: tuple[Size, ...]
) -> Node:
    shape = tuple([sizes[label] for label in output])
    return intern(Contraction, shape, operands=operands, output=output, sizes=sizes)
