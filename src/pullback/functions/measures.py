"""Totals, means, traces and norms: formulas in other functions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from pullback.errors import PullbackError, ShapeError
from pullback.expressions import constructors as make
from pullback.expressions.sizes import shape_text
from pullback.functions.algebra import Term, einsum, total
from pullback.functions.piecewise import abs
from pullback.functions.record import Definition
from pullback.functions.reductions import max

sqrt = Definition(
    "sqrt", ("x",), lambda x: x ** Fraction(1, 2), "Square root, entry by entry.", "same"
)

hypot = Definition(
    "hypot", ("a", "b"), lambda a, b: (a * a + b * b) ** Fraction(1, 2), "√(a² + b²).", "same"
)


def _trace(x: Term) -> Term:
    if len(x.shape) != 2 or x.shape[0] != x.shape[1]:
        raise ShapeError(f"tr needs a square matrix, not {shape_text(x.shape)}")
    return einsum("ii->", x)


def _norm(x: Term, p: Term) -> Term:
    if len(x.shape) > 1:
        raise PullbackError(
            "the norm of a matrix has several meanings",
            hint="say which: normF (Frobenius, also norm2), norm1 (entrywise), spectral_norm, "
            "nuclear_norm, norm1_induced (largest column sum), norm_inf_induced (largest row sum)",
        )
    value = make.constant_value(p.node)
    if value is not None and value < 1:
        raise PullbackError(f"a p-norm needs p from 1 on, not {value}")
    if value in (1, 2):
        return norm1(x) if value == 1 else norm2(x)
    even = isinstance(value, int) and value % 2 == 0
    return total((x if even else abs(x)) ** p) ** (1 / p)


def _largest(x: Term) -> Term:
    if len(x.shape) > 1:
        raise PullbackError(
            "the ∞-norm of a matrix has several meanings",
            hint="max(abs(X)) is its largest entry, norm_inf_induced(X) its largest row sum",
        )
    return Term(max.along(abs(x).node, range(len(x.shape))))


tr = Definition("tr", ("X",), _trace, "Trace: the sum of the diagonal.", "scalar")

norm1 = Definition("norm1", ("x",), lambda x: total(abs(x)), "Sum of absolute values.", "scalar")

norm2 = Definition(
    "norm2",
    ("x",),
    lambda x: total(x * x) ** Fraction(1, 2),
    "Euclidean norm of a vector, Frobenius norm of a matrix.",
    "scalar",
)

normF = Definition("normF", ("X",), norm2.expand, "Frobenius norm.", "scalar")

norm_inf = Definition("norm_inf", ("x",), _largest, "Largest absolute value of a vector.", "scalar")


def _induced(axis: int) -> Callable[[Term], Term]:
    def largest(x: Term) -> Term:
        if len(x.shape) != 2:
            raise ShapeError(f"an induced norm is that of a matrix, not {shape_text(x.shape)}")
        return Term(max.along(make.contract([(abs(x).node, (0, 1))], [1 - axis]), [0]))

    return largest


norm1_induced = Definition(
    "norm1_induced", ("X",), _induced(0), "Largest sum of absolute values of a column.", "scalar"
)

norm_inf_induced = Definition(
    "norm_inf_induced", ("X",), _induced(1), "Largest sum of absolute values of a row.", "scalar"
)

norm = Definition(
    "norm",
    ("x", "p=2"),
    _norm,
    "The p-norm of a vector, (Σ |x|ᵖ)^(1/p); Euclidean where p is not said.",
    "scalar",
)
