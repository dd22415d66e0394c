"""The operator tables: how each operation is written in Unicode, in ASCII and in LaTeX.

Binding, loosest first: sums; ⊙ ⊘ ⊗; products and fractions; names that are fractions; transposes
and powers; what stands alone. In Unicode and LaTeX a product (juxtaposition) binds tighter than
⊙, as on paper; in ASCII ``*`` and ``.*`` bind alike and from the left, as in MATLAB.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from pullback.notation.names import GREEK

SUM, WEAK, PRODUCT, COMPOUND, POSTFIX, ATOM = range(6)


@dataclass(frozen=True)
class Style:
    """The spellings of one style; ``{0}`` is an operand, ``{n}`` a size."""

    name: str
    minus: str
    times: str  # between factors
    close: str  # between a transposed factor and a parenthesis
    hadamard: str
    division: str
    kron: str  # an infix, or a function's name if it ends in (
    transpose: str
    ones: str
    identity: str
    sized_identity: str
    commutation: str
    norm: str
    total: str
    trace: str
    diag: str
    vec: str
    root: str
    over: str  # a fraction bar
    unit: str  # a unit vector; empty to write it as a column of the identity
    zero: str = "0"  # a block of zeros, or empty where it must say its size
    weak_binds_alike: bool = False  # ⊙ binds as tightly as a product
    spelled: frozenset[str] = frozenset()  # symbols of functions that a variable has: in words
    taken: frozenset[str] = frozenset()  # names that end like an entry: x_1


UNICODE = Style(
    name="text",
    minus="−",
    times=" ",
    close="",
    hadamard=" ⊙ ",
    division=" ⊘ ",
    kron=" ⊗ ",
    transpose="ᵀ",
    ones="𝟏",
    identity="I",
    sized_identity="I_{0}",
    commutation="K_{0}",
    norm="‖{0}‖",
    total="sum({0})",
    trace="tr({0})",
    diag="diag({0})",
    vec="vec({0})",
    root="√{0}",
    over="{0}/{1}",
    unit="e_{0}",
)

ASCII = Style(
    name="ascii",
    minus="-",
    times="*",
    close="*",
    hadamard=" .* ",
    division=" ./ ",
    kron="kron(",
    transpose="'",
    ones="vector(1, {0})",
    identity="eye({0})",
    sized_identity="eye({0})",
    commutation="commutation({0})",
    norm="norm2({0})",
    total="sum({0})",
    trace="tr({0})",
    diag="diag({0})",
    vec="vec({0})",
    root="sqrt({0})",
    over="{0}/{1}",
    unit="",
    zero="",
    weak_binds_alike=True,
)

LATEX = Style(
    name="latex",
    minus="-",
    times=" ",
    close=r" ",
    hadamard=r" \odot ",
    division=r" \oslash ",
    kron=r" \otimes ",
    transpose=r"^\top",
    ones=r"\mathbf{{1}}",
    identity="I",
    sized_identity="I_{{{0}}}",
    commutation="K_{{{0}}}",
    norm=r"\lVert {0} \rVert",
    total=r"\operatorname{{sum}}({0})",
    trace=r"\operatorname{{tr}}({0})",
    diag=r"\operatorname{{diag}}({0})",
    vec=r"\operatorname{{vec}}({0})",
    root=r"\sqrt{{{0}}}",
    over=r"\frac{{{0}}}{{{1}}}",
    unit="e_{{{0}}}",
)


def told_apart(style: Style, taken: Collection[str]) -> Style:
    """The style with other signs for what a name in use is spelled like.

    A variable I or I_n leaves the identity to be written ``eye(n)``, or in bold in LaTeX; K does
    the same for the commutation matrix, a variable e for unit vectors, and a variable sigma for
    the function σ in LaTeX. Where x_1 is a name, the first entry of x is ``x_{1}``.
    """
    identity = any(name == "I" or name.startswith("I_") for name in taken)
    commutation = any(name == "K" or name.startswith("K_") for name in taken)
    latex = style.name == "latex"
    if identity:
        sign, sized = (r"\mathbf{{I}}", r"\mathbf{{I}}_{{{0}}}") if latex else ("eye({0})",) * 2
        style = replace(style, identity=sign, sized_identity=sized)
    if commutation:
        sign = r"\mathbf{{K}}_{{{0}}}" if latex else "commutation({0})"
        style = replace(style, commutation=sign)
    if any(name == "e" or name.startswith("e_") for name in taken):
        style = replace(style, unit="")
    entries = frozenset(name for name in taken if name[-1:].isdigit() and "_" in name)
    if entries:
        style = replace(style, taken=entries)
    letters = {rf"\{name}" for name, sign in GREEK.items() if name in taken or sign in taken}
    return replace(style, spelled=frozenset(letters)) if latex and letters else style
