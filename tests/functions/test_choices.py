"""What a choice leaves out has no say: in values, in derivatives, in code, in certificates."""

import numpy as np
import pytest

import pullback as pb
from pullback.errors import DomainError

X = np.array([2.0, -1.0, 0.0, 0.5])


def chosen():
    x = pb.vector("x", "n")
    return x, pb.where(pb.greater(x, 0), pb.log(x), 3 * x)


@pytest.mark.parametrize("planned", [False, True])
def test_the_branch_that_is_not_taken_may_have_no_value(planned):
    """log of 0 and of negative numbers, and 1/0 in its derivative, stand where they are not taken."""
    w = chosen()[1]
    expected = np.array([np.log(2), -3, 0, np.log(0.5)])
    slope = np.array([0.5, 3, 3, 2])
    curvature = np.array([-0.25, 0, 0, -4])
    f = pb.sum(w**2)
    for tensor, value in [
        (w, expected),
        (pb.derivative(pb.sum(w), "x"), slope),
        (pb.hessian(pb.sum(w), "x"), np.diag(curvature)),
        (pb.derivative(f, "x"), 2 * expected * slope),
        (pb.hessian(f, "x"), np.diag(2 * slope**2 + 2 * expected * curvature)),
    ]:
        found = pb.compile(tensor, planned=planned)(x=X)
        np.testing.assert_allclose(found, value, rtol=1e-14, atol=1e-300)
    assert pb.check(f, "x").passed


def test_factors_beside_a_choice_and_below_it():
    """The poison would come from a product's other factor, from a chain, and from a matrix."""
    x, A = pb.vector("x", "n"), pb.matrix("A", "m", "n")
    positive = pb.greater(x, 0)
    roots = pb.where(positive, pb.log(x) * x**0.5, 0)
    f = pb.sum(A @ roots) ** 2
    found = pb.compile(pb.derivative(f, "x"))(A=np.ones((2, 4)), x=X)
    s = np.where(X > 0, X, 1)
    slope = np.where(X > 0, (1 + np.log(s) / 2) / np.sqrt(s), 0)
    total = 2 * np.sum(np.where(X > 0, np.log(s) * np.sqrt(s), 0))
    np.testing.assert_allclose(found, 2 * total * 2 * slope, rtol=1e-13)
    assert pb.check(f, "x").passed and pb.check(f, "A").passed


def test_what_is_taken_must_have_a_value():
    x, w = chosen()
    wrong = pb.where(pb.less(x, 0), pb.log(x), x)
    with pytest.raises(DomainError, match="log leaves the real numbers"):
        pb.compile(wrong)(x=X)
    with pytest.raises(DomainError, match="log"):
        pb.compile(w + pb.log(x))(x=X)
    np.testing.assert_array_equal(pb.compile(w)(x=np.array([np.nan, 1.0])), [np.nan, 0.0])


def test_the_same_condition_is_decided_once():
    x, w = chosen()
    positive = pb.greater(x, 0)
    assert pb.derivative(pb.sum(pb.where(positive, w, x)), "x").text() == (
        pb.derivative(pb.sum(pb.where(positive, pb.log(x), x)), "x").text()
    )


def test_code_compares_and_keeps_the_precision():
    x, w = chosen()
    assert "np.where(x > 0, np.log(x), 3 * x)" in pb.code(w)
    half = X.astype(np.float32)
    for tensor in (pb.less(x, 0.25), pb.derivative(pb.sum(w), "x"), pb.equal(x, x)):
        for planned in (False, True):
            assert pb.compile(tensor, planned=planned)(x=half).dtype == np.float32


def test_numpy_where_builds_the_same():
    x, w = chosen()
    assert np.where(np.greater(x, 0), np.log(x), 3 * x).node is w.node


@pytest.mark.parametrize("name", ["less", "less_equal", "greater", "greater_equal", "equal"])
def test_comparisons_are_of_numpy(name):
    a, b = pb.vector("a", "n"), pb.vector("b", "n")
    left, right = np.array([0.0, 1, 1, -2]), np.array([0.0, 0, 2, -2])
    found = pb.compile(getattr(pb, name)(a, b))(a=left, b=right)
    np.testing.assert_array_equal(found, getattr(np, name)(left, right).astype(float))
