"""The error function and the gamma function, with all that their derivatives lead to."""

from __future__ import annotations

from fractions import Fraction

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Node
from pullback.functions.domains import NO_POLE, WHOLE
from pullback.functions.exponential import exp
from pullback.functions.record import (
    Definition,
    Function,
    Law,
    NotDifferentiable,
    Signature,
    elementwise,
)

pi = Function(
    "pi",
    Signature.parse("->()"),
    partials=(),
    code="xp.pi",
    exact=lambda mp: +mp.pi,
    doc="The number π.",
    latex=r"\pi",
    symbol="π",
    positive=True,
)

erf: Function = elementwise(
    "erf",
    partial=lambda y, x: 2 * pi() ** -0.5 * exp(-(x**2)),
    code="sp.erf({0})",
    exact=lambda mp, x: mp.erf(x),
    doc="Error function 2/√π ∫₀ˣ exp(−t²) dt.",
    latex=r"\operatorname{erf}",
    special=(0, 1e-9, 5, -5),
    complement=Law("1 − erf(x) = erfc(x)", lambda x: erfc.apply([x])),
)

erfc: Function = elementwise(
    "erfc",
    partial=lambda y, x: -2 * pi() ** -0.5 * exp(-(x**2)),
    code="sp.erfc({0})",
    exact=lambda mp, x: mp.erfc(x),
    doc="Complementary error function 1 − erf(x), with all its digits for large x.",
    latex=r"\operatorname{erfc}",
    special=(0, 5, 20, -5),
    positive=True,
    complement=Law("1 − erfc(x) = erf(x)", lambda x: erf.apply([x])),
)

gamma: Function = elementwise(
    "gamma",
    partial=lambda y, x: y * digamma(x),
    code="sp.gamma({0})",
    exact=lambda mp, x: mp.gamma(x),
    doc="Gamma function Γ(x); Γ(n + 1) = n!.",
    domain=(NO_POLE,),
    latex=r"\Gamma",
    special=(1e-3, -0.5, -3.7, 30),
)

lgamma: Function = elementwise(
    "lgamma",
    partial=lambda y, x: digamma(x),
    code="sp.gammaln({0})",
    exact=lambda mp, x: mp.log(mp.gamma(x) ** 2) / 2,
    doc="Logarithm of the gamma function, log |Γ(x)|.",
    domain=(NO_POLE,),
    latex=r"\log\Gamma",
    aliases=("gammaln",),
    special=(1e-3, -0.5, 30, 1e4),
)


def _no_order(order: Node, x: Node) -> Node | None:
    return digamma.apply([x]) if make.is_zero(order) else None


digamma: Function = elementwise(
    "digamma",
    partial=lambda y, x: polygamma(1, x),
    code="sp.digamma({0})",
    exact=lambda mp, x: mp.digamma(x),
    doc="Digamma function ψ(x) = Γ′(x)/Γ(x).",
    domain=(NO_POLE,),
    latex=r"\psi",
    special=(1e-3, -0.5, 30, 1e6),
)

polygamma: Function = elementwise(
    "polygamma",
    partial=(
        NotDifferentiable("the order of a polygamma function is a whole number"),
        lambda y, n, x: polygamma(n + 1, x),
    ),
    code="-((-1.0) ** {0}) * sp.gamma({0} + 1) * sp.zeta({0} + 1, {1})",
    exact=lambda mp, n, x: mp.polygamma(int(n), x),
    doc="Polygamma function ψ⁽ⁿ⁾(x), the n-th derivative of digamma; n = 0 is digamma itself.",
    domain=(WHOLE, NO_POLE),
    latex=r"\psi^{{({0})}}({1})",
    normal=_no_order,
)

normcdf: Function = elementwise(
    "normcdf",
    partial=lambda y, x: normpdf(x),
    code="sp.erfc(-0.7071067811865475 * {0}) / 2",
    exact=lambda mp, x: mp.erfc(-x / mp.sqrt(2)) / 2,
    doc="Distribution function of the standard normal distribution, Φ(x).",
    latex=r"\operatorname{normcdf}",
    special=(0, 5, -5, -20),
    positive=True,
)

normpdf: Definition = Definition(
    "normpdf",
    ("x",),
    lambda x: exp(-(x**2) / 2) * (2 * pi()) ** Fraction(-1, 2),
    "Density of the standard normal distribution, φ(x).",
    "same",
)
