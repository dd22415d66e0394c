"""The quick way into a compiled function gives what the careful way gives, or steps aside."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from naive import close

import pullback as pb
from pullback.compilation.quick import FloatingPoint, quick_check
from pullback.compilation.runtime import LOUD
from pullback.errors import DomainError, PullbackError, ShapeError
from pullback.expressions import constructors as make

A, x, s = make.variable("A", ["m", "n"]), make.variable("x", ["n"]), make.variable("s")
VARIABLES = {"A": A, "x": x, "s": s}
FACTORISATION = pb.parse(
    "norm2(T - U*V')^2", shapes={"T": ("n", "m"), "U": ("n", "k"), "V": ("m", "k")}
)
M, v = np.arange(6.0).reshape(2, 3), np.ones(3)


def check(inputs, wanted=(), granted=()):
    made = quick_check(VARIABLES, inputs, wanted, granted, ["n"] if "x" in inputs else [])
    assert made is not None
    return made


def test_inputs_in_order_dtype_and_sizes_by_position_and_by_name():
    for found in (
        check(["x", "A"], ["m", "n"])(v, M),
        check(["x", "A"], ["m", "n"])(A=M, x=v),
        check(["x", "A"], ["m", "n"])(A=M, x=v, s=1.0),
    ):
        arrays, dtype, sizes, more = found
        assert more == (3,)
        assert arrays[0] is v and arrays[1] is M
        assert dtype == np.float64 and sizes == (2, 3)


def test_an_array_that_is_no_input_shows_a_size():
    assert check(["x"], ["m"])(x=v, A=M)[2] == (2,)
    with pytest.raises(TypeError):
        check(["x"], ["m"])(v)  # the careful way asks for m


@pytest.mark.parametrize(
    "arguments",
    [
        {"x": v, "A": M.astype(np.float32)},
        {"x": v, "A": M.astype(int)},
        {"x": v, "A": M.tolist()},
        {"x": np.ones(4), "A": M},
        {"x": v, "A": M[0]},
        {"x": v, "A": M, "z": 1},
        {"x": v, "A": M, "n": 3},
        {"x": np.ma.array(v), "A": M},
    ],
)
def test_what_needs_a_closer_look_is_left_to_the_careful_way(arguments):
    assert check(["x", "A"])(**arguments) is None


@pytest.mark.parametrize("number", [2, 2.0, np.float64(2)])
def test_numbers_follow_the_arrays(number):
    (_, scalar), dtype, *_ = check(["x", "s"])(v, number)
    assert type(scalar) is np.float64 and scalar == 2
    if not isinstance(number, np.float64):
        (_, scalar), dtype, *_ = check(["x", "s"])(v.astype(np.float32), number)
        assert type(scalar) is np.float32 and dtype == np.float32
    assert check(["x", "s"])(v, np.array(2.0)) is None
    assert check(["x", "s"])(v, np.float32(2)) is None
    assert check(["s"])(number)[1] == np.float64


@pytest.mark.parametrize("name", ["lambda", "known", "type", "λ", "rest", "n0", "dtype", "ndarray"])
def test_any_name_will_do(name):
    a = make.variable(name, ["k"])
    made = quick_check({name: a, "x": x}, [name, "x"], ["k", "n"])
    assert made is not None
    arrays, _, sizes, _ = made(np.zeros(2), v)
    assert arrays[1] is v and sizes == (2, 3)
    fn = pb.compile(pb.gradient(pb.sum(pb.exp(pb.vector(name, "k"))), name))
    close(fn(**{name: np.zeros(2)}), np.ones(2))


def test_the_public_call_agrees_with_the_careful_way():
    fn = pb.compile(pb.hessian(FACTORISATION, "U"))
    U, V, T = np.ones((3, 2)), np.arange(8.0).reshape(4, 2), np.zeros((3, 4))
    careful = fn(U=U.tolist(), V=V.tolist(), T=T.tolist())
    close(fn(U=U, V=V, T=T), careful)
    close(fn(V, n=3), careful)
    close(np.einsum("ijip->jp", careful), 6 * V.T @ V)
    with pytest.raises(ShapeError):
        fn(U=U, V=V, T=np.zeros((3, 5)))
    with pytest.raises(PullbackError, match="size n"):
        fn(V)


def test_kept_results_know_their_sizes_whichever_way_they_came():
    fn = pb.compile(pb.hessian(FACTORISATION, "U"), structure="keep")
    U, V, T = np.ones((3, 2)), np.arange(8.0).reshape(4, 2), np.zeros((3, 4))
    for kept in (fn(U=U, V=V, T=T), fn(U=U.tolist(), V=V, T=T), fn(V, n=3)):
        assert kept.shape == (3, 2, 3, 2)
        close(kept @ U, 2 * U @ V.T @ V)


def test_floating_point_policy_is_of_its_own_thread_and_leaves_no_trace():
    loud = FloatingPoint(all="raise")
    caught = []

    def divide():
        with pytest.raises(FloatingPointError):
            loud.run(np.divide, 1.0, 0.0)
        caught.append(1)

    before = np.geterr()
    threads = [threading.Thread(target=divide) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(caught) == 4 and np.geterr() == before
    with pytest.raises(RuntimeError):
        loud.run(loud.run, np.divide, 1.0, 0.0)


def test_a_function_called_within_its_own_policy_still_raises():
    fn = pb.compile(pb.parse("log(x)", shapes={"x": ("n",)}))
    with pytest.raises(DomainError):
        LOUD.run(fn, np.array([-1.0]))
    close(LOUD.run(fn, np.array([1.0])), np.zeros(1))
