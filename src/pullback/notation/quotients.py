"""The left-hand side: ∂L/∂U, ∂h_i/∂U_jk, ∂²L/∂x∂xᵀ, ∂h/∂vec(U)ᵀ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pullback.notation.index import Letters
from pullback.notation.names import Name, ascii_name, latex_name
from pullback.notation.printing import written
from pullback.notation.styles import ASCII, LATEX, Style
from pullback.notation.tree import Formula, Kind, atom, indexed, vec

_RAISED = {2: "²", 3: "³", 4: "⁴"}


@dataclass(frozen=True)
class Side:
    """The function or a variable of a derivative."""

    name: str
    order: int = 0
    row: bool = False

    def formula(self) -> Formula:
        kind: Kind = "scalar" if not self.order else "matrix" if self.order > 1 else "column"
        return atom(Name(self.name, latex_name(self.name), ascii_name(self.name)), kind)


def derivative_text(
    function: Side,
    by: Sequence[Side],
    form: str,
    letters: Letters,
    style: Style,
    turned: bool = False,
) -> str:
    """∂f/∂x in a form and a style; ``turned`` for the denominator layout."""
    above = function.formula()
    below = [side.formula() for side in by]
    if form == "index":
        rest = list(letters)
        entries = []
        for side, formula in zip((function, *by), (above, *below), strict=True):
            entries.append(indexed(formula, rest[: side.order]))
            rest = rest[side.order :]
        above, *below = entries
    elif form == "vec":
        above, *below = (
            vec(f) if side.order == 2 else f
            for side, f in zip((function, *by), (above, *below), strict=True)
        )
    groups = [k for k, side in enumerate((function, *by)) if side.order]
    if form != "index" and len(groups) == 2:
        is_vec = form == "vec" and any(side.order == 2 for side in (function, *by))
        vectors = all(side.order <= 1 for side in (function, *by))
        second = groups[1] - 1
        if turned:
            first = groups[0]
            if first == 0:
                above = _transposed(above)
            else:
                below[first - 1] = _transposed(below[first - 1])
        elif is_vec or (vectors and len(by) > 1):
            below[second] = _transposed(below[second])
    return _fraction(above, below, style)


def _transposed(f: Formula) -> Formula:
    return Formula("transpose", (f,), "row")


def _fraction(above: Formula, below: Sequence[Formula], style: Style) -> str:
    count = len(below)
    over = written(above, style)
    texts = [written(f, style) for f in below]
    same = count > 1 and len(set(texts)) == 1 and below[0].op == "atom"
    if style is LATEX:
        order = f"^{{{count}}}" if count > 1 else ""
        under = (
            rf"\partial {texts[0]}^{{{count}}}"
            if same
            else r" \, ".join(rf"\partial {t}" for t in texts)
        )
        return rf"\frac{{\partial{order} {over}}}{{{under}}}"
    if style is ASCII:
        order = str(count) if count > 1 else ""
        under = f"d{texts[0]}{count}" if same else " ".join(f"d{t}" for t in texts)
        return f"d{order}{over}/{under}"
    order = _RAISED.get(count, f"^{count}") if count > 1 else ""
    under = f"∂{texts[0]}{order}" if same else "".join(f"∂{t}" for t in texts)
    return f"∂{order}{over}/{under}"
