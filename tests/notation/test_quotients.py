"""Derivatives of quotients and roots, as tables of derivatives have them."""

import pytest

import pullback as pb

# a formula, what it is differentiated by, and the answer of the tables
QUOTIENTS = [
    ("x:\n(exp(x) - exp(-x))/(exp(x) + exp(-x))", "x", "4/(exp(x) + exp(−x))²"),
    ("x:\natan(x/sqrt(1 - x^2))", "x", "1/√(1 − x²)"),
    ("x:\nx/(1 + x^2)", "x x", "2 x (x² − 3)/(x² + 1)³"),
    ("x:\nc:\nx/sqrt(x^2 + c^2)", "x", "c²/(x² + c²)^(3/2)"),
    ("x:\ny:\natan(y/x)", "x", "−y/(x² + y²)"),
    ("x:\ny:\natan(y/x)", "y", "x/(x² + y²)"),
    ("s:\nx:\nx/(s*sqrt(2*pi))", "s", "−x/(s² √(2 π))"),
    ("y: n\np: n\n-sum(y.*log(p) + (1-y).*log(1-p))", "p", "(p − y) ⊘ (p ⊙ (1 − p))"),
    ("A: m n\nx: n\nsum(sqrt((A*x).^2 + 1))", "x x", "Aᵀ diag(1 ⊘ ((A x)^⊙2 + 1)^⊙(3/2)) A"),
    ("a:\nb:\nx:\nsin(a*x)*cos(b*x)", "x x",
     "−2 a b cos(a x) sin(b x) − (a² + b²) sin(a x) cos(b x)"),
    ("x: n\nnorm(x, 3)", "x", "(x ⊙ abs(x))/norm(x, 3)²"),
    ("x: n\nnorm(x, 3)", "x x",
     "2 (diag(abs(x))/norm(x, 3)² − (x ⊙ abs(x))(x ⊙ abs(x))ᵀ/norm(x, 3)⁵)"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "wrt", "answer"), QUOTIENTS)
def test_a_quotient_reads_as_in_a_table(formula, wrt, answer):
    d = pb.derivative(formula, *wrt.split())
    assert d.text() == answer
    assert d.check().passed
