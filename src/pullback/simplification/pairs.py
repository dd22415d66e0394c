"""What two factors, or a power, are together by what they are: |x| |x| = x x, y y = 1 for signs."""

from __future__ import annotations

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Sum, Variable
from pullback.functions.record import argument_of


def joined_by_name(a: Node, b: Node) -> tuple[Node, ...] | None:
    """The product of two factors, entry by entry, as simpler factors, or None."""
    if a is b and isinstance(a, Variable):
        if "sign" in a.assumptions:
            return ()
        return (a,) if "binary" in a.assumptions else None
    for one, other in ((a, b), (b, a)):
        if isinstance(one, Apply):
            found = _PAIRS.get(one.function)
            result = found(one, one.arguments[0], other) if found else None
            if result is not None:
                return result
    return None


def _with_abs(_: Node, x: Node, other: Node) -> tuple[Node, ...] | None:
    """|x| |x| = x x, |x| sign x = x."""
    if argument_of("abs", other) is x:
        return x, x
    return (x,) if argument_of("sign", other) is x else None


def _with_sign(one: Node, x: Node, other: Node) -> tuple[Node, ...] | None:
    """x sign x = |x|, step x sign x = step x."""
    if other is x:
        return (make.apply("abs", (x,), one.shape),)
    return (other,) if argument_of("step", other) is x else None


def _with_step(one: Node, x: Node, other: Node) -> tuple[Node, ...] | None:
    """x step x = relu x, step x step x = step x, relu x step x = relu x."""
    if other is x:
        return (make.apply("relu", (x,), one.shape),)
    same = argument_of("step", other) is x or argument_of("relu", other) is x
    return (other,) if same else None


def _with_exp(one: Node, x: Node, other: Node) -> tuple[Node, ...] | None:
    """eᵃ eᵇ = eᵃ⁺ᵇ, where a + b collects."""
    inner = argument_of("exp", other)
    if inner is None or other is one:
        return None
    total = make.add([(1, x), (1, inner)])
    if _terms(total) >= _terms(x) + _terms(inner):
        return None
    if make.is_zero(total):
        return ()
    return (make.apply("exp", (total,), total.shape),)


def _with_sigmoid(one: Node, x: Node, other: Node) -> tuple[Node, ...] | None:
    """σ(x)(1 + e⁻ˣ) = 1; σ(s u) σ(−s u) = σ(u) σ(−u) for a sign s: the product is even."""
    if isinstance(other, Sum) and len(other.terms) == 2:
        exponential = make.apply("exp", (make.negate(x),), one.shape)
        if other is make.add([(1, make.ones(one.shape)), (1, exponential)]):
            return ()
    if argument_of("sigmoid", other) is not make.negate(x):
        return None
    inner = without_signs(x)
    if inner is None:
        return None
    return tuple(make.apply("sigmoid", (u,), one.shape) for u in (inner, make.negate(inner)))


def without_signs(node: Node) -> Node | None:
    """A product less its factors that are signs, or None if it has none."""
    coefficient, core = make.split_coefficient(node)
    if not isinstance(core, Contraction) or make.has_delta(core):
        return None
    kept = [
        (n, labels)
        for n, labels in core.operands
        if not (isinstance(n, Variable) and "sign" in n.assumptions and {*labels} <= {*core.output})
    ]
    if len(kept) == len(core.operands):
        return None
    sizes = {label: core.sizes[label] for label in {*core.output, *core.summed}}
    return make.scale(coefficient, make.contract(kept, core.output, sizes))


def of_even_function(node: Node) -> Node | None:
    """|s x| = |x| and |−x| = |x| for a sign s; cosh and cos alike."""
    if not isinstance(node, Apply) or node.function not in ("abs", "cosh", "cos"):
        return None
    inner = node.arguments[0]
    coefficient, _ = make.split_coefficient(inner)
    plain = without_signs(inner)
    if plain is None and coefficient >= 0:
        return None
    if coefficient < 0:
        plain = make.negate(inner if plain is None else plain)
    assert plain is not None
    return make.apply(node.function, (plain,), node.shape)


def _terms(node: Node) -> int:
    return len(node.terms) if isinstance(node, Sum) else 1


_PAIRS = {
    "abs": _with_abs,
    "sign": _with_sign,
    "step": _with_step,
    "exp": _with_exp,
    "sigmoid": _with_sigmoid,
}


def power_of_known(node: Node) -> Node | None:
    """yᵏ = y or 1 for signs, y for 0 and 1; |x|ᵏ = xᵏ for an even k; (eˣ)ᵏ = eᵏˣ."""
    if not isinstance(node, Apply) or node.function != "power":
        return None
    base, exponent = node.arguments[0], make.constant_value(node.arguments[1])
    if exponent is None:
        return None
    inner = argument_of("exp", base)
    if inner is not None:
        return make.apply("exp", (make.scale(exponent, inner),), node.shape)
    if not isinstance(exponent, int):
        return None
    if isinstance(base, Variable):
        if "sign" in base.assumptions:
            return base if exponent % 2 else make.ones(node.shape)
        return base if "binary" in base.assumptions and exponent > 0 else None
    inner = argument_of("abs", base)
    return None if inner is None or exponent % 2 else make.power(inner, exponent)
