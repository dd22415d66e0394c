"""A derivative as an equation: its left-hand side, its layout, its formula.

Layout says how the axes of the function and of the variable lie in what is printed; the array
that is computed is the same in all of them. With f of shape m (or m×n) and x of shape n (or n×p):

========================  ======================  =====================  ======================
derivative                unless asked            numerator layout       denominator layout
========================  ======================  =====================  ======================
scalar by vector, matrix  shape of the variable   its transpose          shape of the variable
vector, matrix by scalar  shape of the function   shape of the function  its transpose
vector by vector          m×n                     m×n                    n×m
vec F by vec X            a row for each of F     a row for each of F    a row for each of X
========================  ======================  =====================  ======================

Numerator layout is that of J. R. Magnus and H. Neudecker, Matrix Differential Calculus (3rd
edition, 2019), chapter 5; the default for scalars is that of K. B. Petersen and M. S. Pedersen,
The Matrix Cookbook (2012).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pullback.derivation.result import Derivation
from pullback.notation import algebra
from pullback.notation.mathml import math
from pullback.notation.names import Names, ascii_name, latex_name
from pullback.notation.printing import written
from pullback.notation.quotients import Side, derivative_of
from pullback.notation.styles import ASCII, LATEX, UNICODE, Style
from pullback.notation.tree import Formula
from pullback.notation.write import Form, Writing, style_of

Layout = Literal["numerator", "denominator"]
_NAMING: dict[str, Callable[[str], str]] = {
    UNICODE.name: str,
    ASCII.name: ascii_name,
    LATEX.name: lambda name: f"${latex_name(name)}$",
}


@dataclass(frozen=True)
class Equation:
    """``left`` = the formula of ``writing``.

    ``layout`` says what its layout is, where one is asked for, ``along`` what a structured
    variable moves along, with names set by a function.
    """

    left: Formula
    writing: Writing
    layout: str = ""
    along: Callable[[Callable[[str], str]], str] = lambda _: ""

    def text(self, style: Style) -> str:
        """The whole equation."""
        return f"{written(self.left, style)} = {self.right(style)}"

    def right(self, style: Style) -> str:
        """The formula alone, with what is said of it and its abbreviations.

        What is said stands in a comment, so that the text can be read again.
        """
        note = "; ".join(filter(None, (self.layout, self.along(_NAMING[style.name]))))
        note = note and (rf" \quad \text{{({note})}}" if style.name == "latex" else f"   # {note}")
        return self.writing.formula(style) + note + self.writing.where(style)


def equation_of(
    derivation: Derivation,
    form: Form = "matrix",
    named: bool = False,
    layout: Layout | None = None,
) -> Equation:
    """The derivative in a form and a layout; ``named`` uses the program's lines as abbreviations."""
    program, wrt = derivation.program, derivation.wrt
    names = Names.of(program, named)
    for w in wrt:
        if w.node not in names:
            names = names.plus(w.node, w.name, row=w.name in program.rows)
    function = program.result_name or next(names.free(("f", "F", "y", "z", "result")), "f")
    result = Side(function, program.result.order, function in program.rows)
    by = [Side(w.name, w.node.order, w.name in program.rows) for w in wrt]
    lies = [side.row for side in (result, *by) if side.order]
    row = len(lies) == 1 and lies[0]
    writing = Writing(derivation.node, names, form, derivation.groups, row, abbreviate=True)
    note, turned = "", False
    if layout is not None and lies:
        note, turned = _laid_out(layout, writing.form, derivation.groups)
        if turned:
            writing.tree = algebra.transpose(writing.tree)
    left = derivative_of(result, by, writing.form, writing.letters, turned)
    return Equation(left, writing, note, derivation.along)


def _laid_out(layout: Layout, form: str, groups: tuple[int, ...]) -> tuple[str, bool]:
    """What is said of a layout, and whether it prints the transpose of what is computed."""
    if form == "index":
        return "indices are the same in every layout", False
    if layout == layout_of(groups):
        return f"{layout} layout", False
    return f"{layout} layout: the transpose of the array that is computed", True


def layout_of(groups: tuple[int, ...]) -> Layout:
    """The layout in which the array that is computed lies; ``groups`` counts axes by side."""
    sides = [k for k, order in enumerate(groups) if order]
    return "denominator" if len(sides) == 1 and sides[0] else "numerator"


def equation(
    derivation: Derivation,
    form: Form = "matrix",
    style: str = "text",
    ascii: bool = False,
    named: bool = False,
    layout: Layout | None = None,
) -> str:
    """The derivative as an equation, such as ``∂L/∂U = 2 (h − y) xᵀ``.

    ``style`` is "text" (Unicode, or ASCII), "latex" or "mathml".
    """
    found = equation_of(derivation, form, named, layout)
    if style == "mathml":
        return math(found.text(LATEX), alone=True)
    return found.text(style_of(style, ascii))
