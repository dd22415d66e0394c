r"""Matrices written out in LaTeX, places below a name, and the sets that names are declared in.

``\begin{bmatrix} A & B \\ C & D \end{bmatrix}`` becomes one bracket of blocks, ``x_{1:k}`` a slice,
and ``A \in \mathbb{R}^{m \times n}`` a declaration. Every character keeps its place.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from pullback.expressions import Size
from pullback.language.brackets import ENDS_ROW, OPENS_PLACES
from pullback.language.faults import Fault
from pullback.language.latex_names import NAMES, name_in
from pullback.language.syntax import Declaration

OPENS_BLOCK, CLOSES_BLOCK, OPENS_DETERMINANT, RANGE = "⟦", "⟧", "\ue006", "\ue007"

_PART = re.compile(
    r"\\(begin|end)\s*\{\s*([pbBv]?matrix|smallmatrix|array)\*?\s*\}(\s*\{[lcr|\s]*\})?"
    r"|\\\\(?:\s*\[[^\]\n]*\])?|&|\n|\\[&%]"
)
_PLACES = re.compile(r"_\s*\{([^{}]*:[^{}]*)\}")


def blocks(text: str) -> str:
    """Matrices as brackets with commas between their entries and marks between their rows."""
    if "\\begin" not in text and "\\end" not in text:
        return text
    depth = 0

    def mark(match: re.Match[str]) -> str:
        nonlocal depth
        written = match[0]
        sign = ""
        if match[1] == "begin":
            depth += 1
            sign = OPENS_DETERMINANT if match[2] == "vmatrix" else OPENS_BLOCK
        elif match[1] == "end":
            if not depth:
                raise Fault(f"this {written} ends nothing", *match.span())
            depth -= 1
            sign = CLOSES_BLOCK
        elif depth and written[:2] == "\\\\":
            sign = ENDS_ROW
        elif depth and written in ("&", "\n"):
            sign = "," if written == "&" else " "
        return sign.ljust(len(written)) if sign else written

    return _PART.sub(mark, text)


def places(text: str) -> str:
    r"""Subscripts with a colon as places: ``x_{1:k}``, ``X_{:,1}``."""

    def mark(match: re.Match[str]) -> str:
        opening = match[0][: match.start(1) - match.start()]
        inner = match[1].replace(":", RANGE)
        return OPENS_PLACES.ljust(len(opening)) + inner + "}"

    return _PLACES.sub(mark, text)


# declarations

_SET = re.compile(
    # begins where a run of blanks begins, or every blank of a long one would be tried
    rf"(?<![\s,;.]{{2}})(?:[,;.]|\\(?:text|textrm|mbox|mathrm)\s*\{{[^{{}}]*\}}|\\q?quad(?![A-Za-z])|\\[,;: ]|\s)*"
    rf"((?:{NAMES})(?:\s*,\s*(?:{NAMES}))*)\s*\\in\s*\\(?:mathbb|mathbf|bf|mathds)\s*(?:\{{\s*([RS])\s*\}}|([RS]))"
    r"(?:\s*_\s*(?:\{\s*(\+{1,2})\s*\}|(\+)))?"
    r"(?:\s*\^\s*(?:\{([^{}]*)\}|([0-9A-Za-z])))?"
    r"(?:\s*_\s*(?:\{\s*(\+{1,2})\s*\}|(\+)))?\s*[.,;]?"
)
_SIZE = re.compile(r"[0-9]+|[A-Za-z](?:_(?:[0-9A-Za-z]|\{[0-9A-Za-z]+\}))?")


def declared(text: str, known: Collection[str]) -> tuple[str, list[Declaration]]:
    r"""The text with ``A \in \mathbb{R}^{m \times n}`` blanked, and what these sets declare."""
    found: list[Declaration] = []

    def declare(match: re.Match[str]) -> str:
        symmetric = "S" in (match[2], match[3])
        plus = "".join(group or "" for group in match.group(4, 5, 8, 9))
        sizes = _sizes(match, match[6] if match[6] is not None else match[7] or "")
        words = []
        if symmetric:
            sizes = sizes * 2 if len(sizes) == 1 else sizes
            words = ["posdef" if plus == "++" else "symmetric"]
        elif plus == "++":
            words = ["positive"]
        for name in re.finditer(NAMES, match[1]):
            span = (match.start(1) + name.start(), match.start(1) + name.end())
            found.append(Declaration(*span, name_in(name[0], known), sizes, words))
        return re.sub(r"[^\n]", " ", match[0])

    return (_SET.sub(declare, text) if r"\in" in text else text), found


def _sizes(match: re.Match[str], written: str) -> list[Size]:
    sizes: list[Size] = []
    for part in re.split(r"\\times|×", written) if written.strip() else []:
        if not _SIZE.fullmatch(part.strip()):
            hint = r"sizes are names or numbers, as in \mathbb{R}^{m \times n}"
            raise Fault("this set is not read", *match.span(), hint)
        name = re.sub(r"[{}\s]", "", part)
        sizes.append(Size.of(int(name) if name.isdigit() else name))
    return sizes
