"""The orders in which a person writes terms and factors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pullback.notation.tree import LAST, Formula, is_negative


def in_reading_order(terms: Sequence[Formula]) -> list[Formula]:
    """Positive terms first, the identity before what is added to it, else as in the program."""
    plus = sorted((f for f in terms if not is_negative(f)), key=_order)
    minus = sorted(
        (f for f in terms if is_negative(f)),
        key=lambda f: (f.size > 3 or f.op == "number", _order(f)),
    )
    numbers = [f for f in plus if f.op == "number"]
    others = sorted((f for f in plus if f.op != "number"), key=lambda f: f.op != "identity")
    if all(f.op == "function" for f in others):
        return [*numbers, *others, *minus]
    return [*others, *numbers, *minus]


def _order(f: Formula) -> tuple[object, ...]:
    rank = f.rank if f.op != "number" else LAST
    return (rank, f.transposes, f.reading, f.letters, f.size, Tie(f))


class Tie:
    """Tells apart formulas that read alike, so that their order does not depend on their nodes."""

    __slots__ = ("formula",)

    def __init__(self, formula: Formula) -> None:
        self.formula = formula

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tie) and self.formula == other.formula

    def __hash__(self) -> int:
        return hash(self.formula)

    def __lt__(self, other: Tie) -> bool:
        return repr(self.formula) < repr(other.formula)


def scalar_order(scalars: Iterable[Formula]) -> list[Formula]:
    """Names before functions, norms and traces, each in reading order."""
    return sorted(
        scalars,
        key=lambda f: (f.op not in ("atom", "power", "root"), f.rank, f.reading, f.size, Tie(f)),
    )


def reading_order(formulas: Iterable[Formula]) -> list[Formula]:
    """Factors of an elementwise product as a person writes them.

    What was handed on comes first, then what holds a difference, then names, functions and plain
    products in the order of the program, and last the factors of the form 1 − g.
    """
    return sorted(formulas, key=reading_key)


def reading_key(f: Formula) -> tuple[int, int, int, int, object, object, Tie]:
    inner = f.parts[0] if f.op in ("transpose", "indexed") else f
    if inner.op == "atom" and inner.data.rank < 0:
        group = 0
    elif inner.op == "sum":
        group = 3 if any(p.op == "number" for p in inner.parts) else 1
    elif inner.op in ("product", "quotient") and (f.rank < 0 or _holds_sum(inner)):
        group = 1
    else:
        group = 2
    by_size = (-f.size, 0, 0) if group == 1 else (0, f.rank, f.size)
    return (group, *by_size, f.reading, f.letters, Tie(f))


def _holds_sum(f: Formula) -> bool:
    pending = [f]
    while pending:
        part = pending.pop()
        if part.op == "sum":
            return True
        if part.op != "function":
            pending.extend(part.parts)
    return False
