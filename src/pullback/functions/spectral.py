"""Eigenvalues of symmetric matrices, singular values, and the norms made of them.

Eigenvalues are those of (A + Aᵀ)/2, smallest first. Their derivatives need the eigenvectors, and
the derivatives of these the gaps between the eigenvalues: Magnus and Neudecker, Matrix
Differential Calculus, chapter 9. An eigenvector has its largest entry positive.
"""

from __future__ import annotations

from fractions import Fraction

from pullback.expressions import constructors as make
from pullback.functions import precise
from pullback.functions.algebra import Term, einsum
from pullback.functions.domains import DISTINCT, FULL_RANK, REAL, Domain
from pullback.functions.matrices import SYMMETRISED, inv, turned
from pullback.functions.record import (
    Function,
    LinearMap,
    function,
)
from pullback.functions.solving import sylvester

HALF = Fraction(1, 2)
REPEATED = "at a repeated eigenvalue the derivative is that along the eigenvectors that are found"
_SYMMETRIC = f"w, v = xp.linalg.eigh({SYMMETRISED})\n"
_SIGNED = (
    "low, high = xp.amin(v, axis=-2, keepdims=True), xp.amax(v, axis=-2, keepdims=True)\n"
    "v = v * xp.where(high < -low, -1, 1)\n"
)


def _symmetrised(x: Term) -> Term:
    """Half the sum of a tensor and the same with its last two axes exchanged."""
    return (x + turned(x)) * HALF


eigvalsh: Function = function(
    "eigvalsh",
    "(i,i)->(i)",
    partials=(lambda y, x: einsum("...ik,...jk->...kij", eigvecsh(x), eigvecsh(x)),),
    code=f"xp.linalg.eigvalsh({SYMMETRISED})",
    exact=lambda mp, x: precise.eigen_symmetric(mp, x)[0],
    doc="Eigenvalues of the symmetric matrix (A + Aᵀ)/2, smallest first.",
    latex=r"\lambda",
    convention=REPEATED,
    turns=True,
    effort=60,
)


def _of_eigenvectors(v: Term, x: Term) -> Term:
    """dV = V (F ⊙ Vᵀ dA V), F_lk = 1/(λ_k − λ_l)."""
    gaps = inverse_gaps(eigvalsh(x))
    return _symmetrised(einsum("...al,...lk,...il,...jk->...akij", v, gaps, v, v))


eigvecsh: Function = function(
    "eigvecsh",
    "(i,i)->(i,i)",
    partials=(_of_eigenvectors,),
    code=_SYMMETRIC + _SIGNED + "v",
    exact=lambda mp, x: precise.eigen_symmetric(mp, x)[1],
    doc="Eigenvectors of (A + Aᵀ)/2 as columns, in the order of eigvalsh.",
    domain=(DISTINCT,),
    latex=r"\operatorname{eigvecs}",
    orthogonal=True,
    effort=60,
)

inverse_gaps: Function = function(
    "inverse_gaps",
    "(i)->(i,i)",
    partials=(
        lambda y, x: (
            einsum("...ij,...ij,ik->...ijk", y, y, _one(x))
            - einsum("...ij,...ij,jk->...ijk", y, y, _one(x))
        ),
    ),
    code=(
        "gap = {0}[..., None, :] - {0}[..., :, None]\n"
        "same = xp.eye({0}.shape[-1]) > 0\n"
        "xp.where(same, 0 * gap, 1 / xp.where(same, 0 * gap + 1, gap))"
    ),
    exact=lambda mp, x: [[0 if a is b else 1 / (b - a) for b in x] for a in x],
    doc="1/(xⱼ − xᵢ) for numbers that are all different, and 0 where i is j.",
    latex=r"\operatorname{gaps}^{-1}",
)


def _one(x: Term) -> Term:
    return einsum("->ii", sizes={"i": x.shape[-1]})


def _extreme(name: str, which: str, at: str, others: str) -> tuple[Function, Function, Function]:
    """An eigenvalue, its eigenvector and (λ I − A)⁺, which has their derivatives."""
    index = int(at)
    simple = Domain(
        f"a symmetric matrix whose {which} eigenvalue is simple",
        matrix=lambda mp, x: precise.is_simple(mp, x, index),
    )

    def of_resolvent(r: Term, x: Term) -> Term:
        v = vector(x)
        square = einsum("...ij,...jk->...ik", r, r)
        around = einsum("...ai,...j,...b->...abij", square, v, v)
        return _symmetrised(
            einsum("...ai,...jb->...abij", r, r)
            - einsum("...ab,...i,...j->...abij", square, v, v)
            - around
            - einsum("...baij->...abij", around)
        )

    value: Function = function(
        f"lambda_{name}",
        "(i,i)->()",
        partials=(lambda y, x: einsum("...i,...j->...ij", vector(x), vector(x)),),
        code=f"xp.linalg.eigvalsh({SYMMETRISED})[..., {at}]",
        exact=lambda mp, x: precise.eigen_symmetric(mp, x)[0][index],
        doc=f"The {which} eigenvalue of the symmetric matrix (A + Aᵀ)/2.",
        symbol=f"λ_{name}",
        latex=rf"\lambda_{{\{name}}}",
        convention=REPEATED,
        turns=True,
        effort=60,
    )
    vector: Function = function(
        f"eigvec_{name}",
        "(i,i)->(i)",
        partials=(lambda y, x: _symmetrised(einsum("...ai,...j->...aij", resolvent(x), y)),),
        code=_SYMMETRIC + _SIGNED + f"v[..., {at}]",
        exact=lambda mp, x: [row[index] for row in precise.eigen_symmetric(mp, x)[1]],
        doc=f"The unit eigenvector of the {which} eigenvalue of (A + Aᵀ)/2.",
        domain=(simple,),
        symbol=f"v_{name}",
        latex=rf"v_{{\{name}}}",
        turns=True,
        effort=60,
    )
    resolvent: Function = function(
        f"resolvent_{name}",
        "(i,i)->(i,i)",
        partials=(of_resolvent,),
        code=(
            _SYMMETRIC
            + f"others = v[..., {others}]\n"
            + f"gaps = w[..., {at}, None] - w[..., {others}]\n"
            + "(others / gaps[..., None, :]) @ xp.swapaxes(others, -1, -2)"
        ),
        exact=lambda mp, x: precise.resolvent(mp, x, index),
        doc=f"(λ I − A)⁺ for the {which} eigenvalue λ of a symmetric A.",
        domain=(simple,),
        symbol=f"R_{name}",
        latex=rf"R_{{\{name}}}",
        turns=True,
        effort=60,
    )
    return value, vector, resolvent


lambda_max, eigvec_max, resolvent_max = _extreme("max", "largest", "-1", ":-1")
lambda_min, eigvec_min, resolvent_min = _extreme("min", "smallest", "0", "1:")


def _gram(x: Term) -> Term:
    """Xᵀ X."""
    return einsum("...ki,...kj->...ij", x, x)


def _of_left(u: Term, x: Term) -> Term:
    """du = (σ² I − X Xᵀ)⁺ (σ dX v + X dXᵀ u)."""
    r = resolvent_max(_gram(turned(x)))
    s, v = spectral_norm(x), right_vector(x)
    return einsum("...,...ac,...d->...acd", s, r, v) + einsum("...ab,...bd,...c->...acd", r, x, u)


def _of_right(v: Term, x: Term) -> Term:
    """dv = (σ² I − Xᵀ X)⁺ (σ dXᵀ u + Xᵀ dX v)."""
    r = resolvent_max(_gram(x))
    s, u = spectral_norm(x), left_vector(x)
    return einsum("...,...ad,...c->...acd", s, r, u) + einsum("...ab,...cb,...d->...acd", r, x, v)


_SVD = "u, s, vt = xp.linalg.svd({0}, full_matrices=False)\n"
_SIGN = "sign = xp.where(xp.amax(vt, axis=-1) < -xp.amin(vt, axis=-1), -1, 1)\n"

spectral_norm: Function = function(
    "spectral_norm",
    "(i,j)->()",
    partials=(lambda y, x: einsum("...i,...j->...ij", left_vector(x), right_vector(x)),),
    code=_SVD + "s[..., 0]",
    exact=lambda mp, x: precise.singular(mp, x)[1][0],
    doc="Spectral norm: the largest singular value.",
    symbol="σ_max",
    latex=r"\sigma_{\max}",
    convention="at a repeated singular value the derivative is that along the vectors that are found",
    aliases=("sigma_max", "norm_spectral"),
    turns=True,
    effort=60,
)

left_vector: Function = function(
    "left_vector",
    "(i,j)->(i)",
    partials=(_of_left,),
    code=_SVD + _SIGN + "u[..., 0] * sign[..., :1]",
    exact=lambda mp, x: [row[0] for row in precise.singular(mp, x)[0]],
    doc="The left singular vector of the largest singular value.",
    symbol="u_max",
    latex=r"u_{\max}",
    effort=60,
)

right_vector: Function = function(
    "right_vector",
    "(i,j)->(j)",
    partials=(_of_right,),
    code=_SVD + _SIGN + "vt[..., 0, :] * sign[..., :1]",
    exact=lambda mp, x: [row[0] for row in precise.singular(mp, x)[2]],
    doc="The right singular vector of the largest singular value.",
    symbol="w_max",
    latex=r"w_{\max}",
    effort=60,
)

nuclear_norm: Function = function(
    "nuclear_norm",
    "(i,j)->()",
    partials=(lambda y, x: polar(x),),
    code=_SVD + "xp.sum(s, axis=-1)",
    exact=lambda mp, x: mp.fsum(precise.singular(mp, x)[1]),
    doc="Nuclear norm: the sum of the singular values.",
    symbol="‖{0}‖_*",
    latex=r"\lVert {0} \rVert_*",
    convention="at a matrix without full rank the derivative is one of its subgradients",
    aliases=("norm_nuclear", "trace_norm"),
    turns=True,
    effort=60,
)

polar: Function = function(
    "polar",
    "(i,j)->(i,j)",
    partials=(
        LinearMap(
            lambda y, x, v: polar_frechet(x, v),
            lambda y, x, w: polar_frechet(x, w),
        ),
    ),
    code=_SVD + "u @ vt",
    exact=precise.polar,
    doc="The orthogonal factor U Vᵀ of the polar decomposition of X = U S Vᵀ.",
    domain=(FULL_RANK,),
    latex=r"\operatorname{polar}",
    turns=True,
    effort=150,
)


def _polar_twice(x: Term, e: Term, f: Term) -> Term:
    """The second derivative of the polar factor Q at X along E and F.

    From dQ = Q Y + (I − Q Qᵀ) E H⁻¹ + G⁻¹ E (I − Qᵀ Q), H Y + Y H = C for C = Qᵀ E Qᵀ Q less its
    transpose, H = Qᵀ X + I − Qᵀ Q and G = X Qᵀ + I − Q Qᵀ, by the product rule. The second term is
    0 unless there are more rows than columns, the third unless there are fewer.
    """
    one = _unrepeated(x)
    q = polar(one)
    qt, right = turned(q), _times(turned(q), q)
    one_left = einsum("->ii", sizes={"i": x.shape[-2]}) - _times(q, qt)
    one_right = einsum("->ii", sizes={"i": x.shape[-1]}) - right
    h, g = _times(qt, one) + one_right, _times(one, qt) + one_left
    whole = [_repeated(m, x) for m in (q, qt, right, one_left, one_right, h, inv(h), inv(g))]
    q, qt, right, one_left, one_right, h, inv_h, inv_g = whole
    k = polar_frechet(x, f)
    kt = turned(k)
    d_left, d_right = _times(k, qt) + _times(q, kt), _times(kt, q) + _times(qt, k)
    dh = _times(kt, x) + _times(qt, f) - d_right
    dg = _times(f, qt) + _times(x, kt) - d_left
    c = _times(qt, e, right)
    dc = _times(kt, e, right) + _times(qt, e, d_right)
    y = sylvester(h, h, c - turned(c))
    dy = sylvester(h, h, dc - turned(dc) - _times(dh, y) - _times(y, dh))
    below = _times(one_left, e, inv_h, dh, inv_h) + _times(d_left, e, inv_h)
    beside = _times(inv_g, dg, inv_g, e, one_right) + _times(inv_g, e, d_right)
    return _times(k, y) + _times(q, dy) - below - beside


def _times(*factors: Term) -> Term:
    """The product of matrices."""
    letters = "abcdefg"
    inputs = [f"...{letters[k : k + 2]}" for k in range(len(factors))]
    return einsum(f"{','.join(inputs)}->...{letters[0]}{letters[len(factors)]}", *factors)


def _unrepeated(x: Term) -> Term:
    """The one matrix that is repeated along all batch axes, or the matrices as they are."""
    node = x.node
    while node.order > 2:
        single = make.without_repeats(node, 0)
        if single is None:
            return x
        node = single
    return Term(node)


def _repeated(m: Term, x: Term) -> Term:
    """A matrix made of an unrepeated X, along the batch axes of X again."""
    return Term(make.broadcast(m.node, (*x.shape[:-2], *m.shape[-2:])))


polar_frechet: Function = function(
    "polar_frechet",
    "(i,j),(i,j)->(i,j)",
    partials=(
        LinearMap(  # that of a third derivative is the same in all its directions
            lambda y, x, e, v: _polar_twice(x, e, v),
            lambda y, x, e, w: _polar_twice(x, e, w),
        ),
        LinearMap(
            lambda y, x, e, v: polar_frechet(x, v),
            lambda y, x, e, w: polar_frechet(x, w),
        ),
    ),
    code=(
        "u, s, vt = xp.linalg.svd({0})\n"
        "m, n, k = u.shape[-1], vt.shape[-1], s.shape[-1]\n"
        "turned = xp.swapaxes(u, -1, -2) @ {1} @ xp.swapaxes(vt, -1, -2)\n"
        "skew = turned[..., :k, :k] - xp.swapaxes(turned[..., :k, :k], -1, -2)\n"
        "inner = skew / (s[..., :, None] + s[..., None, :])\n"
        "below, beside = turned[..., k:, :k] / s[..., None, :], turned[..., :k, k:] / s[..., :, None]\n"
        "left, right = u[..., :, :k], vt[..., :k, :]\n"
        "left @ (inner @ right + beside @ vt[..., k:, :]) + u[..., :, k:] @ below @ right"
    ),
    exact=precise.polar_along,
    doc="Derivative of the polar factor at X in the direction E.",
    domain=(FULL_RANK, REAL),
    symbol="L_polar",
    latex=r"L_{\operatorname{polar}}",
    linear=(1,),
    turns=True,
    effort=150,
)
