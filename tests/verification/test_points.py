"""Points satisfy what is assumed of their variables, and are the same in every run."""

import random

import numpy as np
import pytest

from pullback.derivation import structure
from pullback.expressions import Size
from pullback.expressions import constructors as make
from pullback.language import declarations
from pullback.verification import small
from pullback.verification.exact import real_context
from pullback.verification.points import (
    ASSUMPTIONS,
    DRAWS,
    NotTestable,
    draw_sizes,
    draw_value,
    seed_of,
)

MP = real_context(40)


def drawn(sizes, *assumptions, draw=DRAWS[0], seed=3):
    variable = make.variable("A", sizes, assumptions)
    value = draw_value(variable, {"n": 4, "m": 3}, draw, random.Random(seed), MP)
    return np.asarray(value, dtype=float)


@pytest.mark.parametrize("draw", DRAWS)
def test_structured_matrices(draw):
    def square(*assumptions):
        return drawn(["n", "n"], *assumptions, draw=draw)

    a = square("symmetric")
    np.testing.assert_array_equal(a, a.T)
    a = square("skew")
    np.testing.assert_array_equal(a, -a.T)
    a = square("posdef")
    np.testing.assert_allclose(a, a.T)
    assert np.linalg.eigvalsh(a).min() > 0
    a = square("diagonal", "posdef")
    assert (np.diag(a) > 0).all() and not (a - np.diag(np.diag(a))).any()
    a = square("lower")
    np.testing.assert_array_equal(a, np.tril(a))
    a = square("upper")
    np.testing.assert_array_equal(a, np.triu(a))
    a = square("diagonal")
    np.testing.assert_array_equal(a, np.diag(np.diag(a)))
    a = square("orthogonal")
    np.testing.assert_allclose(a.T @ a, np.eye(4), atol=1e-15)
    assert (square("positive") > 0).all()


def test_labels():
    y = drawn(["m", "n"], "unit-sum")
    np.testing.assert_allclose(y.sum(axis=-1), 1)
    y = drawn(["n"], "unit-sum", "positive")
    assert y.sum() == pytest.approx(1) and (y > 0).all()
    y = drawn(["m", "n"], "unit-sum", "binary")
    np.testing.assert_array_equal(np.sort(y, axis=-1)[:, -1], 1)
    np.testing.assert_array_equal(y.sum(axis=-1), 1)
    assert set(drawn([30], "sign")) == {-1.0, 1.0}
    assert set(drawn([30], "binary")) == {0.0, 1.0}


def test_batched_matrices_are_structured_in_their_last_axes():
    a = drawn(["m", "n", "n"], "symmetric")
    np.testing.assert_array_equal(a, a.transpose(0, 2, 1))


def test_an_assumption_without_a_rule_is_refused():
    with pytest.raises(NotTestable, match="hermitian"):
        drawn(["n", "n"], "hermitian")


def test_distinct_names_get_distinct_sizes():
    nodes = [make.variable("A", ["m", "n"]), make.variable("B", ["p", "q"])]
    for seed in range(20):
        sizes = draw_sizes(nodes, random.Random(seed), 10**6)
        assert len(set(sizes.values())) == 4 and min(sizes.values()) >= 2


def test_a_size_that_must_be_positive_is_positive():
    nodes = [make.variable("A", [Size.of("n") + Size.of(-3)])]
    for seed in range(20):
        assert draw_sizes(nodes, random.Random(seed), 10**6)["n"] > 3


def test_large_fixed_sizes_are_refused():
    W, x = make.variable("W", [5000, 4000]), make.variable("x", [4000])
    product = make.einsum("ij,j->i", W, x)
    with pytest.raises(NotTestable, match="declare sizes by name"):
        draw_sizes([product], random.Random(0), 10**6)


def test_the_seed_belongs_to_the_expression():
    x = make.variable("x", ["n"])
    assert seed_of(x) == seed_of(make.variable("x", ["n"])) != seed_of(make.variable("y", ["n"]))


def test_every_assumption_of_the_language_is_known_wherever_it_matters():
    """Points, counter-examples and structured derivatives each say what a word means."""
    known = {*structure.STRUCTURES, *structure.OPEN, *structure.IMPLIED}
    assert set(ASSUMPTIONS) >= declarations.ASSUMPTIONS
    assert set(small._KEEPING) >= declarations.ASSUMPTIONS
    assert known >= declarations.ASSUMPTIONS
