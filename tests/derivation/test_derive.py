"""Derivatives of programs: by variables and lines, to any order, over batches."""

from __future__ import annotations

import numpy as np
import pytest

from pullback.derivation.batching import batch
from pullback.derivation.derive import derive, derive_each
from pullback.errors import PullbackError
from pullback.expressions import Node, Program, Variable
from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE
from pullback.verification.exact import array, evaluate, real_context

MP = real_context(40)
SIZES = {"m": 2, "n": 3, "p": 4, "N": 5}


def network() -> Program:
    U, V = make.variable("U", ["m", "n"]), make.variable("V", ["p", "m"])
    b, c = make.variable("b", ["m"]), make.variable("c", ["p"])
    x, y = make.variable("x", ["n"]), make.variable("y", ["p"], ["unit-sum"])
    f = make.add([(1, make.einsum("ij,j->i", U, x)), (1, b)])
    g = CATALOGUE["sigmoid"].apply([f])
    h = make.add([(1, make.einsum("ij,j->i", V, g)), (1, c)])
    p = CATALOGUE["softmax"].apply([h])
    L = CATALOGUE["cross_entropy"].apply([p, y])
    variables = {v.name: v for v in (U, V, b, c, x, y) if isinstance(v, Variable)}
    return Program(L, variables, {"f": f, "g": g, "h": h, "p": p, "L": L}, result_name="L")


def sample(program: Program, seed: int = 0) -> dict[Node, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = {}
    for v in program.variables.values():
        entries = rng.normal(size=tuple(s.evaluate(SIZES) for s in v.shape))
        if "unit-sum" in v.assumptions:
            entries = np.abs(entries) / np.abs(entries).sum(axis=-1, keepdims=True)
        values[v] = array(entries, MP)
    return values


def at(node: Node, values: dict[Node, np.ndarray]) -> np.ndarray:
    return evaluate([node], values, SIZES, MP)[node]


def differences(node: Node, by: Node, values: dict[Node, np.ndarray]) -> np.ndarray:
    """Central differences of every entry, at 40 digits."""
    step = MP.mpf(10) ** -13
    columns = []
    for index in np.ndindex(values[by].shape):
        moved = []
        for sign in (1, -1):
            entries = values[by].copy()
            entries[index] += sign * step
            moved.append(at(node, {**values, by: entries}))
        columns.append((moved[0] - moved[1]) / (2 * step))
    stacked = np.array(columns, dtype=object).reshape(*values[by].shape, *moved[0].shape)
    order = len(values[by].shape)
    return np.moveaxis(stacked, range(order), range(-order, 0)).astype(float)


@pytest.mark.parametrize("name", ["U", "V", "b", "c", "x"])
def test_gradients_of_a_network(name: str) -> None:
    program = network()
    values = sample(program)
    found = derive(program, [name])
    expected = differences(program.result, program.variables[name], values)
    np.testing.assert_allclose(at(found.node, values).astype(float), expected, rtol=1e-12)


def test_a_vector_by_a_matrix() -> None:
    """∂h/∂U has an axis of h and the two axes of U."""
    program = network()
    h = Program(program.lines["h"], program.variables, program.lines)
    found = derive(h, ["U"])
    assert [str(s) for s in found.shape] == ["p", "m", "n"]
    values = sample(program)
    expected = differences(h.result, program.variables["U"], values)
    np.testing.assert_allclose(at(found.node, values).astype(float), expected, rtol=1e-12)


@pytest.mark.parametrize("names", [("U", "U"), ("U", "V"), ("b", "c"), ("h", "h"), ("c", "y")])
def test_second_derivatives(names: tuple[str, str]) -> None:
    program = network()
    values = sample(program)
    found = derive(program, names)
    first, second = found.wrt
    gradient = derive(program, [first.name]).raw
    for held in (first, second):
        if not isinstance(held.node, Variable):
            values[held.node] = at(held.node, values)
    expected = differences(gradient, second.node, values)
    np.testing.assert_allclose(
        at(found.node, values).astype(float), expected, rtol=1e-11, atol=1e-14
    )


def test_a_line_is_held_free() -> None:
    """∂L/∂g is what g is handed, whatever g is made of."""
    program = network()
    values = sample(program)
    g = program.lines["g"]
    values[g] = at(g, values)
    found = derive(program, ["g"])
    expected = differences(program.result, g, values)
    np.testing.assert_allclose(at(found.node, values).astype(float), expected, rtol=1e-12)


@pytest.mark.parametrize("kind", ["multiple", "transpose", "power"])
def test_a_line_that_leaves_no_node_is_refused(kind: str) -> None:
    """Constructors see through 2 x, Xᵀ and 1/x: a derivative by such a line would be silently 0."""
    X = make.variable("X", ["n", "n"])
    line = {
        "multiple": make.scale(2, X),
        "transpose": make.transpose(X),
        "power": make.power(X, -1),
    }[kind]
    result = make.total(make.power(line, 2))
    program = Program(result, {"X": X}, {"y": line})  # type: ignore[dict-item]
    with pytest.raises(PullbackError, match="cannot be held free"):
        derive(program, ["y"])


def test_the_label_must_be_declared_to_sum_to_one() -> None:
    """∂L/∂h is p − y only for a unit-sum label; else it is sum(y) p − y."""
    program = network()
    p, y = program.lines["p"], program.variables["y"]
    assert derive(program, ["h"]).node is make.add([(1, p), (-1, y)])
    plain = make.variable("y", ["p"])
    L = CATALOGUE["cross_entropy"].apply([p, plain])
    other = Program(L, {"y": plain}, {"h": program.lines["h"]})  # type: ignore[dict-item]
    expected = make.add([(1, make.einsum("j,i->i", plain, p)), (-1, plain)])
    assert derive(other, ["h"]).node is expected


def test_an_unused_variable_has_derivative_zero() -> None:
    program = network()
    unused = make.variable("z", ["n"])
    assert isinstance(unused, Variable)
    wider = Program(program.result, {**program.variables, "z": unused}, program.lines)
    assert make.is_zero(derive(wider, ["z"]).node)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(PullbackError, match="no 'W' to differentiate by"):
        derive(network(), ["W"])


def test_one_backward_pass_serves_all_variables() -> None:
    program = network()
    together = derive_each(program, ["U", "V", "b", "c"])
    for name, found in together.items():
        assert found.node is derive(program, [name]).node
    assert len({id(found.trace) for found in together.values()}) == 1


@pytest.mark.parametrize("name", ["U", "V", "b", "c"])
def test_a_batch_averages_its_samples(name: str) -> None:
    """The gradient over a batch is the mean of the gradients of its samples."""
    program = network()
    batched = batch(program, ["x", "y"])
    values = sample(batched)
    found = derive(batched, [name])
    single = derive(program, [name])
    mean: np.ndarray = np.zeros((), dtype=object)
    for k in range(SIZES["N"]):
        one = {program.variables[v.name]: entries for v, entries in values.items()}  # type: ignore[attr-defined]
        for data in ("x", "y"):
            one[program.variables[data]] = values[batched.variables[data]][k]
        mean = mean + at(single.node, one) / SIZES["N"]
    np.testing.assert_allclose(at(found.node, values).astype(float), mean.astype(float), rtol=1e-12)
    assert [str(s) for s in batched.lines["h"].shape] == ["N", "p"]
    assert batched.variables["x"].name == "x"


def test_batch_refuses_what_it_cannot_average() -> None:
    program = network()
    vector = Program(program.lines["h"], program.variables, program.lines)
    with pytest.raises(PullbackError, match="only a scalar can be averaged"):
        batch(vector, ["x"])
    with pytest.raises(PullbackError, match="is a line"):
        batch(program, ["f"])


@pytest.mark.parametrize("layers", [100, 10_000])
def test_a_deep_chain(layers: int) -> None:
    """The trace grows by a fixed number of links a layer, and depth is no obstacle."""
    node = make.variable("x", ["n"])
    variables = {}
    for k in range(layers):
        W = make.variable(f"W{k}", ["n", "n"])
        variables[f"W{k}"] = W
        node = CATALOGUE["tanh"].apply([make.einsum("ij,j->i", W, node)])
    found = derive(Program(make.total(node), variables), ["W0"])  # type: ignore[arg-type]
    assert len(found.trace.links) == 2 * layers + 1
