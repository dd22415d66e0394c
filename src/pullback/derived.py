"""A derivative as its user holds it: formula, shape, certificate, and how to go on from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

from pullback.derivation.derive import without_assumptions
from pullback.derivation.result import Derivation
from pullback.errors import PullbackError
from pullback.expressions.nodes import Node
from pullback.expressions.program import Program
from pullback.expressions.sizes import Shape, shape_text
from pullback.language.tensor import Tensor
from pullback.notation.write import Form, Layout, equation
from pullback.verification.certificate import Certificate, certify


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
    def program(self) -> Program:
        """The derivative as a program of its own, to be differentiated again.

        What is assumed of variables is not used in it: that Σᵢ pᵢ = 1 says nothing of how the
        derivative changes with p.
        """
        result = without_assumptions(self.derivation)
        return replace(self.derivation.program, result=result, result_name="")

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
        layout: Layout = "numerator",
    ) -> str:
        """The formula in ``matrix``, ``index`` or ``vec`` notation, without its left-hand side.

        ``named`` uses the program's lines as abbreviations; ``layout`` is that of a printed
        Jacobian and changes nothing else. What has no matrix form is written with indices, in
        the order of its axes.

        >>> import pullback as pb
        >>> pb.derivative("norm2(A*x - b)^2", "x").text()
        '2 Aᵀ(A x − b)'
        """
        return self._equation(form, "text", ascii, named, layout).partition(" = ")[2]

    def latex(
        self, form: Form = "matrix", *, named: bool = False, layout: Layout = "numerator"
    ) -> str:
        """The formula as LaTeX, without dollar signs and without its left-hand side."""
        return self._equation(form, "latex", False, named, layout).partition(" = ")[2]

    def equation(
        self,
        form: Form = "matrix",
        *,
        style: str = "text",
        ascii: bool = False,
        named: bool = False,
        layout: Layout = "numerator",
    ) -> str:
        """The formula with its left-hand side, such as ``∂f/∂x = …``."""
        return self._equation(form, style, ascii, named, layout)

    def _equation(self, form: Form, style: str, ascii: bool, named: bool, layout: Layout) -> str:
        if form not in get_args(Form) or layout not in get_args(Layout):
            raise PullbackError(
                f"there is no form '{form}' in layout '{layout}'",
                hint=f"forms: {', '.join(get_args(Form))}; layouts: {', '.join(get_args(Layout))}",
            )
        if style not in ("text", "latex"):
            raise PullbackError(f"there is no style '{style}'", hint="styles: text, latex")
        return equation(self.derivation, form, style, ascii, named, layout)

    def check(self, points: int = 3, seed: int | None = None) -> Certificate:
        """The numeric certificate of this derivative."""
        return certify(self.derivation, points=points, seed=seed)

    def __str__(self) -> str:
        written = self.equation()
        return written if self.node.order > 2 else written.partition(" = ")[2]

    def __repr__(self) -> str:
        return f"<Derivative {shape_text(self.shape)}: {self.equation()}>"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.equation(style='latex')}$"
