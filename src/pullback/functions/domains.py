"""Where functions are defined, and where tests may sample them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pullback.functions import precise


@dataclass(frozen=True)
class Domain:
    """Where a function is defined: which numbers those are, points inside, points outside.

    ``name`` says it in a sentence: "log is defined for *positive numbers*", and for matrices
    "inv needs *an invertible matrix*".
    """

    name: str
    inside: tuple[float, ...] = ()  # an interval to sample, or empty for matrices
    outside: tuple[float, ...] = ()  # single points that violate it
    contains: Callable[[Any], bool] = lambda value: True  # for a single number
    matrix: Callable[[Any, precise.Rows], bool] | None = None  # (mpmath context, rows): inside?
    points: tuple[float, ...] = ()  # the numbers to sample, where only some will do
    assumed: tuple[str, ...] = ()  # what a variable is assumed to be to lie inside


REAL = Domain("real numbers", (-2.0, 2.0))
POSITIVE = Domain("positive numbers", (0.2, 3.0), (0.0, -1.0), lambda x: x > 0)
BASE = Domain("base of a power", (0.2, 3.0), (-1.0,))  # an integer power takes any base
UNIT = Domain("numbers from −1 to 1", (-0.95, 0.95), (1.5, -2.0), lambda x: -1 <= x <= 1)
INSIDE_UNIT = Domain(
    "numbers between −1 and 1", (-0.95, 0.95), (1.0, -1.0, 2.0), lambda x: -1 < x < 1
)
FROM_ONE = Domain("numbers from 1 on", (1.1, 3.0), (0.5, -2.0), lambda x: x >= 1)
ABOVE_MINUS_ONE = Domain("numbers above −1", (-0.9, 2.0), (-1.0, -2.0), lambda x: x > -1)
NO_POLE = Domain(
    "numbers other than 0, −1, −2, …", (0.2, 3.0), (0.0, -2.0), lambda x: x > 0 or x != int(x)
)
WHOLE = Domain(
    "the whole numbers 1, 2, 3, …",
    outside=(0.0, 0.5),
    contains=lambda n: n > 0 and n == int(n),
    points=(1.0, 2.0, 3.0),
    assumed=("binary",),
)
CONDITION = Domain("real numbers", points=(0.0, 1.0))
INVERTIBLE = Domain("an invertible matrix", matrix=lambda mp, x: bool(precise.sign_det(mp, x)))
NO_NEGATIVE_EIGENVALUE = Domain(
    "a matrix with no eigenvalue that is 0 or negative", matrix=precise.off_the_negative_axis
)
DISTINCT = Domain("a symmetric matrix with distinct eigenvalues", matrix=precise.distinct)
FULL_RANK = Domain("a matrix of full rank", matrix=precise.has_full_rank)
POSITIVE_DETERMINANT = Domain(
    "a matrix of positive determinant", matrix=lambda mp, x: precise.sign_det(mp, x) > 0
)
NO_COMMON_EIGENVALUE = Domain("A and −B without a common eigenvalue", (-2.0, 2.0))
POSITIVE_DEFINITE = Domain(
    "a positive definite matrix", matrix=precise.is_positive_definite, assumed=("posdef",)
)
