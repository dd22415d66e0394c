"""The lines of a text in indices: what stands left of =, declarations, abbreviations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pullback.language.faults import Fault
from pullback.language.index.syntax import Letters
from pullback.language.index.words import compact, plausible, subscript

_END = re.compile(r"[\n;]|[][(){}]")
_EQUALS = re.compile(r"(?<![=!~<>])=(?!=)|[][(){}]")
_WHERE = re.compile(r"\s*where(?=\s+[^\W\d])")
_HIDDEN = re.compile(r"[^\n;]")
_COLON = re.compile(r"\s*[^\W\d]\w*\s*:")
_SIDE = re.compile(
    r"(?P<word>[^\W\d_](?:(?![⁰¹²³⁴-⁹⁻ᵀ])\w)*?)(?P<letters>_\{[^{}]*\}|\[[^\[\]]*\])?"
    r"(?!(?![⁰¹²³⁴-⁹⁻ᵀ])\w)"
)
_ASCII_GRADIENT = re.compile(r"\s*d[0-9]?[^\W\d].*/\s*d")


@dataclass(frozen=True, slots=True)
class Side:
    """A name on the left; ``letters`` are None where the word may still hold them."""

    word: str
    letters: Letters | None
    start: int
    stop: int

    def split(self) -> tuple[str, Letters]:
        """The name and the letters of what no one declared: what plainly are letters are."""
        if self.letters is not None:
            return self.word, self.letters
        head, _, tail = self.word.rpartition("_")
        letters = compact(tail, self.start + len(head) + 1) if head else None
        return (head, letters) if letters and plausible(letters) else (self.word, ())


@dataclass(slots=True)
class Statement:
    """``left = right``; of a derivative the left has a side for each variable."""

    start: int  # of the right
    stop: int
    left: Sequence[Side] = ()
    gradient: bool = False


def statements(plain: str) -> tuple[list[Statement], str, str]:
    """The lines in the order in which they are read; all their right sides, and declarations.

    Both texts are as long as the given one, with spaces in place of what they leave out.
    """
    found: list[Statement] = []
    held: list[Statement] = []  # the formula that abbreviations follow
    rights: list[tuple[int, int]] = []
    declared: list[tuple[int, int]] = []
    for start, stop in _split(plain):
        if _COLON.match(plain, start, stop):
            declared.append((start, stop))
            continue
        where = _WHERE.match(plain, start, stop)
        begin = where.end() if where else start
        if not plain[begin:stop].strip():
            continue
        item = _statement(plain, begin, stop)
        if not plain[item.start : item.stop].strip():
            raise Fault("the line ends where a value is expected", item.start - 1, item.start)
        rights.append((item.start, item.stop))
        if where and not held:
            if not found:
                raise Fault("'where' follows a formula", where.start(), where.end())
            held = [found.pop()]
        found.append(item)
    return found + held, _only(plain, rights), _only(plain, declared)


def _only(plain: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with spaces everywhere but in these stretches and at the ends of lines."""
    parts = []
    done = 0
    for start, stop in [*spans, (len(plain), len(plain))]:
        parts += [_HIDDEN.sub(" ", plain[done:start]), plain[start:stop]]
        done = stop
    return "".join(parts)


def _split(plain: str) -> list[tuple[int, int]]:
    """The stretches between line ends and semicolons outside of brackets."""
    spans = []
    depth = start = 0
    for match in _END.finditer(plain):
        mark = match.group()
        if mark in "\n;":
            if not depth:
                spans.append((start, match.start()))
                start = match.end()
        else:
            depth += 1 if mark in "([{" else -1
    return [*spans, (start, len(plain))]


def _statement(plain: str, start: int, stop: int) -> Statement:
    depth = 0
    for match in _EQUALS.finditer(plain, start, stop):
        mark = match.group()
        if mark != "=":
            depth += 1 if mark in "([{" else -1
        elif not depth:
            left = plain[start : match.start()]
            gradient = "∂" in left or _ASCII_GRADIENT.match(left) is not None
            sides = _derivative(left, start) if gradient else [_name(left, start)]
            return Statement(match.end(), stop, sides, gradient)
    return Statement(start, stop)


def _name(left: str, start: int) -> Side:
    at = start + len(left) - len(left.lstrip())
    match = _SIDE.fullmatch(left.strip())
    if match is None:
        hint = "a line is  name = expression  or  f_ij = expression"
        raise Fault(
            "this is no name with letters", at, max(at + 1, start + len(left.rstrip())), hint
        )
    return _side(match, at)


def _side(match: re.Match[str], at: int) -> Side:
    begin = at + match.start("word")
    token = match["letters"]
    letters = subscript(token, at + match.start("letters")) if token else None
    return Side(match["word"], letters, begin, at + match.end())


def _derivative(left: str, start: int) -> list[Side]:
    """The function and each variable of ∂²f_i/∂x_j∂x_k or d2f[i]/dx[j] dx[k]."""
    above, slash, below = left.partition("/")
    unicode = "∂" in left
    pieces = [(above, start)]
    at = start + len(above) + len(slash)
    for piece in re.split(r"∂" if unicode else r"(?<=[\s])(?=d)", below):
        if piece.strip():
            pieces.append((piece, at))
        at += len(piece) + unicode
    sides = []
    for k, (piece, place) in enumerate(pieces):
        mark = re.match(
            r"\s*∂?[²³⁴]?\s*" if unicode else r"\s*d[0-9]?" if not k else r"\s*d", piece
        )
        begin = mark.end() if mark else 0
        match = _SIDE.match(piece, begin)
        rest = piece[match.end() :].strip() if match else "?"
        if match is None or (rest and not re.fullmatch(r"[²³⁴]", rest)):
            message = "this is no left side of a derivative"
            hint = "it is written ∂f/∂U_ij, or df/dU[i,j]"
            raise Fault(message, place + begin, place + max(begin + 1, len(piece.rstrip())), hint)
        sides.append(_side(match, place))
    return sides
