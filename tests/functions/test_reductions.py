"""Reductions where their formulas are in danger: zeros in a product, ties, far from the origin."""

from itertools import permutations

import numpy as np
import pytest

import pullback as pb
from pullback.functions.catalogue import CATALOGUE

X = np.array([[0.3, -1.2, 2.0], [0.7, 2.5, -0.4]])


def exclusive(x, *left_out):
    return np.prod([v for k, v in enumerate(x) if k not in left_out])


@pytest.mark.parametrize("zeros", [(), (1,), (0, 3), (0, 1, 2)])
def test_a_product_is_right_at_zeros_to_the_third_order(zeros):
    x = np.array([2.0, -3.0, 0.5, 7.0])
    x[list(zeros)] = 0
    f = pb.prod(pb.vector("x", "n"))
    first, second, third = np.zeros(4), np.zeros((4, 4)), np.zeros((4, 4, 4))
    for i in range(4):
        first[i] = exclusive(x, i)
    for pair in permutations(range(4), 2):
        second[pair] = exclusive(x, *pair)
    for triple in permutations(range(4), 3):
        third[triple] = exclusive(x, *triple)
    for names, expected in ((["x"], first), (["x"] * 2, second), (["x"] * 3, third)):
        found = pb.compile(pb.derivative(f, *names))(x=x)
        np.testing.assert_allclose(found, expected, rtol=1e-14, atol=0)


def test_ties_are_shared():
    f = pb.max(pb.vector("x", "n"))
    found = pb.compile(pb.derivative(f, "x"))(x=np.array([1.0, 3, 3, 0, 3]))
    np.testing.assert_allclose(found, [0, 1 / 3, 1 / 3, 0, 1 / 3])
    lowest = pb.compile(pb.derivative(pb.parse("min(x)"), "x"))(x=np.array([1.0, 1.0]))
    np.testing.assert_allclose(lowest, [0.5, 0.5])
    assert not np.any(pb.compile(pb.hessian(f, "x"))(x=np.array([1.0, 1.0])))
    assert "shared equally" in CATALOGUE["max"].convention


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "var", "std"])
@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_reductions_are_those_of_numpy(name, axis, keepdims):
    x = pb.matrix("X", 2, 3)
    function = getattr(np, name)
    expected = function(X, axis=axis, keepdims=keepdims)
    for tensor in (
        getattr(pb, name)(x, axis=axis, keepdims=keepdims),
        function(x, axis=axis, keepdims=keepdims),
        getattr(x, name)(axis, keepdims),
    ):
        found = pb.compile(tensor)(X=X)
        assert found.shape == np.shape(expected)
        np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max(X)", X.max()),
        ("min(X, 1)", X.min(0)),
        ("max(X, 2)", X.max(1)),
        ("max(X, 0.5)", np.maximum(X, 0.5)),
        ("max(X, X.*X)", np.maximum(X, X * X)),
        ("min(1, X)", np.minimum(1, X)),
        ("prod(X)", X.prod()),
        ("var(X, 2)", X.var(1)),
        ("std(X)", X.std()),
        ("logsumexp(X)", np.log(np.exp(X).sum())),
        ("cumsum(X, 2)", X.cumsum(1)),
    ],
)
def test_reductions_in_the_language(text, expected):
    f = pb.parse(text, shapes={"X": (2, 3)})
    np.testing.assert_allclose(pb.compile(f)(X=X), expected, rtol=1e-14)
    assert pb.check(f, "X").passed


def test_a_number_beside_a_vector_is_no_axis():
    x = np.array([0.5, 3.0])
    for text, expected in (("max(x, 1)", [1, 3]), ("min(x, 1)", [0.5, 1]), ("max(x, 0)", x)):
        np.testing.assert_array_equal(pb.compile(pb.parse(text))(x=x), expected)


def test_a_variance_far_from_zero_keeps_its_digits():
    x = 1e8 + np.array([0.0, 1.0, 2.0, 4.0])
    f = pb.var(pb.vector("x", "n"))
    assert pb.compile(f)(x=x) == pytest.approx(np.var([0, 1, 2, 4]), rel=1e-13)
    slope = pb.compile(pb.derivative(f, "x"))(x=x)
    np.testing.assert_allclose(slope, 2 / 4 * (np.array([0, 1, 2, 4]) - 7 / 4), rtol=1e-13)


def test_norms():
    x = np.array([3.0, -4.0, 1.0])
    for text, order in (("norm(x)", 2), ("norm(x, 1)", 1), ("norm(x, 3)", 3), ("norm(x, 4)", 4)):
        f = pb.parse(text)
        assert pb.compile(f)(x=x) == pytest.approx(np.linalg.norm(x, order), rel=1e-14)
        assert pb.check(f, "x").passed
    assert pb.compile(pb.parse("norm_inf(x)"))(x=x) == 4
    with pytest.raises(pb.PullbackError, match="the ∞-norm of a matrix has several meanings"):
        pb.parse("norm_inf(X)")
    with pytest.raises(pb.PullbackError, match="p from 1 on"):
        pb.parse("norm(x, 0.5)")
