"""Singular values beside JAX, twice differentiated, for matrices of every shape."""

import numpy as np
import pytest

import pullback as pb
from pullback.errors import DomainError, PullbackError

jax = pytest.importorskip("jax")
jax.config.update("jax_enable_x64", True)
jnp = jax.numpy

RNG = np.random.default_rng(8)


def meaning(x):
    return jnp.sum(jnp.exp(jnp.linalg.svd(x, compute_uv=False, full_matrices=False) / 2))


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2)])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_value_gradient_and_hessian(shape, order):
    X = pb.matrix("X", *shape)
    f = pb.sum(pb.exp(pb.svdvals(X) / 2))
    expected = meaning
    for _ in range(order):
        expected = jax.jacobian(expected)
    x = RNG.normal(size=shape)
    found = pb.compile(pb.derivative(f, *["X"] * order) if order else f)(X=x)
    np.testing.assert_allclose(found, expected(x), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("sizes", [("n", "n"), (3, 5), (5, 3), ("n+k", "n"), ("k", "k+n")])
def test_the_number_of_values_is_the_smaller_size(sizes):
    f = pb.parse("svdvals(X)", shapes={"X": sizes})
    small = {"n": "n", 3: 3, 5: 3, "n+k": "n", "k": "k"}[sizes[0]]
    assert [str(s) for s in f.shape] == [str(small)]


def test_two_sizes_that_cannot_be_compared_are_refused():
    with pytest.raises(PullbackError, match="the size of svdvals.X. cannot be told: X is m×n"):
        pb.parse("sum(svdvals(X))", shapes={"X": ("m", "n")})
    with pytest.raises(PullbackError, match="depends on which of its sizes is smaller"):
        pb.svdvals(pb.matrix("X", "m", "n"))


def test_the_gradient_is_printed_by_the_vectors_and_reads_back():
    f = pb.parse("c'*svdvals(X)", shapes={"X": (2, 3), "c": (2,)})
    d = pb.derivative(f, "X")
    assert d.text() == "U_svd(X) diag(c) V_svd(X)ᵀ"
    assert pb.check(f, "X").passed
    given = {"X": RNG.normal(size=(2, 3)), "c": np.array([1.0, -2.0])}
    back = pb.parse(d.text(), shapes={"X": (2, 3), "c": (2,)})
    np.testing.assert_allclose(pb.compile(back)(**given), pb.compile(d)(**given), rtol=1e-12)


def test_repeated_values_have_no_second_derivative():
    f = pb.sum(pb.svdvals(pb.matrix("X", "n", "n")) ** 3)
    with pytest.raises(DomainError, match="inverse_gaps"):
        pb.compile(pb.derivative(f, "X", "X"))(X=np.eye(3))
