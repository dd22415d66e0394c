"""Sizes are integer polynomials: a commutative ring with one normal form."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullback.expressions import Size, shape_of, shape_text

atoms = st.one_of(st.sampled_from("kmnp"), st.integers(-3, 5)).map(Size.of)
sizes = st.recursive(
    atoms, lambda s: st.tuples(s, s).flatmap(lambda p: st.sampled_from([p[0] + p[1], p[0] * p[1]]))
)
values = st.fixed_dictionaries({name: st.integers(1, 9) for name in "kmnp"})


@given(sizes, sizes, sizes)
def test_ring_laws(a, b, c):
    assert a + b == b + a and a * b == b * a
    assert (a + b) + c == a + (b + c) and (a * b) * c == a * (b * c)
    assert a * (b + c) == a * b + a * c
    assert a + 0 == a and 1 * a == a and a * 0 == Size.of(0)
    assert a + a * -1 == Size.of(0)


@given(sizes, sizes, values)
def test_evaluation_is_a_homomorphism(a, b, at):
    assert (a + b).evaluate(at) == a.evaluate(at) + b.evaluate(at)
    assert (a * b).evaluate(at) == a.evaluate(at) * b.evaluate(at)


@given(sizes, sizes)
def test_equal_sizes_have_equal_hashes_and_texts(a, b):
    left, right = a * b + a, a * (b + 1)
    assert left == right and hash(left) == hash(right) and str(left) == str(right)


@given(sizes, values)
def test_the_text_denotes_the_size(a, at):
    assert eval(str(a), {}, dict(at)) == a.evaluate(at)


@given(sizes)
def test_constants_names_and_copies(a):
    assert (a.constant is None) == bool(a.names)
    assert pickle.loads(pickle.dumps(a)) == a


def test_how_sizes_are_written():
    m, n = Size.of("m"), Size.of("n")
    assert str(m * n + 1) == "m*n + 1"
    assert str(n + -1) == "n - 1" and str(-1 * n) == "-n" and str(2 * n) == "2*n"
    assert str(Size.of(0)) == "0"
    assert shape_text(()) == "scalar" and shape_text(shape_of(["n", n + 1])) == "n×(n + 1)"


def test_a_size_without_value_is_named():
    with pytest.raises(KeyError, match="n"):
        Size.of("n").evaluate({"m": 1})
    assert Size.of("n") != "n"


@given(sizes, sizes, st.integers(1, 4), values)
def test_division_undoes_multiplication(a, b, by, at):
    assert b == Size.of(0) or (a * b).divided(b) == a
    assert a.put({"n": b}).evaluate(at) == a.evaluate({**at, "n": b.evaluate(at)})
    floor = a.floor(by)
    assert floor is None or floor.evaluate(at) == a.evaluate(at) // by
