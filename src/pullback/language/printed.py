"""Formulas as they are printed: factors side by side, and brackets whose two ends look alike."""

from __future__ import annotations

import re

from pullback.language.building import BESIDE
from pullback.language.faults import Fault
from pullback.language.syntax import Literal, Product, Source, syntax_of

MARK = re.compile(r"ᵀ|⁻|⁺|⊙|⊘|−|𝟏|‖|√|^∂", re.MULTILINE)  # only printed text has them
COEFFICIENT = re.compile(r"(?<![\w.])[0-9.]+(?:[eE][+-]?[0-9]+)?\s*(?:[^\W\d]|\()")
OPEN, CLOSE = "\ue000", "\ue001"
_IN_TWOS = re.compile(r"(?:[^|]|\|\|(?!\|))*")
_OPERAND_ENDS = re.compile(r"[\w)\]}'ᵀ𝟏⁰¹²³⁴-⁹\ue001\ue003]")


def paired(plain: str, bar: str = "‖", opening: str = OPEN, closing: str = CLOSE) -> str:
    """The text with each bar replaced by one that opens or one that closes, in its place.

    A bar closes where one is open and a value ends before it, unless only a space stands before
    it and none after it: ``‖x‖ ‖y‖``. Bars that are all typed in twos are bars of norms.
    """
    if bar == "‖" and "||" in plain and _IN_TWOS.fullmatch(plain):
        plain = plain.replace("||", "‖ ")
    if bar not in plain:
        return plain
    parts = list(plain)
    opened: list[list[int]] = [[]]  # the open bars inside each parenthesis
    for i, character in enumerate(plain):
        if character in "({[\ue004":
            opened.append([])
        elif character in ")}]" and len(opened) > 1:
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


def has_coefficient(source: Source) -> bool:
    """Whether some number has its factor beside it, as in ``2 x``."""
    return any(
        isinstance(item, Product) and item.operator == BESIDE and isinstance(item.left, Literal)
        for item in syntax_of(source)
    )
