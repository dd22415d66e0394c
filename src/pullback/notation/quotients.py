"""The left-hand side: ∂L/∂U, ∂h_i/∂U_jk, ∂²L/∂x∂xᵀ, ∂h/∂vec(U)ᵀ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pullback.notation.chains import Letters
from pullback.notation.names import Name, ascii_name, latex_name
from pullback.notation.tree import Formula, Kind, atom, indexed, vec


@dataclass(frozen=True)
class Side:
    """The function or a variable of a derivative."""

    name: str
    order: int = 0
    row: bool = False

    def formula(self) -> Formula:
        kind: Kind = "scalar" if not self.order else "matrix" if self.order > 1 else "column"
        return atom(Name(self.name, latex_name(self.name), ascii_name(self.name)), kind)


def derivative_of(
    function: Side, by: Sequence[Side], form: str, letters: Letters, turned: bool = False
) -> Formula:
    """∂f/∂x in a form; ``turned`` where the transpose of what is computed is printed."""
    sides = (function, *by)
    parts = [side.formula() for side in sides]
    if form == "index":
        rest = list(letters)
        for k, side in enumerate(sides):
            parts[k] = indexed(parts[k], rest[: side.order])
            rest = rest[side.order :]
    elif form == "vec":
        parts = [vec(f) if side.order == 2 else f for side, f in zip(sides, parts, strict=True)]
    groups = [k for k, side in enumerate(sides) if side.order]
    if form != "index" and turned:
        parts[groups[0]] = _transposed(parts[groups[0]])
    elif form != "index" and len(groups) == 2:
        flattened = form == "vec" and any(side.order == 2 for side in sides)
        vectors = all(side.order <= 1 for side in sides)
        if flattened or (vectors and len(by) > 1):
            parts[groups[1]] = _transposed(parts[groups[1]])
    return Formula("derivative", parts)


def _transposed(f: Formula) -> Formula:
    return Formula("transpose", (f,), "row")
