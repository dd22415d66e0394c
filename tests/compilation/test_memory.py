"""Forecasts of memory against what is measured, and the limit above which nothing is allocated."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest

import pullback as pb

rng = np.random.default_rng(0)
CASES = [
    ("norm2(x)^4", "x,x", {"x": (700,)}),
    ("sum(log(1+exp(-y.*(X*w))))", "w,w", {"X": (800, 400), "y": (800,), "w": (400,)}),
    ("normF(T-U*V')^2", "U,U", {"T": (30, 30), "U": (30, 5), "V": (30, 5)}),
    ("sigmoid(W*x)", "W", {"W": (100, 100), "x": (100,)}),
    ("sum(tanh(A*B))", "A", {"A": (400, 300), "B": (300, 500)}),
    ("x'*A*x", "x,x", {"A": (800, 800), "x": (800,)}),
    ("sum(softmax(X,2).*Y)", "X", {"X": (500, 400), "Y": (500, 400)}),
    ("logdet(X)", "X,X", {"X": (30, 30)}),
]


def sizes_of(text, shapes):
    found = {}
    for name, variable in pb.parse(text).to_program().variables.items():
        for size, length in zip(variable.shape, shapes[name], strict=True):
            found[size.names[0]] = length
    return found


@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize("case", range(len(CASES)))
def test_a_forecast_is_what_a_call_allocates(case, planned):
    text, wrt, shapes = CASES[case]
    fn = pb.compile(pb.derivative(text, *wrt.split(",")), planned=planned)
    sizes = sizes_of(text, shapes)
    arrays = {name: rng.normal(size=shapes[name]) for name in fn.inputs}
    if text.startswith("logdet"):
        arrays["X"] = arrays["X"] @ arrays["X"].T + np.eye(30)
    given = {name: sizes[name] for name in fn.asked}
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        result = fn(**arrays, **given)
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    forecast = fn.forecast(**sizes)
    assert forecast.results == result.nbytes
    assert peak / 1.2 < forecast.peak < 1.2 * peak


def test_nothing_is_allocated_above_the_limit():
    H = pb.hessian("norm2(x)^4", "x")
    with pytest.raises(pb.PullbackError, match=r"8.0 TB of it results .n = 1000000.*limit"):
        pb.compile(H)(x=np.ones(10**6))
    fn = pb.compile(H, memory_limit=1e6)
    assert fn(x=np.ones(100)).shape == (100, 100)
    with pytest.raises(pb.PullbackError, match=r"2.0 MB of it results .n = 500.*limit of 1.0 MB"):
        fn(x=np.ones(500))
    assert pb.compile(H, memory_limit=math.inf)(x=np.ones(500)).shape == (500, 500)
    K = pb.compile(H, structure="keep", memory_limit=1e6)(x=np.ones(500))
    np.testing.assert_allclose(K @ np.ones(500), pb.compile(H)(x=np.ones(500)) @ np.ones(500))
    with pytest.raises(pb.PullbackError, match="structure='keep'"):
        pb.compile(H, structure="keep")(x=np.ones(10**6)).dense()


@pytest.mark.parametrize("differentiable", [False, True])
def test_a_limit_that_a_target_does_not_keep_is_refused(differentiable):
    with pytest.raises(pb.PullbackError, match="memory_limit is for NumPy's arrays"):
        pb.compile("norm2(x)^2", target="jax", differentiable=differentiable, memory_limit=1e6)


def test_a_gradient_no_larger_than_its_arguments_is_not_questioned():
    fn = pb.compile(pb.gradient("norm2(A*x - b)^2", "x"))
    assert not fn.footprint.unbounded.terms


def test_a_size_without_a_number_is_named():
    with pytest.raises(pb.PullbackError, match="size n"):
        pb.compile(pb.hessian("norm2(x)^4", "x")).forecast()


def test_an_argument_of_very_many_axes_is_no_search():
    """Its parts are 2⁴⁰ in number; none of them is made."""
    T = pb.tensor("T", *["n"] * 40)
    assert pb.compile(pb.sum(T)).footprint.unbounded.terms == ()
