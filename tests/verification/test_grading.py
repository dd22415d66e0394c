"""A right claim is right however it is written; a wrong one is told what is wrong with it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pullback.errors import PullbackError
from pullback.language.parse import parse_program
from pullback.verification.grading import grade

SQUARES = "norm2(A*x - b)^2"
ROWS = "x: 1 n, y: 1 p\nf = (U*x')'\ng = sigmoid(f)\nh = (V*g')'\nL = norm2(h - y)^2"
NETWORK = "f = U*x\ng = sigmoid(f)\nh = V*g\nL = norm2(h - y)^2"


@pytest.mark.parametrize(
    ("text", "wrt", "claim"),
    [
        (SQUARES, "x", "2*A'*(A*x - b)"),
        (SQUARES, "x", "2*A'*A*x - 2*A'*b"),
        (SQUARES, "x", "-(A'*(b - A*x))*2"),
        (SQUARES, "A", "2*(A*x - b)*x'"),
        (NETWORK, "U", "2*(V'*(h - y).*g.*(1 - g))*x'"),
        (ROWS, "V", "2*(h - y)'*g"),
        ("tr(A*X)", "X", "A'"),
        ("logdet(X)", "X", "inv(X)'"),
    ],
)
def test_right_claims(text: str, wrt: str, claim: str) -> None:
    graded = grade(parse_program(text), [wrt], claim)
    assert graded.right
    assert graded.layout == "as derived"
    assert graded.counter_example is None


def test_the_other_layout_is_right_and_said() -> None:
    graded = grade(parse_program(NETWORK), ["U"], "x*(2*(V'*(h - y).*g.*(1 - g)))'")
    assert graded.right
    assert graded.layout == "transposed"
    assert graded.reason == "it is the transpose, the derivative in numerator layout"
    graded = grade(parse_program("A*x"), ["x"], "A'")
    assert graded.layout == "transposed"
    assert graded.reason == "it is the transpose, the derivative in denominator layout"


@pytest.mark.parametrize(
    ("text", "wrt", "claim", "reason"),
    [
        (SQUARES, "x", "A'*(A*x - b)", "half"),
        (SQUARES, "x", "4*A'*(A*x - b)", "twice"),
        (SQUARES, "x", "2*A'*(b - A*x)", "sign"),
        (SQUARES, "x", "2*A'*A*x", "it lacks −2 Aᵀ b"),
        (SQUARES, "x", "2*A'*A*x - 2*A'*b + x", "it should not have x"),
        (SQUARES, "x", "2*A*(A*x - b)", "sizes disagree"),
        (SQUARES, "x", "A*x", "its shape is m"),
        (NETWORK, "U", "2*(V'*(h - y).*g)*x'", r"it lacks .*\(1 − g\)"),
        ("sum((x - y).^2)/n", "x", "2*(x - y)", "a sum in place of a mean"),
        ("sum((x - y).^2)", "x", "2*(x - y)/n", "a mean in place of a sum"),
    ],
)
def test_wrong_claims_and_why(text: str, wrt: str, claim: str, reason: str) -> None:
    graded = grade(parse_program(text, shapes={"x": ["n"]}), [wrt], claim)
    assert not graded.right
    assert re.search(reason, graded.reason)


def test_the_counter_example_is_one() -> None:
    """Its numbers give, in plain NumPy, what it says is claimed and what is right."""
    graded = grade(parse_program(SQUARES), ["x"], "2*A'*A*x + 2*A'*b")
    shown = graded.counter_example
    assert shown is not None
    A, x, b = (np.array(shown[name]) for name in "Axb")
    np.testing.assert_allclose(shown["right"], 2 * A.T @ (A @ x - b), rtol=1e-6)
    np.testing.assert_allclose(shown["claimed"], 2 * A.T @ (A @ x + b), rtol=1e-6)
    assert not np.allclose(shown["right"], shown["claimed"])


def test_a_name_that_the_function_has_not_is_refused() -> None:
    with pytest.raises(PullbackError, match="'q' is not a name"):
        grade(parse_program(SQUARES), ["x"], "2*A'*(A*x - q)")


@pytest.mark.parametrize(
    ("structured", "claim", "reason"),
    [
        (None, "inv(X)", ""),
        (None, "2*inv(X) - inv(X) .* eye(n)", "by the free entries of the symmetric X"),
        ("free", "2*inv(X) - inv(X) .* eye(n)", ""),
        ("free", "inv(X)", "it is the derivative by independent entries"),
        ("free", "2*inv(X)", "it lacks"),
        ("tangent", "inv(X)", ""),
        ("tangent", "2*inv(X) - inv(X) .* eye(n)", "by the free entries .* along the symmetric"),
        ("tangent", "2*inv(X)", "twice"),
    ],
)
def test_a_claim_in_a_convention(structured, claim: str, reason: str) -> None:
    program = parse_program("X: n n posdef\nlogdet(X)")
    graded = grade(program, ["X"], claim, structured)
    assert graded.right == (not reason)
    assert re.search(reason, graded.reason)


@pytest.mark.parametrize(
    "kind", ["symmetric", "skew", "diagonal", "orthogonal", "lower", "upper", "posdef"]
)
def test_a_counter_example_honours_what_is_assumed(kind: str) -> None:
    """The answer may be right only where the assumption holds."""
    graded = grade(parse_program(f"A: n n, X: n n {kind}\ntr(A*X*X)"), ["X"], "A")
    X = np.array(graded.counter_example["X"])
    assert X.dtype == int
    inside = {
        "symmetric": X - X.T,
        "posdef": X - X.T,
        "skew": X + X.T,
        "diagonal": X - np.diag(np.diag(X)),
        "orthogonal": X.T @ X - np.eye(len(X)),
        "lower": np.triu(X, 1),
        "upper": np.tril(X, -1),
    }[kind]
    assert not inside.any()
    assert kind != "posdef" or np.linalg.eigvalsh(X).min() > 0


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        ("unit-sum", lambda y: y.sum() == 1),
        ("unit-sum binary", lambda y: y.sum() == 1 and set(y) == {0, 1}),
        ("unit-sum positive", lambda y: abs(y.sum() - 1) < 1e-12 and (y > 0).all()),
        ("positive", lambda y: (y > 0).all()),
        ("sign", lambda y: set(y) <= {-1, 1}),
        ("binary", lambda y: set(y) <= {0, 1}),
    ],
)
def test_a_counter_example_with_labels(words: str, holds) -> None:
    graded = grade(parse_program(f"y: n {words}, x: n\nsum(y .* x.^2)"), ["x"], "y .* x + y")
    assert holds(np.array(graded.counter_example["y"]))
