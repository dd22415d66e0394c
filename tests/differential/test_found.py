"""What random programs have found: each failure at its smallest, against a value known otherwise."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.errors import PullbackError
from pullback.expressions import Size
from pullback.expressions import constructors as make
from pullback.expressions import placement as place
from pullback.language.tensor import lift

X = np.array([0.5, 2.0])


def test_a_line_that_was_held_free_is_still_whole_afterwards() -> None:
    """x^(g − 1) had put parts of g beside the 1: the second derivative by g was then 0."""
    f = pb.parse("s:\nx: n positive\ng = x/2 + s/2\nsum(x.^g)")
    g = X / 2 + 0.4
    expected = X**g * np.log(X) ** 2
    given = {"x": X, "s": 0.8}
    for second in (
        pb.derivative(f, "g", "g"),
        pb.derivative(pb.derivative(f, "g"), "g"),
        pb.hessian(f, "g"),
    ):
        np.testing.assert_allclose(pb.compile(second)(**given), np.diag(expected), rtol=1e-14)
    product = pb.compile(pb.hvp(f, "g"))(**given, g_dot=np.array([2.0, 3.0]))
    np.testing.assert_allclose(product, expected * [2, 3], rtol=1e-14)


def test_a_line_is_not_held_free_in_a_derivative_by_something_else() -> None:
    """df/dx has parts of g without the whole, so that "by g" has no meaning there."""
    f = pb.parse("x: n positive\ng = tanh(x)\nsum(x.*g)")
    slope = pb.derivative(f, "x")
    for again in (slope, slope.tensor * 2, pb.vjp(f, "x"), pb.jvp(f, "g")):
        with pytest.raises(PullbackError, match="the line 'g' cannot be held free in what has"):
            pb.derivative(again, "g")
    both = pb.compile(pb.derivative(f, "x", "g"))(x=X)
    np.testing.assert_array_equal(both, np.eye(2))


def test_the_sign_of_a_slice() -> None:
    """A slice is a product with an indicator, and an indicator is not positive."""
    f = pb.sum(
        lift(lambda node: make.apply("abs", [place.take(node, 0, 1)], ()), pb.vector("x", 2))
    )
    assert pb.compile(pb.derivative(f, "x"))(x=np.array([3.0, -2.0])).tolist() == [0, -1]


def test_axes_along_which_all_is_the_same_are_merged() -> None:
    s = pb.vector("x", 2)
    wide = lift(lambda node: make.broadcast(node, (Size.of(1), *node.shape, *node.shape)[:3]), s)
    flat = lift(lambda node: place.reshape(node, [4]), wide)
    np.testing.assert_array_equal(pb.compile(flat)(x=X), np.tile(X, 2))


def test_a_product_of_two_inner_products() -> None:
    f = pb.einsum("i,i,j,j->", *(pb.vector(v, n) for v, n in zip("abcd", "nnmm", strict=True)))
    given = {"a": X, "b": 3 * X, "c": np.ones(3), "d": np.arange(3.0)}
    for planned in (False, True):
        assert pb.compile(f, planned=planned)(**given) == pytest.approx(3 * (X @ X) * 3, rel=1e-15)


def test_the_origin_has_no_angle() -> None:
    """arctan2 of two tensors that are zero off the diagonal: no derivative to compare with there."""
    D = pb.matrix("D", "n", "n", assume="diagonal")
    certificate = pb.check(pb.arctan2(D * D, D), D)
    assert not certificate.passed and not certificate.wrong
    assert "arctan2" in certificate.message
    assert pb.check(pb.arctan2(pb.vector("y", "n"), pb.vector("x", "n")), "x").passed
