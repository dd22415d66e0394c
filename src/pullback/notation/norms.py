"""p-norms, recognised in the sums that they are roots of."""

from __future__ import annotations

from pullback.notation.names import Name
from pullback.notation.tree import Formula, number


def degree_of(f: Formula) -> int | None:
    """The p of Σ |x|ᵖ, where p is beyond 2."""
    inner = f.parts[0] if f.op == "total" else f
    if inner.op != "entrypower" or len(inner.parts) != 1 or inner.data.denominator != 1:
        return None
    positive = inner.data % 2 == 0 or is_absolute(inner.parts[0])
    return int(inner.data) if positive and inner.data > 2 else None


def is_absolute(f: Formula) -> bool:
    """Whether it is |x|."""
    return f.op == "function" and f.data[0].ascii == "abs"


def p_norm(f: Formula, degree: int) -> Formula:
    """(Σ |x|ᵖ)^(1/p)."""
    inner = f.parts[0].parts[0]
    inner = inner.parts[0] if is_absolute(inner) else inner
    name = Name("norm", r"\lVert {0} \rVert_{{{1}}}", "norm")
    return Formula("function", (inner, number(degree)), "scalar", (name, False, False))
