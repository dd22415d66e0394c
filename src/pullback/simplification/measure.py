"""The measure that every rewrite lets fall."""

from __future__ import annotations

from fractions import Fraction
from operator import attrgetter
from weakref import WeakKeyDictionary

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Labels, Node, Number, SizeValue, Sum
from pullback.expressions.walks import remembered
from pullback.functions.catalogue import primitive
from pullback.functions.record import argument_of

Measure = tuple[int, int, tuple[Labels, ...], bytes]

_FUNCTION, _POWER = 3, 2  # beside what stands below them, which counts twice
_LINEAR = 2  # more for a linear function, such as the derivative of a function of matrices

_LAST: tuple[Labels, ...] = ((10**9,),)

_known: WeakKeyDictionary[Node, tuple[int, int]] = WeakKeyDictionary()


def measure(node: Node) -> Measure:
    """How long an expression is to write, then how many numbers it has, then its order.

    Names, sizes, ones and δ weigh 1, as does each ``+``, each product of two factors, each
    transpose or sum that is an operation of its own and each vector of ones beside others; a function weighs 3, a power 2, and both
    twice their arguments, so that what can be taken out of them is. Dividing by a size weighs 1. Both weights are sums over the parts: when they fall
    for a part they fall for the whole. Of expressions that weigh the same, a product is preferred
    to a sum, and one whose axes stand in order (a symmetric A_ji is A_ij).
    """
    weight, numbers = _weights(node)
    core = make.split_coefficient(node)[1]
    labels = _LAST
    if isinstance(core, Contraction):
        labels = tuple([ls for _, ls in core.operands])
    return weight, numbers, labels, core.digest


def _weights(root: Node) -> tuple[int, int]:
    return remembered(root, _known, attrgetter("children"), _own)


def _length(coefficient: Number) -> int:
    """How much of a number there is to write: none for 1, and 2 a + 4 b has more than 2 (a + 2 b)."""
    value = abs(Fraction(coefficient))
    return value.numerator + value.denominator - 2


def _repeats(node: Contraction) -> bool:
    """Whether it needs a vector of ones beside other vectors, as x 𝟏ᵀ does."""
    held = {label for _, labels in node.operands for label in labels}
    return bool(held) and any(label not in held for label in node.output)


def _own(node: Node) -> tuple[int, int]:
    below = [_known[child] for child in node.children]
    weight, numbers = sum([w for w, _ in below]), sum([n for _, n in below])
    if isinstance(node, Sum):
        operators = max(len(node.terms) - 1, 0)
        return weight + operators, numbers + sum([_length(c) for c, _ in node.terms])
    if isinstance(node, Contraction):
        return weight + max(len(node.operands) - 1, 1) + _repeats(node), numbers
    if isinstance(node, Apply):
        if node.function == "power" and make.constant_value(node.arguments[1]) is not None:
            base, exponent = node.arguments
            weight, numbers = _known[base]
            over_size = isinstance(base, SizeValue) and make.constant_value(exponent) == -1
            return (1 if over_size else _POWER) + 2 * weight, 2 * numbers
        if node.function == "prod_others":  # as much as Π x ⊘ x, which it stands for
            return _FUNCTION + _POWER + 2 + 4 * weight, 4 * numbers
        if node.function == "inv" and argument_of("cholesky", node.arguments[0]):
            return weight + 1, numbers  # L⁻¹ is as much a factor of A as L is
        linear = _LINEAR if primitive(node).linear else 0
        return _FUNCTION + linear + 2 * weight, 2 * numbers
    return 1, 0
