"""Singular values as a vector, and the vectors that belong to them.

Of a matrix with no more rows than columns there are as many as rows; of any other they are those
of its transpose. Derivatives: Magnus and Neudecker, Matrix Differential Calculus, section 8.12.
"""

from __future__ import annotations

from typing import Any

from pullback.errors import ShapeError
from pullback.expressions.sizes import shape_text
from pullback.functions import precise
from pullback.functions.algebra import Term, einsum
from pullback.functions.domains import Domain
from pullback.functions.matrices import turned
from pullback.functions.precise import Rows
from pullback.functions.record import Definition, Function, function
from pullback.functions.spectral import inverse_gaps

_SIMPLE = Domain(
    "a matrix of full rank with distinct singular values",
    matrix=lambda mp, x: precise.has_full_rank(mp, x) and precise.distinct(mp, _gram(mp, x)),
)
_VECTORS = (
    "u, s, vt = xp.linalg.svd({0}, full_matrices=False)\n"
    "sign = xp.where(xp.amax(vt, axis=-1) < -xp.amin(vt, axis=-1), -1, 1)\n"
)


def _gram(mp: Any, x: Rows) -> Rows:
    a = mp.matrix(x)
    rows: Rows = (a * a.T).tolist()
    return rows


def _values(mp: Any, x: Rows) -> list[Any]:
    found = precise.singular(mp, x)[1]
    return found + [mp.zero] * (len(x) - len(found))


singular_values: Function = function(
    "singular_values",
    "(i,j)->(i)",
    partials=(
        lambda s, x: einsum("...ak,...bk->...kab", left_singular_vectors(x), right_singular(x)),
    ),
    code=(
        "s = xp.linalg.svd({0}, full_matrices=False)[1]\n"
        "xp.concatenate([s, xp.zeros_like({0}[..., s.shape[-1]:, 0])], axis=-1)"
    ),
    exact=_values,
    doc="Square roots of the eigenvalues of X Xᵀ, largest first: the singular values of a matrix with no more rows than columns.",
    symbol="svals",
    latex=r"\operatorname{svals}",
    convention="at a repeated singular value the derivative is that along the vectors that are found",
    effort=150,
)


def _of_left(u: Term, x: Term) -> Term:
    """dU = U (F ⊙ (Uᵀ dX V Σ + Σ Vᵀ dXᵀ U)), F_lk = 1/(σ_k² − σ_l²)."""
    s, v = singular_values(x), right_singular(x)
    gaps = inverse_gaps(s**2)
    return einsum("...cl,...lk,...al,...bk,...k->...ckab", u, gaps, u, v, s) + einsum(
        "...cl,...lk,...l,...bl,...ak->...ckab", u, gaps, s, v, u
    )


def _of_right(v: Term, x: Term) -> Term:
    """dV = V (F ⊙ (Vᵀ dXᵀ U Σ + Σ Uᵀ dX V)) + (I − V Vᵀ) dXᵀ U Σ⁻¹."""
    s, u = singular_values(x), left_singular_vectors(x)
    gaps = inverse_gaps(s**2)
    beside = einsum("->ii", sizes={"i": x.shape[-1]}) - einsum("...cl,...bl->...cb", v, v)
    return (
        einsum("...cl,...lk,...bl,...ak,...k->...ckab", v, gaps, v, u, s)
        + einsum("...cl,...lk,...l,...al,...bk->...ckab", v, gaps, s, u, v)
        + einsum("...cb,...ak,...k->...ckab", beside, u, s**-1)
    )


left_singular_vectors: Function = function(
    "left_singular_vectors",
    "(i,j)->(i,i)",
    partials=(_of_left,),
    code=_VECTORS + "u * sign[..., None, :]",
    exact=lambda mp, x: precise.singular(mp, x)[0],
    doc="Left singular vectors as columns, of a matrix with no more rows than columns.",
    domain=(_SIMPLE,),
    symbol="U_svd",
    latex=r"U_{\operatorname{svd}}",
    orthogonal=True,
    effort=150,
)

right_singular: Function = function(
    "right_singular_vectors",
    "(i,j)->(j,i)",
    partials=(_of_right,),
    code=_VECTORS + "xp.swapaxes(vt * sign[..., None], -1, -2)",
    exact=lambda mp, x: precise.singular(mp, x)[2],
    doc="Right singular vectors as columns, of a matrix with no more rows than columns.",
    domain=(_SIMPLE,),
    symbol="V_svd",
    latex=r"V_{\operatorname{svd}}",
    effort=150,
)


def _svdvals(x: Term) -> Term:
    if len(x.shape) < 2:
        raise ShapeError("singular values are those of a matrix")
    rows, columns = x.shape[-2:]
    if (columns - rows).at_least(0):
        return singular_values(x)
    if (rows - columns).at_least(0):
        return singular_values(turned(x))
    shape = shape_text(x.shape[-2:])
    raise ShapeError(
        f"how many singular values a matrix {shape} has depends on which of its sizes is smaller",
        None,
        f"declare it as n×n, in numbers, or with a size such as n + k; eigvalsh(X'*X) has {columns}",
    )


svdvals = Definition(
    "svdvals",
    ("X",),
    _svdvals,
    "Singular values, largest first: as many as the smaller size, which must be known.",
    "other",
    signatures=("(i,j)->(i&j)",),
)
