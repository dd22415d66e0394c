"""The derivative by a variable that is symmetric, diagonal, skew or orthogonal.

By default entries are independent, whatever is assumed of the variable. The two other conventions
take a derivative G with independent entries to

- ``"free"``: the partials by the entries that can be chosen freely. For a symmetric X that is
  G + Gᵀ − G ⊙ I (Petersen and Pedersen, The Matrix Cookbook, equation 138), for a skew one
  G − Gᵀ, for a diagonal one G ⊙ I.
- ``"tangent"``: the gradient along the set of such matrices: (G + Gᵀ)/2, (G − Gᵀ)/2, G ⊙ I, and
  (G − X Gᵀ X)/2 for an orthogonal X.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from pullback.errors import MissingRule, PullbackError
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Node, Variable

Convention = Literal["free", "tangent"]

_KINDS = {
    "diagonal": "diagonal",
    "symmetric": "symmetric",
    "posdef": "symmetric",
    "skew": "skew",
    "orthogonal": "orthogonal",
    "lower": "triangular",
    "upper": "triangular",
}


def kind_of(variable: Node) -> str:
    """The structure that a derivative by this variable can respect, or an empty text."""
    if not isinstance(variable, Variable):
        return ""
    return next((kind for name, kind in _KINDS.items() if name in variable.assumptions), "")


def check(convention: str | None, targets: Sequence[Node]) -> None:
    """Raises PullbackError for an unknown convention, MissingRule where there is no rule yet."""
    if convention not in (None, "free", "tangent"):
        raise PullbackError(
            f"there is no convention '{convention}' for structured variables",
            hint="structured is None (entries independent), 'free' or 'tangent'",
        )
    for target in targets if convention else ():
        kind = kind_of(target)
        name = target.name if isinstance(target, Variable) else "it"
        if kind == "triangular":
            raise MissingRule(f"no derivative by the entries of a triangular matrix: {name}")
        if kind == "orthogonal" and convention == "free":
            raise MissingRule(f"the entries of an orthogonal matrix are not free: {name}")
        if kind == "orthogonal" and len(targets) > 1:
            raise MissingRule(f"no second derivative along the orthogonal matrices: {name}")


def respecting(derivative: Node, target: Node, first: int, convention: Convention) -> Node:
    """A derivative by independent entries as one by a structured variable.

    ``first`` is the first axis of the derivative that belongs to the variable.
    """
    kind = kind_of(target)
    if not kind:
        return derivative
    labels = list(range(derivative.order))
    row, column = first + target.order - 2, first + target.order - 1
    if kind == "diagonal":
        return _diagonal(derivative, row, column)
    swapped = [*labels]
    swapped[row], swapped[column] = column, row
    turned = make.contract([(derivative, swapped)], labels)
    half = Fraction(1, 2)
    if kind == "symmetric":
        if convention == "tangent":
            return make.add([(half, derivative), (half, turned)])
        return make.add([(1, derivative), (1, turned), (-1, _diagonal(derivative, row, column))])
    if kind == "skew":
        c = half if convention == "tangent" else Fraction(1)
        return make.add([(c, derivative), (-c, turned)])
    batch, k, l = labels[first:row], derivative.order, derivative.order + 1
    inner = [*labels]
    inner[row], inner[column] = l, k
    around = make.contract(
        [(target, [*batch, row, k]), (derivative, inner), (target, [*batch, l, column])], labels
    )
    return make.add([(half, derivative), (-half, around)])


def _diagonal(derivative: Node, row: int, column: int) -> Node:
    """The entries on the diagonal of two axes, and zeros beside it."""
    same = [row if axis == column else axis for axis in range(derivative.order)]
    return make.contract([(derivative, same)], same)
