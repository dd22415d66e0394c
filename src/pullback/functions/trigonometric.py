"""Circular functions, their inverses, and the inverses of the hyperbolic ones, entry by entry."""

from __future__ import annotations

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Node
from pullback.functions.algebra import Term
from pullback.functions.domains import FROM_ONE, INSIDE_UNIT, REAL, UNIT, Domain
from pullback.functions.record import Function, Law, Reading, elementwise, over_its_partner

BETWEEN_POLES = Domain("real numbers", (-1.4, 1.4))


def _over_cos(x: Node, other: Node) -> Node | None:
    return over_its_partner(x, other, "cos", tan)


sin: Function = elementwise(
    "sin",
    partial=lambda y, x: cos(x),
    code="xp.sin({0})",
    exact=lambda mp, x: mp.sin(x),
    doc="Sine.",
    latex=r"\sin",
    special=(0, 1e5),
    products=(Law("sin x/cos x = tan x", _over_cos),),
)

cos: Function = elementwise(
    "cos",
    partial=lambda y, x: -sin(x),
    code="xp.cos({0})",
    exact=lambda mp, x: mp.cos(x),
    doc="Cosine.",
    latex=r"\cos",
    special=(0, 1e5),
)

tan: Function = elementwise(
    "tan",
    partial=lambda y, x: 1 + y**2,
    code="xp.tan({0})",
    exact=lambda mp, x: mp.tan(x),
    doc="Tangent.",
    domain=(BETWEEN_POLES,),
    latex=r"\tan",
    special=(0, 1.5),
)


def _factored(node: Node) -> tuple[Node, Node] | None:
    """((1 − x) (1 + x))ᵖ as (1 − x²)ᵖ, and ((x − 1) (x + 1))ᵖ as (x² − 1)ᵖ."""
    if not isinstance(node, Apply) or node.function != "power":
        return None
    base, exponent = node.arguments
    for sign in (1, -1):
        for x in _below(base):
            one = make.ones(x.shape)
            low, high = make.add([(sign, one), (-sign, x)]), make.add([(1, one), (1, x)])
            if make.multiply(low, high) is base:
                square = make.add([(sign, one), (-sign, make.power(x, 2))])
                return make.power(square, exponent), x
    return None


def _below(node: Node) -> list[Node]:
    """The terms of the factors of a product."""
    return [term for factor in node.children for term in factor.children]


asin: Function = elementwise(
    "asin",
    partial=lambda y, x: ((1 - x) * (1 + x)) ** -0.5,  # 1 − x² loses digits near ±1
    code="xp.arcsin({0})",
    exact=lambda mp, x: mp.asin(x),
    doc="Inverse sine, from −π/2 to π/2.",
    domain=(UNIT,),
    latex=r"\arcsin",
    aliases=("arcsin",),
    special=(0, 1 - 1e-9, -1 + 1e-9),
    readings=(Reading("(1 − x) (1 + x) = 1 − x²", _factored),),
)

acos: Function = elementwise(
    "acos",
    partial=lambda y, x: -(((1 - x) * (1 + x)) ** -0.5),
    code="xp.arccos({0})",
    exact=lambda mp, x: mp.acos(x),
    doc="Inverse cosine, from 0 to π.",
    domain=(UNIT,),
    latex=r"\arccos",
    aliases=("arccos",),
    special=(0, 1 - 1e-9, -1 + 1e-9),
)

atan: Function = elementwise(
    "atan",
    partial=lambda y, x: 1 / (1 + x**2),
    code="xp.arctan({0})",
    exact=lambda mp, x: mp.atan(x),
    doc="Inverse tangent, from −π/2 to π/2.",
    latex=r"\arctan",
    aliases=("arctan",),
    special=(0, 1e8, -1e8),
)

asinh: Function = elementwise(
    "asinh",
    partial=lambda y, x: (1 + x**2) ** -0.5,
    code="xp.arcsinh({0})",
    exact=lambda mp, x: mp.asinh(x),
    doc="Inverse hyperbolic sine.",
    domain=(REAL,),
    latex=r"\operatorname{arsinh}",
    aliases=("arcsinh",),
    special=(0, 1e-9, 1e8, -1e8),
)


def _of_plane(y: Term, x: Term) -> Term:
    return 1 / (x**2 + y**2)


arctan2: Function = elementwise(
    "arctan2",
    partial=(lambda r, y, x: x * _of_plane(y, x), lambda r, y, x: -y * _of_plane(y, x)),
    code="xp.arctan2({0}, {1})",
    exact=lambda mp, y, x: mp.atan2(y, x) if x or y else mp.nan,
    doc="The angle of the point (x, y), from −π to π, of its ordinate y and abscissa x.",
    domain=(REAL, REAL),
    latex=r"\operatorname{atan2}",
    aliases=("atan2",),
    piece=lambda y, x: x < 0 and y < 0,
    analytic=False,
)

acosh: Function = elementwise(
    "acosh",
    partial=lambda y, x: ((x - 1) * (1 + x)) ** -0.5,
    code="xp.arccosh({0})",
    exact=lambda mp, x: mp.acosh(x),
    doc="Inverse hyperbolic cosine, of numbers from 1 on.",
    domain=(FROM_ONE,),
    latex=r"\operatorname{arcosh}",
    aliases=("arccosh",),
    special=(1 + 1e-9, 1e8),
)

atanh: Function = elementwise(
    "atanh",
    partial=lambda y, x: 1 / ((1 - x) * (1 + x)),
    code="xp.arctanh({0})",
    exact=lambda mp, x: mp.atanh(x),
    doc="Inverse hyperbolic tangent.",
    domain=(INSIDE_UNIT,),
    latex=r"\operatorname{artanh}",
    aliases=("arctanh",),
    special=(0, 1 - 1e-9, -1 + 1e-9),
)
