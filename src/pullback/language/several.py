"""Functions of NumPy that have several results, each of which is an expression."""

from __future__ import annotations

from typing import NamedTuple

from pullback.expressions import Node
from pullback.functions.catalogue import CATALOGUE
from pullback.language.applying import NodeFunction, apply_record


class SlogdetResult(NamedTuple):
    """What ``np.linalg.slogdet`` returns, under NumPy's names; of nodes or of symbols."""

    sign: object
    logabsdet: object


def _sign_of_det(matrix: Node) -> Node:
    return CATALOGUE["sign"].apply([apply_record("det", matrix)])


# what holds the results, and each of them
SEVERAL: dict[str, tuple[type[SlogdetResult], tuple[NodeFunction, ...]]] = {
    "linalg.slogdet": (
        SlogdetResult,
        (_sign_of_det, lambda matrix: apply_record("logabsdet", matrix)),
    ),
}
