"""How a variable moves when the derivative by one of its entries is asked for.

A derivative F of whatever convention promises, for every direction R of the shape of the
variable, that Σ F ⊙ R is the speed of the function when the variable moves along a direction made
from R: R itself for independent entries; for free entries what each one takes with it, so
R + Rᵀ − R ⊙ I for a symmetric variable; and R projected on the tangent space for the gradient
along a set. That F lies in the set's tangent space follows, since R may have any part outside it.

Directions are NumPy arrays of mpmath numbers. The derivation's own rules are not used here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.expressions import Node, Variable
from pullback.verification.exact import Array, array

Move = Callable[[Array, Array, Any], Array]  # (point, direction or displacement, mpmath)


def _straight(_point: Array, direction: Array, _mp: Any) -> Array:
    return direction


def _added(point: Array, displacement: Array, _mp: Any) -> Array:
    return np.asarray(point + displacement, dtype=object)


@dataclass(frozen=True)
class Motion:
    """``along`` makes a direction at a point from any R; ``moved`` goes there, inside the set.

    ``moved`` keeps the second order: its displacement and the opposite one end at the same
    distance, so central differences lose nothing.
    """

    along: Move = _straight
    moved: Move = _added


def motion_of(target: Node, convention: str | None) -> Motion:
    """The motion of a variable under its assumptions; a line, or no convention, moves straight."""
    if convention is None or not isinstance(target, Variable):
        return Motion()
    table = FREE if convention == "free" else TANGENT
    assumed = target.assumptions | ({"symmetric"} if "posdef" in target.assumptions else set())
    if "diagonal" in assumed:
        return table["diagonal"]
    known = [name for name in sorted(assumed) if name in table]
    return table[known[0]] if known else Motion()


def _turned(direction: Array) -> Array:
    return np.swapaxes(direction, -1, -2)


def _kept(keep: Callable[[int, int], bool]) -> Move:
    """The entries of each matrix that may move; the others stand still."""

    def masked(_point: Array, direction: Array, mp: Any) -> Array:
        rows, columns = direction.shape[-2:]
        mask = [[int(keep(i, j)) for j in range(columns)] for i in range(rows)]
        return np.asarray(direction * array(mask, mp), dtype=object)

    return masked


def _with_mirror_image(sign: int) -> Move:
    """Entry (i, j) takes entry (j, i) with it; on the diagonal it is alone, or stays zero."""

    def along(point: Array, direction: Array, mp: Any) -> Array:
        beside = _kept(lambda i, j: i != j)(point, direction, mp)
        alone = direction - beside if sign > 0 else 0
        return np.asarray(beside + sign * _turned(beside) + alone, dtype=object)

    return along


def _without_mean(_point: Array, direction: Array, _mp: Any) -> Array:
    mean = direction.sum(axis=-1, keepdims=True) / direction.shape[-1]
    return np.asarray(direction - mean, dtype=object)


def _rotation(point: Array, direction: Array, _mp: Any) -> Array:
    """X Ω with Ω the skew part of Xᵀ R, matrix by matrix."""
    rotated = np.empty(direction.shape, dtype=object)
    for index in np.ndindex(direction.shape[:-2]):
        inner = point[index].T @ direction[index]
        rotated[index] = point[index] @ ((inner - inner.T) / 2)
    return rotated


def _rotated(point: Array, displacement: Array, mp: Any) -> Array:
    """Cayley's transform, X (1 − Ω/2)⁻¹ (1 + Ω/2) for a displacement X Ω."""
    moved = np.empty(point.shape, dtype=object)
    for index in np.ndindex(point.shape[:-2]):
        half = mp.matrix((point[index].T @ displacement[index] / 2).tolist())
        one = mp.eye(half.rows)
        turn = array(mp.inverse(one - half).tolist(), mp) @ array((one + half).tolist(), mp)
        moved[index] = point[index] @ turn
    return moved


_DIAGONAL = Motion(_kept(lambda i, j: i == j))
_TRIANGULAR = {
    "lower": Motion(_kept(lambda i, j: i >= j)),
    "upper": Motion(_kept(lambda i, j: i <= j)),
}
FREE = {
    "symmetric": Motion(_with_mirror_image(1)),
    "skew": Motion(_with_mirror_image(-1)),
    "diagonal": _DIAGONAL,
    **_TRIANGULAR,
}
TANGENT = {
    "symmetric": Motion(lambda _, r, mp: (r + _turned(r)) / 2),
    "skew": Motion(lambda _, r, mp: (r - _turned(r)) / 2),
    "diagonal": _DIAGONAL,
    **_TRIANGULAR,
    "unit-sum": Motion(_without_mean),
    "orthogonal": Motion(_rotation, _rotated),
}
