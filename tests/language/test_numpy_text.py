"""NumPy formulas as text have the values that NumPy gives them."""

import contextlib
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from values import SIZES, arrays, value

from pullback.errors import PullbackError
from pullback.language.parse import parse_program

SHAPES = {
    "A": ("m", "n"),
    "B": ("m", "n"),
    "S": ("n", "n"),
    "R": (1, "n"),
    "x": ("n",),
    "y": ("n",),
    "b": ("m",),
    "s": (),
    "Q": ("k", "m", "n"),
    "K": ("k", "p", "n"),
    "w": (6,),
}
NUMBERS = arrays(SHAPES, 5)
NUMBERS["S"] = NUMBERS["S"] + 3 * np.eye(3)

FORMULAS = """
A @ x - b
np.sum((A @ x - b)**2)
0.5*np.linalg.norm(A @ x - b)**2
A*x + b.sum()
A*B - A/B
A.T @ b + x*y
x @ S @ y
S @ S.T @ x
x.T @ y
x**2 + 2**x - x**-1
-x**2
2**3**2*s
x**y
np.exp(-x)/(1 + np.exp(-x))
np.log(x) + np.sqrt(y) - np.square(x) + np.abs(x - y) + np.tanh(x)
np.sum(A, axis=0) + x
np.sum(A, 1) - b
A.sum(axis=-1)
A.mean(0) * x.mean()
np.exp(A)/np.sum(np.exp(A), axis=1, keepdims=True)
A - A.mean(axis=0, keepdims=True)
np.einsum('ij,j->i', A, x)
np.einsum("ij,ij", A, B)
np.einsum('kmn,kpn->kmp', Q, K)
np.einsum('ii->i', S)
Q @ x
Q @ S
np.hypot(x, 2) + np.logaddexp(x, y) + np.logaddexp(x, 0) + np.arctan2(y, x)
np.linalg.slogdet(S)[1] * np.linalg.slogdet(S)[0]
np.cumsum(x) @ x + np.cumsum(A)
np.trace(S) + np.trace(S @ np.linalg.inv(S))
np.linalg.inv(S).T @ x
np.linalg.det(S)
np.linalg.solve(S, x)
np.linalg.solve(S, A.T)
np.linalg.norm(x) + np.linalg.norm(x, 1) + np.linalg.norm(A) + np.linalg.norm(A, 'fro')
np.linalg.norm(x, ord=2)
x.dot(y) + np.dot(A, x).sum() + np.vdot(x, y) + np.inner(x, y)
np.outer(x, y) @ x
np.diag(x) @ y + np.diag(S)
S + np.eye(n)
A.T @ np.ones(m) + np.zeros(n)
np.ones((m, n)) * A
np.full((m, n), s) + A
x.sum()/len(x) + x/x.size + A.shape[0] - A.shape[1]
np.maximum(x, y) + np.minimum(x, 0.5) + np.power(x, 2) + np.multiply(x, y)
A*R + R
R @ x
R.T
A.T.sum()
(A + B).T @ b
np.transpose(A) @ b
np.transpose(Q, (2, 0, 1))
np.swapaxes(Q, 0, 1)
x/np.linalg.norm(x)
s*x + s
np.ones_like(x) - x
np.pi*s + np.e
np.log1p(x) + np.expm1(y)
x[1:] - x[:-1]
x[0]*x[-1] + A[0, 1] - A[-1][0]
w[::2] + w[1::2]
w[:2] @ w[2:4]
x[::-1] @ y
A[:, 0] @ b + A[1] @ x
A[1:, :] @ x
A[None, :] + A
x[:, None]*y[None, :] - np.outer(x, y)
x[np.newaxis] @ y
Q[..., 0] + Q[:, :, -1]
Q[0, 1:, ::-1]
x[[0, 2]] + x[[-1, 1]]
x[n - 1] + x[:n][0]
np.concatenate([x, y])
np.concatenate((A, B), axis=1) @ np.concatenate([x, y])
np.concatenate([A, B, S])
np.concatenate([A, b[:, None]], axis=1)
np.hstack((x, y, s))
np.hstack([A, B])
np.vstack([A, x])
np.vstack((x, y)) @ x
np.stack([x, y], axis=1) @ w[:2]
np.stack([x, y])
np.column_stack([x, y, x*y])
np.block([[A, B], [B, A]])
np.block([[S, x[:, None]], [y, s]])
np.array([[s, 1], [2, s]])
np.array([x, y])
np.kron(A, S) @ np.kron(x, y)
np.kron(x, A)
np.reshape(A, (n, m))
np.reshape(A, -1) @ np.reshape(B, m*n)
A.reshape(n, m)
A.reshape(-1, order='F')
A.ravel() @ B.flatten()
w.reshape(2, 3) @ w[:3]
Q.reshape(k, -1)
np.tril(S) @ np.triu(S, 1)
np.tril(A, -1) + np.triu(A, k=-1)
np.flip(x) + np.flip(A, axis=1)[0] + np.flip(A)[0]
np.fliplr(A) + np.flipud(A)
np.diff(x)
np.diff(w, n=2) @ w[2:]
np.diff(A, axis=0)
np.convolve(x, b)
np.convolve(x, w, mode='full')
np.tensordot(Q, A, axes=([1, 2], [0, 1]))
np.tensordot(A, S, axes=1)
np.tensordot(A, B)
np.squeeze(R, axis=0) + x
np.expand_dims(x, 0) + R
np.expand_dims(A, (0, 3))
np.moveaxis(Q, 0, 2)
np.moveaxis(Q, (0, 1), (-1, 0))
np.roll(x, 1) + np.roll(x, -2)
np.roll(A, 1, axis=0)
np.roll(A, 1)
np.repeat(x, 2)
np.repeat(A, 2, axis=0)
np.tile(x, 2)
np.tile(A, (2, 1))
np.average(x) + np.average(A, axis=0)[1]
np.cross(w[:3], w[3:])
np.outer(A, x)
np.diag(x, 1)
np.diag(S, -1) @ np.diagonal(S, 1)
np.trace(S, offset=1)
np.linalg.matrix_power(S, 3) + np.linalg.matrix_power(S, -1)
np.linalg.multi_dot([A, S, x])
np.zeros(A.shape) + A
np.full_like(A, 2) * A
A.swapaxes(0, 1) @ b
A.T.dot(b)[1:]
x[2 - 1] + w[-2:][0] + w[-3]
np.sum(A, axis=1)[:, None] * A
(x**2)[1:].sum()
np.amax(A, axis=1) + np.max(A[0])
np.where(x > y, x, y)
""".strip().splitlines()


def shapes_in(text):
    names = set(re.findall(r"[A-Za-z]+", text))
    return {name: shape for name, shape in SHAPES.items() if name in names}


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_has_the_value_that_numpy_gives_it(text):
    program = parse_program(text, shapes_in(text), dialect="numpy")
    scope = {**NUMBERS, **SIZES, "np": np}
    expected = eval(text, scope)
    np.testing.assert_allclose(value(program.result, NUMBERS), expected, rtol=1e-12)
    assert program.result.order == np.ndim(expected)


def test_lines_and_return():
    text = "h = np.tanh(A @ x)  # hidden\nr = (\n  h - b)\nreturn np.sum(r**2)"
    program = parse_program(text, shapes_in("A x b"))
    expected = np.sum((np.tanh(NUMBERS["A"] @ NUMBERS["x"]) - NUMBERS["b"]) ** 2)
    np.testing.assert_allclose(value(program.result, NUMBERS), expected)
    assert list(program.lines) == ["h", "r"]


def test_shapes_are_inferred():
    program = parse_program("np.sum((V @ np.tanh(U @ x) - y)**2)")
    assert {name: len(v.shape) for name, v in program.variables.items()} == {
        "V": 2,
        "U": 2,
        "x": 1,
        "y": 1,
    }
    assert len(parse_program("x*y", dialect="numpy").variables["x"].shape) == 1


def test_a_vector_is_neither_a_column_nor_a_row():
    program = parse_program("x.T @ A", {"x": ("m",), "A": ("m", "n")})
    assert not program.rows
    assert len(parse_program("R + 1", {"R": (1, "n")}, dialect="numpy").result.shape) == 2


@pytest.mark.parametrize(
    ("text", "message", "under"),
    [
        ("A*x @ y", r"'@' marks NumPy, where A\*x goes entry by entry", "*"),
        ("U*x + z**2", r"state dialect='numpy' for the first, or write U @ x", "*"),
        ("np.exp(x)*y", "'np.' marks NumPy", "*"),
        ("np.foo(x)", "unknown function 'np.foo'", "np.foo"),
        ("x'*y @ z", "in NumPy the transpose is x.T", "'"),
        ("x @ y^2", r"in NumPy powers are \*\*", "^"),
        ("x[1:] @ y[2:] + 0*y @ x", "sizes disagree: .* has size n - |does not tell", None),
        ("x[y > 0] @ y", "this is stated, not computed", "y > 0"),
        ("x[0, 1] @ y", "2 subscripts for 1 axes", "[0, 1]"),
        ("np.sum(x, foo=1)", "unexpected keyword argument 'foo'", "np.sum(x, foo=1)"),
        ("np.sum(x, axis=x.T)", "stated, not computed", "x.T"),
        ("np.sum(x, axis=y)", "an axis is a number, and y is a size", "np.sum(x, axis=y)"),
        ("x[5:2] @ x", "holds no entries|refuse|no", None),
        ("np.split(x, 2)", "unknown function 'np.split'", "np.split"),
        ("np.reshape(x, (2, -1))", "the size of .* cannot be told", "np.reshape(x, (2, -1))"),
        ("np.convolve(x, x, 'same')", "mode='same' is not read", "np.convolve(x, x, 'same')"),
        ("np.block([[x], x])", "lists of equal depths", "np.block([[x], x])"),
        (
            "np.linalg.svd(X)",
            "the factors of np.linalg.svd are not single-valued",
            "np.linalg.svd(X)",
        ),
        ("np.exp(x, y)", "it takes 1 argument", "np.exp(x, y)"),
        ("np.exp", "'np.exp' is not called", None),
        ("x.foo @ y", "'.foo' has no meaning here", ".foo"),
        ("x y @ z", "an operator is missing before 'y'\n.*\n.*\nwrite @ or", "y"),
        ("np.einsum('ij,j', A)", "is for 2 operands, not 1", "'ij,j'"),
        ("np.einsum('ij->ik', A)", "needs letters of the operands", "'ij->ik'"),
        ("s @ x + s*s", "", None),
        ("np.softmax(X)", "needs an axis", None),
        ("__import__('os').system('ls') @ x", "unknown function", "system"),
        ("(lambda: 1)() @ x", "", None),
        ("x @ (1, 2)", "", None),
        ("np.sum() @ x", "it takes a value first", "np.sum()"),
    ],
)
def test_every_error_has_its_caret(text, message, under):
    shapes = {"s": ()} if text.startswith("s @") else {}
    shapes |= {"X": ("m", "n")} if "X" in text else {}
    with pytest.raises(PullbackError) as caught:
        parse_program(text, shapes)
    shown = str(caught.value)
    assert re.search(message, shown), shown
    if under is not None:
        place = caught.value.place
        assert text[place.start : place.stop] == under


def test_the_default_language_refuses_marks_if_it_is_stated():
    with pytest.raises(PullbackError, match="'@' marks NumPy"):
        parse_program("A @ x", dialect="matlab")
    with pytest.raises(PullbackError, match="unknown dialect 'julia'"):
        parse_program("A @ x", dialect="julia")


def test_a_mark_in_a_comment_is_none():
    assert parse_program("x + 1  # np.dot(A, x) @ y ** 2").variables


WORDS = """x y A S s n np. np.sum np.exp np.einsum .T .sum() .shape[0] ( ) ( ) + - * @ ** / ,
axis=0 'ij,j->i' 0 1 2.5 = [ ] ' keepdims=True np.linalg.inv None"""
TOKENS = st.sampled_from([*WORDS.split(), "\n", " "])


@settings(max_examples=300, deadline=None)
@given(st.lists(TOKENS, max_size=12).map("".join) | st.text(max_size=30))
def test_any_text_is_a_program_or_a_pullback_error(text):
    with contextlib.suppress(PullbackError):
        parse_program(text, dialect="numpy")
