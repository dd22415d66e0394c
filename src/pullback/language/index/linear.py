"""What stands in brackets and subscripts, as [k = m (j − 1) + i]: letters times sizes, added up."""

from __future__ import annotations

from collections.abc import Callable

from pullback.errors import Place, PullbackError
from pullback.expressions import Size
from pullback.language.index.code import Linear
from pullback.language.index.syntax import Entry, parts_of
from pullback.language.syntax import Addition, Literal, Power, Product, Syntax

_MOST_TERMS, _MOST_FACTORS, _LARGEST = 50, 6, 10**18  # of a size and its numbers


def linear(root: Syntax, term: Callable[[Entry], Linear | None], text: str) -> Linear:
    """The linear form that an expression is; ``term`` says what a word is.

    Raises PullbackError where it is none.
    """
    values: list[Linear] = []
    stack: list[tuple[Syntax, bool]] = [(root, False)]
    while stack:
        item, ready = stack.pop()
        parts = [] if isinstance(item, Entry | Literal) else parts_of(item)
        if parts and not ready:
            stack.append((item, True))
            stack += [(part, False) for part in reversed(parts)]
            continue
        operands = values[len(values) - len(parts) :]
        del values[len(values) - len(parts) :]
        made = _made(item, operands, term)
        if made is None or not all(map(_bounded, (made.constant, *made.terms.values()))):
            place = Place(text, item.start, item.stop)
            hint = "there stand letters, sizes and whole numbers, as in [k = m (j − 1) + i]"
            raise PullbackError("this is no index", place, hint)
        values.append(made)
    return values[0]


def _bounded(size: Size) -> bool:
    return len(size.terms) <= _MOST_TERMS and all(
        len(monomial) <= _MOST_FACTORS and abs(c) <= _LARGEST for monomial, c in size.terms
    )


def _made(
    item: Syntax, operands: list[Linear], term: Callable[[Entry], Linear | None]
) -> Linear | None:
    if isinstance(item, Entry):
        return term(item)
    if isinstance(item, Literal) and isinstance(item.value, int):
        return Linear({}, Size.of(item.value))
    if isinstance(item, Addition):
        total = Linear({}, Size.of(0))
        for (sign, _), operand in zip(item.terms, operands, strict=True):
            total = total.plus(operand.times(Size.of(sign)))
        return total
    if isinstance(item, Product) and item.operator != "/":
        left, right = operands
        if not left.terms:
            return right.times(left.constant)
        return left.times(right.constant) if not right.terms else None
    if isinstance(item, Power) and not operands[0].terms and not operands[1].terms:
        exponent = operands[1].constant.constant
        if exponent is not None and 0 <= exponent <= 4:
            product = Size.of(1)
            for _ in range(exponent):
                product = product * operands[0].constant
            return Linear({}, product)
    return None
