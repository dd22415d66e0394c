"""Marks of other dialects: they differ in meaning, not only in spelling, so they are refused."""

from __future__ import annotations

import re

from pullback.errors import Place, PullbackError

_NUMPY = re.compile(r"@|\*\*|\.T(?!\w)|(?<![\w.])(?:np|numpy)\.")
_LATEX = re.compile(r"\\[A-Za-z]+|\\.?")
_STAR = re.compile(r"([^\W\d]\w*)(?:')?\s*(?<![.*])\*(?!\*)\s*([^\W\d]\w*)(?!\s*\()")
_INSTEAD = {
    "@": "the matrix product is *",
    "**": "powers are ^, entry by entry .^",
    ".T": "the transpose is '",
}


def refuse_other_dialects(text: str, plain: str) -> None:
    """Raises PullbackError at the first mark of NumPy or LaTeX; ``plain`` has no comments."""
    found = [match for match in (_NUMPY.search(plain), _LATEX.search(plain)) if match]
    if not found:
        return
    first = min(found, key=lambda match: match.start())
    mark = first.group()
    place = Place(text, *first.span())
    if mark.startswith("\\"):
        hint = "write names and functions plainly, as in sigmoid(U*x)"
        raise PullbackError(f"'{mark}' marks LaTeX, which is not read here", place, hint)
    hint = _INSTEAD.get(mark, "write functions by their names alone, as in tanh(U*x)")
    star = next(
        (m for m in _STAR.finditer(plain) if _may_be_array(m[1]) and _may_be_array(m[2])), None
    )
    if star is not None:
        product = f"{star[1]}*{star[2]}"
        hint = (
            f"In NumPy {product} is the product entry by entry, here it is the matrix product: "
            f"write {star[1]}.*{star[2]} for the first, {product} for the second; {hint}"
        )
    else:
        hint = f"here {hint}"
    raise PullbackError(f"'{mark}' marks NumPy, and this text is read as mathematics", place, hint)


def _may_be_array(name: str) -> bool:
    """Whether a name is no scalar by convention: only a–g and Greek letters are."""
    return not ("a" <= name[0] <= "g" or "α" <= name[0] <= "ω")
