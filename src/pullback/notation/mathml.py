r"""MathML (Core), set from a formula's LaTeX.

Both show a formula typeset, with the same fractions, roots and scripts. So there is one writer
of both: the LaTeX that :mod:`~pullback.notation.printing` writes, and that the records of
functions state, is read here and set in elements. What TeX shows is what a browser shows; a new
function or operation needs nothing here but, perhaps, a character in ``SIGNS``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from pullback.notation.names import GREEK

SIGNS = {
    "odot": "⊙",
    "oslash": "⊘",
    "otimes": "⊗",
    "cdot": "⋅",
    "times": "×",
    "circ": "∘",
    "le": "≤",
    "ge": "≥",
    "ne": "≠",
    "lt": "<",
    "gt": ">",
    "leftarrow": "←",
    "dots": "…",
    "top": "⊤",
    "dagger": "†",
    "ast": "∗",
    "star": "⋆",
    "partial": "∂",
    "sim": "∼",
    "sum": "∑",
    "prod": "∏",
    "backslash": "\\",
    "mid": "|",
    "perp": "⊥",
}  # commands that are operators
LETTERS = {**GREEK, "infty": "∞", "nabla": "∇", "ell": "ℓ"}
SPACES = {",": "0.17em", ":": "0.22em", ";": "0.28em", "quad": "1em", "qquad": "2em"}
ACCENTS = {"dot": "˙", "bar": "¯", "hat": "^", "tilde": "~"}
FENCES = {"(": ")", "[": "]", r"\lVert": r"\rVert", r"\lfloor": r"\rfloor"}
BARS = {r"\lVert": "‖", r"\rVert": "‖", r"\lfloor": "⌊", r"\rfloor": "⌋", r"\{": "{", r"\}": "}"}
CALLED = {*FENCES, r"\left"}  # what may follow a word without a space
LARGE = (r"\sum", r"\prod")  # the letters they are over stand below
BOLD = {chr(48 + k): chr(0x1D7CE + k) for k in range(10)}
BOLD |= {chr(65 + k): chr(0x1D400 + k) for k in range(26)}
THIN = f'<mspace width="{SPACES[","]}"/>'
_MARK = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\s+|.", re.DOTALL)

WORD, OPERATOR, SPACE, OTHER = "word", "operator", "space", "other"
Item = tuple[str, str]  # an element, and what it is to its neighbours


def math(latex: str, *, alone: bool = False) -> str:
    r"""The ``math`` element of a formula that is given in LaTeX.

    ``alone`` makes it a displayed formula that is a document of its own, else it is for a line
    of an HTML page, fractions as large as the text.

    >>> math(r"A^\top x")
    '<math displaystyle="true"><msup><mi>A</mi><mo>⊤</mo></msup><mi>x</mi></math>'
    """
    document = ' xmlns="http://www.w3.org/1998/Math/MathML" display="block"'
    kind = document if alone else ' displaystyle="true"'
    return _element("math", "".join(_Setter(latex).sequence()), kind)


class _Setter:
    """Reads LaTeX from left to right and sets it, one element after the other."""

    def __init__(self, latex: str) -> None:
        self.marks = _MARK.findall(latex)
        self.at = 0

    def peek(self) -> str:
        """The next mark that is no space; empty at the end."""
        while self.at < len(self.marks) and self.marks[self.at].isspace():
            self.at += 1
        return self.marks[self.at] if self.at < len(self.marks) else ""

    def take(self) -> str:
        mark = self.peek()
        self.at += 1
        return mark

    def sequence(self, *stops: str) -> list[str]:
        """The elements up to a mark that closes them, which is left, or up to the end."""
        items: list[str] = []
        last = SPACE
        while (mark := self.peek()) and mark not in stops:
            markup, kind = self.scripted()
            words = WORD in (last, kind) and not (last == WORD and mark in CALLED)
            if words and not {last, kind} & {OPERATOR, SPACE}:
                items.append(THIN)
            items.append(markup)
            last = kind
        return items

    def scripted(self) -> Item:
        """An element with what stands above and below it."""
        large = self.peek() in LARGE
        base, kind = self.element()
        above = below = ""
        while (sign := self.peek()) in ("^", "_", "'"):
            self.take()
            if sign == "_":
                below += self.element()[0]
            else:
                above += _operator("′") if sign == "'" else self.element()[0]
        name = "".join(["sub" * bool(below), "sup" * bool(above)])
        if large:
            name = name.replace("sub", "under").replace("sup", "over")
        return _element("m" + name, base + below + above) if name else base, kind

    def element(self) -> Item:
        """One mark, or one group of tokens."""
        mark = self.take()
        if mark == "{":
            inside = self.sequence("}")
            self.take()
            return _row(inside), OTHER
        if mark == r"\left":
            opening = self.take()
            inside = self.sequence(r"\right")
            self.take()
            return _fenced(opening, inside, self.take(), grows=True), OTHER
        if mark in FENCES:
            inside = self.sequence(FENCES[mark], "}", r"\right")
            closing = self.take() if self.peek() == FENCES[mark] else "."
            return _fenced(mark, inside, closing), OTHER
        if mark.startswith("\\"):
            return self.command(mark[1:])
        if mark[:1].isalnum():
            return _element("mi" if mark.isalpha() else "mn", mark), OTHER
        return _operator("−" if mark == "-" else mark), OPERATOR

    def command(self, name: str) -> Item:
        """What a command stands for; one that is not known stands for its own name, as ``\\log``."""
        if name == "frac":
            return _element("mfrac", self.element()[0] + self.element()[0]), OTHER
        if name == "sqrt":
            return _element("msqrt", self.element()[0]), OTHER
        if name in ACCENTS:
            parts = self.element()[0] + _operator(ACCENTS[name])
            return _element("mover", parts), OTHER
        if name in ("mathrm", "operatorname"):
            text = _plain(self.group())
            return _word(text), WORD if len(text) > 1 else OTHER
        if name == "begin":
            return self.matrix(), OTHER
        if name == "text":
            return self.running_text(), SPACE
        if name == "mathbf":
            text = "".join(BOLD.get(c, c) for c in _plain(self.group()))
            return _element("mi" if text.isalpha() else "mn", escape(text)), OTHER
        if name in SPACES:
            return f'<mspace width="{SPACES[name]}"/>', SPACE
        if name in LETTERS:
            return _element("mi", LETTERS[name]), OTHER
        if name in SIGNS or not name.isalpha():
            return _operator(SIGNS.get(name, name)), OPERATOR
        return _word(name), WORD

    def matrix(self) -> str:
        """Rows and columns between brackets, up to the end of their environment."""
        self.group()
        rows: list[list[str]] = [[]]
        while True:
            cell = _row(self.sequence("&", r"\\", r"\end"))
            rows[-1].append(_element("mtd", cell))
            mark = self.take()
            if mark == r"\\":
                rows.append([])
            elif mark != "&":
                self.group()
                table = "".join(_element("mtr", "".join(row)) for row in rows)
                return _fenced("[", [_element("mtable", table)], "]")

    def group(self) -> list[str]:
        """The inside of a group as it stands."""
        self.take()
        start, depth = self.at, 1
        while depth and self.at < len(self.marks):
            depth += {"{": 1, "}": -1}.get(self.marks[self.at], 0)
            self.at += 1
        return self.marks[start : self.at - 1]

    def running_text(self) -> str:
        """Words, with formulas between dollar signs."""
        parts = []
        for k, part in enumerate("".join(self.group()).split("$")):
            if k % 2:
                parts += _Setter(part).sequence()
            elif part:
                parts.append(_element("mtext", escape(part).replace(" ", "\u00a0")))
        return _row(parts)


def _plain(marks: Sequence[str]) -> str:
    """What a name is, without the backslashes before its characters."""
    return "".join(SIGNS.get(m[1:], m[1:]) if m.startswith("\\") else m for m in marks)


def _element(tag: str, inside: str, attributes: str = "") -> str:
    return f"<{tag}{attributes}>{inside}</{tag}>"


def _word(text: str) -> str:
    """A name of several letters, or of one that stands upright."""
    return _element("mi", escape(text), ' mathvariant="normal"' if len(text) == 1 else "")


def _operator(text: str, attributes: str = "") -> str:
    return _element("mo", escape(text), attributes)


def _row(items: Sequence[str]) -> str:
    """One element for several."""
    return items[0] if len(items) == 1 else _element("mrow", "".join(items))


def _fenced(opening: str, inside: Sequence[str], closing: str, grows: bool = False) -> str:
    """A group between fences, which grow with it if TeX's do; ``.`` is none."""
    left, right = (BARS.get(sign, sign) for sign in (opening, closing))
    fixed = "" if grows else ' stretchy="false"'
    before = _operator(left, f' form="prefix"{fixed}') if left != "." else ""
    after = _operator(right, f' form="postfix"{fixed}') if right != "." else ""
    return _element("mrow", before + "".join(inside) + after)
