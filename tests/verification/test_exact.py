"""The exact evaluator against NumPy and mpmath."""

import mpmath
import numpy as np
import pytest

from pullback.errors import DomainError
from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE
from pullback.verification.exact import array, evaluate, real_context

MP = real_context(40)
RNG = np.random.default_rng(5)


def value(node, given, sizes=None):
    exact = evaluate([node], {n: array(v, MP) for n, v in given.items()}, sizes or {}, MP)[node]
    return np.asarray(exact, dtype=float)


def test_contractions_are_sums_of_products():
    A, B, v = (make.variable(n, s) for n, s in (("A", [2, 3]), ("B", [3, 4]), ("v", [3])))
    a, b, c = RNG.normal(size=(2, 3)), RNG.normal(size=(3, 4)), RNG.normal(size=3)
    given = {A: a, B: b, v: c}
    for subscripts, nodes, arrays in [
        ("ij,jk->ik", (A, B), (a, b)),
        ("ij,jk,j->ki", (A, B, v), (a, b, c)),
        ("ij,ij->", (A, A), (a, a)),
        ("ij,kj,j->ik", (A, A, v), (a, a, c)),
        ("i,j,k->ijk", (v, v, v), (c, c, c)),
        ("ij,j,jk,lj->li", (A, v, B, A), (a, c, b, a)),
    ]:
        expected = np.einsum(subscripts, *arrays)
        np.testing.assert_allclose(value(make.einsum(subscripts, *nodes), given), expected, 1e-13)


def test_a_repeated_output_label_is_a_delta_and_a_new_one_a_broadcast():
    v, c = make.variable("v", [3]), RNG.normal(size=3)
    np.testing.assert_allclose(value(make.einsum("i->ii", v), {v: c}), np.diag(c))
    spread = make.einsum("i->ij", v, sizes={"j": 2})
    np.testing.assert_allclose(value(spread, {v: c}), np.stack([c, c], axis=1))
    np.testing.assert_allclose(value(make.delta("n"), {}, {"n": 4}), np.eye(4))
    np.testing.assert_allclose(value(make.ones(["n", 2]), {}, {"n": 4}), np.ones((4, 2)))
    third = make.einsum("i->iii", v)
    expected = np.zeros((3, 3, 3))
    expected[[0, 1, 2], [0, 1, 2], [0, 1, 2]] = c
    np.testing.assert_allclose(value(third, {v: c}), expected)


def test_a_repeated_label_of_an_operand_is_its_diagonal():
    M, m = make.variable("M", [3, 3]), RNG.normal(size=(3, 3))
    np.testing.assert_allclose(value(make.einsum("ii->", M), {M: m}), np.trace(m))
    np.testing.assert_allclose(value(make.einsum("ii->i", M), {M: m}), np.diag(m))
    T, t = make.variable("T", [2, 2, 2]), RNG.normal(size=(2, 2, 2))
    np.testing.assert_allclose(value(make.einsum("iii->i", T), {T: t}), np.einsum("iii->i", t))


def test_sizes_are_numbers_and_literals_are_exact():
    x = make.variable("x", ["n"])
    n = make.size_value("n")
    third = make.add([(make.exact_number(0.1), make.multiply(n, x)), (2, x)])
    exact = evaluate([third], {x: array([3, 4], MP)}, {"n": 2}, MP)[third]
    assert abs(exact[0] - (MP.mpf(3) * 2 / 10 + 6)) < MP.mpf(10) ** -38


def test_functions_of_whole_matrices_run_over_batch_axes():
    X, m = make.variable("X", [2, 3, 3]), RNG.normal(size=(2, 3, 3))
    np.testing.assert_allclose(value(CATALOGUE["inv"].apply([X]), {X: m}), np.linalg.inv(m), 1e-12)
    np.testing.assert_allclose(value(CATALOGUE["det"].apply([X]), {X: m}), np.linalg.det(m), 1e-12)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("log", [-1.0], "log"),
        ("log", [0.0], "log"),
        ("power", [-2.0, 0.5], "power"),
        ("power", [0.0, -1.0], "power"),
        ("inv", [[[1.0, 2.0], [2.0, 4.0]]], "inv"),
        ("inv", [[[1 / 3, 2 / 3], [1 / 7, 2 / 7]]], "inv"),  # singular up to rounding
        ("logdet", [[[0.0, 1.0], [1.0, 0.0]]], "logdet"),
        ("huber", [1.0, -1.0], "huber"),
    ],
)
def test_what_leaves_the_reals_raises_and_names_the_function(name, arguments, message):
    names = [make.variable(f"a{k}", np.shape(a)) for k, a in enumerate(arguments)]
    node = CATALOGUE[name].apply(names)
    with pytest.raises(DomainError, match=message):
        value(node, dict(zip(names, arguments, strict=True)))


def test_integer_powers_of_negative_numbers_are_real():
    x = make.variable("x", [])
    assert value(make.power(x, -3), {x: -2.0}) == -0.125


def test_a_given_node_is_held_and_nothing_below_it_is_needed():
    x = make.variable("x", [2])
    g = CATALOGUE["exp"].apply([x])
    f = make.total(make.multiply(g, g))
    assert value(f, {g: [1.0, 2.0]}) == 5.0


def test_a_missing_value_is_an_error():
    with pytest.raises(KeyError, match="x"):
        value(make.variable("x", []), {})


def test_precision_set_elsewhere_does_not_matter():
    with mpmath.workdps(5):
        mp = real_context(50)
        x = make.variable("x", [])
        node = CATALOGUE["exp"].apply([x])
        found = evaluate([node], {x: array(1, mp)}, {}, mp)[node].item()
    assert abs(found - mp.e) < mp.mpf(10) ** -48
