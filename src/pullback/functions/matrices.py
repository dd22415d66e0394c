"""Inverses and determinants; leading axes are batch axes.

A determinant is differentiated through its adjugate, the adjugate through its second minors: both
are polynomials in the entries and have a derivative at singular matrices too. Books write
det(X) X⁻ᵀ; that is how a derivative is printed, and not how it is computed.
"""

from __future__ import annotations

from typing import Any

from pullback.expressions.nodes import Apply, Node
from pullback.functions import precise
from pullback.functions.algebra import Term, einsum
from pullback.functions.domains import FULL_RANK, INVERTIBLE, POSITIVE_DETERMINANT
from pullback.functions.precise import Rows
from pullback.functions.record import (
    Function,
    Law,
    LinearMap,
    Reading,
    argument_of,
    function,
)

SYMMETRISED = "({0} + xp.swapaxes({0}, -1, -2)) / 2"  # in the code of functions of (A + Aᵀ)/2


def turned(x: Term) -> Term:
    """The transpose in the last two axes."""
    return einsum("...ij->...ji", x)


inv: Function = function(
    "inv",
    "(i,i)->(i,i)",
    partials=(lambda y, x: -einsum("...ik,...lj->...ijkl", y, y),),
    code="xp.linalg.inv({0})",
    exact=lambda mp, x: (mp.matrix(x) ** -1).tolist(),
    doc="Inverse of a square matrix.",
    domain=(INVERTIBLE,),
    latex="{0}^{{-1}}",
    turns=True,
    laws=(Law("(X⁻¹)⁻¹ = X", lambda x: argument_of("inv", x)),),
)

det: Function = function(
    "det",
    "(i,i)->()",
    partials=(lambda y, x: turned(adjugate(x)),),
    code="xp.linalg.det({0})",
    exact=lambda mp, x: mp.det(mp.matrix(x)),
    doc="Determinant.",
    latex=r"\det",
    turns=True,
)


def _minor(x: Rows, i: int, j: int) -> Rows:
    return [row[:j] + row[j + 1 :] for k, row in enumerate(x) if k != i]


def _cofactors(mp: Any, x: Rows) -> Rows:
    n = range(len(x))
    return [[(-1) ** (i + j) * mp.det(mp.matrix(_minor(x, j, i))) for j in n] for i in n]


def _in_direction(mp: Any, x: Rows, e: Rows) -> Rows:
    """The derivative of the adjugate, a polynomial of degree n − 1, from its values at n points."""
    n = len(x)
    values = [
        _cofactors(
            mp, [[v + t * d for v, d in zip(*rows, strict=True)] for rows in zip(x, e, strict=True)]
        )
        for t in range(n)
    ]
    # the weights of the values in the slope at 0 of the polynomial through them
    weights = [-mp.fsum(mp.mpf(1) / t for t in range(1, n))]
    weights += [(-1) ** (t - 1) * mp.binomial(n - 1, t) / t for t in range(1, n)]
    return [
        [mp.fsum(w * v[i][j] for w, v in zip(weights, values, strict=True)) for j in range(n)]
        for i in range(n)
    ]


_MINORS = (
    "def others(s):\n"
    "    one = xp.ones_like(s[..., :1])\n"
    "    before = xp.cumprod(xp.concatenate([one, s[..., :-1]], axis=-1), axis=-1)\n"
    "    after = xp.cumprod(xp.concatenate([one, xp.flip(s[..., 1:], (-1,))], axis=-1), axis=-1)\n"
    "    return before * xp.flip(after, (-1,))\n"
    "u, s, vt = xp.linalg.svd({0})\n"
    "sign = xp.sign(xp.linalg.det(u) * xp.linalg.det(vt))[..., None, None]\n"
    "ut, v = xp.swapaxes(u, -1, -2), xp.swapaxes(vt, -1, -2)\n"
)


def _as_inverse(node: Node) -> tuple[Node, Node] | None:
    x = argument_of("adjugate", node)
    return None if x is None or x.order > 2 else ((det(x) * inv(x)).node, x)


adjugate: Function = function(
    "adjugate",
    "(i,i)->(i,i)",
    partials=(
        LinearMap(
            lambda y, x, v: adjugate_frechet(x, v),
            lambda y, x, w: turned(adjugate_frechet(x, turned(w))),
        ),
    ),
    code=_MINORS + "sign * (v * others(s)[..., None, :]) @ ut",
    exact=_cofactors,
    doc="Adjugate, the transposed matrix of cofactors: det(X) X⁻¹ for an invertible X.",
    symbol="adj",
    effort=100,
    latex=r"\operatorname{adj}",
    turns=True,
    readings=(Reading("adj(X) = det(X) X⁻¹ for an invertible X", _as_inverse, simplify=True),),
)


def _third(x: Term, e: Term, f: Term) -> Term:
    """d adj′(X)[E] along F, at an invertible X, from adj′(X)[E] = (tr(adj E) adj − adj E adj)/det."""
    a, b = adjugate(x), adjugate_frechet(x, f)

    def part(one: Term, other: Term) -> Term:
        trace = einsum("...ij,...ji->...", one, e)
        chain = einsum("...ij,...jk,...kl->...il", one, e, other)
        return einsum("...,...ij->...ij", trace, other) - chain

    slope = einsum("...ij,...ji->...", a, f)
    rest = part(a, b) + part(b, a) - einsum("...,...ij->...ij", slope, adjugate_frechet(x, e))
    return einsum("...,...ij->...ij", det(x) ** -1, rest)


def _read_in_direction(node: Node) -> tuple[Node, Node] | None:
    if not isinstance(node, Apply) or node.function != "adjugate_frechet" or node.order > 2:
        return None
    x, e = map(Term, node.arguments)
    y = inv(x)
    trace = einsum("...,...ij,...ji,...kl->...kl", det(x), y, e, y)
    return (trace - einsum("...,...ij,...jk,...kl->...il", det(x), y, e, y)).node, x.node


adjugate_frechet: Function = function(
    "adjugate_frechet",
    "(i,i),(i,i)->(i,i)",
    partials=(
        LinearMap(
            lambda y, x, e, v: _third(x, e, v),
            lambda y, x, e, w: turned(_third(x, e, turned(w))),
        ),
        LinearMap(
            lambda y, x, e, v: adjugate_frechet(x, v),
            lambda y, x, e, w: turned(adjugate_frechet(x, turned(w))),
        ),
    ),
    code=_MINORS
    + (
        "one = xp.eye(s.shape[-1]) > 0\n"
        "pairs = xp.where(one, 0 * s[..., None], others(xp.where(one, 0 * s[..., None] + 1, s[..., None, :])))\n"
        "turned = ut @ {1} @ v\n"
        "along = xp.sum(pairs * xp.diagonal(turned, 0, -2, -1)[..., None, :], axis=-1)\n"
        "sign * v @ (xp.where(one, along[..., None], 0 * turned) - pairs * turned) @ ut"
    ),
    exact=_in_direction,
    doc="Derivative of the adjugate at X in the direction E.",
    symbol="L_adj",
    effort=120,
    latex=r"L_{\operatorname{adj}}",
    linear=(1,),
    turns=True,
    readings=(
        Reading(
            "adj′(X)[E] = det(X) (tr(X⁻¹E) X⁻¹ − X⁻¹ E X⁻¹) for an invertible X",
            _read_in_direction,
            simplify=True,
        ),
    ),
)

logdet: Function = function(
    "logdet",
    "(i,i)->()",
    partials=(lambda y, x: turned(inv(x)),),
    code="sign, size = xp.linalg.slogdet({0})\nsize + xp.log(sign)",
    exact=lambda mp, x: mp.log(mp.det(mp.matrix(x))),
    doc="log det X, for det X > 0; refused where det X ≤ 0. Its derivative X⁻ᵀ is that of log |det X| too.",
    domain=(POSITIVE_DETERMINANT,),
    latex=r"\log\det",
    turns=True,
)

logabsdet: Function = function(
    "logabsdet",
    "(i,i)->()",
    partials=(lambda y, x: turned(inv(x)),),
    code="sign, size = xp.linalg.slogdet({0})\nsize",
    exact=lambda mp, x: mp.log(abs(mp.det(mp.matrix(x)))),
    doc="log |det X|, of an invertible matrix.",
    domain=(INVERTIBLE,),
    latex=r"\log\left|\det {0}\right|",
    turns=True,
)


def _pinv_partial(y: Term, x: Term) -> Term:
    """dX⁺ = −X⁺ dX X⁺ + X⁺X⁺ᵀ dXᵀ (I − X X⁺) + (I − X⁺X) dXᵀ X⁺ᵀX⁺ (Golub and Pereyra 1973)."""
    rows, columns = x.shape[-2:]
    beside = einsum("->ii", sizes={"i": rows}) - einsum("...ij,...jk->...ik", x, y)
    below = einsum("->ii", sizes={"i": columns}) - einsum("...ij,...jk->...ik", y, x)
    return (
        einsum("...ae,...de,...cb->...abcd", y, y, beside)
        + einsum("...ad,...ec,...eb->...abcd", below, y, y)
        - einsum("...ac,...db->...abcd", y, y)
    )


def _pseudoinverse(mp: Any, x: Rows) -> Rows:
    a = mp.matrix(x)
    inverse = a.T * (a * a.T) ** -1 if a.rows < a.cols else (a.T * a) ** -1 * a.T
    return precise.real(mp, inverse)


pinv: Function = function(
    "pinv",
    "(i,j)->(j,i)",
    partials=(_pinv_partial,),
    code="xp.linalg.pinv({0})",
    exact=_pseudoinverse,
    doc="Pseudoinverse (Moore and Penrose).",
    domain=(FULL_RANK,),
    symbol="{0}⁺",
    latex="{0}^{{+}}",
    convention="the derivative is the one along matrices of the same rank",
    turns=True,
    laws=(Law("(X⁺)⁺ = X", lambda x: argument_of("pinv", x)),),
)
