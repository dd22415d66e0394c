"""Numerator and denominator layout, against the tables of a well-known encyclopaedia article.

The rows are the identities of "Matrix calculus", Wikipedia, with both layouts as NumPy formulas;
the printed text is read by a reader of its own.
"""

import re

import numpy as np
import pytest
from notation_reader import SIZED, read_matrix

import pullback as pb
from pullback.errors import PullbackError
from pullback.language.parse import parse_program
from pullback.notation.equations import equation_of

SHAPES = {
    "x": ("n",),
    "a": ("n",),
    "b": ("n",),
    "c": ("p",),
    "u": ("m",),
    "s": (),
    "A": ("m", "n"),
    "B": ("n", "m"),
    "D": ("m", "n"),
    "S": ("n", "n"),
    "T": ("n", "n"),
    "X": ("n", "p"),
    "P": ("p", "n"),
    "Q": ("m", "p"),
    "Z": ("n", "n"),
}
SIZES = {"m": 2, "n": 3, "p": 4}
rng = np.random.default_rng(5)
V = {name: np.asarray(rng.normal(size=[SIZES[k] for k in shape])) for name, shape in SHAPES.items()}
V["Z"] = V["Z"] + 3 * np.eye(3)
V["s"] = np.asarray(0.7)
x, a, b, u = (V[k][:, None] for k in "xabu")
s, A, B, D, S, T, X, P, Q, Z = (V[k] for k in ["s", "A", "B", "D", "S", "T", "X", "P", "Q", "Z"])
inv, det, tr = np.linalg.inv, np.linalg.det, np.trace
U = A @ V["x"]

# formula, variable, numerator layout, denominator layout
SCALAR_BY_VECTOR = [
    ("a'*x", "x", a.T, a),
    ("x'*x", "x", 2 * x.T, 2 * x),
    ("b'*S*x", "x", b.T @ S, S.T @ b),
    ("x'*S*x", "x", x.T @ (S + S.T), (S + S.T) @ x),
    ("a'*x*x'*b", "x", x.T @ (a @ b.T + b @ a.T), (a @ b.T + b @ a.T) @ x),
    (
        "(A*x + u)'*Q*P*S*x",
        "x",
        (A @ x + u).T @ Q @ P @ S + x.T @ S.T @ P.T @ Q.T @ A,
        S.T @ P.T @ Q.T @ (A @ x + u) + A.T @ Q @ P @ S @ x,
    ),
    ("norm2(x - a)", "x", (x - a).T / np.linalg.norm(x - a), (x - a) / np.linalg.norm(x - a)),
]
VECTOR_BY_VECTOR = [
    ("x", "x", np.eye(3), np.eye(3)),
    ("A*x", "x", A, A.T),
    ("(x'*B)'", "x", B.T, B),
    ("s*A*x", "x", s * A, s * A.T),
    ("(a'*x)*(A*x)", "x", A @ x @ a.T + (a.T @ x) * A, a @ x.T @ A.T + (a.T @ x) * A.T),
    ("tanh(A*x)", "x", np.diag(1 - np.tanh(U) ** 2) @ A, A.T @ np.diag(1 - np.tanh(U) ** 2)),
]
SCALAR_BY_MATRIX = [
    ("tr(Z)", "Z", np.eye(3), np.eye(3)),
    ("tr(X*P)", "X", P, P.T),
    ("tr(D*X*Q')", "X", Q.T @ D, D.T @ Q),
    ("tr(X'*S*X)", "X", X.T @ (S + S.T), (S + S.T) @ X),
    ("tr(Z^3)", "Z", 3 * Z @ Z, 3 * (Z @ Z).T),
    ("tr(inv(Z)*S)", "Z", -inv(Z) @ S @ inv(Z), -(inv(Z) @ S @ inv(Z)).T),
    ("det(Z)", "Z", det(Z) * inv(Z), det(Z) * inv(Z).T),
    ("logdet(Z)", "Z", inv(Z), inv(Z).T),
    ("a'*X*c", "X", V["c"][:, None] @ a.T, a @ V["c"][None, :]),
    ("norm2(D*X - Q)^2", "X", 2 * (D @ X - Q).T @ D, 2 * D.T @ (D @ X - Q)),
]
BY_SCALAR = [
    ("s*a", "s", a, a.T),
    ("log(s)*A*x", "s", A @ x / s, x.T @ A.T / s),
    ("s*A", "s", A, A.T),
    ("s^2*A*S", "s", 2 * s * A @ S, 2 * s * (A @ S).T),
    ("exp(s*A)", "s", A * np.exp(s * A), (A * np.exp(s * A)).T),
]
VEC = [
    ("A*X", "X", np.kron(np.eye(4), A), np.kron(np.eye(4), A.T)),
    ("D*X*P", "X", np.kron(P.T, D), np.kron(P, D.T)),
    ("X*c", "X", np.kron(V["c"][None, :], np.eye(3)), np.kron(V["c"][:, None], np.eye(3))),
    ("inv(Z)", "Z", -np.kron(inv(Z).T, inv(Z)), -np.kron(inv(Z), inv(Z).T)),
    ("tr(X*P)", "X", P.T.T.reshape(1, -1), P.reshape(-1, 1)),
    ("s*A", "s", A.T.reshape(-1, 1), A.T.reshape(1, -1)),
]
MATRIX = SCALAR_BY_VECTOR + VECTOR_BY_VECTOR + SCALAR_BY_MATRIX + BY_SCALAR


def derived(formula, wrt):
    used = {name: SHAPES[name] for name in re.findall(r"[A-Za-z]+", formula) if name in SHAPES}
    return pb.derivative(pb.parse(formula, used), wrt)


def printed(d, form, layout):
    """The text in a layout, what it says of the layout, and its value."""
    text, _, note = equation_of(d.derivation, form, layout=layout).right(SIZED).partition("   # ")
    return note, np.atleast_2d(read_matrix(text, V, SIZES))


@pytest.mark.parametrize("layout", ["numerator", "denominator"])
@pytest.mark.parametrize(
    ("form", "formula", "wrt", "numerator", "denominator"),
    [("matrix", *row) for row in MATRIX] + [("vec", *row) for row in VEC],
)
def test_both_layouts_have_the_values_of_the_tables(
    form, formula, wrt, numerator, denominator, layout
):
    d = derived(formula, wrt)
    right = {"numerator": numerator, "denominator": denominator}[layout]
    note, value = printed(d, form, layout)
    assert value.shape == right.shape
    np.testing.assert_allclose(value, right, rtol=1e-10, atol=1e-10)
    assert note.startswith(f"{layout} layout")


@pytest.mark.parametrize(("formula", "wrt", "numerator", "denominator"), MATRIX)
def test_unless_asked_a_gradient_lies_as_its_variable(formula, wrt, numerator, denominator):
    d = derived(formula, wrt)
    natural, other = ("denominator", "numerator")
    if d.derivation.program.result.order:
        natural, other = other, natural
    note, value = printed(d, "matrix", None)
    assert not note
    right = denominator if natural == "denominator" else numerator
    np.testing.assert_allclose(value, right, rtol=1e-10, atol=1e-10)
    assert printed(d, "matrix", natural)[0] == f"{natural} layout"
    assert printed(d, "matrix", other)[0].endswith(": the transpose of the array that is computed")


def test_what_is_printed_changes_nothing_else():
    d = derived("norm2(D*X - Q)^2", "X")
    shape, code = d.shape, pb.code(d)
    assert d.text(layout="numerator").startswith("2 (D X − Q)ᵀ D")
    assert (d.shape, pb.code(d)) == (shape, code)
    assert d.equation(layout="numerator").startswith("∂f/∂Xᵀ = ")
    assert r"\text{(numerator layout" in d.latex(layout="numerator")


def test_the_text_with_its_layout_is_read_again():
    d = derived("A*x", "x")
    text = d.text(layout="denominator")
    again = parse_program(text, SHAPES, dialect="printed", shape=("n", "m"))
    (m, n), turned = d.shape, again.result.shape
    assert turned == (n, m)


def test_layouts_of_a_row():
    """A gradient by a row is a row in denominator layout, as its variable is."""
    program = pb.parse("x: 1 n\nf = x*S*x'")
    d = pb.derivative(program, "x")
    assert d.text() == "x (S + Sᵀ)"
    assert d.text(layout="denominator").startswith("x (S + Sᵀ)   # denominator layout")
    assert d.text(layout="numerator").startswith("(S + Sᵀ) xᵀ   # numerator layout: the transpose")


def test_where_there_is_no_layout():
    assert derived("s^2", "s").text(layout="numerator") == "2 s"
    assert "same in every layout" in derived("A*x", "x").text("index", layout="numerator")
    assert "same in every layout" in derived("tanh(A*x)", "A").text(layout="denominator")
    with pytest.raises(PullbackError, match="layout 'german'"):
        derived("s^2", "s").text(layout="german")
