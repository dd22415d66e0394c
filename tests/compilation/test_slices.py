"""Slices, stores and reshapes in the generated code; nothing is multiplied by a 0/1 array."""

import numpy as np
import pytest

import pullback as pb
from pullback.errors import ShapeError
from pullback.expressions import Program, Size
from pullback.expressions import constructors as make
from pullback.expressions import placement as place
from pullback.expressions.walks import variables

n = Size.of("n")
x = make.variable("x", ["n"])
X, B = make.variable("X", ["m", "n"]), make.variable("B", ["p", "q"])
T = make.variable("T", [6, 4])


def program(node):
    return Program(node, {v.name: v for v in variables(node)})


def both(node, **arrays):
    """The value by plain and by planned code, which must be equal and fresh."""
    values = []
    for planned in (False, True):
        fn = pb.compile(program(node), planned=planned)
        before = {name: array.copy() for name, array in arrays.items()}
        values.append(fn(**arrays))
        values[-1][...] += 0  # a result is an array of its own, and may be written to
        if planned:
            np.testing.assert_array_equal(fn(**arrays), values[-1])
        for name, array in arrays.items():
            assert not np.shares_memory(values[-1], array)
            np.testing.assert_array_equal(array, before[name])
    np.testing.assert_array_equal(*values)
    return values[0]


RNG = np.random.default_rng(0)
x5, x34, b22, t64 = (RNG.normal(size=s) for s in (5, (3, 4), (2, 2), (6, 4)))

CAT = np.concatenate([x5[:4], x34.ravel(order="F")])
VALUES = [
    (place.take(x, 0, 1, n - 1), {"x": x5}, x5[1:]),
    (place.take(x, 0, n - 2, 2), {"x": x5}, x5[-2:]),
    (place.flipped(x, 0), {"x": x5}, x5[::-1]),
    (place.take(T, 0, 5, 3, step=-2), {"T": t64}, t64[::-2]),
    (place.take(T, 1, 2), {"T": t64}, t64[:, 2]),
    (place.take(place.flipped(T, 1), 0, 1, 2, step=3), {"T": t64}, t64[1:6:3, ::-1]),
    (place.placed(x, 0, 2, n + 3), {"x": x5}, np.concatenate([[0, 0], x5, [0]])),
    (place.vec(X), {"X": x34}, x34.ravel(order="F")),
    (place.merge(X, [0, 1]), {"X": x34}, x34.ravel()),
    (place.reshape(T, [8, 3]), {"T": t64}, t64.reshape(8, 3)),
    (place.reshape(T, [2, 3, 2, 2]), {"T": t64}, t64.reshape(2, 3, 2, 2)),
    (place.kron(X, B), {"X": x34, "B": b22}, np.kron(x34, b22)),
    (place.concatenate([x, place.vec(X)]), {"x": x5[:4], "X": x34}, CAT),
    (place.concatenate([X, make.scale(2, X)], 1), {"X": x34}, np.hstack([x34, 2 * x34])),
    (make.multiply(T, place.triangle(6, 4)), {"T": t64}, np.tril(t64)),
    (make.multiply(T, place.triangle(6, 4, 1, upper=True)), {"T": t64}, np.triu(t64, 1)),
    (
        make.einsum("ij,kj->ki", place.indicator([1, -1], 1, ["n", "n"]), X),  # leaves its axis
        {"X": x34},
        x34 @ np.eye(4, k=1).T,
    ),
]


@pytest.mark.parametrize("k", range(len(VALUES)))
def test_values_are_numpys(k):
    node, arrays, expected = VALUES[k]
    np.testing.assert_allclose(both(node, **arrays), expected, rtol=1e-14)


def test_the_code_slices_and_reshapes():
    d = pb.derivative(program(make.total(make.power(place.take(x, 0, 1, n - 1), 2))), "x")
    source = pb.code(d)
    assert "x[1:]" in source and "arange" not in source and "@" not in source
    d = pb.derivative(program(place.kron(X, B)), "B")
    assert "arange" not in pb.code(d)


def test_a_workspace_that_a_slice_shows_is_not_written_over():
    y = make.einsum("ij,j->i", X, x)
    part = place.take(y, 0, 0, 2)
    later = make.power(make.add([(1, y), (3, place.flipped(y, 0))]), 2)
    node = make.multiply(make.total(later), part)
    expected = x34 @ x5[:4]
    value = ((expected + 3 * expected[::-1]) ** 2).sum() * expected[:2]
    np.testing.assert_allclose(both(node, X=x34, x=x5[:4]), value, rtol=1e-13)


def test_a_result_is_not_written_over_its_own_part():
    # e_1 ⊗ (X/‖X₁‖ − …)₁: the array for the result serves as a workspace until it is written
    f = pb.norm(pb.abs(pb.matrix("B", "n", "n")[0]))
    b, w = x34[:3, :3] - 0.3, x34[:3, 1:]
    r = np.linalg.norm(b[0])
    expected = np.zeros((3, 3))
    expected[0] = w[0] / r - b[0] * (b[0] @ w[0]) / r**3
    for planned in (False, True):
        found = pb.compile(pb.hvp(f, "B", "w"), planned=planned)(B=b, w=w)
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)


def test_a_slice_that_leaves_its_axis_is_an_error_that_says_so():
    fn = pb.compile(program(place.take(x, 0, 1, "k")))
    np.testing.assert_array_equal(fn(x=x5, k=2), x5[1:3])
    with pytest.raises(ShapeError, match=r"n ≥ k \+ 1 does not hold for k = 5, n = 5"):
        fn(x=x5, k=5)
    three = pb.compile(program(place.take(x, 0, 2)))
    assert three(x5) == x5[2]
    with pytest.raises(ShapeError, match="n ≥ 3 does not hold for n = 2"):
        three(x5[:2])


@pytest.mark.parametrize(
    ("f", "arrays", "sizes", "expected"),
    [
        ("sum(x(1:k).^2)", {"x": x5}, {"k": 3}, np.r_[2 * x5[:3], 0, 0]),
        ("sum(x(1:k))", {}, {"n": 5, "k": 3}, [1, 1, 1, 0, 0]),
        ("sum(x(k:end).^3)", {"x": x5}, {"k": 3}, np.r_[0, 0, 3 * x5[2:] ** 2]),
        ("x(a:b)'*x(a:b)", {"x": x5}, {"a": 2, "b": 4}, np.r_[0, 2 * x5[1:4], 0]),
    ],
)
def test_a_gradient_goes_back_to_the_longer_axis(f, arrays, sizes, expected):
    d = pb.gradient(pb.parse(f, shapes={"x": ("n",)}), "x")
    np.testing.assert_allclose(pb.compile(d)(**arrays, **sizes), expected, rtol=1e-14)


def test_a_pullback_of_a_slice_of_fixed_length():
    fn = pb.compile(pb.vjp(pb.vector("x", "m")[:2], "x", "f_"))
    np.testing.assert_array_equal(fn(f_=np.array([4.0, 5.0]), m=3), [4, 5, 0])
    with pytest.raises(ShapeError, match="m ≥ 2 does not hold for m = 1"):
        fn(f_=np.ones(2), m=1)


def test_a_slice_by_named_places_prints_without_conditions():
    x = pb.vector("x", "n")
    assert repr(pb.parse("x(1:k)", shapes={"x": ("n",)})) == "<Tensor (k,): x_{1:k}>"
    assert pb.check("sum(x(1:k).^2)", "x").passed and pb.check(x[:9] @ x[:9], "x").passed
