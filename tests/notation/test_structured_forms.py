"""Derivatives by structured variables, as K. B. Petersen and M. S. Pedersen print them.

The Matrix Cookbook (2012), equations 138–142; ∘ is written ⊙ here.
"""

from __future__ import annotations

import pytest

from pullback.derivation.derive import derive
from pullback.language.parse import parse_program
from pullback.notation.equations import equation_of
from pullback.notation.styles import UNICODE

FORMS = [
    ("tr(A*X)", "symmetric", "free", "A + Aᵀ − A ⊙ I"),
    ("det(X)", "symmetric", "free", "det(X) (2 X⁻¹ − X⁻¹ ⊙ I)"),
    ("logdet(X)", "posdef", "free", "2 X⁻¹ − X⁻¹ ⊙ I"),
    ("tr(A*X)", "diagonal", "free", "A ⊙ I"),
    ("tr(A*X)", "symmetric", "tangent", "(A + Aᵀ)/2"),
    ("logdet(X)", "posdef", "tangent", "X⁻¹"),
    ("a'*X*b", "symmetric", "tangent", "(a bᵀ + b aᵀ)/2"),
    ("a'*inv(X)*b", "posdef", "tangent", "−X⁻¹(a bᵀ + b aᵀ) X⁻¹/2"),
    ("tr(A*X)", "skew", "tangent", "(Aᵀ − A)/2"),
    ("a'*X*b", "diagonal", "free", "diag(a ⊙ b)"),
    ("tr(A*X)", "orthogonal", "tangent", "(Aᵀ − X A X)/2"),
]


@pytest.mark.parametrize(("function", "kind", "structured", "form"), FORMS)
def test_printed_as_in_the_book(function: str, kind: str, structured, form: str) -> None:
    program = parse_program(f"X: n n {kind}, A: n n, a: n, b: n\n{function}")
    found = equation_of(derive(program, ["X"], structured)).right(UNICODE)
    formula, _, note = found.partition("   # ")
    assert formula == form
    assert note == derive(program, ["X"], structured).along()
