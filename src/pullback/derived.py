"""A derivative as its user holds it: formula, shape, certificate, and how to go on from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

from pullback.derivation.composition import Composition
from pullback.derivation.derive import to_derive_again
from pullback.derivation.result import Derivation
from pullback.derivation.structure import Convention
from pullback.errors import PullbackError
from pullback.expressions.nodes import Node
from pullback.expressions.program import Program
from pullback.expressions.sizes import Shape, shape_text
from pullback.language.tensor import Tensor
from pullback.notation.differentials import differential_of, insist_on_one_differential
from pullback.notation.equations import Equation, Layout, equation, equation_of
from pullback.notation.mathml import math
from pullback.notation.styles import LATEX
from pullback.notation.write import Form, style_of
from pullback.verification.certificate import Certificate, certify

FORMS = ", ".join(get_args(Form))


@dataclass(frozen=True, repr=False)
class Derivative:
    """A derivative: its formula, its shape, and the derivation it came from.

    >>> import pullback as pb
    >>> d = pb.derivative("norm2(A*x - b)^2", "x")
    >>> d.shape, d.equation()
    ((Size(n),), '∂f/∂x = 2 Aᵀ(A x − b)')
    """

    derivation: Derivation

    @property
    def node(self) -> Node:
        return self.derivation.node

    @property
    def shape(self) -> Shape:
        """The axes of the function, then those of each variable, in the order given."""
        return self.derivation.shape

    @property
    def structured(self) -> Convention | None:
        """The convention for structured variables; None where their entries are independent."""
        return self.derivation.structured

    @property
    def structure(self) -> Composition:
        """The result as smaller tensors and δs: entries, numbers stored, possible non-zeros.

        >>> import pullback as pb
        >>> print(pb.derivative("V*x", "V").structure)
        δ_ij ⊗ core_k: m*m*n entries, n stored, m*n can be non-zero
        """
        return Composition.of(self.node)

    @property
    def program(self) -> Program:
        """The derivative as a program of its own, to be differentiated again.

        What is assumed of variables is not used in it: that Σᵢ pᵢ = 1 says nothing of how the
        derivative changes with p. Of its lines, those it was taken by can be held free again.
        """
        result = to_derive_again(self.derivation)
        before = self.derivation.program
        closed = before.closed | (set(before.lines) - {w.name for w in self.derivation.wrt})
        return replace(before, result=result, result_name="", closed=closed)

    @property
    def tensor(self) -> Tensor:
        """The derivative as a symbol to calculate with, as :attr:`program` has it."""
        return Tensor.from_program(self.program)

    def text(
        self,
        form: Form = "matrix",
        *,
        ascii: bool = False,
        named: bool = False,
        layout: Layout | None = None,
    ) -> str:
        """The formula in ``matrix``, ``index`` or ``vec`` notation, without its left-hand side.

        What stands there more than once is named where that makes the text shorter, after a line
        of the program if it is one: ``S a aᵀ S − S`` and below it ``where S = (X + c I)⁻¹``.
        ``named`` uses all lines of the program, as known. ``layout``, "numerator" or
        "denominator", is how the axes lie in what is printed, and the text says so; unless asked,
        a gradient has the shape of its variable and a Jacobian a row for each entry of the
        function (see :mod:`pullback.notation.equations`). Shape, code and certificate are the same
        in every layout. What has no matrix form is written with indices, in the order of its axes.

        >>> import pullback as pb
        >>> d = pb.derivative("norm2(A*x - b)^2", "x")
        >>> d.text()
        '2 Aᵀ(A x − b)'
        >>> d.text(layout="numerator")
        '2 (A x − b)ᵀ A   # numerator layout: the transpose of the array that is computed'
        """
        return self._equation(form, named, layout).right(style_of("text", ascii))

    def latex(
        self, form: Form = "matrix", *, named: bool = False, layout: Layout | None = None
    ) -> str:
        """The formula as LaTeX, without dollar signs and without its left-hand side."""
        return self._equation(form, named, layout).right(LATEX)

    def mathml(
        self, form: Form = "matrix", *, named: bool = False, layout: Layout | None = None
    ) -> str:
        """The formula as a ``math`` element of MathML Core, without its left-hand side."""
        return math(self._equation(form, named, layout).right(LATEX), alone=True)

    def equation(
        self,
        form: Form = "matrix",
        *,
        style: str = "text",
        ascii: bool = False,
        named: bool = False,
        layout: Layout | None = None,
    ) -> str:
        """The formula with its left-hand side, such as ``∂f/∂x = …``."""
        if style not in ("text", "latex", "mathml"):
            raise PullbackError(f"there is no style '{style}'", hint="styles: text, latex, mathml")
        self._must_exist(form, layout)
        return equation(self.derivation, form, style, ascii, named, layout)

    def _equation(self, form: Form, named: bool, layout: Layout | None) -> Equation:
        self._must_exist(form, layout)
        return equation_of(self.derivation, form, named, layout)

    def _must_exist(self, form: str, layout: str | None) -> None:
        if form not in get_args(Form) or layout not in (None, *get_args(Layout)):
            raise PullbackError(
                f"there is no form '{form}' in layout '{layout}'",
                hint=f"forms: {FORMS}; layouts: {', '.join(get_args(Layout))}",
            )

    def differential(self) -> Differential:
        """The differential of the function by this variable: dL = tr(Gᵀ dX), df = J dx.

        A second derivative gives the second differential. Raises PullbackError for a derivative
        by different variables, and for partials by free entries.

        >>> import pullback as pb
        >>> print(pb.derivative("norm2(A*X - B)^2", "X").differential())
        df = 2 tr((A X − B)ᵀ A dX)
        """
        return Differential((self.derivation,))

    def check(self, points: int = 3, seed: int | None = None) -> Certificate:
        """The numeric certificate of this derivative, along what it was derived along."""
        return certify(self.derivation, points=points, seed=seed)

    def __str__(self) -> str:
        return self.equation() if self.node.order > 2 else self.text()

    def __repr__(self) -> str:
        return f"<Derivative {shape_text(self.shape)}: {self.equation()}>"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.equation(style='latex')}$"


@dataclass(frozen=True, repr=False)
class Differential:
    """The differential of a function by one or several variables, as an equation.

    Derivatives can be read off: G from dL = tr(Gᵀ dX), J from df = J dx and from
    vec(dF) = J vec(dX). J. R. Magnus, H. Neudecker, Matrix Differential Calculus (3rd edition,
    2019), chapter 5.
    """

    derivations: tuple[Derivation, ...]

    def __post_init__(self) -> None:
        insist_on_one_differential(self.derivations)

    def text(self, form: Form = "matrix", *, ascii: bool = False, named: bool = False) -> str:
        """The equation as text; ``named`` uses the program's lines as abbreviations."""
        return self._equation(form, named).text(style_of("text", ascii))

    def latex(self, form: Form = "matrix", *, named: bool = False) -> str:
        """The equation as LaTeX, without dollar signs."""
        return self._equation(form, named).text(LATEX)

    def mathml(self, form: Form = "matrix", *, named: bool = False) -> str:
        """The equation as a ``math`` element of MathML Core."""
        return math(self.latex(form, named=named), alone=True)

    def _equation(self, form: Form, named: bool) -> Equation:
        if form not in get_args(Form):
            raise PullbackError(f"there is no form '{form}'", hint=f"forms: {FORMS}")
        return differential_of(self.derivations, form, named)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<Differential {self}>"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"
