"""Symbols mean what NumPy means: every operator and function against NumPy on arrays."""

import re

import numpy as np
import pytest
from values import SIZES, arrays, value

import pullback as pb
from pullback.errors import DomainError, PullbackError, ShapeError
from pullback.expressions import Size
from pullback.functions.catalogue import ALIASES, CATALOGUE
from pullback.functions.record import Definition
from pullback.language.parse import parse_program
from pullback.language.symbols import FUNCTIONS
from pullback.language.tensor import Tensor
from pullback.language.variables import dims, matrix, tensor, vector

SHAPES = {
    "U": ("m", "n"),
    "W": ("p", "n"),
    "X": ("N", "n"),
    "S": ("n", "n"),
    "R": (1, "n"),
    "T": ("p", "m", "n"),
    "x": ("n",),
    "z": ("n",),
    "y": ("m",),
    "b": ("p",),
    "s": (),
    "w": (6,),
}
SYMBOLS = {name: tensor(name, *shape) for name, shape in SHAPES.items()}
DATA = arrays(SHAPES)
F = FUNCTIONS


def w_(x):
    """Three entries, whatever the size's name says."""
    return np.stack([x[0], x[1], x[2]])


@pytest.mark.parametrize(
    "function",
    [
        lambda U, x: U @ x,
        lambda S: np.linalg.slogdet(S)[1] + np.linalg.slogdet(S).logabsdet,
        lambda x: np.hypot(x, 2) + np.logaddexp(x, 0) + np.arctan2(x, 2) + np.cumsum(x),
        lambda U: np.cumsum(U),
        lambda U, X: X @ U.T,
        lambda U, y: y @ U,
        lambda x, z: x @ z,
        lambda T, x: T @ x,
        lambda T, U: T @ U.T,
        lambda T, S: T @ S,
        lambda y, T: y @ T,
        lambda X, W, b: X @ W.T + b,
        lambda X, x: X * x,
        lambda X, x: X - x,
        lambda x, X: x / X,
        lambda U, y: U.T * y,
        lambda R, U: R + U,
        lambda R, U: U * R,
        lambda R, x: R + x,
        lambda R, S: R @ S,
        lambda R: R @ R.T,
        lambda R: R * R,
        lambda T, U: T + U,
        lambda T, x: T * x,
        lambda U, s: U * s + s,
        lambda U, s: s - U,
        lambda U: 2 * U - U / 4,
        lambda U: 1 - U,
        lambda U: 1 / U,
        lambda U: U**2 + U**-1 + U**0.5,
        lambda U, x: U**x,
        lambda s, x: s**x,
        lambda x: 2**x,
        lambda x: -x + +x - abs(-x),
        lambda x: np.float64(2) * x + np.int64(3),
        lambda x: np.asarray(2.0) * x,
        lambda U: U.sum() + U.mean(),
        lambda U: U.sum(axis=0),
        lambda U: U.sum(-1),
        lambda T: T.sum(axis=(0, 2)),
        lambda T: T.mean(axis=1, keepdims=True) + T,
        lambda U: U.mean(axis=0),
        lambda U: U.T,
        lambda T: T.transpose(1, 0, 2),
        lambda T: T.transpose((2, 0, 1)),
        lambda T: T.T,
        lambda S: S.trace(),
        lambda S: S.diagonal(),
        lambda U, x: U.dot(x),
        lambda U, x: np.tanh(U @ x),
        lambda U: np.exp(U) + np.log(U) + np.sqrt(U) + np.square(U) + np.abs(U),
        lambda U: np.negative(U) + np.positive(U) + np.reciprocal(U),
        lambda U, x: np.add(U, x) * np.subtract(U, 1) / np.multiply(2, U),
        lambda U, x: np.matmul(U, x) ** np.divide(1, 2),
        lambda x: np.power(x, 3),
        lambda x: np.maximum(x - 1, 0),
        lambda x, z: np.maximum(x, z) - np.minimum(x, z),
        lambda U: np.sum(U) + np.mean(U),
        lambda U: np.sum(U, axis=0) + np.mean(U, 0),
        lambda U: np.sum(U, 1, keepdims=True) * U,
        lambda U, x: np.einsum("ij,j->i", U, x),
        lambda U, x: np.einsum("ij,j", U, x),
        lambda T, x: np.einsum("...j,j->...", T, x),
        lambda S: np.einsum("ii->i", S) + np.einsum("ii", S),
        lambda S: np.linalg.inv(S) * np.linalg.det(S),
        lambda T: np.linalg.inv(T @ T.transpose(0, 2, 1)),
        lambda S, x: np.linalg.solve(S, x),
        lambda x, U: np.linalg.norm(x) + np.linalg.norm(U) + np.linalg.norm(U, "fro"),
        lambda x: np.linalg.norm(x, 2) + np.linalg.norm(x, ord=1),
        lambda S: np.trace(S),
        lambda x: np.diag(x),
        lambda S: np.diag(S) + np.diagonal(S),
        lambda x, y: np.outer(x, y),
        lambda U, x: np.dot(U, x),
        lambda T, x: np.dot(T, x),
        lambda T, U: np.inner(T, U),
        lambda U: np.vdot(U, U),
        lambda U: np.transpose(U),
        lambda T: np.swapaxes(T, 0, -1),
        lambda U: np.zeros_like(U) + np.ones_like(U) * U,
        lambda x: x[1:] - x[:-1],
        lambda x: x[0] * x[-1] + x[2],
        lambda w: w[::-1] + w[[2, 0, 1, 5, 4, 3]],
        lambda w: w[::2] * w[5:0:-2] + w[-3:] - w[:100][3:],
        lambda U: U[0] @ U[1] + U[0, 1] - U[:, 0].sum(),
        lambda U, x: U[:, 1:] @ x[1:],
        lambda T: T[0, :, 1:] - T[-1, :, :-1],
        lambda T: T[..., 0],
        lambda U: U[None, :, None] * 2,
        lambda x, y: x[:, None] * y,
        lambda x: x[np.newaxis, ...],
        lambda U: U.reshape(-1) @ U.ravel() + U.flatten()[0],
        lambda w: w.reshape(2, 3).T.reshape((3, -1)) @ w.reshape([2, 3], order="F"),
        lambda T: np.reshape(T, (T.shape[0], T.shape[1] * T.shape[2])),
        lambda T: T.swapaxes(0, 2).squeeze(),
        lambda R: R.squeeze() + R.squeeze(axis=0) + np.squeeze(R),
        lambda T: T.mT,
        lambda x: x.repeat(2)[1:] + np.repeat(x, 2)[:-1],
        lambda U: U.clip(0.5, 1.0) + np.clip(U, 0.3, 2),
        lambda S: S.trace(1) + S.diagonal(-1).sum() + np.trace(S, offset=-1),
        lambda x, z: np.concatenate([x, z, x[:1]]),
        lambda U, W: np.concatenate((U, W)) @ np.concatenate([U, W], axis=0).T,
        lambda U, y: np.hstack([U, y[:, None]]),
        lambda U, x: np.vstack([U, x]) @ x,
        lambda x, z: np.stack([x, z], axis=1) @ np.stack([x, z]),
        lambda x, z: np.column_stack([x, z]) @ np.hstack([x[0], z[0]]),
        lambda S, x: np.block([[S, x[:, None]], [x, x @ x]]),
        lambda x, z: np.block([x, z]),
        lambda U, S: np.kron(U, S),
        lambda x, U: np.kron(x, U) + np.kron(U, x),
        lambda T, U: np.kron(T, U),
        lambda x, y: np.outer(x, y) + np.outer(x[None], y),
        lambda x, y: np.convolve(x, y) * np.convolve(y, x, "full"),
        lambda w: np.convolve(w, w[:2], mode="valid"),
        lambda x, z: np.cross(w_(x), w_(z)),
        lambda S: np.tril(S, -1) + np.triu(S) + np.tril(S, k=1),
        lambda x: np.diag(x, -1) + np.diag(x, 1),
        lambda x: np.flip(x) + np.roll(x, 1) + np.roll(x, -2) + np.tile(x, 2)[: x.shape[0]],
        lambda U: np.flip(U) + np.flipud(np.fliplr(U)) + np.roll(U, 2) + np.roll(U, 1, axis=1),
        lambda U: np.diff(U) @ np.diff(U, axis=1).T + np.diff(U, n=1, axis=0)[0, 0],
        lambda T, S: np.tensordot(T, S, axes=1) + np.tensordot(T, S, axes=([2], [0])),
        lambda T, U: np.tensordot(T, U, axes=2),
        lambda T: np.moveaxis(T, 0, -1) + np.moveaxis(T, [0, 1], [2, 0]),
        lambda x: np.expand_dims(x, 0) * np.expand_dims(x, (1, 2))[..., 0],
        lambda S, x: np.linalg.multi_dot([S, S, x]) + np.linalg.matrix_power(S, 2) @ x,
        lambda x: np.average(x, weights=x * x) + np.average(x),
        lambda T: np.einsum("...ij->...ji", T),
        lambda x: np.where(x > 0.7, x, 0) + np.where(x <= 1, 1, x),
        lambda x: (x >= 1) * x + (x < 1) * 2,
        lambda X: X - X.mean(axis=0) + X[:, :1],
        lambda w: sum(w_i * w_i for w_i in w),
        lambda w: len(w) * w.sum() + w.shape[0],
        lambda x: x.sum() / x.shape[0] + x.size + 1 / x.shape[0],
        lambda x: np.sqrt(x.shape[0]) * x / np.sqrt(x.size),
        lambda X: 0.5 / X.shape[0] * (X**2).sum() - X.shape[1] ** 2,
        lambda x: x[x.shape[0] - 1] + x[1 : x.shape[0] - 1].sum(),
        lambda x: np.full_like(x, 3.0) * x + x.copy(),
    ],
)
def test_an_expression_means_what_numpy_means(function):
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    made = function(*[SYMBOLS[n] for n in names])
    expected = np.asarray(function(*[DATA[n] for n in names]))
    assert isinstance(made, Tensor)
    assert made.ndim == expected.ndim
    np.testing.assert_allclose(value(made.node, DATA), expected, rtol=1e-12)


def softmax(x, axis):
    e = np.exp(x)
    return e / e.sum(axis=axis, keepdims=True)


def test_an_array_that_is_no_data_is_a_constant():
    K, x = matrix("K", 3, 2), np.arange(6.0).reshape(3, 2)
    made = (np.eye(3) - K @ np.full((2, 3), 0.5)) @ (2 * np.eye(3)) + np.zeros(3) + np.ones(3)
    expected = (np.eye(3) - x @ np.full((2, 3), 0.5)) * 2 + 1
    np.testing.assert_allclose(value(made.to_program().result, {"K": x}), expected)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (F["softmax"](SYMBOLS["x"]), softmax(DATA["x"], 0)),
        (F["softmax"](SYMBOLS["T"]), softmax(DATA["T"], -1)),
        (F["softmax"](SYMBOLS["T"], axis=0), softmax(DATA["T"], 0)),
        (F["softmax"](SYMBOLS["T"], axis=1), softmax(DATA["T"], 1)),
        (F["logsumexp"](SYMBOLS["U"], axis=0), np.log(np.exp(DATA["U"]).sum(0))),
        (F["sum"](SYMBOLS["U"], axis=0, keepdims=True), DATA["U"].sum(0, keepdims=True)),
        (F["mean"](SYMBOLS["U"]), DATA["U"].mean()),
        (F["sigmoid"](SYMBOLS["U"] @ SYMBOLS["x"]), 1 / (1 + np.exp(-DATA["U"] @ DATA["x"]))),
        (F["einsum"]("i,j->ij", SYMBOLS["x"], SYMBOLS["y"]), np.outer(DATA["x"], DATA["y"])),
        (F["eye"]("n") @ SYMBOLS["x"], DATA["x"]),
        (F["full"](2, "m", "n") + SYMBOLS["U"], DATA["U"] + 2),
        (F["norm2"](SYMBOLS["x"] - 1) ** 2, ((DATA["x"] - 1) ** 2).sum()),
        (F["tr"](SYMBOLS["S"]), np.trace(DATA["S"])),
        (F["huber"](SYMBOLS["x"], 9), DATA["x"] ** 2 / 2),
        (F["exp"](2) * SYMBOLS["s"], np.exp(2) * DATA["s"]),
        (SYMBOLS["x"].sum() / dims("n"), DATA["x"].mean()),
    ],
)
def test_functions_on_symbols(made, expected):
    np.testing.assert_allclose(value(made.node, DATA), expected, rtol=1e-12)


def test_every_function_of_the_catalogue_can_be_called():
    called = {n for n, r in CATALOGUE.items() if isinstance(r, Definition) or r.partials}
    assert called | set(ALIASES) <= set(FUNCTIONS)
    assert all(function.__doc__ for function in FUNCTIONS.values())


def test_a_matrix_with_one_row_stays_a_matrix():
    assert matrix("x", 1, "n").shape == (Size.of(1), Size.of("n"))


def test_an_expression_becomes_a_program():
    U, V, x, y = matrix("U", "m", "n"), matrix("V", "p", "m"), vector("x", "n"), vector("y", "p")
    g = F["sigmoid"](U @ x).named("g")
    h = (V @ g).named("h")
    loss = F["sum"]((h - y) ** 2).named("L")
    program = loss.to_program()
    assert program.result is loss.node
    assert list(program.lines) == ["g", "h", "L"]
    assert program.result_name == "L"
    assert set(program.variables) == {"U", "V", "x", "y"}
    text = parse_program("U: m n, V: p m, x: n, y: p\nsum((V*sigmoid(U*x) - y).^2)")
    assert program.result is text.result


def test_a_parsed_program_keeps_its_own_names():
    program = parse_program("x: 1 n\nf = (U*x')'\nL = norm2(f)^2")
    symbol = Tensor.from_program(program)
    assert symbol.to_program() is program
    assert symbol.name == "L"
    twice = (2 * symbol).to_program()
    assert list(twice.lines) == ["f", "L"]
    assert twice.rows == {"x", "f"}


def test_long_expressions_stay_cheap():
    W, x = matrix("W", "n", "n"), vector("x", "n")
    h = x
    for i in range(2000):
        h = np.tanh(W @ h).named(f"h{i}")
    assert len(h.to_program().lines) == 2000
    assert "4001 operations" in repr(h) or "operations" in repr(h)


def test_how_symbols_show():
    U, x = matrix("U", "m", "n"), vector("x", "n")
    assert repr(U) == "<Tensor (m, n): U>"
    assert repr(np.tanh(U @ x)) == "<Tensor (m,): tanh(U x)>"
    assert (U @ x)._repr_latex_() == "$U x$"


def test_assumptions_belong_to_the_variable():
    assert matrix("A", "n", "n", assume="symmetric posdef").node.assumptions == {
        "symmetric",
        "posdef",
    }
    with pytest.raises(PullbackError, match="'symmetric' needs a square matrix"):
        matrix("A", "m", "n", assume="symmetric")
    with pytest.raises(PullbackError, match="unknown assumption 'sparse'"):
        vector("x", "n", assume=["sparse"])


x, y, U = SYMBOLS["x"], SYMBOLS["y"], SYMBOLS["U"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: U @ y, r"\(m, n\) @ \(m,\): the last axis of the left \(n\) must equal the only"),
        (lambda: x + y, r"shapes \(n,\) and \(m,\) do not broadcast: .* n and m"),
        (lambda: x @ 2, "@ multiplies vectors and matrices"),
        (lambda: x.sum(axis=1), r"there is no axis 1 in shape \(n,\)"),
        (lambda: U.sum(axis=(0, 0)), "an axis comes twice"),
        (lambda: U.transpose(0), "transpose needs all 2 axes"),
        (lambda: bool(x), "a symbol has no truth value"),
        (lambda: bool(x < 1), "no truth value"),
        (lambda: x == y, "symbols are not compared"),
        (lambda: x != 1, "symbols are not compared"),
        (lambda: list(x), "a loop over an axis of size n"),
        (lambda: len(x), "the size n is no number here"),
        (lambda: float(SYMBOLS["s"]), "a symbol is no number"),
        (lambda: np.asarray(x), "a symbol is no array"),
        (lambda: np.arange(3) * x, "an array of data cannot stand in an expression"),
        (lambda: x * [1, 2], "an array of data"),
        (lambda: x * 1j, "complex"),
        (lambda: x * True, "truth value"),
        (lambda: x * "a", "neither a symbol nor a number"),
        (lambda: x * float("nan"), "nan"),
        (lambda: x / 0, "division by zero"),
        (lambda: F["log"](-1), "log is defined for positive numbers"),
        (lambda: np.cbrt(x), "np.cbrt has no meaning for symbols"),
        (lambda: np.linalg.qr(U), "np.linalg.qr has no meaning for symbols"),
        (lambda: np.sort(x), "np.sort has no meaning for symbols"),
        (lambda: np.add.reduce(x), "np.add.reduce has no meaning"),
        (lambda: np.floor(x), "np.floor has no meaning"),
        (lambda: np.exp(x, where=[True]), "np.exp on symbols takes no where"),
        (lambda: np.sum(x, dtype=float), "np.sum on symbols"),
        (lambda: np.linalg.norm(U, 3), "np.linalg.norm with ord=3 of 2 axes"),
        (lambda: np.einsum("ij,j->k", U, x), "'k' is no label"),
        (lambda: np.einsum("ij->i", x), "does not fit"),
        (lambda: F["softmax"](SYMBOLS["s"]), "softmax|no axis"),
        (lambda: F["inv"](U), "inv needs equal sizes where it has m and n"),
        (lambda: F["norm"](U), "the norm of a matrix has several meanings"),
        (lambda: F["exp"](x, x), "exp takes 1 argument"),
        (lambda: vector("sum", "n"), "'sum' is a function"),
        (lambda: vector("2x", "n"), "'2x' is no name"),
        (lambda: vector("x", 0), "the size 0 of 'x' is not positive"),
        (lambda: vector("x", 1.5), "1.5 in the shape of 'x' is no size"),
        (lambda: x.named("a b"), "'a b' is no name"),
        (lambda: (x.sum() + vector("x", "m").sum()).to_program(), "two different variables are"),
        (lambda: (x.named("f") * (x + 1).named("f")).to_program(), "two different intermediates"),
        (lambda: (x + 1).named("x").to_program(), "'x' names a variable and an intermediate"),
        (lambda: dims(" "), "dims needs names"),
    ],
)
def test_what_a_symbol_is_not(call, message):
    with pytest.raises(PullbackError, match=message):
        call()


def branches(x):
    if x.sum() > 0:
        return x
    return -x


def loops(x):
    total = 0
    for k in range(x.shape[0]):
        total = total + x[k]
    return total


def assigns(x):
    x[0] = 1.0
    return x


def decomposes(U):
    return np.linalg.svd(U)[1].sum()


@pytest.mark.parametrize(
    ("function", "message", "under"),
    [
        (branches, "no truth value.*pb.where", "x.sum() > 0"),
        (loops, "the size n is no number here.*pb.einsum", "range(x.shape[0])"),
        (assigns, "entries of a symbol cannot be assigned.*pb.concatenate", "x[0]"),
        (decomposes, "np.linalg.svd are not single-valued.*svdvals", "np.linalg.svd(U)"),
        (lambda x: float(x.sum()), "a symbol is no number", "float(x.sum())"),
        (lambda x: sum(x), "a loop over an axis of size n.*pb.einsum", "sum(x)"),
        (lambda x: x[x > 0], "a symbol is no subscript.*pb.where", "x[x > 0]"),
        (lambda x: x[np.array([True, False])], "a mask picks", "x[np.array([True, False])]"),
        (lambda U: U @ U, "the last axis of the left", "U @ U"),
        (lambda x: x.argmax(), "known only when code is called.*pb.where", "x.argmax()"),
        (lambda U: U[0, 0, 0], "3 subscripts for a symbol of shape", "U[0, 0, 0]"),
        (lambda w: w[7], r"there is no entry \[7\] on an axis of size 6", "w[7]"),
        (lambda w: w[3:3], "holds no entries", "w[3:3]"),
        (lambda x: x[::2], "the length of this slice of n cannot be told.*2.k", "x[::2]"),
        (lambda U: U[[0], [1]], "paired by NumPy", "U[[0], [1]]"),
        (lambda U: U.reshape(3, -1), "cannot be reshaped to", "U.reshape(3, -1)"),
        (lambda U, x: np.concatenate([U, x]), "equal numbers of axes", "np.concatenate([U, x])"),
        (lambda U: U.diagonal(), "depends on which size is larger", "U.diagonal()"),
        (lambda x: x if x.shape[0] > 2 else 0, "the size n is no number here", "x.shape[0] > 2"),
    ],
)
def test_what_cannot_be_traced_names_the_line(function, message, under):
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    with pytest.raises(PullbackError, match=re.compile(message, re.DOTALL)) as caught:
        function(*[SYMBOLS[n] for n in names])
    place = caught.value.place
    assert place.file == "test_tensor.py"
    assert place.line == function.__code__.co_firstlineno + (function.__name__ != "<lambda>") * (
        1 + (function is loops)
    )
    assert place.text[place.start : place.stop] == under


def test_a_fixed_size_can_be_looped_over():
    a, b, c = vector("u", 3)
    assert (a * b + c).to_program().variables.keys() == {"u"}
    assert [row.shape for row in matrix("A", 2, "n")] == [(Size.of("n"),)] * 2


def test_what_a_subscript_takes_is_put_back():
    x = SYMBOLS["x"]
    assert x[:].node is x.node and x[None][0].node is x.node
    assert x.reshape(1, -1).squeeze(0).node is x.node
    A = SYMBOLS["U"]
    assert A.reshape(-1).reshape(A.shape).node is A.node
    assert np.stack([A[:, 0], A[:, 1]]).shape == (Size.of(2), Size.of("m"))


def test_public_functions_arrange():
    A, x = SYMBOLS["U"], SYMBOLS["x"]
    K = pb.commutation("m", "n")
    np.testing.assert_allclose(value((K @ pb.vec(A)).node, DATA), value(pb.vec(A.T).node, DATA))
    assert pb.unvec(pb.vec(A), "m", "n").node is A.node
    assert pb.kron(A, A).shape == pb.reshape(pb.kron(A, A), pb.kron(A, A).shape).shape
    assert pb.khatri_rao(A, A).shape == (Size.of("m") * "m", Size.of("n"))
    assert pb.concatenate([x, x]).shape == (2 * Size.of("n"),)


def test_errors_have_their_classes():
    with pytest.raises(ShapeError):
        _ = U @ y
    with pytest.raises(DomainError):
        _ = x / 0


def test_symbols_can_be_keys():
    assert {vector("x", "n"): 1}[vector("x", "n")] == 1
    assert SIZES["n"] == 3


def test_the_larger_of_two_is_one_of_the_two():
    """As b + relu(a − b), the larger of 1 and −1e20 would be 0."""
    a, b = vector("a", "n"), vector("b", "n")
    given = {"a": [1.0, 1e20, 0.1], "b": [-1e20, 1.0, 1e9]}
    for function in (np.maximum, np.minimum):
        found = value(function(a, b).node, given, {"n": 3})
        np.testing.assert_array_equal(found, function(given["a"], given["b"]))
        compiled = pb.compile(function(a, b))(**{n: np.array(v) for n, v in given.items()})
        np.testing.assert_array_equal(compiled, function(given["a"], given["b"]))
