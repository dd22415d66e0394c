"""Indicators: slices, joined, merged and split axes, and what a product of them comes to."""

import itertools
import pickle
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullback.errors import ShapeError
from pullback.expressions import Contraction, Indicator, Size, SizeValue, Sum, Variable, placement
from pullback.expressions import constructors as make

n, m = Size.of("n"), Size.of("m")
x = make.variable("x", ["n"])
X = make.variable("X", ["m", "n"])
T = make.variable("T", [6, 4])


def test_what_is_put_somewhere_and_taken_back_is_as_it_was():
    assert placement.unvec(placement.vec(X), "m", "n") is X
    assert placement.flipped(placement.flipped(x, 0), 0) is x
    both = placement.concatenate([x, placement.vec(X)])
    assert placement.take(both, 0, 0, "n") is x
    assert placement.take(both, 0, "n", m * n) is placement.vec(X)
    assert placement.take(placement.take(x, 0, 1, n - 1), 0, 1, n - 2) is placement.take(
        x, 0, 2, n - 2
    )


def test_a_reshape_and_its_reverse_cancel_by_groups():
    assert placement.reshape(placement.reshape(T, [8, 3]), [6, 4]) is T
    assert placement.reshape(placement.reshape(T, [2, 3, 2, 2]), [6, 4]) is T
    assert placement.reshape(placement.reshape(x, [1, "n", 1]), ["n"]) is x
    assert placement.reshape(X, [m * n]).shape == (m * n,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: placement.take(make.variable("z", [3]), 0, 3), "no entry 4 on an axis of size 3"),
        (lambda: placement.take(x, 0, 1, n), "no entry n \\+ 1 on an axis of size n"),
        (lambda: placement.reshape(X, ["n", "n"]), "the numbers of entries differ"),
        (lambda: placement.kron(x, X), "orders differ"),
        (lambda: placement.concatenate([x, X]), "cannot join"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(ShapeError, match=message):
        change()


def test_equal_meanings_are_one_node():
    assert placement.indicator([1, -1], 0, ["n", "n"]) is make.delta("n")
    assert placement.indicator([1, -1], 1, ["m", "n"]) is placement.indicator(
        [-1, 1], -1, ["m", "n"]
    )
    assert placement.indicator([1], -2, [2]) is make.zeros([2])
    assert placement.indicator([1, 1], 0, ["m", "n"], equality=False) is make.ones(["m", "n"])
    kron = placement.kron(X, T)
    assert pickle.loads(pickle.dumps(kron)) is kron


def dense(node, env):
    """A value by another road: NumPy arrays and einsum."""
    if isinstance(node, Variable):
        return env[node.name]
    if isinstance(node, SizeValue):
        return np.array(float(node.size.constant))
    if isinstance(node, Indicator):
        return relation(
            [c.constant for c in node.coefficients],
            node.offset.constant,
            [s.constant for s in node.shape],
            node.equality,
        )
    if isinstance(node, Sum):
        zero = np.zeros([s.constant for s in node.shape])
        return sum((float(c) * dense(term, env) for c, term in node.terms), zero)
    assert isinstance(node, Contraction)
    parts = [(dense(child, env), list(labels)) for child, labels in node.operands]
    held = {label for _, labels in parts for label in labels}
    for label, size in enumerate(node.sizes):
        if label not in held:
            parts.append((np.ones(size.constant), [label]))
    output, fresh = [], itertools.count(len(node.sizes))
    for label in node.output:
        if label in output:
            twin = next(fresh)
            parts.append((np.eye(node.sizes[label].constant), [label, twin]))
            output.append(twin)
        else:
            output.append(label)
    flat = [part for pair in parts for part in pair]
    return np.einsum(*flat, output) if flat else np.array(1.0)


def relation(coefficients, offset, shape, equality):
    form = sum((c * i for c, i in zip(coefficients, np.indices(shape), strict=True)), 0) + offset
    return np.asarray((form == 0) if equality else (form >= 0), dtype=float)


@given(st.integers(0, 10**9))
def test_a_product_of_indicators_is_what_it_says(seed):
    """Random relations on common labels, with and without another factor, some labels summed."""
    rng = random.Random(seed)
    for _ in range(10):
        labels = list(range(rng.randint(2, 6)))
        sizes = {label: rng.choice([1, 2, 3, 4, 6]) for label in labels}
        factors, plain = [], []
        for _ in range(rng.choice([1, 2, 2, 3])):
            own = [rng.choice(labels) for _ in range(rng.choice([1, 2, 2, 2, 3, 3]))]
            places = [1, -1, 1, -1, 2, -3, sizes[rng.choice(labels)]]
            coefficients = [rng.choice(places) for _ in own]
            offset, equality = rng.choice([0, 0, 0, 1, -1, 2]), rng.random() < 0.75
            shape = [sizes[label] for label in own]
            factors.append(
                (placement.indicator(coefficients, offset, shape, equality=equality), own)
            )
            plain += [relation(coefficients, offset, shape, equality), own]
        env = {}
        if rng.random() < 0.5:
            own = rng.sample(labels, 2)
            shape = [sizes[label] for label in own]
            env["V"] = np.random.default_rng(seed).normal(size=shape)
            factors.append((make.variable("V", shape), own))
            plain += [env["V"], own]
        used = sorted({label for own in plain[1::2] for label in own})
        output = [label for label in used if rng.random() < 0.4]
        node = make.contract(factors, output)
        expected = np.einsum(*plain, output)
        np.testing.assert_allclose(dense(node, env) * np.ones(expected.shape), expected)
        if isinstance(node, Contraction):  # a normal form is its own normal form
            again = make.contract(node.operands, node.output, dict(enumerate(node.sizes)))
            assert again is node
