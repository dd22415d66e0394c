"""What is known to be positive, entry by entry, and what follows: |x| = x, √x² = x."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from pullback.expressions import constructors as make
from pullback.expressions.nodes import (
    Apply,
    Contraction,
    Indicator,
    Node,
    SizeValue,
    Sum,
    Variable,
)
from pullback.expressions.walks import remembered
from pullback.functions.catalogue import primitive
from pullback.functions.record import argument_of

_known: WeakKeyDictionary[Node, bool] = WeakKeyDictionary()


def positive(root: Node) -> bool:
    """Whether every entry is known to be above zero."""
    return remembered(root, _known, _relevant, _positive)


def _relevant(node: Node) -> tuple[Node, ...]:
    """The nodes whose sign decides that of this one."""
    if isinstance(node, Apply):
        return node.arguments[:1] if node.function == "power" else ()
    return node.children


def _positive(node: Node) -> bool:
    if isinstance(node, Variable):
        return "positive" in node.assumptions and not node.assumptions & _WITH_ZEROS
    if isinstance(node, SizeValue):
        return True
    if isinstance(node, Sum):
        return bool(node.terms) and all(c > 0 and _known[n] for c, n in node.terms)
    if isinstance(node, Contraction):
        return not make.has_delta(node) and all(_known[n] for n in node.children)
    if isinstance(node, Indicator):
        return False  # it has zeros
    assert isinstance(node, Apply)
    if node.function == "power":
        return _known[node.arguments[0]]
    return primitive(node).positive


_WITH_ZEROS = frozenset(("diagonal", "lower", "upper"))  # positive where they are not zero


def of_positive(node: Node) -> Node | None:
    """|x| = x, relu x = x, sign x = step x = 1, (xᵃ)ᵇ = xᵃᵇ, for a positive x."""
    if not isinstance(node, Apply) or node.function not in _SIMPLE_WHERE_POSITIVE:
        return None
    inner = node.arguments[0]
    if node.function == "power":
        return _power_of_power(inner, node)
    if not positive(inner):
        return None
    return inner if node.function in ("abs", "relu") else make.ones(node.shape)


_SIMPLE_WHERE_POSITIVE = frozenset(("abs", "relu", "sign", "step", "power"))


def product_of_positive(node: Node) -> Node | None:
    """The product of all other entries is the whole product over the entry, where none is 0."""
    if not isinstance(node, Apply) or node.function != "prod_others":
        return None
    (inner,) = node.arguments
    if not positive(inner):
        return None
    axes = range(inner.order)
    whole = make.apply("prod", (inner,), inner.shape[:-1])
    return make.contract([(whole, axes[:-1]), (make.power(inner, -1), axes)], axes)


def _power_of_power(base: Node, node: Apply) -> Node | None:
    """(x²)^½ = |x|, which is x for a positive x; (xᵃ)ᵇ = xᵃᵇ for a positive x."""
    exponent = make.constant_value(node.arguments[1])
    if exponent is None:
        return None
    if isinstance(base, Contraction) and not base.summed and not make.has_delta(base):
        factors = [n for n, _ in base.operands]
        if len(factors) == 2 and factors[0] is factors[1] and 2 * exponent in (1, -1):
            same = base.operands[0][1] == base.operands[1][1] == base.output
            root = make.apply("abs", factors[:1], base.shape) if same else None
            return None if root is None else make.power(root, make.exact_number(2 * exponent))
    if isinstance(base, Apply) and base.function == "power" and positive(base.arguments[0]):
        inner = make.constant_value(base.arguments[1])
        if inner is not None:
            return make.power(base.arguments[0], make.exact_number(exponent * inner))
    return None


def of_itself(node: Node) -> Node | None:
    """| |x| | = |x|, relu(relu x) = relu x."""
    if isinstance(node, Apply) and node.function in ("abs", "relu"):
        inner = node.arguments[0]
        if argument_of(node.function, inner) is not None:
            return inner
        if node.function == "abs" and argument_of("relu", inner) is not None:
            return inner
    return None
