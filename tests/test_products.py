"""Products with derivatives, diagonals, Taylor polynomials and price lists, against JAX and by hand."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pullback as pb

jax.config.update("jax_enable_x64", True)

rng = np.random.default_rng(5)
A, U, V = rng.normal(size=(4, 4)), rng.normal(size=(3, 4)), rng.normal(size=(2, 3))
x, v, y = rng.normal(size=4), rng.normal(size=4), rng.normal(size=2)

MAPS = [
    ("sigmoid(A*x) + x.^2", lambda z: jax.nn.sigmoid(A @ z) + z**2),
    ("softmax(A*x)", lambda z: jax.nn.softmax(A @ z)),
    ("x*(x'*A*x)", lambda z: z * (z @ A @ z)),
    ("A*x/norm2(x)", lambda z: A @ z / jnp.linalg.norm(z)),
    ("cumsum(sin(A*x))", lambda z: jnp.cumsum(jnp.sin(A @ z))),
]


@pytest.mark.parametrize(("text", "theirs"), MAPS)
def test_the_diagonal_of_a_jacobian(text, theirs):
    f = pb.parse(text, shapes={"A": ("n", "n"), "x": ("n",)})
    found = pb.compile(pb.jacobian_diagonal(f, "x"))(A=A, x=x)
    np.testing.assert_allclose(found, np.diag(jax.jacobian(theirs)(x)), rtol=1e-12)


FUNCTIONS = [
    ("log(sum(exp(A*x)))", lambda z: jax.nn.logsumexp(A @ z)),
    ("norm2(A*x)^4 + sum(exp(x))", lambda z: (z @ A.T @ A @ z) ** 2 + jnp.exp(z).sum()),
    ("sin(x'*A*x)", lambda z: jnp.sin(z @ A @ z)),
]


@pytest.mark.parametrize(("text", "theirs"), FUNCTIONS)
def test_the_diagonal_of_a_hessian(text, theirs):
    f = pb.parse(text, shapes={"A": ("n", "n"), "x": ("n",)})
    found = pb.compile(pb.hessian_diagonal(f, "x"))(A=A, x=x)
    np.testing.assert_allclose(found, np.diag(jax.hessian(theirs)(x)), rtol=1e-11)


@pytest.mark.parametrize(("text", "theirs"), FUNCTIONS)
def test_a_taylor_polynomial(text, theirs):
    f = pb.parse(text, shapes={"A": ("n", "n"), "x": ("n",)})
    expected, of_step = 0.0, lambda t: theirs(x + t * v)
    for k in range(4):
        expected += of_step(0.0) / [1, 1, 2, 6][k]
        of_step = jax.grad(of_step)
        found = pb.compile(pb.taylor(f, "x", order=k, step="v"))(A=A, x=x, v=v)
        np.testing.assert_allclose(found, expected, rtol=1e-11)


def test_a_diagonal_of_a_matrix_function():
    found = pb.compile(pb.hessian_diagonal("logdet(X)", "X"))(X=A @ A.T + np.eye(4))
    inverse = np.linalg.inv(A @ A.T + np.eye(4))
    np.testing.assert_allclose(found, -((inverse.T) ** 2), rtol=1e-12)


def test_what_is_local_needs_no_matrix():
    source = pb.code(pb.jacobian_diagonal("sigmoid(x) + x.^2", "x"))
    assert "zeros" not in source and "diag" not in source


def test_gauss_newton_leaves_out_the_second_derivatives_of_the_line():
    f = pb.parse("h = V*tanh(U*x)\nsum(exp(h - y))", shapes={"U": ("m", "n"), "V": ("p", "m")})
    J = jax.jacobian(lambda z: V @ jnp.tanh(U @ z))(x)
    C = np.diag(np.exp(V @ np.tanh(U @ x) - y))
    found = pb.compile(pb.gauss_newton(f, "x", "h"))(U=U, V=V, x=x, y=y, x_dot=v)
    np.testing.assert_allclose(found, J.T @ C @ J @ v, rtol=1e-12)


def test_what_has_no_diagonal_is_refused():
    with pytest.raises(pb.ShapeError, match=r"shape of 'x', n; this one is m"):
        pb.jacobian_diagonal("A*x", "x")
    with pytest.raises(pb.PullbackError, match="of a scalar"):
        pb.hessian_diagonal("A*x", "x")
    with pytest.raises(pb.PullbackError, match="not -1"):
        pb.taylor("sum(x)", "x", order=-1)


# price lists

NETWORK = pb.parse(
    "f = U*x\ng = sigmoid(f)\nh = V*g\nL = norm2(h - y)^2",
    shapes={"U": ("m", "n"), "V": ("p", "m")},
)
SIZES = {"m": 50, "n": 40, "p": 10}


def test_the_price_of_a_weight_in_each_order():
    rows = pb.cost(NETWORK, "U", sizes=SIZES).rows
    # by hand: U x, V g, and Vᵀ δ; g ⊙ (1 − g), two products by it, the outer product; 2 and norm
    by_hand = 2000 + 500 + 500 + 3 * 50 + 2000 + 10 + 10
    assert abs(rows["reverse"].multiplications - by_hand) <= 110
    # a tangent for each entry of U costs at least V's product for each of the 50 outputs of f
    assert rows["forward"].multiplications > 50 * 500
    assert rows["entry by entry"].total > 1000 * rows["reverse"].total
    assert rows["cross-country"].total <= min(rows["forward"].total, rows["reverse"].total)
    # the outer product δ xᵀ is two vectors
    assert rows["compressed"].bytes < rows["reverse"].bytes - 8 * 2000 + 8 * 200
    without = rows["reverse, forward values not stored"]
    assert without.multiplications > rows["reverse"].multiplications + 2000


def test_forward_is_cheaper_for_one_input_and_many_outputs():
    f = pb.parse("V*tanh(U*(s*x))", shapes={"U": ("m", "n"), "V": ("p", "m"), "s": ()})
    rows = pb.cost(f, "s", sizes=SIZES).rows
    assert rows["forward"].multiplications < rows["reverse"].multiplications


def test_prices_as_data_and_as_tables():
    prices = pb.cost("norm2(A*x - b)^2", "x", "x", sizes={"m": 4, "n": 3})
    assert list(prices.to_dict()) == [
        "entry by entry",
        "forward",
        "reverse",
        "cross-country",
        "compressed",
        "reverse, forward values not stored",
        "reverse, products not stored",
        "reverse, reciprocals not stored",
    ]
    assert len(prices.text().splitlines()) == 9
    assert prices._repr_html_().count("<tr>") == 9


def test_a_size_without_a_number_is_named():
    with pytest.raises(pb.PullbackError, match="sizes m, n"):
        pb.cost("norm2(A*x - b)^2", "x", sizes={})
