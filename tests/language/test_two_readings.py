"""No formula can be read two ways: names that look like signs, rows, sizes in subscripts."""

import re

import numpy as np
import pytest
from test_printed import FIRST_ORDER, SHAPES, TABLE
from values import arrays, value

import pullback as pb
from pullback.errors import PullbackError
from pullback.language.parse import parse_program

# what each name of the table is called here; the longest names first
CALLED = {
    "A": "K",
    "B": "X",
    "C": "T",
    "S": "I",
    "Q": "K_n",
    "R": "I_n",
    "x": "d",
    "y": "e",
    "w": "x1",
    "b": "x_1",
    "z": "delta",
    "u": "sigma1",
    "s": "t",
    "c": "tr_1",
    "r": "H",
}
CALLED_OTHERWISE = {
    "A": "e",
    "B": "d",
    "C": "K",
    "S": "Sigma",
    "Q": "I",
    "R": "K_mn",
    "x": "x",
    "y": "dx",
    "w": "sum_i",
    "b": "alpha",
    "z": "T",
    "u": "psi",
    "s": "sigma",
    "c": "lambda",
    "r": "ones",
}


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        (r"A\b", "inv(A)*b"),
        (r"c'*(A \ b)", "c'*inv(A)*b"),
        (r"(A'*A)\(A'*b) + c", "inv(A'*A)*(A'*b) + c"),
        (r"A\B*c", "inv(A)*B*c"),
        (r"\(b^T c\)", "b'*c"),
        (r"b^T A\, c", "b'*A*c"),
    ],
)
def test_a_backslash_between_values_divides_from_the_left(text, meaning):
    shapes = {"A": ("n", "n"), "B": ("n", "n"), "b": ("n",), "c": ("n",)}
    numbers = arrays({name: list(shape) for name, shape in shapes.items()}, 6)
    read, meant = (
        value(parse_program(t, {k: s for k, s in shapes.items() if k in t}).result, numbers)
        for t in (text, meaning)
    )
    np.testing.assert_allclose(read, meant, rtol=1e-9)


def test_a_method_marks_numpy():
    assert len(parse_program("(X - X.mean(axis=0)) / X.std(axis=0)").result.shape) == 2


def renamed(text, called):
    return re.sub(r"[A-Za-z]\w*", lambda m: called.get(m[0], m[0]), text)


@pytest.mark.parametrize("called", [CALLED, CALLED_OTHERWISE], ids=["signs", "greek"])
@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize(("formula", "wrt"), TABLE)
def test_names_that_look_like_signs(formula, wrt, ascii, called):
    shapes = {called[name]: shape for name, shape in SHAPES.items()}
    numbers = arrays({n: [str(k) for k in s if k.constant != 1] for n, s in shapes.items()}, 3)
    text = renamed(formula, called)
    used = {n: s for n, s in shapes.items() if re.search(rf"\b{n}\b", text)}
    d = pb.derivative(pb.parse(text, used), called[wrt])
    printed = d.text(ascii=ascii)
    again = parse_program(printed, used, dialect="printed", shape=d.shape)
    np.testing.assert_allclose(value(again.result, numbers), value(d.node, numbers), rtol=1e-9)


def test_the_identity_beside_a_variable_of_its_name():
    I, X, x = pb.matrix("I", "n", "n"), pb.matrix("X", "n", "n"), pb.vector("x", "n")
    d = pb.derivative(X @ x + I @ x + x, x)
    assert d.text() == "eye(n) + X + I"
    assert d.latex() == r"\mathbf{I} + X + I"
    assert pb.derivative(X @ x + x, x).text() == "I + X"
    K = pb.matrix("K", "n", "n")
    d = pb.derivative(K @ X.T, X)
    assert d.text("vec") == "(I_n ⊗ K) commutation(n, n)"
    assert d.latex("vec") == r"(I_{n} \otimes K) \mathbf{K}_{n,n}" or r"\mathbf{K}" in d.latex(
        "vec"
    )


def test_sizes_in_subscripts():
    def vec(shape):
        return pb.derivative(pb.parse("W'", {"W": shape}), "W")

    assert vec(("m", "n")).text("vec") == "K_mn"
    assert vec(("m", "n+1")).text("vec") == "K_{m,n+1}"
    assert vec(("m", "hidden")).text("vec") == "K_{m,hidden}"
    assert vec(("m", "hidden")).latex("vec") == r"K_{m,\mathrm{hidden}}"
    d = pb.derivative(pb.parse("W*x", {"W": ("m + 2*n", "p"), "x": ("p",)}), "W")
    assert d.text("vec") == "xᵀ ⊗ I_{m+2n}"


def test_a_symbol_that_a_variable_has_is_spelled():
    x, sigma = pb.vector("x", "n"), pb.scalar("sigma")
    latex = pb.derivative(sigma * pb.sum(pb.sigmoid(x)), x).latex()
    assert latex.count(r"\operatorname{sigmoid}(x)") == 2
    assert r"\sigma " in latex
    assert r"\sigma(x)" in pb.derivative(pb.sum(pb.sigmoid(x)), x).latex()


def test_names_that_a_style_would_set_alike():
    s = pb.scalar("s")
    d = pb.derivative(s**2 * pb.scalar("x1") * pb.scalar("x_1"), s)
    assert d.latex() == r"2 s x_{1} \, \mathrm{x\_1}"
    d = pb.derivative(s**2 * pb.scalar("α1") * pb.scalar("alpha1"), s)
    assert d.text(ascii=True) == "2*s*alpha1_*alpha1"


def test_powers():
    s, t, T = pb.scalar("s"), pb.scalar("t"), pb.scalar("T")
    assert "s^(T)" in pb.derivative(s**T, T).text()
    assert "s^t" in pb.derivative(s**t, t).text()
    half = pb.derivative(pb.parse("(1/2)^s"), "s").latex()
    assert half.startswith(r"\left(\frac{1}{2}\right)^{s}")
    assert pb.derivative(s**t, s).latex() == r"s^{t - 1} t"


def test_rows_are_said_in_every_style():
    f = pb.parse("sum(max(H, 2).^2) + max(H)", {"H": ("m", "n")})
    d = pb.derivative(f, "H")
    assert "hardmax(H, 2)" in d.text()
    assert "hardmax(H, 2)" in d.text(ascii=True)
    assert r"\operatorname{hardmax}_{\mathrm{rows}}(H)" in d.latex()


@pytest.mark.parametrize(
    "make",
    [
        lambda: pb.derivative(pb.mean(pb.vector("n", "n")), "n"),
        lambda: pb.derivative(pb.scalar("n") * pb.mean(pb.vector("x", "n")), "x"),
        lambda: pb.derivative(pb.mean(pb.vector("x", "n")).named("n"), "x"),
    ],
)
def test_a_name_is_that_of_a_size_or_of_a_value(make):
    """n times the mean over n is no sum, where the two n are different things."""
    with pytest.raises(PullbackError, match="both a size and a variable"):
        make()


def test_the_table_covers_every_name():
    names = set(re.findall(r"\b[A-Za-z]\b", FIRST_ORDER)) & set(SHAPES)
    assert names <= set(CALLED) & set(CALLED_OTHERWISE)
