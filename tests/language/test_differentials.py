"""Differentials: their text is read again, and has the value of differences of the function."""

import re

import numpy as np
import pytest
from values import arrays, value

import pullback as pb
from pullback.errors import PullbackError
from pullback.language.parse import parse_program

SHAPES = {
    "A": ("m", "n"),
    "B": ("n", "p"),
    "X": ("n", "n"),
    "W": ("m", "n"),
    "x": ("n",),
    "y": ("m",),
    "u": ("m",),
    "v": ("n",),
    "s": (),
    "c": (),
    "S": ("n", "n"),
    "r": (1, "n"),
}
NUMBERS = arrays({name: [k for k in shape if k != 1] for name, shape in SHAPES.items()}, 3)
STEPS = arrays({f"d{name}": [k for k in s if k != 1] for name, s in SHAPES.items()}, 8)
H = 1e-2
FIRST = (1 / 60) * np.array([-1, 9, -45, 0, 45, -9, 1])  # of order six
SECOND = (1 / 180) * np.array([2, -27, 270, -490, 270, -27, 2])

SCALARS = """
norm2(W*X - A)^2 | X | df = 2 tr((W X − A)ᵀ W dX)
norm2(A*x - y)^2 | x | df = 2 (A x − y)ᵀ A dx
norm2(W*x - y)^2 | W | df = 2 (W x − y)ᵀ dW x
y'*W*x | W | df = yᵀ dW x
logdet(X) | X | df = tr(X⁻¹ dX)
tr(inv(X)*S) | X | df = −tr(X⁻¹ S X⁻¹ dX)
det(X) | X | df = det(X) tr(X⁻¹ dX)
tr(X) | X | df = tr(dX)
sum(X) | X | df = sum(dX)
norm2(X) | X | df = tr(Xᵀ dX)/‖X‖
sum(exp(X) .* S) | X | df = tr((exp(X) ⊙ S)ᵀ dX)
tr(X'*X*S) | X |
x'*X*X*v | X |
norm2(W*tanh(X*x) - y)^2 | W,X |
norm2(W*x + u - y)^2 | W,u | df = 2 (W x + u − y)ᵀ dW x + 2 (W x + u − y)ᵀ du
x'*x/(2*s) | s | df = −‖x‖² ds/(2 s²)
sin(s)*c^3 | s,c |
logsumexp(A*x) | x |
r*S*r' | r | df = r (S + Sᵀ) drᵀ
norm2(x - v) | x,v |
5*s + c | c | df = dc
"""
OTHERS = """
A*x | x | df = A dx
tanh(A*x) | x | df = diag(1 − tanh(A x)^⊙2) A dx
softmax(A*x) | x |
W*X | W,X | df = dW X + W dX
A*X*B | X | df = A dX B
inv(X) | X | df = −X⁻¹ dX X⁻¹
X^3 | X |
X*X' | X | df = dX Xᵀ + X dXᵀ
x*y' | x,y | df = dx yᵀ + x dyᵀ
s*A | s,A |
exp(s*A) | s |
inv(X)*S*inv(X) | X |
r*S | r | df = Sᵀ drᵀ
x/norm2(x) | x |
diag(x)*X | x |
"""
SECONDS = """
norm2(A*x - y)^2 | x | d²f = 2 ‖A dx‖²
x'*X*x | x | d²f = dxᵀ(X + Xᵀ) dx
norm2(W*X - A)^2 | X |
logdet(X) | X |
inv(X) | X | d²f = 2 X⁻¹ dX X⁻¹ dX X⁻¹
s^3*c | s | d²f = 6 s c ds²
tanh(A*x) | x |
"""


def rows(table):
    return [tuple(part.strip() for part in line.split("|")) for line in table.strip().split("\n")]


def stated(formula):
    return pb.parse(
        formula, {n: SHAPES[n] for n in re.findall(r"[A-Za-z]+", formula) if n in SHAPES}
    )


def along(f, names, stencil, order):
    """The function's value along the steps, differenced."""
    total = 0
    for k, weight in zip(range(-3, 4), stencil, strict=True):
        moved = {n: NUMBERS[n] + k * H * STEPS[f"d{n}"] for n in names}
        total = total + weight * value(f.program.result, {**NUMBERS, **moved})
    return total / H**order


def read(text, names, shape):
    """The value of the right-hand side, in which dX is a name."""
    shapes = {**SHAPES, **{f"d{n}": SHAPES[n] for n in names}}
    program = parse_program(text.partition(" = ")[2], shapes, dialect="printed", shape=shape)
    return value(program.result, {**NUMBERS, **STEPS})


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize(("formula", "wrt", "text"), rows(SCALARS) + rows(OTHERS))
def test_a_differential_is_read_again(formula, wrt, text, ascii):
    f, names = stated(formula), wrt.split(",")
    found = pb.differential(f, *names)
    assert not text or str(found) == text
    truth = along(f, names, FIRST, 1)
    read_again = read(found.text(ascii=ascii), names, f.shape)
    np.testing.assert_allclose(read_again, truth, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize(("formula", "wrt", "text"), rows(SECONDS))
def test_a_second_differential_is_read_again(formula, wrt, text, ascii):
    f = stated(formula)
    found = pb.derivative(f, wrt, wrt).differential()
    assert not text or str(found) == text
    truth = along(f, [wrt], SECOND, 2)
    read_again = read(found.text(ascii=ascii), [wrt], f.shape)
    np.testing.assert_allclose(read_again, truth, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(
    ("formula", "wrt", "text"),
    [
        ("A*X*B", "X", "vec(df) = (Bᵀ ⊗ A) vec(dX)"),
        ("inv(X)", "X", "vec(df) = −(X⁻ᵀ ⊗ X⁻¹) vec(dX)"),
        ("W*x", "W", "df = (xᵀ ⊗ I_m) vec(dW)"),
        ("norm2(W*X - A)^2", "X", "df = 2 vec(Wᵀ(W X − A))ᵀ vec(dX)"),
        ("X'", "X", "vec(df) = K_nn vec(dX)"),
        ("s*A", "s", "vec(df) = vec(A) ds"),
    ],
)
def test_flattened(formula, wrt, text):
    assert pb.derivative(stated(formula), wrt).differential().text("vec") == text


@pytest.mark.parametrize(
    ("formula", "wrt", "text"),
    [
        ("A*X*B", "X", "df_ij = Σ_kl A_ik dX_kl B_lj"),
        ("y'*W*x", "W", "df = Σ_ij y_i x_j dW_ij"),
        ("norm2(x)^2", "x", "df = 2 Σ_i x_i dx_i"),
        ("s*x", "s,x", "df_i = ds x_i + s dx_i"),
    ],
)
def test_entry_by_entry(formula, wrt, text):
    assert pb.differential(stated(formula), *wrt.split(",")).text("index") == text


def test_a_result_without_a_matrix_form_is_written_with_indices():
    T, x = pb.tensor("T", "a", "b", "c"), pb.vector("x", "c")
    found = pb.differential(pb.einsum("abc,c->ab", T, x), T)
    assert str(found) == "df_ij = Σ_k dT_ijk x_k"
    scalar = pb.differential(pb.sum(T * T), T)
    assert str(scalar) == "df = 2 Σ_ijk T_ijk dT_ijk"


def test_named_lines_and_every_style():
    f = pb.parse("e = A*x - y\nL = e'*e")
    found = pb.differential(f, "x", "y")
    assert found.text(named=True) == "dL = 2 eᵀ A dx − 2 eᵀ dy"
    assert found.latex(named=True) == (
        r"\mathrm{d}L = 2 e^\top A \, \mathrm{d}x - 2 e^\top \, \mathrm{d}y"
    )
    assert found.mathml().startswith('<math xmlns="http://www.w3.org/1998/Math/MathML"')
    assert str(pb.derivative(f, "e").differential()) == "dL = 2 eᵀ de"


def test_names_that_are_taken():
    x, taken = pb.vector("x", "n"), pb.vector("dx", "n")
    assert str(pb.differential(pb.sum(x * taken), x)) == "df = dxᵀ d_x"
    trace = pb.parse("tr(et*X)", {"et": ("n", "n"), "X": ("n", "n")})
    assert str(pb.differential(trace, "et")) == "df = tr(X d_et)"


def test_long_formulas_share_their_abbreviations():
    lines = ["h1 = tanh(W1*x)", *(f"h{k} = tanh(W{k}*h{k - 1})" for k in range(2, 8))]
    f = pb.parse("\n".join(["x: n", *lines, "L = norm2(h7 - y)^2"]))
    text = pb.differential(f, "W1", "W2").text()
    defined = re.findall(r"^(?:where |      )(t\d+) = ", text, re.MULTILINE)
    assert len(defined) == len(set(defined)) > 0


def test_a_tangent_is_along_the_structure():
    f = pb.parse("tr(A*X)", {"A": ("n", "n")}, assume={"X": "symmetric"})
    found = pb.derivative(f, "X", structured="tangent").differential()
    assert str(found) == "df = tr((A + Aᵀ) dX)/2   # along the symmetric matrices X"


@pytest.mark.parametrize(
    ("make_it", "message"),
    [
        (lambda: pb.differential("h = A*x\nL = h'*h", "x", "h"), "h is made of x"),
        (lambda: pb.derivative("x'*A*y", "x", "y").differential(), "by one variable"),
        (
            lambda: pb.derivative(
                pb.parse("tr(A*X)", {"A": ("n", "n")}, assume={"X": "symmetric"}),
                "X",
                structured="free",
            ).differential(),
            "free entries",
        ),
        (lambda: pb.differential("x'*x", "x").text("cubic"), "cubic"),
        (lambda: pb.differential("x'*x", "z"), "no 'z'"),
    ],
)
def test_what_has_no_differential_is_refused(make_it, message):
    with pytest.raises(PullbackError, match=message):
        make_it()
