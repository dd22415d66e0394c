"""What stands inside brackets is prepared for the grammar; every character keeps its place.

Comments become blanks. Line breaks are blanks inside parentheses, and end a row inside square
brackets. A parenthesis with a colon in it opens places, as in ``A(:, 1)``. Spaces between the
entries of ``[A B]`` are commas, as in MATLAB.
"""

from __future__ import annotations

import re
from typing import Literal

from pullback.language.faults import DEEPEST, Fault

OPENS_PLACES, ENDS_ROW = "\ue004", "\ue005"
SUBSCRIPT = "\ue006"  # in the place of the _ before places in braces
_BRACED = re.compile(r"_\{([^{}\n]*)\}")
_OF_SIZES = re.compile(r"(?<!\w)[IK0]$")  # before sizes in braces, as in I_{m+n}
Spaces = Literal["separate", "refuse", "multiply"]  # what they do between entries in brackets

_COMMENTS = r"[#%][^\n]*|\.\.\.[^\n]*\n?"
_MARKS = re.compile(rf'{_COMMENTS}|[()\n:]|"[^"\n]*"')
_WITH_BLOCKS = re.compile(rf'{_COMMENTS}|[()\[\]\n:;,]|"[^"\n]*"|[ \t\r\f\u00a0]+')
_CLOSES = {")": "(", "]": "["}
_ENDS = re.compile(r"[\w)\]'\"ᵀ𝟏⁰¹²³⁴-⁹.\ue001]")  # of a value
_STARTS = re.compile(r"[\w(\[√𝟏‖\ue000]|\.\d")
_SIGNED = re.compile(r"[-+−]\S")


def braced(text: str) -> str:
    """Places in braces, as they are printed, in parentheses: A_{1:k,:}, e_{n-1}; not I_{m+n}."""

    def opened(match: re.Match[str]) -> str:
        inside = match[1]
        before = text[max(0, match.start() - 2) : match.start()]
        if ":" not in inside and _OF_SIZES.search(before):
            return match[0]
        return f"{SUBSCRIPT}({inside})"

    return _BRACED.sub(opened, text) if "_{" in text else text


def prepared(text: str, spaces: Spaces = "separate") -> str:
    """The text as the grammar of the default language reads it.

    >>> prepared("[A B\\n c d] % blocks")
    '[A,B\ue005 c,d]         '
    """
    marks = _WITH_BLOCKS if "[" in text else _MARKS
    parts: list[str] = []
    opened: list[tuple[str, int]] = []  # each bracket, and which part holds it
    last = 0
    before = ""  # the last visible mark or stretch of text
    for match in marks.finditer(text):
        mark = match.group()
        between = text[last : match.start()]
        if between:
            parts.append(between)
            before = between
        last = match.end()
        inner = opened[-1][0] if opened else ""
        written = mark
        if mark in ("(", "["):
            _insist_shallow(opened, match)
            opened.append((mark, len(parts)))
            if text[match.start() - 1 : match.start()] == SUBSCRIPT:
                written = OPENS_PLACES
        elif mark in _CLOSES:
            if inner != _CLOSES[mark]:
                raise Fault(f"this {mark} closes nothing", *match.span())
            opened.pop()
        elif mark == ":" and inner == "(":
            parts[opened[-1][1]] = OPENS_PLACES
        elif mark[0] in "#%.":
            written = " " * len(mark)
        elif mark == "\n" and inner == "(":
            written = " "
        elif mark == "\n" and inner == "[":
            written = " " if before in ("[", ENDS_ROW, ",") else ENDS_ROW
        elif mark == ";" and inner == "[":
            written = ENDS_ROW
        elif mark.isspace() and mark != "\n" and inner == "[":
            written = _spaced(before, text, match, spaces)
        parts.append(written)
        if not written.isspace() or written == "\n":
            before = written
    if opened:
        at = sum(map(len, parts[: opened[-1][1]]))
        raise Fault(f"this {opened[-1][0]} is never closed", at, at + 1)
    return "".join(parts) + text[last:]


def _insist_shallow(opened: list[tuple[str, int]], match: re.Match[str]) -> None:
    if len(opened) >= DEEPEST:
        message = f"more than {DEEPEST} parentheses inside each other"
        hint = "name a part of the expression on a line of its own"
        raise Fault(message, *match.span(), hint)


def _spaced(before: str, text: str, match: re.Match[str], spaces: Spaces) -> str:
    """What a stretch of spaces between entries is: blanks, or a comma and blanks."""
    blank = " " * len(match.group())
    if not _ENDS.fullmatch(before[-1:]):
        return blank
    if _SIGNED.match(text, match.end()) and spaces != "multiply":
        at = match.end()
        hint = "write a comma between entries, or a space on both sides of the sign"
        raise Fault("two entries, or one with a sign in it", at, at + 1, hint)
    if not _STARTS.match(text, match.end()) or spaces == "multiply":
        return blank
    if spaces == "refuse":
        hint = "write A, B or A*B"
        raise Fault("two entries, or a product", *match.span(), hint)
    return "," + blank[1:]
