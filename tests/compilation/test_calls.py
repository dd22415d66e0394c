"""Calling a compiled function: arguments, dtypes, errors, buffers, threads."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from naive import close

from pullback.compilation.compile import compile_nodes
from pullback.errors import DomainError, Place, PullbackError
from pullback.expressions import Program
from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE

FORMS = [False, True]
A, x, b, s = (
    make.variable("A", ["m", "n"]),
    make.variable("x", ["n"]),
    make.variable("b", ["m"]),
    make.variable("s"),
)
VARIABLES = {"A": A, "x": x, "b": b, "s": s}
AX = make.einsum("ij,j->i", A, x)
RESIDUAL = make.add([(1, AX), (-1, b)])
ROWS = Program(RESIDUAL, VARIABLES, {"r": RESIDUAL}, rows=frozenset({"x"}))


def compiled(node, planned=False, **options):
    return compile_nodes({"out": node}, ROWS, planned=planned, **options)


@pytest.mark.parametrize("planned", FORMS)
def test_positional_named_lists_and_ignored_arguments(planned):
    fn = compiled(RESIDUAL, planned)
    assert fn.inputs == ("A", "x", "b")
    M, v, w = np.arange(6.0).reshape(2, 3), np.ones(3), np.array([1.0, 2.0])
    wanted = M @ v - w
    for got in (
        fn(M, v, w),
        fn(A=M, x=v, b=w),
        fn(M, b=w, x=v),
        fn(M.tolist(), [1, 1, 1], (1, 2)),
        fn(A=M, x=v, b=w, s=2.0),
        fn(A=M, x=v, b=w, m=2, n=3),
        fn(A=M[:, ::-1][:, ::-1], x=v, b=w),
    ):
        close(got, wanted)
        assert got.dtype == np.float64


@pytest.mark.parametrize("planned", FORMS)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"A": np.ones((2, 3)), "x": np.ones(3)}, "missing array: b"),
        (
            {"A": np.ones((2, 3)), "x": np.ones(4), "b": np.ones(2)},
            "axis 0 of 'x' has size 4, but n is 3 by axis 1 of 'A'",
        ),
        (
            {"A": np.ones(3), "x": np.ones(3), "b": np.ones(2)},
            r"'A' must be of shape \(m, n\), but has shape \(3,\)",
        ),
        (
            {"A": np.ones((2, 3)), "x": np.ones((1, 3)), "b": np.ones(2)},
            r"a row is given as a flat array: x.ravel\(\)",
        ),
        ({"A": np.ones((2, 3)), "x": np.ones(3) * 1j, "b": np.ones(2)}, "'x' is complex"),
        (
            {"A": np.ones((2, 3)), "x": np.array([None] * 3), "b": np.ones(2)},
            "'x' has dtype object",
        ),
        ({"A": np.ones((2, 3)), "x": ["1", "2", "3"], "b": np.ones(2)}, "'x' has dtype <U1"),
        (
            {"A": np.ones((2, 3)), "x": np.ones(3, np.float16), "b": np.ones(2)},
            "'x' has dtype float16",
        ),
        ({"A": [[1, 2], [3]], "x": np.ones(3), "b": np.ones(2)}, "'A' is a ragged list"),
        ({"A": np.ones((2, 3)), "x": np.ones(3), "c": np.ones(2)}, "unknown argument 'c'"),
        (
            {"A": np.ones((2, 3)), "x": np.ones(3), "b": np.ones(2), "n": 4},
            "axis 1 of 'A' has size 3, but n is 4",
        ),
        (
            {"A": np.ones((2, 3)), "x": np.ones(3), "b": np.ones(2), "n": 2.5},
            "size n must be a positive whole number",
        ),
    ],
)
def test_bad_arguments_are_refused(planned, arguments, message):
    with pytest.raises(PullbackError, match=message):
        compiled(RESIDUAL, planned)(**arguments)


def test_by_position_and_by_name():
    fn = compiled(RESIDUAL)
    with pytest.raises(PullbackError, match="'A' is given twice"):
        fn(np.ones((2, 3)), A=np.ones((2, 3)), x=np.ones(3), b=np.ones(2))
    with pytest.raises(PullbackError, match="4 arrays given by position; the inputs are A, x, b"):
        fn(1, 2, 3, 4)


@pytest.mark.parametrize("planned", FORMS)
def test_sizes_come_from_any_array_or_by_name(planned):
    fn = compiled(make.constant(2, ["n"]), planned)
    assert fn.inputs == ()
    close(fn(n=3), np.full(3, 2.0))
    close(fn(x=np.zeros(4)), np.full(4, 2.0))
    assert fn(x=np.zeros(4, np.float32)).dtype == np.float32
    with pytest.raises(PullbackError, match="size n is shown by no array"):
        fn()


@pytest.mark.parametrize("planned", FORMS)
def test_sizes_are_solved_for(planned):
    wide = make.variable("w", [make.Size.of("n") * 2 + 1])
    node = make.multiply(make.total(wide), make.ones(["n"]))
    fn = compile_nodes({"out": node}, Program(node, {"w": wide}), planned=planned)
    close(fn(w=np.ones(7)), np.full(3, 7.0))
    with pytest.raises(PullbackError, match="'w' has size 8, but must be 2"):
        fn(w=np.ones(8), n=3)


NODES = {
    "product": AX,
    "mean": make.multiply(make.total(x), make.power(make.size_value("n"), -1)),
    "log of a size": make.multiply(x, CATALOGUE["log"].apply([make.size_value("n")])),
    "power": make.power(make.multiply(x, x), make.exact_number(0.3)),
    "sigmoid": CATALOGUE["sigmoid"].apply([x]),
    "huber": CATALOGUE["huber"].apply([x, make.constant(1)]),
    "softmax": CATALOGUE["softmax"].apply([A]),
    "diagonal": make.einsum("i->ii", x),
    "constant": make.constant(3, ["n"]),
    "identity": make.delta("n"),
    "size": make.size_value("n"),
    "itself": x,
    "transposed": make.transpose(A),
    "scaled by a scalar": make.multiply(s, x),
    "scalar": make.multiply(s, s),
}


@pytest.mark.parametrize("planned", FORMS)
@pytest.mark.parametrize("name", NODES)
def test_dtype_policy(planned, name):
    fn = compiled(NODES[name], planned)
    single = {"A": np.ones((2, 3), "f"), "x": np.ones(3, "f"), "s": 0.1}
    if fn.inputs == ("s",):
        single["s"] = np.float32(0.1)
    assert fn(**single).dtype == np.float32
    assert fn(**{**single, "s": np.float32(0.1)}).dtype == np.float32
    if len(fn.inputs) > 1:
        assert fn(**{**single, "x": np.ones(3)}).dtype == np.float64
    elif fn.inputs:
        assert fn(**{**single, "b": np.ones(2)}).dtype == fn(**single).dtype
    whole = {"A": np.ones((2, 3), int), "x": np.ones(3, np.int32), "s": 2}
    assert fn(**whole).dtype == np.float64
    assert fn(**{**whole, "x": np.array([True, False, True])}).dtype == np.float64


@pytest.mark.parametrize("planned", FORMS)
def test_results_are_fresh(planned):
    values = np.arange(3.0)
    twice = compile_nodes(
        {"p": x, "q": x, "r": make.transpose(A), "u": AX, "v": AX}, ROWS, planned=planned
    )
    M = np.ones((2, 3))
    first = twice(A=M, x=values)
    for array in first.values():
        array[...] += 1
    close(values, np.arange(3.0))
    second = twice(A=M, x=values)
    close(second["q"], values)
    close(second["u"], second["v"])
    assert not np.shares_memory(second["u"], second["v"])
    close(first["u"], second["u"] + 1)


@pytest.mark.parametrize("planned", FORMS)
def test_results_go_where_they_are_wanted(planned):
    outputs = {
        "loss": make.einsum("i,i->", RESIDUAL, RESIDUAL),
        "d": make.scale(2, make.einsum("ij,i->j", A, RESIDUAL)),
        "r": RESIDUAL,
    }
    fn = compile_nodes(outputs, ROWS, planned=planned)
    M, v, w = np.arange(6.0).reshape(2, 3), np.ones(3), np.array([1.0, 2.0])
    flat = np.zeros(5)
    out = {"d": flat[:3], "r": flat[3:]}
    for _ in range(3):
        got = fn(M, v, w, out=out)
        assert got["d"] is out["d"] or got["d"].base is flat
        close(flat, np.concatenate([2 * M.T @ (M @ v - w), M @ v - w]))
        close(got["loss"], (M @ v - w) @ (M @ v - w))
    with pytest.raises(PullbackError, match="no output is called 'q'"):
        fn(M, v, w, out={"q": v})
    with pytest.raises(PullbackError, match=r"has shape \(2,\), the result has \(3,\)"):
        fn(M, v, w, out={"d": np.zeros(2)})
    frozen = np.zeros(3)
    frozen.flags.writeable = False
    with pytest.raises(PullbackError, match="can be written to"):
        fn(M, v, w, out={"d": frozen})


def test_planned_results_do_not_overlap_inputs():
    fn = compile_nodes({"d": make.scale(2, x)}, ROWS, planned=True)
    values = np.ones(3)
    with pytest.raises(PullbackError, match="shares memory"):
        fn(values, out={"d": values})
    with pytest.raises(PullbackError, match="is float32, the result is float64"):
        fn(values, out={"d": np.ones(3, "f")})


def test_what_was_accepted_before_is_still_looked_at():
    """A result may not be the next input, and two names may not swap their arrays unseen."""
    fn = compile_nodes({"p": make.scale(2, x), "q": make.scale(3, x)}, ROWS, planned=True)
    p, q = np.zeros(3), np.zeros(3)
    for values in (np.ones(3), np.full(3, 2.0)):
        fn(values, out={"p": p, "q": q})
        close(p, 2 * values)
    fn(np.ones(3), out={"q": p, "p": q})
    close(q, 2 * np.ones(3))
    for clash in (p, p[::-1], q):
        with pytest.raises(PullbackError, match="shares memory"):
            fn(clash, out={"q": p, "p": q})
    both = np.zeros((2, 6))
    fn(both[0, :3], out={"p": both[0, 3:], "q": both[1, :3]})
    fn(both[1, 3:], out={"p": both[0, 3:], "q": both[1, :3]})


LOG = CATALOGUE["log"].apply([AX])


@pytest.mark.parametrize("planned", FORMS)
def test_checked_names_the_operation_and_the_line(planned):
    text = "r = log(A*x)"
    program = Program(
        LOG, VARIABLES, {"r": LOG}, text=text, places={LOG: Place(text, 4, 12)}, result_name="r"
    )
    fn = compile_nodes({"out": make.total(LOG)}, program, planned=planned)
    good = {"A": np.eye(2), "x": [1.0, 2.0]}
    close(fn(**good), np.log(2))
    with pytest.raises(
        DomainError,
        match=r"log leaves the real numbers: its argument is -2 at entry \(1,\), in line 'r'",
    ) as caught:
        fn(A=np.eye(2), x=[1.0, -2.0])
    assert "^^^^" in str(caught.value)
    with pytest.raises(DomainError, match="log is infinite: its argument is 0"):
        fn(A=np.eye(2), x=[0.0, 1.0])
    silent = compile_nodes({"out": make.total(LOG)}, program, planned=planned, checked=False)
    assert np.isnan(silent(A=np.eye(2), x=[1.0, -2.0]))


@pytest.mark.parametrize("planned", FORMS)
def test_nan_passes_through_and_division_by_zero_does_not(planned):
    ratio = make.multiply(x, make.power(s, -1))
    fn = compiled(ratio, planned)
    assert np.isnan(fn(x=[np.nan, 1.0], s=2.0)).tolist() == [True, False]
    with pytest.raises(DomainError, match="division divides by zero"):
        fn(x=[1.0, 2.0], s=0.0)
    for name in ("relu", "huber", "abs", "sigmoid", "softplus", "tanh"):
        arguments = [x, make.constant(1)] if name == "huber" else [x]
        got = compiled(CATALOGUE[name].apply(arguments), planned)(x=[np.nan, 1.0])
        assert np.isnan(got).tolist() == [True, False], name


@pytest.mark.parametrize("planned", FORMS)
def test_singular_matrices_are_refused(planned):
    S = make.variable("S", ["n", "n"])
    for name, message in (("inv", "inv needs an invertible matrix"), ("logdet", "logdet|log")):
        node = CATALOGUE[name].apply([S])
        program = Program(node, {"S": S}, {"k": node})
        for checked in (True, False) if name == "inv" else (True,):
            fn = compile_nodes({"out": node}, program, planned=planned, checked=checked)
            with pytest.raises(DomainError, match=message):
                fn(S=np.zeros((2, 2)))
            close(fn(S=np.eye(2)), np.eye(2) if name == "inv" else 0.0)


@pytest.mark.parametrize("planned", FORMS)
def test_zero_times_infinity_is_noticed_but_overflow_alone_is_not(planned):
    big = CATALOGUE["exp"].apply([x])
    fn = compiled(CATALOGUE["tanh"].apply([big]), planned)
    close(fn(x=[1e4]), np.array([1.0]))


def test_threads_do_not_share_buffers():
    node = CATALOGUE["sigmoid"].apply([CATALOGUE["tanh"].apply([AX])])
    fn = compiled(make.add([(1, node), (1, CATALOGUE["exp"].apply([node]))]), planned=True)
    rng = np.random.default_rng(0)
    inputs = [(rng.normal(size=(50, 40)), rng.normal(size=40)) for _ in range(4)]
    single = [fn(*pair) for pair in inputs]
    failures = []

    def work(k):
        for _ in range(200):
            if not np.array_equal(fn(*inputs[k]), single[k]):
                failures.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_many_sizes_in_turn():
    fn = compiled(CATALOGUE["softmax"].apply([AX]), planned=True)
    for size in [*range(1, 30), *range(1, 30)]:
        close(fn(np.eye(size), np.zeros(size)), np.full(size, 1 / size))


def test_what_can_not_be_compiled_is_said():
    with pytest.raises(PullbackError, match="no target 'fortran'"):
        compile_nodes({"out": x}, ROWS, target="fortran")
    with pytest.raises(PullbackError, match="no outputs"):
        compile_nodes({}, ROWS)
    with pytest.raises(PullbackError, match="two variables are called 'x'"):
        compile_nodes({"out": make.total(make.variable("x", ["q"]))}, ROWS)
    with pytest.raises(PullbackError, match="too large for floating point"):
        compile_nodes({"out": make.scale(10**400, x)}, ROWS)
