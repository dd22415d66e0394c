"""LaTeX is read as the mathematics it shows, or refused where it shows two."""

import contextlib
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from values import arrays, value

from pullback.errors import PullbackError
from pullback.expressions import Size
from pullback.language.declarations import read_declarations
from pullback.language.parse import parse_program

SHAPES = read_declarations(
    "A: m n, B: m n, S: n n, X: n n, U: m n, x: n, y: n, w: n, b: m, s:, x_1: n, x_2: n, "
    "y_hat: n, lambda:, sigma:, mu: n, W_out: m n, loss:"
)[0]
NUMBERS = arrays({name: [str(size) for size in shape] for name, shape in SHAPES.items()}, 4)
NUMBERS["X"] = NUMBERS["X"] + 3 * np.eye(3)
NUMBERS["S"] = NUMBERS["S"] + 3 * np.eye(3)

READ = r"""
\frac{1}{2}\|Ax-b\|_2^2 | norm2(A*x - b)^2/2
\frac12 \lVert Ax - b \rVert^2 | norm2(A*x - b)^2/2
\tfrac{1}{2} \left\| A x - b \right\|_{2}^{2} | norm2(A*x - b)^2/2
x^\top X^{-1} y | x'*inv(X)*y
x^T X^{-T} y | x'*inv(X)'*y
x^{\top} X^{-\top} y + x'y | x'*inv(X)'*y + x'*y
x^{\mathsf{T}} y + y^\intercal x | 2*x'*y
\log\det X | logdet(X)
\log \det(X) + \log\det\left(X S\right) | logdet(X) + logdet(X*S)
\operatorname{tr}(S X) + \mathrm{tr}\left[X^2\right] + \operatorname{tr} X | tr(S*X) + tr(X*X) + tr(X)
\sigma(Ux) | sigmoid(U*x)
-\log \sigma(x) | -log(sigmoid(x))
\exp\left(-\frac{\|x-\mu\|^2}{2\sigma^2}\right) | exp(-norm2(x - mu)^2/(2*sigma^2))
x_1^T S x_2 | x_1'*S*x_2
\lambda \lVert \mathbf{w} \rVert_1 | lambda*norm1(w)
|s| + \left|s\right| + \lvert s \rvert | 3*abs(s)
|s|\,|s - 1| | abs(s)*abs(s - 1)
\|x\| \|y\| x | norm2(x)*norm2(y)*x
\sqrt{x^\top x} | sqrt(x'*x)
\langle x, y\rangle + \langle A, B \rangle | x'*y + sum(A .* B)
A x \cdot s + A x \odot b | A*x*s + A*x .* b
x \odot S y | x .* (S*y)
x^{\odot 2} \oslash y | x.^2 ./ y
\hat{y}^\top \log(x) - \hat{y}^\top y | y_hat'*log(x) - y_hat'*y
\mathbf{1}^\top x \mathbf{1} + x | sum(x)*vector(1, n) + x
(\lambda I + X^\top X)^{-1} y | inv(lambda*eye(n) + X'*X)*y
\sin^2 s + \cos^{2}(s) + \tanh s | sin(s)^2 + cos(s)^2 + tanh(s)
\frac{x^\top S x}{x^\top x} | (x'*S*x)/(x'*x)
\text{softmax}(S x) | softmax(S*x)
\log\left(1 + \exp(-s\, w^\top x)\right) | log(1 + exp(-s*w'*x))
\mathrm{loss} + \|W_{\text{out}} x\|_2 | loss + norm2(W_out*x)
\|A\|_F^2 | normF(A)^2
\frac{\lambda}{2} w^\top w | lambda*(w'*w)/2
{A} {x} | A*x
\begin{aligned} h &= \tanh(Ux) \\ L &= \|h - b\|_2^2 \end{aligned} | norm2(tanh(U*x) - b)^2
f(x) = \frac{1}{2} x^T S x | x'*S*x/2
$$ x^\top y $$ | x'*y
S(x + y) + \ln(x) | S*(x + y) + log(x)
\operatorname{diag}(x) y | diag(x)*y
s^{s+1} + s^s + 2^{-s} | s^(s + 1) + s^s + 2^(-s)
2 \cdot 3 x \ % twice | 6*x
\ell + s | ell + s
e^{s} + \mathrm{e}^{-s} + e^2 | exp(s) + exp(-s) + exp(2)
e^{-x^\top x/2} | exp(-(x'*x)/2)
\log |S| + \ln \left|X S\right| + \log|s| | logdet(S) + logdet(X*S) + log(abs(s))
\begin{bmatrix} S & x \\ y^\top & s \end{bmatrix} | [S, x; y', s]
\begin{pmatrix} x \\ y \end{pmatrix}^{\top} \begin{pmatrix} y \\ x \end{pmatrix} | [x; y]'*[y; x]
\left[\begin{array}{c|c} S & 0 \\ 0 & X \end{array}\right]\begin{bmatrix}x\\y\end{bmatrix} | [S, 0; 0, X]*[x; y]
\begin{bmatrix} I & S \\ 0 & X \end{bmatrix} | [eye(n), S; 0, X]
\begin{vmatrix} s & 1 \\ 2 & s \end{vmatrix} | det([s, 1; 2, s])
\begin{bmatrix} x_1 & x_2 \\ \end{bmatrix} | [x_1, x_2]
x_{1:2} + x_{2:3} | x(1:2) + x(2:3)
S_{:,1}^\top S_{:,3} + U_{1,:} x | S(:, 1)'*S(:, 3) + U(1, :)*x
\operatorname{vec}(S X) + (X^\top \otimes S)\mathrm{vec}(I_n) | vec(S*X) + kron(X', S)*vec(eye(n))
x \otimes y | kron(x, y)
A : B + S:XX | sum(A .* B) + sum(S .* (X*X))
(A \odot B) : A | sum(A .* B .* A)
\langle A, B\rangle_F + \left\langle A, A \right\rangle_{F} | sum(A .* B) + sum(A .* A)
\|x\|_\infty + \|x\|_{\infty}^2 | norm_inf(x) + norm_inf(x)^2
\|x\|_4^4 | sum(x.^4)
\Vert Ax - b\Vert^2_2 + \|x\|^{2}_{2} | norm2(A*x - b)^2 + norm2(x)^2
\| A x-b \| _ { 2 } ^ { 2 } | norm2(A*x - b)^2
\sqrt[3]{s} + \sqrt[4]{x^\top x} | s^(1/3) + (x'*x)^(1/4)
2 \times s \times x | 2*s*x
\mathbf{1}_n^\top x + \boldsymbol{1}_{n}^T x | 2*sum(x)
x + \mathbf{0} | x
\mbox{tr}(SX) + {\rm tr}(S) + \mathop{\mathrm{tr}}(X) + \mathbf{tr}\,S | tr(S*X) + 2*tr(S) + tr(X)
\mathcal{L}(x, s) = s\,x^\top x | s*(x'*x)
\ell(\mu) = \mu^\top x | mu'*x
\lambda_{\max}(S^T S) + \lambda_{\text{min}}(S^TS) + \lambda_\max(S S^T) | 2*lambda_max(S'*S) + lambda_min(S'*S)
\sigma_{\mathrm{max}}(A) + \sigma x^T x | spectral_norm(A) + sigma*(x'*x)
(x - \mu)^{T} S^{-1}(x - \mu) | (x - mu)'*inv(S)*(x - mu)
""".strip().splitlines()


@pytest.mark.parametrize("row", READ)
def test_a_formula_means_what_it_shows(row):
    text, _, meaning = row.rpartition(" | ")
    if "\\ell + s" in text:
        assert set(parse_program(text).variables) == {"ell", "s"}
        return
    names = re.findall(r"[A-Za-z_][A-Za-z_0-9]*", meaning)
    shapes = {name: shape for name, shape in SHAPES.items() if name in names}
    read = parse_program(text, shapes, dialect="latex")
    meant = parse_program(meaning, shapes)
    np.testing.assert_allclose(
        value(read.result, NUMBERS), value(meant.result, NUMBERS), rtol=1e-12
    )


def test_sets_declare_names():
    text = (
        r"\|A x - b\|_2^2 + \lambda x^\top Q x, \quad \text{where } A \in \mathbb{R}^{m \times n}, "
        r"Q \in \mathbb{S}^n_{++}, x \in \mathbb{R}^n, \lambda \in \mathbb{R}_{++}"
    )
    program = parse_program(text)
    sizes = {name: " ".join(map(str, v.shape)) for name, v in program.variables.items()}
    assert sizes == {"A": "m n", "Q": "n n", "x": "n", "lambda": "", "b": "m"}
    assert program.variables["Q"].assumptions == {"posdef"}
    assert program.assumed == ("b is a column of size m", "lambda is a scalar")
    above = parse_program("x, y \\in \\mathbb R^{3}\nx^\\top y")
    assert [v.shape for v in above.variables.values()] == [(Size.of(3),)] * 2


def test_marks_of_latex_choose_the_dialect():
    assert set(parse_program(r"\|Ax\|^2").variables) == {"A", "x"}
    assert set(parse_program("x'A^{-1}x").variables) == {"A", "x"}


def test_shapes_are_inferred_and_greek_names_spelled_out():
    program = parse_program(r"\frac12 \|V \sigma(U x) - y\|^2 + \lambda \|V\|_F^2")
    assert set(program.variables) == {"V", "U", "x", "y", "lambda"}
    assert set(parse_program(r"\lambda x", {"λ": (), "x": ("n",)}).variables) == {"λ", "x"}
    assert set(parse_program(r"\sigma(x)", {"sigma": (), "x": ("n",)}).variables) == {"sigma", "x"}


def test_lines_have_names():
    program = parse_program("h = \\tanh(Wx + b)\nL = \\|h\\|^2")
    assert list(program.lines) == ["h", "L"]
    assert program.result_name == "L"


@pytest.mark.parametrize(
    ("text", "message", "under"),
    [
        (r"\sum x_i", "sums over an index are not read", r"\sum"),
        (r"\int x", "integrals", r"\int"),
        (r"W^{[1]} x", "a mark or a power", "^{[1]}"),
        (r"\frac{d}{dx} x^2", "this is a derivative", r"\frac{d}{dx"),
        (r"f'(x) + \alpha", "may be a function or a product", "f'"),
        (r"A^{H} x", "conjugate transpose or a power", "^{H}"),
        (r"\kappa(A)", "may be a function or a product", r"\kappa"),
        (r"\phi(Wx)", "may be a function or a product", r"\phi"),
        (r"\operatorname{Tr}(\rho \log \rho)", "log of a square matrix", None),
        (r"\operatorname{tr}\sqrt{AB}", "sqrt of a square matrix", r"\sqrt{AB}"),
        (r"\operatorname{tr}(\exp(A))", "expm", r"\exp(A)"),
        (r"\operatorname{tr}(e^{X})", "e to a matrix has two meanings", "e^{X}"),
        (r"\foo{x}", r"'\\foo' has no meaning here", r"\foo"),
        (r"\log x y", "where this argument ends is open", "y"),
        (r"\operatorname{tr} A B", "where this argument ends is open", "B"),
        (r"\log x / y", "where this argument ends is open", "y"),
        (r"e^{-x} \cdot e", "e may be Euler's number", "e"),
        (r"\operatorname{rank}(A)", "unknown function 'rank'", r"\operatorname{rank}"),
        (
            r"\mathrm{sigmod}(x)",
            "unknown function 'sigmod'\n.*\n.*\ndid you mean",
            r"\mathrm{sigmod}",
        ),
        (r"\mathbb{E}[x]", r"of \\mathbb only", r"\mathbb"),
        (r"\min_x \|Ax-b\|^2", "state the function alone", r"\min_"),
        (r"\arg\min_x x^\top x", "state the function alone", r"\arg\min_"),
        (r"x_{t+1} + \alpha", "a mark is one letter, number or word", "_"),
        (r"\begin{bmatrix} x & y \\ x \end{bmatrix}", "has size|one column|does not tell", None),
        (r"\begin{bmatrix} x & y", "is never closed", None),
        (r"\end{bmatrix}", "ends nothing", r"\end{bmatrix}"),
        (r"A : B \odot C", "two readings: what : takes first", ":"),
        (r"A : B : C \alpha", "two readings", ":"),
        (r"A \times B \cdot \mathbf{x}", "cross product of two vectors", None),
        (r"|\Sigma|", r"bars around a matrix.*\n.*\n.*\nwrite \\det A", None),
        (r"x \in \mathbb{R}^{2n}", "this set is not read", None),
        (r"f(x) + \alpha", "may be a function or a product", "f"),
        (r"x^{(i)}", "this may be a mark or a power", "^{(i)}"),
        (r"\log_2 x", "logarithms are natural here", r"\log_"),
        (r"A * \beta", "no settled meaning in LaTeX", "*"),
        (r"x \mathbf{x}", "written in two faces", r"\mathbf{x}"),
        (r"\sin^{-1}(x)", "two readings", None),
        (r"\sin^{-1} x", "two readings", None),
        (r"\|x", "this bar is never closed", None),
        (r"\frac{x}{y", "never closed", "{"),
        (r"\frac{x}", "ends where a value is expected", None),
        (r"(x]\alpha", "closes nothing", "]"),
        (r"x^2^3 \alpha", "power followed by another", None),
        (r"1/2 \alpha", "a/b c has two readings", None),
        (r"\begin{cases} 1 \end{cases}", "of matrices bmatrix, pmatrix", r"\begin"),
    ],
)
def test_every_error_has_its_caret(text, message, under):
    with pytest.raises(PullbackError) as caught:
        parse_program(text)
    shown = str(caught.value)
    assert re.search(message, shown), shown
    if under is not None:
        place = caught.value.place
        assert text[place.start : place.stop] == under


@pytest.mark.parametrize("text", [r"\|X\|_2", r"\|X\|", r"|X|\alpha", r"|x|\alpha"])
def test_bars_with_several_meanings_are_refused(text):
    shapes = {"X": ("n", "n")} if "X" in text else {"x": ("n",)}
    with pytest.raises(PullbackError, match="several meanings"):
        parse_program(text, shapes)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        (r"\vec{a} \cdot \vec{x}", 0),
        (r"\mathbf{a} + \alpha \boldsymbol{\beta}", 1),
        (r"\mathbf{a} \odot \mathbf{b}", 1),
        (r"\bm{g}^T \mathbf{A} \mathbf{c}", 0),
    ],
)
def test_small_bold_letters_are_vectors(text, order):
    program = parse_program(text)
    assert program.result.order == order
    assert all(len(v.shape) == 1 for n, v in program.variables.items() if n not in ("A", "alpha"))


WORDS = r"""x y A s \alpha \frac{ \| \| | ( ) { } ^ _ ^\top ^{-1} _1 + - \cdot \odot \log \det
\sigma( \operatorname{tr} \mathrm{loss} \mathbf{x} \left( \right) = \\ & 1 2.5 \sqrt{ \langle , \rangle '"""
TOKENS = st.sampled_from([*WORDS.split(), "\n", " "])


@settings(max_examples=300, deadline=None)
@given(st.lists(TOKENS, max_size=12).map("".join) | st.text(max_size=30))
def test_any_text_is_a_program_or_a_pullback_error(text):
    with contextlib.suppress(PullbackError):
        parse_program(text, dialect="latex")


@pytest.mark.parametrize(
    "text",
    ["{" * 1000 + "x", r"\frac" * 100_000, r"\|" * 100_000, r"\left(" * 5000, "^{" * 100_000],
)
def test_junk_is_refused(text):
    with pytest.raises(PullbackError):
        parse_program(text, dialect="latex")
