"""Totals, means, traces and norms: formulas in other functions."""

from __future__ import annotations

from fractions import Fraction

from pullback.errors import PullbackError, ShapeError
from pullback.expressions.sizes import shape_text
from pullback.functions.algebra import Term, count, einsum, total
from pullback.functions.piecewise import abs
from pullback.functions.record import Definition

sum = Definition("sum", ("x",), total, "Sum of all entries.", "scalar")

mean = Definition("mean", ("x",), lambda x: total(x) / count(x), "Mean of all entries.", "scalar")

sqrt = Definition(
    "sqrt", ("x",), lambda x: x ** Fraction(1, 2), "Square root, entry by entry.", "same"
)


def _trace(x: Term) -> Term:
    if len(x.shape) != 2 or x.shape[0] != x.shape[1]:
        raise ShapeError(f"tr needs a square matrix, not {shape_text(x.shape)}")
    return einsum("ii->", x)


def _norm(x: Term) -> Term:
    if len(x.shape) > 1:
        raise PullbackError(
            "the norm of a matrix has several meanings",
            hint="say which: normF (Frobenius, also norm2) or norm1 (entrywise)",
        )
    return norm2(x)


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

norm = Definition("norm", ("x",), _norm, "Euclidean norm of a vector.", "scalar")
