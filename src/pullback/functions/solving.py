"""Cholesky factors, linear systems and the Sylvester equation; leading axes are batch axes.

A⁻¹ B is one product for all that is said of it here, whichever way it was stated: that it is
solved for, by a factor of A, is the business of the code. The derivative of the Cholesky factor
is that of Smith (1995) and Murray (2016, Differentiation of the Cholesky decomposition).
"""

from __future__ import annotations

from typing import Any

from pullback.errors import PullbackError
from pullback.expressions.placement import triangle
from pullback.functions import precise
from pullback.functions.algebra import Term, einsum
from pullback.functions.domains import NO_COMMON_EIGENVALUE, POSITIVE_DEFINITE, REAL
from pullback.functions.matrices import SYMMETRISED, inv, turned
from pullback.functions.precise import Rows
from pullback.functions.record import Definition, Function, LinearMap, argument_of, function


def symmetrised(x: Term) -> Term:
    """(X + Xᵀ)/2."""
    return (x + turned(x)) / 2


def _factor_along(y: Term, v: Term) -> Term:
    """dL = L Φ(L⁻¹ dA L⁻ᵀ), Φ the lower triangle with its diagonal halved."""
    inner = einsum("...ik,...kl,...jl->...ij", inv(y), symmetrised(v), inv(y))
    return einsum("...ik,...kj->...ij", y, tril_half(inner))


def _factor_back(y: Term, w: Term) -> Term:
    """The symmetric part of L⁻ᵀ Φ(Lᵀ W) L⁻¹."""
    inner = tril_half(einsum("...ki,...kj->...ij", y, w))
    return symmetrised(einsum("...ki,...kl,...lj->...ij", inv(y), inner, inv(y)))


cholesky: Function = function(
    "cholesky",
    "(i,i)->(i,i)",
    partials=(LinearMap(lambda y, x, v: _factor_along(y, v), lambda y, x, w: _factor_back(y, w)),),
    code=f"xp.linalg.cholesky({SYMMETRISED})",
    exact=precise.cholesky,
    doc="Cholesky factor of the symmetric matrix (A + Aᵀ)/2: the lower triangular L with L Lᵀ = A. MATLAB's is Lᵀ.",
    domain=(POSITIVE_DEFINITE,),
    symbol="chol",
    aliases=("chol",),
    latex=r"\operatorname{chol}",
)


def _halved(mp: Any, x: Rows) -> Rows:
    n = range(len(x))
    return [[x[i][j] if i > j else x[i][j] / 2 if i == j else mp.zero for j in n] for i in n]


tril_half: Function = function(
    "tril_half",
    "(i,i)->(i,i)",
    partials=(LinearMap(lambda y, x, v: tril_half(v), lambda y, x, w: tril_half(w)),),
    code="(xp.tril({0}) + xp.tril({0}, -1)) / 2",
    exact=_halved,
    doc="The lower triangle of a square matrix, with its diagonal halved.",
    latex=r"\operatorname{tril}_{1/2}",
    linear=(0,),
)


def _kronecker(mp: Any, a: Rows, b: Rows, c: Rows) -> Rows:
    """The solution of (A ⊗ I + I ⊗ Bᵀ) vec X = vec C, rows one after another."""
    m, n = len(a), len(b)
    whole = mp.zeros(m * n)
    for i in range(m):
        for j in range(n):
            for k in range(m):
                whole[i * n + j, k * n + j] += a[i][k]
            for k in range(n):
                whole[i * n + j, i * n + k] += b[k][j]
    if not precise.sign_det(mp, whole.tolist()):
        raise ZeroDivisionError
    x = mp.lu_solve(whole, mp.matrix([v for row in c for v in row]))
    return [[x[i * n + j] for j in range(n)] for i in range(m)]


def _by_left(x: Term, a: Term, b: Term, w: Term) -> Term:
    """The adjoint by A: −G Xᵀ, where Aᵀ G + G Bᵀ = W."""
    return -einsum("...ik,...jk->...ij", sylvester(turned(a), turned(b), w), x)


def _by_right(x: Term, a: Term, b: Term, w: Term) -> Term:
    """The adjoint by B: −Xᵀ G."""
    return -einsum("...ki,...kj->...ij", x, sylvester(turned(a), turned(b), w))


sylvester: Function = function(
    "sylvester",
    "(i,i),(j,j),(i,j)->(i,j)",
    partials=(
        LinearMap(
            lambda x, a, b, c, v: -sylvester(a, b, einsum("...ik,...kj->...ij", v, x)),
            lambda x, a, b, c, w: _by_left(x, a, b, w),
        ),
        LinearMap(
            lambda x, a, b, c, v: -sylvester(a, b, einsum("...ik,...kj->...ij", x, v)),
            lambda x, a, b, c, w: _by_right(x, a, b, w),
        ),
        LinearMap(
            lambda x, a, b, c, v: sylvester(a, b, v),
            lambda x, a, b, c, w: sylvester(turned(a), turned(b), w),
        ),
    ),
    code=(
        "def solved(a, b, c):\n"
        "    if not (xp.isfinite(a).all() and xp.isfinite(b).all() and xp.isfinite(c).all()):\n"
        "        return xp.full_like(c, xp.nan)\n"
        "    left, right = xp.linalg.eigvals(a), xp.linalg.eigvals(b)\n"
        "    gaps = xp.abs(left[:, None] + right)\n"
        "    largest = xp.max(xp.abs(left)) + xp.max(xp.abs(right))\n"
        "    if xp.min(gaps) <= xp.finfo(c.dtype).eps * largest:\n"
        "        return xp.full_like(c, xp.nan)\n"
        "    return sl.solve_sylvester(a, b, c)\n"
        "whole = xp.vectorize(solved, otypes=[float], signature='(m,m),(n,n),(m,n)->(m,n)')\n"
        "whole({0}, {1}, {2}).astype({2}.dtype)"
    ),
    exact=_kronecker,
    doc="The solution X of the Sylvester equation A X + X B = C.",
    domain=(NO_COMMON_EIGENVALUE, REAL, REAL),
    latex=r"\operatorname{sylvester}",
    linear=(2,),
    effort=150,
)

lyapunov = Definition(
    "lyapunov",
    ("A", "Q"),
    lambda a, q: sylvester(a, turned(a), q),
    "The solution X of the Lyapunov equation A X + X Aᵀ = Q. MATLAB's lyap(A, Q) has −Q.",
    "same",
)


def _solved(a: Term, b: Term) -> Term:
    """A⁻¹ B, or A⁻¹ b where b has one axis less than A."""
    vector = len(b.shape) == len(a.shape) - 1
    return einsum("...ij,...j->...i" if vector else "...ij,...jk->...ik", inv(a), b)


def _part(x: Term, *, lower: bool) -> Term:
    """The lower or the upper triangle of a square matrix; a Cholesky factor is one."""
    if lower and argument_of("cholesky", x.node) is not None:
        return x
    if len(x.shape) < 2 or x.shape[-1] != x.shape[-2]:
        raise PullbackError("a triangle to solve by is a square matrix")
    ones = triangle(x.shape[-2], x.shape[-1], upper=not lower)
    return einsum("...ij,ij->...ij", x, ones)


_SYSTEMS = ("(i,i),(i)->(i)", "(i,i),(i,j)->(i,j)")

solve = Definition(
    "solve",
    ("A", "b"),
    _solved,
    "The solution A⁻¹ b of A x = b, for a vector or a matrix b.",
    "other",
    signatures=_SYSTEMS,
)

solve_lower = Definition(
    "solve_lower",
    ("L", "b"),
    lambda a, b: _solved(_part(a, lower=True), b),
    "The solution of L x = b by the lower triangle of L, whatever stands above it.",
    "other",
    signatures=_SYSTEMS,
)

solve_upper = Definition(
    "solve_upper",
    ("U", "b"),
    lambda a, b: _solved(_part(a, lower=False), b),
    "The solution of U x = b by the upper triangle of U, whatever stands below it.",
    "other",
    signatures=_SYSTEMS,
)
