"""Activation functions of networks beside sigmoid, tanh, softplus and relu, entry by entry."""

from __future__ import annotations

from pullback.functions.algebra import Term, as_term
from pullback.functions.choices import greater, where
from pullback.functions.domains import REAL
from pullback.functions.exponential import exp, expm1, sigmoid, tanh
from pullback.functions.piecewise import abs, relu
from pullback.functions.record import Function, elementwise
from pullback.functions.special import erfc, pi

leaky_relu: Function = elementwise(
    "leaky_relu",
    partial=(
        lambda y, x, slope: where(greater(x, 0), 1, slope),
        lambda y, x, slope: -relu(-x),
    ),
    code="xp.where({0} > 0, {0}, {1} * {0})",
    exact=lambda mp, x, slope: x if x > 0 else slope * x,
    doc="Leaky rectifier: x where x > 0, else slope x.",
    domain=(REAL, REAL),
    latex=r"\operatorname{leakyrelu}",
    defaults=(0.01,),
    kinks=(0,),
    convention="the derivative at 0 is the slope",
    analytic=False,
)

elu: Function = elementwise(
    "elu",
    partial=(
        lambda y, x, alpha: where(greater(x, 0), 1, alpha * exp(x)),
        lambda y, x, alpha: expm1(-relu(-x)),
    ),
    code="xp.where({0} > 0, {0}, {1} * xp.expm1(xp.minimum({0}, 0)))",
    exact=lambda mp, x, alpha: x if x > 0 else alpha * mp.expm1(x),
    doc="Exponential linear unit: x where x > 0, else α (eˣ − 1).",
    domain=(REAL, REAL),
    latex=r"\operatorname{elu}",
    defaults=(1,),
    special=(1e-9, -1e-9, -700),
    kinks=(0,),
    convention="the derivative at 0 is α",
    analytic=False,
)


def _gelu_slope(x: Term) -> Term:
    """Φ(x) + x φ(x), with the distribution and the density of the standard normal."""
    return erfc(-x / as_term(2) ** 0.5) / 2 + x * exp(-(x**2) / 2) / (2 * pi()) ** 0.5


gelu: Function = elementwise(
    "gelu",
    partial=lambda y, x: _gelu_slope(x),
    code="0.5 * {0} * sp.erfc(-0.7071067811865476 * {0})",
    exact=lambda mp, x: x * mp.erfc(-x / mp.sqrt(2)) / 2,
    doc="Gaussian error linear unit x Φ(x), exactly, through the error function.",
    latex=r"\operatorname{gelu}",
    special=(0, -5, -20, 30),
)

silu: Function = elementwise(
    "silu",
    partial=lambda y, x: sigmoid(x) * (1 + x * sigmoid(-x)),
    code="{0} / (1 + xp.exp(-{0}))",
    exact=lambda mp, x: x / (1 + mp.exp(-x)),
    doc="Sigmoid linear unit x σ(x), also called swish.",
    latex=r"\operatorname{silu}",
    aliases=("swish",),
    special=(0, 30, -30, 300, -300),
)

softsign: Function = elementwise(
    "softsign",
    partial=lambda y, x: (1 + abs(x)) ** -2,
    code="{0} / (1 + xp.abs({0}))",
    exact=lambda mp, x: x / (1 + mp.fabs(x)),
    doc="Softsign x / (1 + |x|).",
    latex=r"\operatorname{softsign}",
    special=(0, 1e8, -1e8),
    piece=lambda x: (x > 0) - (x < 0),
    convention="its second derivative is taken as 0 at 0",
    analytic=False,
)

logcosh: Function = elementwise(
    "logcosh",
    partial=lambda y, x: tanh(x),
    code=(
        "size = xp.abs({0})\n"
        "near = xp.log1p(2 * xp.sinh(0.5 * xp.minimum(size, 1)) ** 2)\n"
        "xp.where(size < 1, near, size + xp.log1p(xp.exp(-2 * size)) - xp.log(2))"
    ),
    exact=lambda mp, x: mp.log(mp.cosh(x)),
    doc="log cosh x, near 0 as x²/2 and far away as |x| − log 2.",
    latex=r"\log\cosh",
    special=(0, 1e-9, 30, -700),
)
