"""A reader of presentation MathML: elements in, Unicode text out, for the readers of text.

It knows nothing of how the elements were made; what is no MathML Core here is an error.
"""

import re
import xml.etree.ElementTree as ET

from notation_truth import FUNCTIONS

CALLED = {*FUNCTIONS, "tr", "sum", "diag", "vec", "σ", "softmaxrows", "logsumexprows"}
CALLED |= {"softmaxcolumns", "logsumexpcolumns"}
CALLED |= {"reshape", "tril", "triu", "khatri_rao"}
ARITY = {"mfrac": 2, "msup": 2, "msub": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3}
LEAVES = {"mi", "mn", "mo", "mtext", "mspace"}
ROWS = {"math", "mrow", "msqrt"}
TABLES = {"mtable": "mtr", "mtr": "mtd"}
RAISED = str.maketrans("0123456789-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")
WORDS = {"∑": "Σ", "log det": "logdet", "−": "−"}


def parsed(markup, pairs=True):
    """The element tree, its structure checked."""
    root = ET.fromstring(markup)
    assert root.tag.endswith("math")
    for e in root.iter():
        e.tag = e.tag.partition("}")[2] or e.tag
        assert e.tag in ROWS | LEAVES | {*ARITY, *TABLES, "mtd"}, (
            f"no element of MathML Core: {e.tag}"
        )
        if e.tag in TABLES:
            assert len(e) and all(c.tag.endswith(TABLES[e.tag]) for c in e)
        if e.tag in ARITY:
            assert len(e) == ARITY[e.tag], ET.tostring(e)
        if e.tag in LEAVES:
            assert len(e) == 0
            assert e.tag == "mspace" or (e.text or "").strip()
        else:
            assert not (e.text or "").strip(), "text beside elements"
        assert not (e.tail or "").strip()
        fences = [c.text for c in e if c.tag == "mo" and c.get("form") in ("prefix", "postfix")]
        assert len(fences) in (0, 2) or not pairs, "fences stand in pairs, in a row of their own"
    return root


def text_of(markup):
    """The formula in Unicode text."""
    return _text(parsed(markup))


def _text(e):
    if e.tag in ROWS:
        parts = [_text(c) for c in e]
        if len(e) and e[0].get("form") == "prefix":
            return parts[0] + _beside(parts[1:-1]) + parts[-1]
        return f"sqrt({_beside(parts)})" if e.tag == "msqrt" else _beside(parts)
    if e.tag == "mfrac":
        return f"(({_text(e[0])})/({_text(e[1])}))"
    if e.tag in ("msub", "munder"):
        return _marked(e)
    if e.tag in ("msup", "msubsup"):
        base = _marked(e) if e.tag == "msubsup" else _text(e[0])
        above = _text(e[-1])
        if above in ("⊤", "−⊤"):
            return base + ("ᵀ" if above == "⊤" else "⁻ᵀ")
        if above.startswith("⊙"):
            return f"{base}^⊙{above.removeprefix('⊙').strip()}"
        whole = re.fullmatch(r"−?\d+", above)
        return base + (above.translate(RAISED) if whole else f"^({above})")
    if e.tag == "munderover":
        base, below, above = map(_text, e)
        return f"{base}_{{{below.replace(' ', '')}}}^{{{above}}}"
    if e.tag == "mtable":
        return "; ".join(", ".join(_text(cell) for cell in row) for row in e)
    assert e.tag in LEAVES | {"mtd"}, e.tag
    if e.tag == "mtd":
        return _beside([_text(c) for c in e])
    return WORDS.get(e.text, e.text) if e.tag != "mspace" else " "


def _marked(e):
    """A name with its letters; a norm, a function of rows, or a constant of a size."""
    base, below = _text(e[0]), _text(e[1])
    if below == "F" and base.endswith("‖"):
        return base
    if base in ("𝟏", "I", "K", "0"):
        sizes = re.sub("(.)²", r"\1\1", below.replace(" ", ""))  # m² is mm, as mn is m·n
        return f"{base}[{sizes}]"
    if below in ("rows", "columns"):
        return base + below
    plain = re.fullmatch(r"[a-z0-9, ]*", below) and not below.isdigit()
    return f"{base}_{below.replace(' ', '')}" if plain else f"{base}_{{{below}}}"


def _beside(parts):
    """Neighbours with a space between them, except a function and its arguments."""
    text = ""
    for part in parts:
        called = part.startswith("(") and re.search(r"(?:^|[^A-Za-z])([A-Za-zσ]+)$", text)
        close = not text or part == "," or (called and called[1] in CALLED)
        text += ("" if close else " ") + part
    return text
