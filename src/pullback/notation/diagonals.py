"""What a diagonal does to a sum beside it: (I − p 𝟏ᵀ) diag(v) = diag(v) − p vᵀ."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pullback.notation.orders import in_reading_order
from pullback.notation.tree import Formula

Unary = Callable[[Formula], Formula]
Product = Callable[[Sequence[Formula]], Formula]


def onto_diagonals(chain: list[Formula], product: Product, transpose: Unary) -> list[Formula]:
    """A chain in which each diagonal is multiplied into a sum of I and of vectors times 𝟏."""
    for at in range(len(chain) - 1):
        left, right = chain[at : at + 2]
        for total, diagonal, turned in ((left, right, False), (right, left, True)):
            if total.op != "sum" or diagonal.op != "diag" or diagonal.kind != "matrix":
                continue
            vector = diagonal.parts[0]
            edge = vector if (vector.kind == "column") is turned else transpose(vector)
            terms = [_times(f, diagonal, edge, product, transpose, turned) for f in total.parts]
            known = [f for f in terms if f is not None]
            if len(known) == len(terms) and any(f.op == "diag" for f in known):
                made = Formula("sum", in_reading_order(known), "matrix")
                return [*chain[:at], made, *chain[at + 2 :]]
    return chain


def _times(
    term: Formula,
    diagonal: Formula,
    edge: Formula,
    product: Product,
    transpose: Unary,
    turned: bool,
) -> Formula | None:
    """A term of the sum times the diagonal, or None where that is no shorter."""
    if term.op == "identity":
        return diagonal
    if term.op != "product":
        return None
    end = next((f for f in term.parts if f.kind != "scalar"), term) if turned else term.parts[-1]
    if (end if turned else transpose(end)).op != "ones":
        return None
    at = term.parts.index(end) if turned else len(term.parts) - 1
    return product([*term.parts[:at], edge, *term.parts[at + 1 :]])
