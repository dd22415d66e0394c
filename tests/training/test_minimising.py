"""A function of one flat vector: value, gradient, Hessian and products, and SciPy's methods on it."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, check_grad, minimize

import pullback as pb
from pullback.errors import PullbackError


@pytest.fixture
def network():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(7, 3)), rng.normal(size=(7, 2))
    loss = pb.batch("norm2(V*tanh(U*x) - y)^2", over=("x", "y"))
    start = {"U": np.zeros((4, 3))}
    return pb.objective(loss, "U", "V", x=X, y=Y, start={**start, "V": np.zeros((2, 4))}), rng


def test_gradient_hessian_and_product_agree_with_differences(network):
    f, rng = network
    assert f.size == 20
    point, direction = rng.normal(size=20), rng.normal(size=20)
    assert check_grad(f.fun, f.jac, point, epsilon=1e-7) < 1e-5 * np.linalg.norm(f.jac(point))
    step = 1e-5
    along = (f.jac(point + step * direction) - f.jac(point - step * direction)) / (2 * step)
    np.testing.assert_allclose(f.hessp(point, direction), along, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(f.hess(point) @ direction, along, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(f.hess(point), f.hess(point).T, atol=1e-12)
    differences = approx_fprime(point, f.jac, 1e-7)
    np.testing.assert_allclose(f.hess(point), differences, rtol=1e-4, atol=1e-5)


def test_packing_keeps_shapes_and_order(network):
    f, rng = network
    U, V = rng.normal(size=(4, 3)), rng.normal(size=(2, 4))
    parts = f.unpack(f.pack(U=U, V=V))
    np.testing.assert_array_equal(parts["U"], U)
    np.testing.assert_array_equal(parts["V"], V)


@pytest.mark.parametrize("method", ["Newton-CG", "trust-constr", "trust-exact", "BFGS"])
def test_scipys_methods_find_the_minimum_of_the_logistic_loss(method):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(40, 3)), rng.choice([-1.0, 1.0], size=40)
    f = pb.objective("sum(log(1 + exp(-y .* (X*w)))) + norm2(w)^2/2", "w", X=X, y=y)
    more = {} if method == "BFGS" else {"hess": f.hess}
    if method == "Newton-CG":
        more = {"hessp": f.hessp}
    found = minimize(f.fun, np.zeros(3), jac=f.jac, method=method, options={"maxiter": 200}, **more)
    w = found.x
    gradient = -X.T @ (y / (1 + np.exp(y * (X @ w)))) + w
    np.testing.assert_allclose(gradient, 0, atol=2e-4)


def test_what_does_not_fit_is_refused():
    with pytest.raises(PullbackError, match="an objective is a scalar"):
        pb.objective("A*x", "x")
    with pytest.raises(PullbackError, match="shows the size n of 'x'"):
        pb.objective("sum(exp(x))", "x")
    with pytest.raises(PullbackError, match="no value is given for b"):
        pb.objective("norm2(A*x - b)^2", "x", A=np.eye(2))
