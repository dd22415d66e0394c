"""Who is right where the compiled code and JAX differ, by values in as many digits as it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from reference import Directions, in_jax, nearby
from sheets import SIZES, Drawn

from pullback.derivation.result import Derivation
from pullback.errors import DomainError
from pullback.verification.differences import Place, Scale, largest_of

TOLERANCE = 1e-11  # relative to the largest entry
FLOOR = 0.1  # a smaller entry counts as this: terms of order 1 may cancel
AMPLIFIED = 300  # how much more than one rounding error of the point many operations may lose


class Disagreement(AssertionError):
    """What was found is not the truth."""


class Unsettled(Exception):
    """There is no truth to compare with: a kink, or a point without a value; says why."""


def relative(found: Any, wanted: Any) -> float:
    """The largest difference, relative to the largest entry; infinite for NaN or another shape."""
    found, wanted = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    if found.shape != wanted.shape or not np.all(np.isfinite(found)):
        return float("inf")
    scale = max(np.max(np.abs(wanted), initial=0), FLOOR)
    return float(np.max(np.abs(found - wanted), initial=0) / scale)


def settle_value(drawn: Drawn, way: Directions, found: np.ndarray, wanted: np.ndarray) -> float:
    """The error of a value; raises Disagreement unless rounding the point explains it."""
    moved = [in_jax(drawn, way, point)["value"] for point in nearby(drawn, 4)]
    return _allowed("the value", relative(found, wanted), wanted, moved)


def settle_derivative(
    drawn: Drawn,
    derivation: Derivation,
    directions: list[np.ndarray],
    product: Callable[[np.ndarray], np.ndarray],
    found: np.ndarray | None,
    theirs: np.ndarray,
    kind: str,
) -> float:
    """The error of a product with a derivative.

    Raises Disagreement if the formula is not what differences of the function say, or if the
    code loses more digits than the formula's own sensitivity and JAX's own error explain;
    Unsettled where differences do not exist. ``found`` is None where the code had no value.
    """
    sheet = drawn.sheet
    nodes = [tensor.node for tensor in sheet.tensors[: sheet.given]]

    def place(arrays: list[np.ndarray], extra: int = 0) -> Place:
        given = dict(zip(nodes, arrays, strict=True))
        return Place(derivation, given, SIZES, Scale(len(directions), extra))

    try:
        for digits in (60, 160):  # steep functions want a smaller step
            here = place(drawn.point, digits)
            truth = here.difference(directions)
            formula = here.derivative_along(directions)
            scale = max(largest_of(truth), largest_of(formula), here.mp.mpf(FLOOR))
            error = float(largest_of(formula - truth) / scale)
            if error < 1e-12:
                break
        else:
            raise Disagreement(f"{kind}: the formula is wrong by {error:.1e}")
        wanted = product(_floats(here.base[derivation.node]))
        if found is None:
            raise Disagreement(f"{kind}: the code has no value where the derivative has one")
        moved = [product(_floats(place(point).base[derivation.node])) for point in nearby(drawn, 2)]
    except DomainError as reason:
        raise Unsettled(reason.message) from None
    # terms that cancel, whoever adds them up; products with an inverse lose more than solves
    inherent = min(relative(theirs, wanted), 1e-9)
    return _allowed(kind, relative(found, wanted), wanted, moved, 100 * inherent)


def _allowed(
    kind: str, error: float, wanted: np.ndarray, moved: list[np.ndarray], inherent: float = 0.0
) -> float:
    sensitivity = max(relative(m, wanted) for m in moved)
    if not error <= max(TOLERANCE, AMPLIFIED * sensitivity, inherent):
        raise Disagreement(f"{kind}: relative error {error:.1e}, sensitivity {sensitivity:.1e}")
    return error if error <= TOLERANCE else 0.0


def _floats(value: Any) -> np.ndarray:
    return np.array(value, dtype=np.float64)
