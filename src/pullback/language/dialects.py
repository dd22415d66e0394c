"""Marks of the dialects: they differ in meaning, not only in spelling."""

from __future__ import annotations

import re
from typing import Literal

from pullback.errors import Place, PullbackError
from pullback.language.printed import MARK

Span = tuple[int, int]
_NUMPY = re.compile(r"@|\*\*|\.T(?!\w)|(?<![\w.])(?:np|numpy)\.|(?<=[A-Za-z_)\]])\.[a-z_]+\(")
_LATEX = re.compile(r"\\[A-Za-z]+|\\.?|[\^_]\{")
# A\b, A \ b and A\(B*c) of MATLAB: between values, of which the second is no command of LaTeX
_DIVISION = re.compile(
    r"(?:(?<=[\w)\]'])|(?<=[\w)\]'] ))\\ *(?:\((?![^\\]*\\\))|[A-Za-z](?![A-Za-z]))"
)
_INDEX = re.compile(
    r"[Σ∑]_(?:\{[^{}]*\}(?:\^\{[^{}]*\})?|[^\W\d_]+)\s*[\w(\[√]|(?<!\w)sum_(?:\{|[^\W\d_]\w*\()"
    r"|(?<!\w)(?:delta|δ)\[|(?<!\w)δ_[^\W\d_]{2}(?!\w)|\]_(?:\{|[^\W\d_])"
)
_PLACES = re.compile(r"(?<!\w)0_\{|_\{[^{}\n]*:[^{}\n]*\}")
_COMMENT = re.compile(r"[#%][^\n]*")
_INSTEAD = {
    "@": "the matrix product is *",
    "**": "powers are ^, entry by entry .^",
    ".T": "the transpose is '",
}


def recognised(text: str) -> tuple[Literal["matlab", "numpy", "latex", "printed"], Span | None]:
    """The dialect whose marks a text has outside of comments, and the first of them."""
    plain = _COMMENT.sub(lambda comment: " " * len(comment.group()), text)
    latex = _latex_in(plain)
    if latex:
        return "latex", latex.span()
    numpy = _NUMPY.search(plain)
    if numpy:
        return "numpy", numpy.span()
    printed = MARK.search(plain) or _PLACES.search(plain)
    return ("printed", printed.span()) if printed else ("matlab", None)


def _latex_in(plain: str) -> re.Match[str] | None:
    r"""The first mark of LaTeX; a text of which every \ divides from the left, as A\b, has none."""
    first = _LATEX.search(plain)
    if first and "\\" not in plain and (MARK.search(plain) or _PLACES.search(plain)):
        return None  # places in braces, as they are printed: A_{1:k,:}
    if first and all(_DIVISION.match(plain, m.start()) for m in _LATEX.finditer(plain)):
        return None
    return first


def in_indices(text: str) -> bool:
    """Whether a text has marks of index notation: Σ_k in front of a factor, sum_k(…), […]_ij."""
    return _INDEX.search(_COMMENT.sub("", text)) is not None


def refuse_other_dialects(text: str, plain: str) -> None:
    """Raises PullbackError at the first mark of NumPy or LaTeX; ``plain`` has no comments.

    For a text that is stated to be in the default dialect.
    """
    found = [match for match in (_NUMPY.search(plain), _latex_in(plain)) if match]
    if not found:
        return
    first = min(found, key=lambda match: match.start())
    mark = first.group()
    place = Place(text, *first.span())
    if mark.startswith(("\\", "^", "_")):
        hint = "write names and functions plainly, as in sigmoid(U*x), or state dialect='latex'"
        raise PullbackError(f"'{mark}' marks LaTeX", place, hint)
    hint = _INSTEAD.get(mark, "write functions by their names alone, as in tanh(U*x)")
    raise PullbackError(f"'{mark}' marks NumPy", place, f"here {hint}; or state dialect='numpy'")
