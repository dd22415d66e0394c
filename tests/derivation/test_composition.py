"""The structure of results: entries that can be non-zero, counted on numbers."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb

SIZES = {"m": 4, "n": 3, "k": 2, "p": 5}
X = {"shapes": {"T": ("n", "m"), "U": ("n", "k"), "V": ("m", "k"), "A": ("n", "n"), "x": ("n",)}}


@pytest.mark.parametrize(
    ("text", "wrt", "stored"),
    [
        ("normF(T - U*V')^2", "U,U", 2 * 2),
        ("sigmoid(A*x)", "A", 3 + 3),
        ("A*x", "A", 3),
        ("sum(exp(x))", "x,x", 3),
        ("x*x'", "x", 3 + 3),
        ("sum(x)*x + x.^2", "x", None),
        ("A*A", "A", 9 + 9),
    ],
)
def test_possible_nonzeros_are_those_of_random_values(text, wrt, stored):
    f = pb.parse(text, shapes={k: s for k, s in X["shapes"].items() if k in text})
    d = pb.derivative(f, *wrt.split(","))
    rng = np.random.default_rng(1)
    fn = pb.compile(d)
    shapes = {v: [s.evaluate(SIZES) for s in f.to_program().variables[v].shape] for v in fn.inputs}
    arrays = {v: rng.normal(size=shape) for v, shape in shapes.items()}
    value = fn(**arrays, **{s: SIZES[s] for s in fn.sizes})
    assert d.structure.entries.evaluate(SIZES) == value.size
    assert d.structure.nonzeros.evaluate(SIZES) == np.count_nonzero(value)
    if stored is not None:
        assert d.structure.stored.evaluate(SIZES) == stored


def test_a_structure_is_written_with_deltas():
    d = pb.derivative("normF(T - U*V')^2", "U", "U")
    assert str(d.structure).startswith("δ_ik ⊗ core_jl: ")
    assert pb.derivative("x'*A*x", "x", "x").structure.dense
