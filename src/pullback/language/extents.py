"""Sizes and places that a text states: ``n``, ``2*n + 1``, ``end - 1``."""

from __future__ import annotations

from pullback.errors import Place, PullbackError
from pullback.expressions import Size
from pullback.language.syntax import Addition, Literal, Name, Product, Syntax

_TIMES = ("*", "")


def size_of(syntax: Syntax, text: str) -> Size:
    """An argument that states a size, such as ``n`` or ``2*n + 1``, as that size."""
    size = number_of(syntax, text)
    if size.constant is not None and size.constant < 1:
        place = Place(text, syntax.start, syntax.stop)
        raise PullbackError(f"{size} is no size", place, "sizes are 1, 2, 3, … or names of sizes")
    return size


def number_of(syntax: Syntax, text: str) -> Size:
    """A whole number made of numbers and names of sizes."""
    if isinstance(syntax, Literal) and isinstance(syntax.value, int):
        return Size.of(syntax.value)
    if isinstance(syntax, Name):
        return Size.of(syntax.name)
    if isinstance(syntax, Addition):
        total = Size.of(0)
        for sign, term in syntax.terms:
            total = total + sign * number_of(term, text)
        return total
    if isinstance(syntax, Product) and syntax.operator in _TIMES:
        total = Size.of(1)
        while isinstance(syntax, Product) and syntax.operator in _TIMES:
            total = total * number_of(syntax.right, text)
            syntax = syntax.left
        return total * number_of(syntax, text)
    place = Place(text, syntax.start, syntax.stop)
    raise PullbackError("a size is made of whole numbers, names of sizes, + - and *", place)
