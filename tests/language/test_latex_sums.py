"""Sums over an index in LaTeX mean what they say, entry by entry."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pullback as pb
from pullback.errors import PullbackError
from pullback.language.parse import parse_program

SHAPES = {
    "x": ("n",), "y": ("n",), "w": ("d",), "z": ("k",), "t": ("n", "k"), "A": ("n", "n"),
    "W": ("n", "d"), "V": ("n", "d"), "U": ("k", "d"), "S": ("d", "d"), "mu": ("d",), "b": (),
    "T": ("n", "d", "k"), "y_hat": ("n",), "beta": ("d",), "pi": ("k",),
}  # fmt: skip
SIZES = {"n": 4, "d": 3, "k": 2}
RNG = np.random.default_rng(7)
NUMBERS = {name: RNG.uniform(0.3, 0.9, [SIZES[s] for s in shape]) for name, shape in SHAPES.items()}
x, y, w, z, t, A, W, V, U, S, mu, b, T, y_hat, beta, pi = (NUMBERS[name] for name in SHAPES)
n, d, k = len(x), len(w), len(z)


def sigma(v):
    return 1 / (1 + np.exp(-v))


READ = [
    (r"\sum_{i=1}^n y_i \log x_i", sum(y[i] * np.log(x[i]) for i in range(n))),
    (r"\log \sum_{i=1}^n e^{x_i}", np.log(sum(np.exp(x)))),
    (r"\sum_{i,j} A_{ij} x_i x_j + b", x @ A @ x + b),
    (r"\sum_i \sum_{j \ne i} A_{ij}", A.sum() - np.trace(A)),
    (r"\sum_{i<j} A_{ij} x_i y_j", x @ np.triu(A, 1) @ y),
    (r"\sum_{i=1}^{n-1} (x_{i+1} - x_i)^2", sum(np.diff(x) ** 2)),
    (r"\sum_{i=2}^{n} |x_i - 2 x_{i-1}|", sum(np.abs(x[1:] - 2 * x[:-1]))),
    (r"\left(\sum_i |x_i|^b\right)^{1/b}", sum(x**b) ** (1 / b)),
    (r"\frac{1}{n}\sum_{i=1}^n (y_i - \hat{y}_i)^2", np.mean((y - y_hat) ** 2)),
    (r"-\frac{1}{n}\sum_{i=1}^n \sum_{k} t_{ik} \ln t_{ik}", -np.sum(t * np.log(t)) / n),
    (r"\sum_{i=1}^n \log(1 + \exp(-y_i w^T W_i))", sum(np.log(1 + np.exp(-y * (W @ w))))),
    (r"\sum_i \left[ y_i \log \sigma(W_i^\top w) + (1-y_i)\log(1-\sigma(w^T W_i))\right]",
     sum(y * np.log(sigma(W @ w)) + (1 - y) * np.log(1 - sigma(W @ w)))),
    (r"\sum_i \max(0, 1 - y_i w^T W_i)", sum(np.maximum(0, 1 - y * (W @ w)))),
    (r"\sum_i W_i^T S W_i", np.trace(W @ S @ W.T)),
    (r"\sum_i W_i^T S^T S V_i + w^T S w", np.trace(W @ S.T @ S @ V.T) + w @ S @ w),
    (r"\sum_{i=1}^n \|W_i - \mu\|^2", np.sum((W - mu) ** 2)),
    (r"\sum_i \|S W_i - V_i\|_2^2 + \|\beta\|^2", np.sum((W @ S.T - V) ** 2) + beta @ beta),
    (r"\sum_i \left\| W_i \right\|", sum(np.linalg.norm(W, axis=1))),
    (r"\sum_{i,j} A_{ij} \|W_i - W_j\|^2",
     sum(A[i, j] * np.sum((W[i] - W[j]) ** 2) for i in range(n) for j in range(n))),
    (r"\sum_{i,j} t_{ij} (t_{ij} - W_i^T U_j)^2", np.sum(t * (t - W @ U.T) ** 2)),
    (r"\sum_i \log \sum_{k} \pi_k e^{-\|W_i - U_k\|^2/2}",
     sum(np.log(np.exp(-((W[:, None] - U) ** 2).sum(2) / 2) @ pi))),
    (r"\sum_{i=1}^n x_i - \frac{1}{2}\sum_{i=1}^n\sum_{j=1}^n x_i x_j y_i y_j W_i^T W_j",
     x.sum() - (x * y) @ W @ W.T @ (x * y) / 2),
    (r"\prod_{i=1}^n (1 + x_i)", np.prod(1 + x)),
    (r"\max_i x_i y_i + \min_i \frac{x_i}{y_i}", np.max(x * y) + np.min(x / y)),
    (r"\frac{\sum_i x_i y_i}{\sqrt{\sum_i x_i^2}\sqrt{\sum_i y_i^2}}",
     x @ y / np.sqrt(x @ x) / np.sqrt(y @ y)),
    (r"p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}", np.exp(z) / sum(np.exp(z))),
    (r"f_i = \tanh\left(\sum_j S_{ij} w_j\right) + \mu_i", np.tanh(S @ w) + mu),
    (r"J(w) = \sum_i \sum_j (S W^T)_{ij}", np.sum(S @ W.T)),
    (r"\bar{x} = \frac{1}{n}\sum_{i=1}^n x_i; \frac{1}{n}\sum_{i=1}^n (x_i - \bar{x})^2", x.var()),
    (r"\sum_i \sum_j \sum_k T_{ijk} x_i w_j z_k", np.einsum("ijk,i,j,k", T, x, w, z)),
    (r"\sum_{j} |\beta_j| + \|y - W\beta\|_2^2", sum(beta) + np.sum((y - W @ beta) ** 2)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), READ)
def test_a_sum_means_what_it_says(text, expected):
    program = parse_program(text)
    assert program.text == text
    given = {name: NUMBERS[name] for name in program.variables if name in NUMBERS}
    np.testing.assert_allclose(pb.compile(pb.parse(text))(**given), expected, rtol=1e-12)


def test_shapes_may_be_declared():
    text = r"\sum_{i=1}^n (y_i - w^T x_i)^2"
    program = parse_program(text, shapes={"x": ("n", "d"), "w": ("d",)})
    assert [len(v.shape) for v in program.variables.values()] == [1, 1, 2]
    assert str(pb.derivative(text, "w")) == "2 xᵀ(x w − y)"
    assert "x is a matrix n×m" in parse_program(text).assumed


@pytest.mark.parametrize(
    ("text", "message", "under"),
    [
        (r"\sum_i x_i \ln x_i y_i", "where this argument ends is open", "y"),
        (r"\min_w \sum_i (y_i - w^T x_i)^2", "state the function alone", None),
        (r"\arg\max_i x_i", "state the function alone", r"\arg\max_"),
        (r"\sum_i \phi(x_i)", "may be a function or a product", None),
        (r"\frac{d}{dw} \sum_i w x_i", "this is a derivative", None),
        (r"\sum_i f(x_i)", "may be a function or a product", "f"),
        (r"\sum_i y^{(i)} x_i", "a mark or a power", "^{(i)}"),
        (r"\sum_{(i,j) \in E} x_i", "what is summed over is not read", None),
        (r"\sum_i x_i + y_i", "i is free here and summed elsewhere", "y"),
        (r"\|\sum_i x_i a_i\|", "a product of vectors has no norm", None),
        (r"\sum_i \foo x_i", r"'\\foo' has no meaning", r"\foo"),
        (r"\sum_i (x_i", "never closed", "("),
        (r"\sum_i x_i)", "'\\)' has no meaning", ")"),
        (r"\sum_i", "ends where a value is expected", None),
        (r"\sum_i \|x_i\|_1", "only the Euclidean", None),
        (r"\sum_i x_{\ast}", "letters below are not read", None),
    ],
)
def test_what_is_not_read_is_refused_at_its_place(text, message, under):
    with pytest.raises(PullbackError, match=message) as caught:
        parse_program(text)
    place = caught.value.place
    assert place.text == text
    if under is not None:
        assert text[place.start : place.stop] == under


WORDS = r"""\sum_i \sum_{i=1}^n \prod_i \max_i x_i X_{ij} w^T x_{i+1} y e^{ \frac{ } { ( ) | \| \log \exp \sigma(
+ - ^2 ^{-1} ^T _i \left( \right) = \\ 1 2.5 , \cdot \sqrt{ \hat{x}_i A \mu \lambda \mathrm{K}"""
TOKENS = st.sampled_from([*WORDS.split(), " ", "\n"])


@settings(max_examples=300, deadline=None)
@given(st.lists(TOKENS, max_size=12).map("".join))
def test_any_text_with_sums_is_a_program_or_a_pullback_error(text):
    try:
        program = parse_program(r"\sum_i x_i " + text)
    except PullbackError as error:
        assert not re.search("Traceback", str(error))
    else:
        assert program.text.endswith(text)


@pytest.mark.parametrize(
    "junk", ["{" * 5000, r"\frac" * 9000, r"\|" * 9001, "(" * 5000, r"\sum_i " * 9000]
)
def test_junk_with_sums_is_refused(junk):
    with pytest.raises(PullbackError):
        parse_program(r"\sum_i x_i " + junk)
