"""Derivatives through slices, joins, reshapes, ⊗ and triangles: certified, and compiled."""

import numpy as np
import pytest

import pullback as pb
from pullback.expressions import Program, Size
from pullback.expressions import constructors as make
from pullback.expressions import placement as place
from pullback.expressions.walks import variables
from pullback.functions.catalogue import CATALOGUE
from pullback.simplification.simplify import simplify

n = Size.of("n")
x, y = make.variable("x", ["n"]), make.variable("y", ["m"])
X, Y = make.variable("X", ["m", "n"]), make.variable("Y", ["m", "n"])
B, S = make.variable("B", ["p", "q"]), make.variable("S", ["n", "n"])
T, w = make.variable("T", [6, 4]), make.variable("w", [Size.of("m") * "n"])
SIZES = {"m": 3, "n": 4, "p": 2, "q": 2}


def tanh(node):
    return CATALOGUE["tanh"].apply([node])


def squares(node):
    return make.total(make.power(node, 2))


CASES = {
    "vec": (make.einsum("k,k->", w, place.vec(tanh(X))), "X"),
    "vec of both": (make.einsum("k,k->", place.vec(X), place.vec(Y)), "X"),
    "slice": (squares(place.take(x, 0, 1, n - 1)), "x"),
    "one entry": (make.power(place.take(x, 0, 0), 3), "x"),
    "every second": (squares(tanh(place.take(T, 0, 1, 3, step=2))), "T"),
    "differences": (
        squares(make.add([(1, place.take(x, 0, 1, n - 1)), (-1, place.take(x, 0, 0, n - 1))])),
        "x",
    ),
    "kron": (squares(tanh(place.kron(X, B))), "B"),
    "kron as it is": (place.kron(X, B), "X"),
    "join": (make.total(tanh(place.concatenate([x, y]))), "x"),
    "squares of a join": (squares(place.concatenate([x, y])), "y"),
    "triangle": (squares(tanh(make.multiply(S, place.triangle("n", "n")))), "S"),
    "reshape": (squares(tanh(place.reshape(T, [8, 3]))), "T"),
    "reverse": (make.einsum("i,i->", tanh(x), place.flipped(x, 0)), "x"),
}


@pytest.mark.parametrize("case", CASES)
def test_first_and_second_derivatives_are_certified(case):
    node, wrt = CASES[case]
    program = Program(node, {v.name: v for v in variables(node)})
    first, second = pb.derivative(program, wrt), pb.derivative(program, wrt, wrt)
    assert first.check().passed
    assert second.check().passed


@pytest.mark.parametrize("case", CASES)
def test_compiled_plain_and_planned_agree_with_differences(case):
    node, wrt = CASES[case]
    program = Program(node, {v.name: v for v in variables(node)})
    rng = np.random.default_rng(1)
    given = {v.name: rng.normal(size=[s.evaluate(SIZES) for s in v.shape]) for v in variables(node)}
    f = pb.compile(program)
    d = pb.derivative(program, wrt)
    plain, planned = pb.compile(d)(**given), pb.compile(d, planned=True)(**given)
    np.testing.assert_allclose(plain, planned, rtol=1e-12, atol=1e-12)
    direction = rng.normal(size=given[wrt].shape)
    step = 1e-5
    ahead, behind = (f(**{**given, wrt: given[wrt] + s * direction}) for s in (step, -step))
    along = np.tensordot(plain, direction, axes=direction.ndim)
    np.testing.assert_allclose(along, (ahead - behind) / (2 * step), rtol=1e-7, atol=1e-7)


def test_what_cancels_leaves_no_indicator():
    assert (
        simplify(pb.derivative(Program(CASES["vec of both"][0], {"X": X, "Y": Y}), "X").node) is Y
    )
    d = pb.derivative(Program(CASES["squares of a join"][0], {"x": x, "y": y}), "y")
    assert d.node is make.scale(2, y)
