"""The operator tables: how each operation is written in Unicode, in ASCII and in LaTeX.

Binding, loosest first: sums; ⊙ ⊘ ⊗; products and fractions; names that are fractions; transposes
and powers; what stands alone. In Unicode and LaTeX a product (juxtaposition) binds tighter than
⊙, as on paper; in ASCII ``*`` and ``.*`` bind alike and from the left, as in MATLAB.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    weak_binds_alike: bool = False  # ⊙ binds as tightly as a product


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
)
