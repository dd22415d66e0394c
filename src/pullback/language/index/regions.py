"""Where a formula in indices holds text without indices: [S⁻¹] in [S⁻¹]_ij, softmax(A x), ‖x‖.

Each such region is read by the reader of matrix text; for the grammar of indices it is one mark.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from pullback.language.faults import Fault
from pullback.language.index.words import ENTRYWISE, PAIRS, WHOLES
from pullback.language.printed import CLOSE, OPEN

FIRST, NEXT = "\ue010", "\ue011"  # a region as one token of its length
_SUPER = "⁰¹²³⁴-⁹⁻ᵀ"
_BRACKET = re.compile(f"[][(){{}}{OPEN}{CLOSE}]")
_CLOSES = {")": "(", "]": "[", "}": "{", CLOSE: OPEN}
_START = re.compile(rf"(?![{_SUPER}])[^\W\d](?:(?![{_SUPER}])\w)*[²]?|[\[({{{OPEN}]")
_LETTERED = re.compile(
    rf"(?:{'|'.join(sorted(WHOLES, key=len, reverse=True))})_[^\W_]+|sum(?:_[^\W_]+)+"
)
_RELATION = re.compile("[=<>≤≥≠]")
_NORM = re.compile(r"(?:(_[12F]|[₁₂])(?!\w)|_\*)?")


@dataclass(frozen=True, slots=True)
class Region:
    """Text without indices from ``start`` to ``stop``."""

    start: int
    stop: int


def partners(plain: str) -> dict[int, int]:
    """Where each bracket closes; a Fault for one that does not."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for match in _BRACKET.finditer(plain):
        mark, at = match.group(), match.start()
        if mark not in _CLOSES:
            opened.append(at)
        elif opened and plain[opened[-1]] == _CLOSES[mark]:
            found[opened.pop()] = at
        else:
            raise Fault(f"this {_shown(mark)} closes nothing", at, at + 1)
    if opened:
        at = opened[-1]
        raise Fault(f"this {_shown(plain[at])} is never closed", at, at + 1)
    return found


def _shown(mark: str) -> str:
    return "‖" if mark in (OPEN, CLOSE) else mark


def marked(plain: str, names: Collection[str]) -> tuple[str, dict[int, Region]]:
    """The text with a mark in place of each region, and what the marks stand for.

    ``names`` are those that are no functions, however they are spelled.
    """
    close = partners(plain)
    parts: list[str] = []
    regions: dict[int, Region] = {}
    done = at = 0

    def replace(start: int, stop: int, inner: Region) -> None:
        nonlocal done
        parts.extend((plain[done:start], FIRST, NEXT * (stop - start - 1)))
        regions[start] = inner
        done = stop

    while match := _START.search(plain, at):
        start, mark = match.start(), match.group()
        at = match.end()
        if mark == "{":
            at = close[start] + 1
        elif mark == "(":
            stop = close[start] + 1
            if _subscripted(plain, stop, close):
                replace(start, stop, Region(start, stop))
                at = stop
        elif mark == "[":
            stop = close[start] + 1
            if plain[stop : stop + 1] == "_":
                replace(start, stop, Region(start + 1, stop - 1))
                at = stop
            elif start and (plain[start - 1].isalnum() or plain[start - 1] in "])}"):
                at = stop  # the letters of what it touches
        elif mark == OPEN:
            suffix = _NORM.match(plain, close[start] + 1)
            at = suffix.end() if suffix else close[start] + 1
            replace(start, at, Region(start, at))
        else:
            at = _after_word(plain, match, close, names)
            if at < 0:
                at = -at
                replace(start, at, Region(start, at))
    parts.append(plain[done:])
    return "".join(parts), regions


def _subscripted(plain: str, stop: int, close: dict[int, int]) -> bool:
    """Whether letters follow, and not a bracket that is a factor: [i ≥ j]."""
    if plain[stop : stop + 1] == "[":
        return not _RELATION.search(plain, stop, close[stop])
    return plain[stop : stop + 1] == "_"


def _after_word(
    plain: str, match: re.Match[str], close: dict[int, int], names: Collection[str]
) -> int:
    """Where to go on after a word; negative for the end of a region that begins with it."""
    word, end = match.group(), match.end()
    if word[-1] == "_" and (word[:-1] in WHOLES or word == "sum_") and plain[end : end + 1] == "{":
        while plain[end : end + 1] == "{" or plain[end : end + 2] in ("^{", "_{"):
            end = close[plain.index("{", end)] + 1
        return end + (plain[end : end + 1] == "(")
    opening = end
    while plain[opening : opening + 1].isspace():
        opening += 1
    if plain[opening : opening + 1] != "(" or word in names:
        return end
    if word not in WHOLES | ENTRYWISE:
        return end + (opening == end and _LETTERED.fullmatch(word) is not None)
    stop = close[opening] + 1
    if word in ENTRYWISE or (word in PAIRS and _is_pair(plain, opening, close)):
        return -stop if _subscripted(plain, stop, close) else opening + 1
    return -stop


def _is_pair(plain: str, opening: int, close: dict[int, int]) -> bool:
    """Whether a call has two arguments, of which the second is no axis."""
    at, commas = opening + 1, []
    while at < close[opening]:
        if plain[at] == ",":
            commas.append(at)
        at = close.get(at, at) + 1
    return len(commas) == 1 and not plain[commas[0] + 1 : close[opening]].strip().isdigit()
