"""What the planner makes of products: the operations it chooses, and that values stay right."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from naive import close

import pullback as pb

rng = np.random.default_rng(0)


# Aᵀ D A by one matrix and its transpose

SQUARES = {
    "logistic": ("sum(log(1 + exp(-y.*(X*w))))", "w", {"y": "sign"}),
    "exponential": ("sum(exp(X*w))", "w", {}),
    "weighted": ("sum(s.*(X*w).^2)", "w", {"s": "positive"}),
}


def second(name, X, w):
    """Σ_q φ″(zᵩ) Xᵩᵢ Xᵩⱼ in many digits."""
    z = X @ w
    bend = {
        "logistic": lambda t: 1 / ((1 + mpmath.exp(t)) * (1 + mpmath.exp(-t))),
        "exponential": mpmath.exp,
        "weighted": lambda t: mpmath.mpf(2),
    }[name]
    with mpmath.workdps(40):
        d = np.array([float(bend(mpmath.mpf(float(t)))) for t in z])
    return (X.T * d) @ X


@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize("name", SQUARES)
def test_weights_that_are_not_negative_go_into_the_matrix_as_roots(name, planned):
    text, wrt, assume = SQUARES[name]
    f = pb.parse(text, shapes={"X": ("m", "n"), "w": ("n",)}, assume=assume)
    fn = pb.compile(pb.hessian(f, wrt), planned=planned)
    assert "sqrt" in fn.source
    X, w = rng.normal(size=(7, 4)), rng.normal(size=4)
    given = {"X": X, "w": w, "y": np.sign(rng.normal(size=7)), "s": np.ones(7)}
    H = fn(**{name: given[name] for name in fn.inputs})
    close(H, second(name, X, w))
    assert np.array_equal(H, H.T)  # one half is the other's mirror image


def test_weights_of_unknown_sign_stay_as_they_are():
    d = pb.hessian(pb.parse("sum(s.*(X*w).^2)", shapes={"X": ("m", "n"), "s": ("m",)}), "w")
    fn = pb.compile(d)
    assert "sqrt" not in fn.source
    X, s = rng.normal(size=(5, 3)), rng.normal(size=5)
    close(fn(X=X, s=s, w=np.zeros(3)), 2 * X.T @ np.diag(s) @ X)


def test_a_number_in_front_never_parts_a_matrix_from_its_transpose():
    fn = pb.compile(pb.hessian(pb.parse("3*norm2(X*w)^2", shapes={"X": (4, 90)}), "w"))
    assert "X.T @ X" in fn.source
    X = rng.normal(size=(4, 90))
    close(fn(X=X, w=np.zeros(90)), 6 * X.T @ X)
