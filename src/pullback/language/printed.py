"""Formulas as they are printed: factors side by side, and brackets whose two ends look alike."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from pullback.language.building import BESIDE
from pullback.language.faults import Fault
from pullback.language.syntax import (
    Addition,
    Call,
    Literal,
    Name,
    Power,
    Product,
    Source,
    Syntax,
    Transposed,
)

MARK = re.compile(r"ᵀ|⁻|⊙|⊘|−|𝟏|‖|√|^∂", re.MULTILINE)  # only printed text has them
COEFFICIENT = re.compile(r"(?<![\w.])[0-9.]+(?:[eE][+-]?[0-9]+)?\s*(?:[^\W\d]|\()")
OPEN, CLOSE = "\ue000", "\ue001"
_OPERAND_ENDS = re.compile(r"[\w)}'ᵀ𝟏⁰¹²³⁴-⁹\ue001\ue003]")


def paired(plain: str, bar: str = "‖", opening: str = OPEN, closing: str = CLOSE) -> str:
    """The text with each bar replaced by one that opens or one that closes, in its place.

    A bar closes where one is open and a value ends before it, unless only a space stands before
    it and none after it: ``‖x‖ ‖y‖``.
    """
    if bar not in plain:
        return plain
    parts = list(plain)
    opened: list[list[int]] = [[]]  # the open bars inside each parenthesis
    for i, character in enumerate(plain):
        if character in "({":
            opened.append([])
        elif character in ")}" and len(opened) > 1:
            _insist_closed(opened.pop())
        elif character in "\n;":
            _insist_closed(opened[0])
        elif character == bar:
            before = "".join(parts[max(0, i - 1) : i])
            after = plain[i + 1 : i + 2]
            apart = before.isspace() and bool(after.strip()) and after not in ")+-−*/,;^"
            value = _OPERAND_ENDS.match(_last_visible(parts, i)) is not None
            if opened[-1] and value and not apart:
                opened[-1].pop()
                parts[i] = closing
            else:
                opened[-1].append(i)
                parts[i] = opening
    for bars in opened:
        _insist_closed(bars)
    return "".join(parts)


def _last_visible(parts: list[str], stop: int) -> str:
    for i in range(stop - 1, max(-1, stop - 100), -1):
        if not parts[i].isspace():
            return parts[i]
    return " "


def _insist_closed(bars: list[int]) -> None:
    if bars:
        raise Fault("this bar is never closed", bars[-1], bars[-1] + 1)


def syntax_of(source: Source) -> Iterator[Syntax]:
    """Every part of the expressions of a text, each before its own parts."""
    stack: list[Syntax] = [line.expression for line in reversed(source.lines)]
    while stack:
        item = stack.pop()
        yield item
        stack += reversed(parts_of(item))


def parts_of(item: Syntax) -> list[Syntax]:
    if isinstance(item, Addition):
        return [term for _, term in item.terms]
    if isinstance(item, Product):
        return [item.left, item.right]
    if isinstance(item, Power):
        return [item.base, item.exponent]
    if isinstance(item, Call):
        return list(item.arguments)
    return [item.operand] if isinstance(item, Transposed) else []


def has_coefficient(source: Source) -> bool:
    """Whether some number has its factor beside it, as in ``2 x``."""
    return any(
        isinstance(item, Product) and item.operator == BESIDE and isinstance(item.left, Literal)
        for item in syntax_of(source)
    )


def settle(source: Source, known: Collection[str], functions: Collection[str]) -> None:
    """Calls of what is a variable become products, ``A(x − b)``, and I is the identity.

    ``known`` are names that are declared beside the text. A name that appears only in front of
    parentheses stays a call, of a function that nobody knows.
    """
    values = {*known, *(line.name for line in source.lines)}
    values |= {item.name for item in source.declarations}
    identity = "I" not in values
    values |= {item.name for item in syntax_of(source) if isinstance(item, Name)}
    if identity:
        values.discard("I")
    for line in source.lines:
        line.expression = _replaced(line.expression, values, functions)
    for item in syntax_of(source):
        if isinstance(item, Addition):
            item.terms = [(s, _replaced(term, values, functions)) for s, term in item.terms]
        elif isinstance(item, Product):
            item.left = _replaced(item.left, values, functions)
            item.right = _replaced(item.right, values, functions)
        elif isinstance(item, Power):
            item.base = _replaced(item.base, values, functions)
            item.exponent = _replaced(item.exponent, values, functions)
        elif isinstance(item, Transposed):
            item.operand = _replaced(item.operand, values, functions)
        elif isinstance(item, Call):
            item.arguments = [_replaced(part, values, functions) for part in item.arguments]


def _replaced(item: Syntax, values: Collection[str], functions: Collection[str]) -> Syntax:
    if isinstance(item, Name) and item.name == "I" and "I" not in values:
        return Call(item.start, item.stop, "eye", [])
    if (
        not isinstance(item, Call)
        or item.function in functions
        or item.function not in values
        or len(item.arguments) != 1
    ):
        return item
    if item.suffixed:
        hint = f"write {item.function} (…) with a space, or ({item.function}*(…))"
        raise Fault(f"'{item.function}(…)' has two readings here", item.start, item.stop, hint)
    name = Name(item.start, item.start + len(item.function), item.function)
    (factor,) = item.arguments
    return Product(item.start, item.stop, BESIDE, name, factor, (factor.start, factor.start + 1))
