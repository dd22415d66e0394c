"""Powers, exponentials and what is made of them, entry by entry."""

from __future__ import annotations

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Sum
from pullback.functions.algebra import Term
from pullback.functions.domains import ABOVE_MINUS_ONE, BASE, POSITIVE, REAL
from pullback.functions.record import (
    Definition,
    Function,
    Law,
    Reading,
    argument_of,
    elementwise,
    over_its_partner,
)


def _one_plus_exp(node: Node) -> Node | None:
    """The u of 1 + exp(u), or None."""
    if isinstance(node, Sum) and len(node.terms) == 2 and all(c == 1 for c, _ in node.terms):
        for (_, one), (_, other) in (node.terms, node.terms[::-1]):
            if make.constant_value(one) == 1:
                return argument_of("exp", other)
    return None


def _logistic(base: Node, exponent: Node) -> Node | None:
    inner, power_of = _one_plus_exp(base), make.constant_value(exponent)
    if inner is None or power_of is None or power_of > 0:
        return None
    return make.power(sigmoid.apply([make.negate(inner)]), -power_of)


power: Function = elementwise(
    "power",
    partial=(lambda y, x, p: p * x ** (p - 1), lambda y, x, p: y * log(x)),
    code="{0} ** {1}",
    exact=lambda mp, x, p: mp.power(x, p),
    doc="Power x^p, entry by entry; integer p for any x, other p for x > 0.",
    domain=(BASE, REAL),
    latex="{0}^{{{1}}}",
    special=(1e-8, 1e8),
    laws=(Law("1/(1 + eˣ) = σ(−x)", _logistic),),
)

exp: Function = elementwise(
    "exp",
    partial=lambda y, x: y,
    code="xp.exp({0})",
    exact=lambda mp, x: mp.exp(x),
    doc="Exponential.",
    latex=r"\exp",
    special=(0, -700),
    positive=True,
    laws=(Law("exp(log x) = x", lambda x: argument_of("log", x)),),
)

expm1: Function = elementwise(
    "expm1",
    partial=lambda y, x: exp(x),
    code="xp.expm1({0})",
    exact=lambda mp, x: mp.expm1(x),
    doc="exp(x) − 1, with all its digits near 0.",
    latex=r"\operatorname{expm1}",
    special=(0, 1e-12, -700),
    laws=(Law("expm1(log1p x) = x", lambda x: argument_of("log1p", x)),),
)


def _log_of_softmax(x: Node) -> Node | None:
    inner = argument_of("softmax", x)
    return None if inner is None else make.apply("log_softmax", [inner], inner.shape)


def _log_of_sigmoid(x: Node) -> Node | None:
    inner = argument_of("sigmoid", x)
    return None if inner is None else make.negate(softplus.apply([make.negate(inner)]))


def _log_of_one_plus_exp(x: Node) -> Node | None:
    inner = _one_plus_exp(x)
    return None if inner is None else softplus.apply([inner])


def _log_of_exp_and_one(x: Node) -> Node | None:
    inner = argument_of("exp", x)
    return None if inner is None else softplus.apply([inner])


def _log_of_sum_of_exp(x: Node) -> Node | None:
    """log Σ exp over one axis; the sum itself overflows where its logarithm does not."""
    if not isinstance(x, Contraction) or len(x.operands) != 1 or len(x.summed) != 1:
        return None
    (operand, labels), (axis,) = x.operands[0], x.summed
    inner = argument_of("exp", operand)
    if inner is None or len(set(labels)) < len(labels) or make.has_delta(x):
        return None
    kept = [label for label in labels if label != axis]
    last = make.contract([(inner, labels)], [*kept, axis])
    total = make.apply("logsumexp", [last], last.shape[:-1])
    return make.contract([(total, kept)], x.output, dict(enumerate(x.sizes[: len(set(x.output))])))


def _log_of_power(x: Node) -> Node | None:
    if not isinstance(x, Apply) or x.function != "power":
        return None
    exponent = make.constant_value(x.arguments[1])
    if exponent is None or (isinstance(exponent, int) and exponent % 2 == 0):
        return None  # log x² is defined where log x is not
    return make.scale(exponent, log.apply([x.arguments[0]]))


log: Function = elementwise(
    "log",
    partial=lambda y, x: x**-1,
    code="xp.log({0})",
    exact=lambda mp, x: mp.log(x),
    doc="Natural logarithm.",
    domain=(POSITIVE,),
    latex=r"\log",
    special=(1e-300, 1e300),
    laws=(
        Law("log(exp x) = x", lambda x: argument_of("exp", x)),
        Law("log softmax(x) as one function", _log_of_softmax),
        Law("log σ(x) = −softplus(−x)", _log_of_sigmoid),
        Law("log xᵃ = a log x", _log_of_power),
        Law("log(1 + eˣ) = softplus(x)", _log_of_one_plus_exp),
        Law("log Σ eˣ = logsumexp(x)", _log_of_sum_of_exp),
    ),
)


log1p: Function = elementwise(
    "log1p",
    partial=lambda y, x: 1 / (1 + x),
    code="xp.log1p({0})",
    exact=lambda mp, x: mp.log1p(x),
    doc="log(1 + x), with all its digits near 0.",
    domain=(ABOVE_MINUS_ONE,),
    latex=r"\operatorname{log1p}",
    special=(0, 1e-12, 1e300),
    laws=(
        Law("log1p(expm1 x) = x", lambda x: argument_of("expm1", x)),
        Law("log1p(exp x) = softplus(x)", _log_of_exp_and_one),
    ),
)

log2: Function = elementwise(
    "log2",
    partial=lambda y, x: 1 / (log(2) * x),
    code="xp.log2({0})",
    exact=lambda mp, x: mp.log(x, 2),
    doc="Logarithm to base 2.",
    domain=(POSITIVE,),
    latex=r"\log_2",
    special=(1e-300, 1e300),
)

log10: Function = elementwise(
    "log10",
    partial=lambda y, x: 1 / (log(10) * x),
    code="xp.log10({0})",
    exact=lambda mp, x: mp.log10(x),
    doc="Logarithm to base 10.",
    domain=(POSITIVE,),
    latex=r"\log_{10}",
    special=(1e-300, 1e300),
)


def _sigmoid_times_exp(x: Node, other: Node) -> Node | None:
    inner = argument_of("exp", other)
    return sigmoid.apply([inner]) if inner is not None and x is make.negate(inner) else None


def _sigmoid_reflected(node: Node) -> tuple[Node, Node] | None:
    """σ(−x) as 1 − σ(x), for a reader who already has σ(x)."""
    inner = argument_of("sigmoid", node)
    if inner is None:
        return None
    reflected = sigmoid.apply([make.negate(inner)])
    return make.add([(1, make.ones(node.shape)), (-1, reflected)]), reflected


sigmoid: Function = elementwise(
    "sigmoid",
    partial=lambda y, x: y * sigmoid(-x),  # y (1 − y) loses all digits beyond x = 37
    code="1 / (1 + xp.exp(-{0}))",
    exact=lambda mp, x: 1 / (1 + mp.exp(-x)),
    doc="Logistic sigmoid σ(x) = 1/(1 + e⁻ˣ).",
    latex=r"\sigma",
    symbol="σ",
    special=(0, 30, -30, 300, -300),
    positive=True,
    complement=Law("1 − σ(x) = σ(−x)", lambda x: sigmoid.apply([make.negate(x)])),
    products=(Law("eˣ σ(−x) = σ(x)", _sigmoid_times_exp),),
    readings=(Reading("σ(−x) = 1 − σ(x)", _sigmoid_reflected),),
)

softplus: Function = elementwise(
    "softplus",
    partial=lambda y, x: sigmoid(x),
    code="xp.maximum({0}, 0) + xp.log1p(xp.exp(-xp.abs({0})))",
    exact=lambda mp, x: mp.log1p(mp.exp(x)),
    doc="Softplus log(1 + eˣ).",
    latex=r"\operatorname{softplus}",
    special=(0, 30, -30, 700, -700),
    positive=True,
)

cosh: Function = elementwise(
    "cosh",
    partial=lambda y, x: sinh(x),
    code="xp.cosh({0})",
    exact=lambda mp, x: mp.cosh(x),
    doc="Hyperbolic cosine.",
    latex=r"\cosh",
    special=(0, 20, -20),
    positive=True,
)


def _over_cosh(x: Node, other: Node) -> Node | None:
    return over_its_partner(x, other, "cosh", tanh)


sinh: Function = elementwise(
    "sinh",
    partial=lambda y, x: cosh(x),
    code="xp.sinh({0})",
    exact=lambda mp, x: mp.sinh(x),
    doc="Hyperbolic sine.",
    latex=r"\sinh",
    special=(0, 20, -20),
    products=(Law("sinh x/cosh x = tanh x", _over_cosh),),
)


def _one_less_tanh_squared(node: Node) -> tuple[Node, Node] | None:
    """sech²(x) as 1 − tanh²(x): for a reader who already has tanh(x)."""
    inner = argument_of("sech2", node)
    if inner is None:
        return None
    value = tanh.apply([inner])
    return make.add([(1, make.ones(node.shape)), (-1, make.power(value, 2))]), value


sech2: Function = elementwise(
    "sech2",
    partial=lambda y, x: -2 * y * tanh(x),  # sinh/cosh³ is ∞/∞ beyond x = 237
    code="1 / xp.cosh({0}) ** 2",
    exact=lambda mp, x: 1 / mp.cosh(x) ** 2,
    doc="Hyperbolic secant squared, 1/cosh²(x): the slope of tanh.",
    symbol="sech²",
    latex=r"\operatorname{sech}^2",
    special=(0, 20, -20, 300),
    positive=True,
    readings=(Reading("sech²(x) = 1 − tanh²(x)", _one_less_tanh_squared),),
)


tanh: Function = elementwise(
    "tanh",
    partial=lambda y, x: sech2(x),  # 1 − y² loses all digits beyond x = 19
    code="xp.tanh({0})",
    exact=lambda mp, x: mp.tanh(x),
    doc="Hyperbolic tangent.",
    latex=r"\tanh",
    special=(0, 20, -20),
)


def _log_of_two(a: Term, b: Term) -> Term:
    """Softplus of the argument that is no number, if one is."""
    low, high = (a, b) if make.constant_value(b.node) is None else (b, a)
    return low + softplus(high - low)


logaddexp = Definition(
    "logaddexp",
    ("a", "b"),
    _log_of_two,
    "log(exp a + exp b), entry by entry, without overflow.",
    "same",
)
