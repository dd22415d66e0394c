"""The checker is checked: a right derivative passes, a slightly wrong one never does."""

import re
import time

import numpy as np
import pytest

from pullback.derivation.derive import derive
from pullback.derivation.result import Derivation, Wrt
from pullback.differentiation.reverse import reverse
from pullback.expressions import Program
from pullback.expressions import constructors as make
from pullback.expressions.walks import variables
from pullback.functions import exponential, record
from pullback.functions.catalogue import CATALOGUE
from pullback.trace import Trace
from pullback.verification import certificate
from pullback.verification.certificate import certify, check_values
from pullback.verification.comparison import Found


def call(name, *arguments):
    return CATALOGUE[name].apply(list(arguments))


def program(result, **lines):
    return Program(result, {v.name: v for v in variables(result)}, lines)


def derivation(f, wrt, node):
    """A derivation that claims ``node``, right or wrong."""
    p = program(f)
    targets = tuple(Wrt(name, p.variables[name]) for name in wrt)
    return Derivation(p, targets, node, node, Trace())


U = make.variable("U", ["m", "n"])
V = make.variable("V", ["p", "m"])
x = make.variable("x", ["n"])
y = make.variable("y", ["p"])
X = make.variable("X", ["n", "n"])
f = make.einsum("ij,j->i", U, x)
g = call("sigmoid", f)
h = make.einsum("ij,j->i", V, g)
L = call("squared_error", h, y)
NETWORK = program(L, f=f, g=g, h=h)
(dU,) = reverse(L, [U])


def test_the_network_is_certified_at_three_points_of_different_sizes():
    result = certify(derivation(L, ["U"], dU))
    assert result.passed and result.points == 3 and result.worst < 1e-20
    assert str(result).startswith("certified at 3 points, worst relative error ")
    assert str(result).endswith(f"(seed {result.seed})") and "\n" not in str(result)
    assert all(len(set(s.values())) == 3 for s in result.sizes)


def test_the_same_expression_gives_the_same_certificate():
    assert certify(derivation(L, ["U"], dU)) == certify(derivation(L, ["U"], dU))
    assert certify(derivation(L, ["U"], dU), seed=7).seed == 7


@pytest.mark.parametrize(
    ("fault", "wrong"),
    [
        ("a factor of 1.0001", make.scale(make.exact_number(1.0001), dU)),
        ("a factor of 1 + 1e-9", make.scale(make.exact_number(1.000000001), dU)),
        ("the sign", make.negate(dU)),
        ("zero", make.zeros(U.shape)),
        ("a term too many", make.add([(1, dU), (1, make.scale(make.exact_number(1e-6), U))])),
        ("one entry", make.add([(1, dU), (1, make.einsum("ij,ij->ij", dU, dU))])),
    ],
)
def test_a_wrong_gradient_fails(fault, wrong):
    result = certify(derivation(L, ["U"], wrong))
    assert not result.passed and result.wrong, fault
    said = r"WRONG: the derivative by entry \(\d, \d\) of U is \S+, the formula says \S+ "
    assert re.match(said, str(result))


def test_a_missing_term_fails():
    f = make.einsum("i,ij,j->", x, X, x)
    right = make.add([(1, make.einsum("ij,j->i", X, x)), (1, make.einsum("ji,j->i", X, x))])
    assert certify(derivation(f, ["x"], right)).passed
    wrong = make.scale(2, make.einsum("ij,j->i", X, x))
    assert certify(derivation(f, ["x"], wrong)).wrong


def test_a_wrong_transpose_fails():
    f = make.einsum("ij,jk,ki->", X, X, X)
    right = make.scale(3, make.einsum("ij,jk->ki", X, X))
    assert certify(derivation(f, ["X"], right)).passed
    assert certify(derivation(f, ["X"], make.transpose(right))).wrong
    inverse, Y = call("inv", X), make.variable("Y", ["n", "n"])
    trace = make.einsum("ij,ji->", Y, inverse)
    (right,) = reverse(trace, [X])
    assert certify(derivation(trace, ["X"], right)).passed
    assert certify(derivation(trace, ["X"], make.transpose(right))).wrong


def test_a_wrong_shape_fails():
    node = make.einsum("ij,j->i", U, x)
    wrong = make.einsum("ij->ij", U)
    assert certify(derivation(node, ["x"], wrong)).passed is True
    assert certify(derivation(node, ["x"], make.transpose(U))).wrong


def test_a_wrong_rule_in_a_record_fails(monkeypatch):
    rule = exponential.sigmoid.partials[0]
    faulty = record.elementwise(
        "sigmoid",
        lambda y, x: rule(y, x) * 1.0001,
        code="1 / (1 + xp.exp(-{0}))",
        exact=exponential.sigmoid.exact,
        doc="Off by a hundredth of a percent.",
    )
    monkeypatch.setitem(CATALOGUE, "sigmoid", faulty)
    assert certify(derive(NETWORK, ["U"])).wrong


def test_higher_derivatives():
    for wrt in (["x", "x"], ["U", "V"], ["U", "U"], ["U", "x", "V"]):
        result = certify(derive(NETWORK, wrt))
        assert result.passed and result.worst < 1e-15, wrt


def test_a_wrong_second_derivative_fails():
    right = derive(NETWORK, ["x", "x"]).node
    assert certify(derivation(L, ["x", "x"], right)).passed
    assert certify(derivation(L, ["x", "x"], make.scale(make.exact_number(1.0001), right))).wrong
    gauss_newton = make.scale(2, make.einsum("ij,ik->jk", X, X))  # right only for a linear h
    mixed = derive(NETWORK, ["U", "x"]).node
    swapped = make.einsum("abc->bac", make.variable("T", ["n", "m", "n"]))
    assert swapped.shape == mixed.shape
    assert certify(derivation(L, ["U", "x"], swapped)).wrong
    assert gauss_newton.order == 2


def test_a_named_line_is_held_free():
    for wrt in (["g"], ["h"], ["f", "f"], ["g", "V"]):
        assert certify(derive(NETWORK, wrt)).passed
    wrong = derive(NETWORK, ["U"]).node
    claim = Derivation(NETWORK, (Wrt("f", f),), make.einsum("ij->i", wrong), L, Trace())
    assert certify(claim).wrong


def test_a_derivative_that_is_zero():
    f = make.total(make.multiply(x, x))
    z = make.variable("z", ["n"])
    p = Program(f, {"x": x, "z": z})
    result = certify(Derivation(p, (Wrt("z", z),), make.zeros(z.shape), z, Trace()))
    assert result.passed and "zero at every point" in str(result)
    tiny = make.scale(make.exact_number(1e-9), z)
    assert certify(Derivation(p, (Wrt("z", z),), tiny, z, Trace())).wrong
    # zero by cancellation, without being the zero node
    hidden = make.add([(1, call("exp", make.scale(2, z))), (-1, make.power(call("exp", z), 2))])
    assert certify(Derivation(p, (Wrt("z", z),), hidden, z, Trace())).passed


def test_a_tiny_derivative_is_compared_with_more_digits():
    s = make.variable("s", [], ["positive"])
    f = call("sigmoid", make.scale(-300, s))
    right = derive(program(f), ["s"]).node
    result = certify(derivation(f, ["s"], right))
    assert result.passed and "zero" not in str(result)
    off = make.scale(make.exact_number(1.0001), right)
    assert certify(derivation(f, ["s"], off)).wrong


def test_points_at_kinks_are_drawn_again():
    f = make.total(call("relu", call("relu", x)))  # half of the entries sit on the outer kink
    assert certify(derive(program(f), ["x"])).passed
    f = make.total(call("huber", x, make.constant(1, x.shape)))
    assert certify(derive(program(f), ["x"])).passed
    assert certify(derive(program(f), ["x", "x"])).passed
    s = make.variable("s", ["n"], ["sign"])  # |s| = 1 is the kink of clip(s, −1, 1): no way around
    one = make.ones(s.shape)
    f = make.total(call("clip", s, make.negate(one), one))
    result = certify(derive(program(f), ["s"]))
    assert not result.passed and not result.wrong
    assert "kink" in str(result)


def test_points_are_inside_the_domain():
    for f in (
        make.total(call("log", x)),
        make.total(call("log", make.negate(x))),
        make.total(call("log", make.add([(1, make.ones(x.shape)), (-1, x)]))),
        call("logdet", X),
        make.power(call("det", X), make.exact_number(0.5)),
        call("norm2", x),
    ):
        name = "X" if X in variables(f) else "x"
        assert certify(derive(program(f), [name])).passed
        assert certify(derive(program(f), [name, name])).passed


def test_an_empty_domain_is_said():
    f = call("log", make.negate(make.einsum("i,i->", x, x)))
    result = certify(derive(program(f), ["x"]))
    assert not result.passed and not result.wrong
    assert str(result).startswith(
        "not certified: no point inside the domain was found: log is defined for positive numbers"
    )


def test_a_nan_is_never_certified(monkeypatch):
    nan = record.elementwise(
        "exp", lambda y, x: y, code="xp.exp({0})", exact=lambda mp, x: mp.nan, doc="Not a number."
    )
    d = derive(program(make.total(call("exp", x))), ["x"])
    monkeypatch.setitem(CATALOGUE, "exp", nan)
    result = certify(d)
    assert not result.passed and "exp is not a real number" in str(result)
    tally = certificate._Tally(seed=1)
    tally.add(Found(float("nan"), "the derivative"), {})
    tally.add(Found(0.0, "the derivative"), {})
    assert tally.certificate().wrong


def test_what_is_too_large_is_said():
    W, v = make.variable("W", [784, 784]), make.variable("v", [784])
    f = make.total(call("sigmoid", make.einsum("ij,j->i", W, v)))
    start = time.perf_counter()
    result = certify(derive(program(f), ["W"]))
    assert time.perf_counter() - start < 5
    assert not result.passed and "too large" in str(result)


def test_points_satisfy_assumptions_that_a_simplification_used():
    z, p = make.variable("z", ["n"]), make.variable("y", ["n"], ["unit-sum"])
    f = call("cross_entropy", call("softmax", z), p)
    claim = make.add([(1, call("softmax", z)), (-1, p)])
    assert certify(derivation(f, ["z"], claim)).passed
    q = make.variable("y", ["n"])
    f = call("cross_entropy", call("softmax", z), q)
    claim = make.add([(1, call("softmax", z)), (-1, q)])
    assert certify(derivation(f, ["z"], claim)).wrong


def test_entries_of_a_structured_variable_move_independently():
    S = make.variable("S", ["n", "n"], ["symmetric"])
    f = make.einsum("i,ij,j->", x, S, x)
    assert certify(derivation(f, ["S"], make.einsum("i,j->ij", x, x))).passed


def test_equal_values():
    e = call("exp", x)
    assert check_values(call("log", e), x).passed
    assert check_values(make.power(e, -1), call("exp", make.negate(x))).passed
    assert check_values(e, make.add([(make.exact_number(1 + 1e-9), e)])).wrong
    assert check_values(x, X).wrong
    # x^2 has a value where exp(2 log x) has none
    narrowed = call("exp", make.scale(2, call("log", x)))
    result = check_values(make.power(x, 2), narrowed)
    assert result.wrong and "no value" in str(result)
    assert check_values(narrowed, make.power(x, 2)).passed


def test_thousand_entries_and_a_deep_chain():
    deep = x
    for _ in range(60):
        deep = call("tanh", make.add([(1, deep), (1, x)]))
    assert certify(derive(program(make.total(deep)), ["x"]), points=1).passed
    assert not certify(derive(program(make.total(deep)), ["x"]), points=0).passed
    assert np.isfinite(certify(derive(program(make.total(deep)), ["x"]), points=1).worst)
