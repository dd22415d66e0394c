"""The gradient of a Gaussian likelihood by its covariance keeps the digits that Cholesky leaves."""

import mpmath
import numpy as np
import pytest
from scipy import linalg

import pullback as pb

N = 10
EPSILON = np.finfo(float).eps


def covariance(condition, seed):
    generator = np.random.default_rng(seed)
    q, _ = np.linalg.qr(generator.normal(size=(N, N)))
    s = (q * np.logspace(0, -np.log10(condition), N)) @ q.T
    s = (s + s.T) / 2
    return s, np.linalg.cholesky(s) @ generator.normal(size=N)


def truth(s, x):
    """(S⁻¹ − S⁻¹ x xᵀ S⁻¹)/2 in 60 digits (Petersen and Pedersen, The Matrix Cookbook, 57 and 61)."""
    mp = mpmath.mp.clone()
    mp.dps = 60
    inverse = mp.matrix(s.tolist()) ** -1
    a = inverse * mp.matrix(x.tolist())
    return np.array(((inverse - a * a.T) / 2).tolist(), dtype=object)


def error(found, exact):
    difference = np.asarray(found, dtype=float) - exact
    return float(np.sum(difference**2) ** 0.5 / np.sum(exact**2) ** 0.5)


def by_hand(s, x, library):
    factor = library.cho_factor(s)
    a = library.cho_solve(factor, x)
    return (library.cho_solve(factor, np.eye(len(s))) - np.outer(a, a)) / 2


@pytest.mark.parametrize("condition", [1e2, 1e6, 1e10])
@pytest.mark.parametrize("form", ["plain", "planned", "jax"])
def test_as_good_as_a_solve_written_by_hand(condition, form):
    """Error at most 10 κ ε, and at most twice that of the same library's factor and solves."""
    library = linalg
    options = {"planned": form == "planned"}
    if form == "jax":
        jax = pytest.importorskip("jax")
        jax.config.update("jax_enable_x64", True)
        library, options = jax.scipy.linalg, {"target": "jax"}
    f = pb.parse("(logdet(S) + x'*inv(S)*x)/2", assume={"S": ["posdef"]})
    gradient = pb.compile(pb.derivative(f, "S"), **options)
    for seed in range(4):
        s, x = covariance(condition, seed)
        exact = truth(s, x)
        ours, hand = error(gradient(S=s, x=x), exact), error(by_hand(s, x, library), exact)
        assert ours <= 10 * condition * EPSILON
        assert ours <= 2 * hand


@pytest.mark.parametrize("condition", [1e2, 1e10])
def test_without_an_assumption_the_decomposition_is_another_and_the_bound_holds(condition):
    f = pb.parse("(logdet(S) + x'*inv(S)*x)/2")
    gradient = pb.compile(pb.derivative(f, "S"))
    s, x = covariance(condition, 9)
    assert error(gradient(S=s, x=x), truth(s, x)) <= 10 * condition * EPSILON
