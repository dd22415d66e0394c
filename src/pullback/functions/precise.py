"""Functions of matrices in high precision, from mpmath's own algorithms: what records call exact.

Matrices come in and go out as lists of rows. None of this is shared with the code of a record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

Rows = list[list[Any]]
Scalar = Callable[[Any, Any], Any]  # (mpmath context, number) → number

CLOSE = 1e-8  # eigenvalues nearer than this, relative to the largest, count as equal
IMAGINARY = 1e-12  # an imaginary part above this is no rounding error
SINGULAR = 1e-15  # a pivot this small beside the largest entry counts as zero


def real(mp: Any, matrix: Any) -> Rows:
    """The rows of a matrix whose entries are real but for rounding; ValueError if they are not."""
    largest = max((abs(v) for v in matrix), default=mp.mpf(0))
    if any(abs(mp.im(v)) > IMAGINARY * largest for v in matrix):
        raise ValueError("the result is not real")
    return [[mp.re(v) for v in row] for row in matrix.tolist()]


def of_matrix(mp: Any, scalars: Sequence[Scalar], x: Rows, *directions: Rows) -> Rows:
    """f(X), or its first or second Fréchet derivative in the directions given.

    By the eigenvectors of X and divided differences (Daleckii and Krein; Higham, Functions of
    Matrices, theorem 3.11). ``scalars`` are f, f′ and f″ of a number.
    """
    values, vectors, inverse, digits = _eigen(mp, mp.dps, tuple(map(tuple, x)))
    with mp.workdps(digits):
        n = len(values)
        turned = [inverse * mp.matrix(e) * vectors for e in directions]
        slope = _Divided(mp, scalars, values)
        result = mp.matrix(n, n)
        for i in range(n):
            for j in range(n):
                match turned:
                    case []:
                        result[i, j] = slope.at[0][i] if i == j else 0
                    case [e]:
                        result[i, j] = slope.first(i, j) * e[i, j]
                    case [e, f]:
                        result[i, j] = mp.fsum(
                            slope.second(i, k, j) * (e[i, k] * f[k, j] + f[i, k] * e[k, j])
                            for k in range(n)
                        )
        return real(mp, vectors * result * inverse)


@lru_cache(maxsize=64)
def _eigen(mp: Any, dps: int, x: tuple[tuple[Any, ...], ...]) -> tuple[Any, Any, Any, int]:
    """Eigenvalues, eigenvectors, their inverse, and the digits to go on with.

    Where eigenvalues come too close, a matrix beside X takes its place, with so many digits that
    this is not seen. One X often has many directions, so what was last found is kept.
    """
    with mp.workdps(dps + 10):
        values, vectors = mp.eig(mp.matrix(x))
        scale = max((abs(v) for v in values), default=mp.mpf(1))
        gaps = [abs(v - w) for i, v in enumerate(values) for w in values[:i]]
        if not any(gap <= CLOSE * scale for gap in gaps):
            return values, vectors, vectors**-1, dps + 10
    digits, step = 4 * dps + 40, mp.mpf(10) ** -(dps + 10)
    with mp.workdps(digits):
        beside = [
            [v + step * mp.sin(1 + 3 * i + j * j) for j, v in enumerate(row)]
            for i, row in enumerate(x)
        ]
        values, vectors = mp.eig(mp.matrix(beside))
        return values, vectors, vectors**-1, digits


class _Divided:
    """Divided differences of a function at numbers that are distinct."""

    def __init__(self, mp: Any, scalars: Sequence[Scalar], values: Sequence[Any]) -> None:
        self.values = values
        self.at = [[f(mp, v) for v in values] for f in scalars]

    def first(self, i: int, j: int) -> Any:
        if i == j:
            return self.at[1][i]
        return (self.at[0][i] - self.at[0][j]) / (self.values[i] - self.values[j])

    def second(self, i: int, k: int, j: int) -> Any:
        if i == k == j:
            return self.at[2][i] / 2
        i, k, j = (i, k, j) if i != j else (i, j, k)
        if i == j:  # only the first two were equal
            i, k = k, i
        return (self.first(i, k) - self.first(k, j)) / (self.values[i] - self.values[j])


def sign_det(mp: Any, x: Rows) -> int:
    """The sign of the determinant by elimination; 0 for a matrix that is singular to the eye."""
    rows = [list(row) for row in x]
    largest = max((abs(v) for row in rows for v in row), default=mp.mpf(1))
    sign = 1
    for k in range(len(rows)):
        best = max(range(k, len(rows)), key=lambda r: abs(rows[r][k]))
        pivot = rows[best][k]
        if not abs(pivot) > largest * SINGULAR:
            return 0
        if best != k:
            rows[k], rows[best] = rows[best], rows[k]
            sign = -sign
        sign = sign if pivot > 0 else -sign
        for row in rows[k + 1 :]:
            factor = row[k] / pivot
            for j in range(k + 1, len(rows)):
                row[j] -= factor * rows[k][j]
    return sign


def off_the_negative_axis(mp: Any, x: Rows) -> bool:
    """Whether no eigenvalue is 0 or a negative number."""
    values = _eigen(mp, mp.dps, tuple(map(tuple, x)))[0]
    near = SINGULAR * max((abs(v) for v in values), default=mp.mpf(1))
    return not any(mp.re(v) <= near and abs(mp.im(v)) <= near for v in values)


def has_full_rank(mp: Any, x: Rows) -> bool:
    a = mp.matrix(x)
    return bool(sign_det(mp, (a * a.T if a.rows < a.cols else a.T * a).tolist()))


def eigen_symmetric(mp: Any, x: Rows) -> tuple[list[Any], Rows]:
    """Eigenvalues of (A + Aᵀ)/2, smallest first, and eigenvectors with their largest entry positive."""
    a = mp.matrix(x)
    values, vectors = mp.eigsy((a + a.T) / 2)
    order = sorted(range(len(values)), key=lambda k: values[k])
    columns = [_signed([vectors[i, k] for i in range(a.rows)]) for k in order]
    return [values[k] for k in order], [list(row) for row in zip(*columns, strict=True)]


def _signed(vector: list[Any]) -> list[Any]:
    return [-v for v in vector] if max(vector, key=abs) < 0 else vector


def resolvent(mp: Any, x: Rows, index: int) -> Rows:
    """Σ v vᵀ/(λ − μ) over the eigenvalues μ other than the one at this place, λ."""
    values, vectors = eigen_symmetric(mp, x)
    n, at = range(len(values)), index % len(values)
    weights = [0 if k == at else 1 / (values[at] - values[k]) for k in n]
    return [
        [
            mp.fsum(w * a * b for w, a, b in zip(weights, one, other, strict=True))
            for other in vectors
        ]
        for one in vectors
    ]


def is_simple(mp: Any, x: Rows, index: int) -> bool:
    """Whether the eigenvalue of (A + Aᵀ)/2 at this place is told apart from all others."""
    values = eigen_symmetric(mp, x)[0]
    near = CLOSE * max((abs(v) for v in values), default=mp.mpf(1))
    return [abs(v - values[index]) <= near for v in values].count(True) == 1


def distinct(mp: Any, x: Rows) -> bool:
    """Whether the eigenvalues of (A + Aᵀ)/2 are told apart."""
    values = eigen_symmetric(mp, x)[0]
    near = CLOSE * max((abs(v) for v in values), default=mp.mpf(1))
    return all(b - a > near for a, b in pairwise(values))


def singular(mp: Any, x: Rows) -> tuple[Rows, list[Any], Rows]:
    """U, the singular values, largest first, and V, of X = U S Vᵀ; U and V have min(m, n) columns.

    The largest entry of each column of V is positive.
    """
    a = mp.matrix(x)
    u, s, vt = mp.svd_r(a, compute_uv=True)
    rows = [list(row) for row in vt.tolist()]
    flips = [-1 if max(row, key=abs) < 0 else 1 for row in rows]
    left = [[flip * v for flip, v in zip(flips, row, strict=True)] for row in u.tolist()]
    right = [[flip * row[j] for flip, row in zip(flips, rows, strict=True)] for j in range(a.cols)]
    return left, list(s), right


def polar(mp: Any, x: Rows) -> Rows:
    """U Vᵀ of the singular value decomposition."""
    u, _, v = singular(mp, x)
    return real(mp, mp.matrix(u) * mp.matrix(v).T)


def polar_along(mp: Any, x: Rows, e: Rows) -> Rows:
    """The derivative of the polar factor Q = X H⁻¹, H = (Xᵀ X)^½, for X with no fewer rows.

    dQ = (dX − Q dH) H⁻¹ with H dH + dH H = dXᵀ X + Xᵀ dX, solved among the eigenvectors of H.
    """
    a, d = mp.matrix(x), mp.matrix(e)
    if a.rows < a.cols:
        return real(mp, mp.matrix(polar_along(mp, a.T.tolist(), d.T.tolist())).T)
    values, vectors = eigen_symmetric(mp, (a.T * a).tolist())
    v = mp.matrix(vectors)
    h = [mp.sqrt(value) for value in values]
    right = v.T * (d.T * a + a.T * d) * v
    n = len(h)
    change = mp.matrix([[right[i, j] / (h[i] + h[j]) for j in range(n)] for i in range(n)])
    inverse = v * mp.diag([1 / value for value in h]) * v.T
    return real(mp, (d - a * inverse * v * change * v.T) * inverse)


def cholesky(mp: Any, x: Rows) -> Rows:
    """The lower triangular L with L Lᵀ = (A + Aᵀ)/2; ValueError where that is not positive definite.

    Row by row, by what each entry of the product says of the last factor in it.
    """
    n = range(len(x))
    lower = [[mp.zero for _ in n] for _ in n]
    for i in n:
        for j in range(i + 1):
            known = mp.fsum(lower[i][k] * lower[j][k] for k in range(j))
            rest = (x[i][j] + x[j][i]) / 2 - known
            if i == j and not mp.re(rest) > 0:
                raise ValueError("the matrix is not positive definite")
            lower[i][j] = mp.sqrt(rest) if i == j else rest / lower[j][j]
    return lower


def is_positive_definite(mp: Any, x: Rows) -> bool:
    """Whether (A + Aᵀ)/2 has a Cholesky factor."""
    try:
        cholesky(mp, x)
    except ValueError:
        return False
    return True
