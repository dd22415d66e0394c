"""Slices, blocks, Kronecker products, reshapes: values against NumPy, sizes, and refusals."""

import re

import numpy as np
import pytest
from values import SIZES, arrays, value

import pullback as pb
from pullback.errors import PullbackError, ShapeError
from pullback.expressions import Size
from pullback.language.parse import parse_program

SHAPES = {
    "A": ("m", "n"),
    "B": ("m", "n"),
    "C": ("n", "m"),
    "D": ("p", "q"),
    "S": ("n", "n"),
    "T": ("m", "n", "p"),
    "x": ("n",),
    "y": ("m",),
    "z": ("n",),
    "w": (6,),
    "v": (3,),
    "u": (3,),
    "r": (1, "n"),
    "q": (1, "p"),
    "a": (),
    "b": (),
}
NUMBERS = arrays({**SHAPES, "r": ("n",), "q": ("p",)}, seed=3)
A, B, C, D, S, T, x, y, z, w, v, u, r, q, a, b = (NUMBERS[name] for name in SHAPES)
n, m, p = (SIZES[s] for s in "nmp")


def F(array, *shape):
    return np.reshape(array, shape, order="F")


VALUES = {
    # slices
    "x(2)": x[1],
    "x(end)": x[-1],
    "x(2:end)": x[1:],
    "x(2:n)": x[1:],
    "x(1:end-1)": x[:-1],
    "x(end:-1:1)": x[::-1],
    "x(n:n)": x[-1],
    "x(:)": x,
    "x([1 3])": x[[0, 2]],
    "x([end, 1, 1])": x[[-1, 0, 0]],
    "x(2, 1)": x[1],
    "x(2:3, :)": x[1:3],
    "r(1, 2:3)": r[1:],
    "r(:)": r,
    "w(1:2:end)": w[::2],
    "w(2:3:end)": w[1::3],
    "w(end:-2:1)": w[::-2],
    "A(1, 2)": A[0, 1],
    "A(end, end)": A[-1, -1],
    "A(:, 1)": A[:, 0],
    "A(2, :)": A[1],
    "A(:, 2:end)": A[:, 1:],
    "A(:, end:-1:1)*x": A[:, ::-1] @ x,
    "A([2 1], :)": A[[1, 0]],
    "A(1:2, [1 3])": A[:2][:, [0, 2]],
    "A(2, :)*x": A[1] @ x,
    "A(2, :)'*A(1, :)": np.outer(A[1], A[0]),
    "x'*S(:, 2)": x @ S[:, 1],
    "T(1, :, 2)": T[0, :, 1],
    "T(:, :, end)*x": T[:, :, -1] @ x,
    "T(2, 1:2, :)": T[1, :2],
    "(A*x)(2:end)": (A @ x)[1:],
    "sum(x(1:2).^2)": (x[:2] ** 2).sum(),
    "x(2)^2*x(2:3)'": x[1] ** 2 * x[1:],
    "A(:)": A.ravel(order="F"),
    "A(:)'*B(:)": (A * B).sum(),
    # blocks
    "[x; y]": np.r_[x, y],
    "[x; 1]": np.r_[x, 1],
    "[1, x']": np.r_[1, x],
    "[x', y']": np.r_[x, y],
    "[x, z]": np.c_[x, z],
    "[x'; z']": np.array([x, z]),
    "[a, b; b, 2]": [[a, b], [b, 2]],
    "[a; b; -1]": [a, b, -1],
    "[a b\n b 0]": [[a, b], [b, 0]],
    "[A, y; x', a]": np.block([[A, y[:, None]], [x, np.ones(1) * a]]),
    "[A, B; 0, S]": np.block([[A, B], [np.zeros((n, n)), S]]),
    "[A, 0; 0, S]": np.block([[A, np.zeros((m, n))], [np.zeros((n, n)), S]]),
    "[A; 1]": np.vstack([A, np.ones((1, n))]),
    "[A, B; [x', z']]": np.block([[A, B], [x, z]]),
    "[S, eye(n)]*[x; z]": S @ x + z,
    "horzcat(A, y, B)": np.hstack([A, y[:, None], B]),
    "vertcat(A, x')": np.vstack([A, x]),
    "vertcat([A, y, y], [y, A, y])": np.vstack([np.c_[A, y, y], np.c_[y, A, y]]),
    "blkdiag(A, S)": np.block([[A, np.zeros((m, n))], [np.zeros((n, n)), S]]),
    "blkdiag(a, A)": np.block([[a, np.zeros(n)], [np.zeros((m, 1)), A]]),
    "cat(1, A, B)": np.vstack([A, B]),
    "cat(2, A, B)": np.hstack([A, B]),
    "cat(3, A, B)": np.stack([A, B], axis=2),
    "cat(3, T, T)": np.concatenate([T, T], axis=2),
    # Kronecker products, vec, reshapes
    "kron(A, D)": np.kron(A, D),
    "A ⊗ D": np.kron(A, D),
    "kron(A, x)": np.kron(A, x[:, None]),
    "kron(x', D)": np.kron(x, D),
    "kron(x, y)": np.kron(x, y),
    "kron(x, y')": np.outer(x, y),
    "kron(r, x)": np.kron(r, x[:, None]),
    "kron(a, A)": a * A,
    "kron(x, y, z)": np.kron(np.kron(x, y), z),
    "kron(eye(m), S)": np.kron(np.eye(m), S),
    "kr(S, A)": np.stack([np.kron(S[:, k], A[:, k]) for k in range(n)], axis=1),
    "khatri_rao(A, A)": np.stack([np.kron(A[:, k], A[:, k]) for k in range(n)], axis=1),
    "vec(A)": A.ravel(order="F"),
    "vec(r)": r,
    "vec(A*S)": np.kron(S.T, np.eye(m)) @ A.ravel(order="F"),
    "vec(T)": T.ravel(order="F"),
    "unvec(w, 2, 3)": F(w, 2, 3),
    "reshape(w, [3, 2])": F(w, 3, 2),
    "reshape(w, [], 3)": F(w, 2, 3),
    "reshape(A, n, m)": F(A, n, m),
    "reshape(A, m*n, 1)": A.ravel(order="F"),
    "reshape(w, 1, 6)*w": w @ w,
    "reshape(T, m*n, p)": F(T, m * n, p),
    "reshape(w, 1, 2, 3)": F(w, 1, 2, 3),
    "commutation(m, n)*vec(A)": A.ravel(),
    "commutation(n, m)*commutation(m, n)": np.eye(m * n),
    "repmat(x, 1, 4)": np.tile(x[:, None], 4),
    "repmat(A, 2, 2)": np.tile(A, (2, 2)),
    # the rest
    "tril(S)": np.tril(S),
    "triu(A, 1)": np.triu(A, 1),
    "tril(A, -1)": np.tril(A, -1),
    "flip(x)": x[::-1],
    "flip(A)": A[::-1],
    "fliplr(A)": A[:, ::-1],
    "flip(r)": r[::-1],
    "diff(x)": np.diff(x),
    "diff(w, 2)": np.diff(w, 2),
    "diff(A)": np.diff(A, axis=0),
    "diff(A, 1, 2)": np.diff(A, axis=1),
    "circshift(w, 2)": np.roll(w, 2),
    "circshift(x, -1)": np.roll(x, -1),
    "circshift(A, 1, 2)": np.roll(A, 1, axis=1),
    "conv(x, w)": np.convolve(x, w),
    "conv(x, y)": np.convolve(x, y),
    "cross(u, v)": np.cross(u, v),
    "permute(T, [3 1 2])": T.transpose(2, 0, 1),
    "permute(A, [2, 1])": A.T,
    'einsum("ij,j->i", A, x)': A @ x,
    "einsum('mnp,n,m->p', T, x, y)": np.einsum("mnp,n,m->p", T, x, y),
    'einsum("ij,kj", A, S)': A @ S.T,
    'einsum("ii", S)': np.trace(S),
    "sum(x)/numel(x) - sum(x)/length(x)": 0,
    "size(A, 1)*a + numel(T) + size(x, 2)": m * a + T.size + 1,
    "ones(m, n) - zeros(m, n)": np.ones((m, n)),
    "ones(1, n)*x": x.sum(),
    "ones(size(A)) + A": A + 1,
    "sum(A, 'all') + norm(A, 'fro')": A.sum() + np.linalg.norm(A),
    "max(A, [], 2)": A.max(axis=1),
    "norm(x, inf)": np.abs(x).max(),
}


def program_of(text):
    names = set(re.findall(r"(?<![\w'\"])[A-Za-z](?!\w)", text))
    return parse_program(text, {name: shape for name, shape in SHAPES.items() if name in names})


@pytest.mark.parametrize("text", VALUES)
def test_an_arrangement_means_what_numpy_means(text):
    program = program_of(text)
    expected = np.asarray(VALUES[text], dtype=float)
    given = {name: NUMBERS[name] for name in program.variables}
    np.testing.assert_allclose(value(program.result, given), expected, rtol=1e-12)
    assert program.result.order == expected.ndim
    named = [*program.result.shape, *[s for v in program.variables.values() for s in v.shape]]
    sizes = {name: SIZES[name] for size in named for name in size.names}
    np.testing.assert_allclose(pb.compile(program)(**given, **sizes), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "wrt"),
    [
        ("norm2(A*x(2:end) - y)^2", "x"),
        ("norm2(tanh(A)(:, 1:2)*z)^2", "A"),
        ("norm2(tanh([A, B; C, D]*[x; y]))^2", "B"),
        ("norm2(tanh([A, B; C, D]*[x; y]))^2", "y"),
        ("vec(A*X*B)", "X"),
        ("norm2(kron(A, X)*w)^2", "X"),
        ("logdet(kron(A, X))", "X"),
        ("norm2(kr(A, B)*x)^2", "A"),
        ("tr(reshape(tanh(x), m, m))", "x"),
        ("sum(log(1 + exp(diff(x))))", "x"),
        ("norm2(conv(x, h))^2", "h"),
        ("c'*cross(tanh(a), b)", "a"),
        ("tr(tril(X)*X')", "X"),
        ("einsum('bqd,bkd->bqk', Q, tanh(K))", "K"),
        ("norm2(T(:, 2, :))^2", "T"),
        ("x(1)*x(2) + x(end)^3", "x"),
        ("A(1, 2)^2 + A(2, 1)", "A"),
        ("logdet([A, B; B', C])", "B"),
        ("norm2([x; 1] - c)^2", "x"),
        ("norm2(circshift(x, 1) - flip(x))^2", "x"),
        ("norm2(unvec(commutation(2, 3)*w, 3, 2))^2", "w"),
    ],
)
def test_derivatives_are_certified(text, wrt):
    shapes = {"c": ("n + 1",)} if "; 1]" in text else {"A": (2, 2)} if "A(1, 2)" in text else {}
    f = pb.parse(text, {**shapes, **({"X": (2, 2)} if "logdet(kron" in text else {})})
    assert pb.derivative(f, wrt).check().passed


ASSUMED = {
    "[x; y] - b": ["x: n", "y: p", "b: n + p"],
    "b - [x; y]": ["b: n + p", "x: n", "y: p"],
    "(b + c) - [x; y]": ["b: n + p", "c: n + p", "x: n", "y: p"],
    "x(2:end) - y": ["x: n", "y: n - 1"],
    "y - x(2:end) - z(2:end)": ["y: n - 1", "x: n", "z: n"],
    "A*x(3:end)": ["A: m (n - 2)", "x: n"],
    "A*[x; 1]": ["A: m (n + 1)", "x: n"],
    "[A, B; C, D]*[x; y]": ["A: m n", "B: m p", "C: q n", "D: q p", "x: n", "y: p"],
    "kron(A, B)*x - y": ["A: m n", "B: p q", "x: n*q", "y: m*p"],
    "vec(X) - y": ["X: m n", "y: m*n"],
    "conv(x, h) - y": ["x: n", "h: p", "y: n + p - 1"],
    "f = [x; y]; A*f + B*x + C*y": ["x: n", "y: p", "A: m (n + p)", "B: m n", "C: m p"],
    "diff(x)'*diff(y)": ["x: n", "y: n"],
    "[a, b; c, d]*x": ["a", "b", "c", "d", "x: 2"],
    "cross(a, b)": ["a: 3", "b: 3"],
    "reshape(x, m, n)": ["x: m*n"],
    "einsum('bqd,bkd->bqk', Q, K)": ["Q: m n p", "K: m q p"],
    "sum(T(1, :, :))": ["T: m n p"],
    "A(:, 1)'*x": ["A: m n", "x: m"],
    "A(2, :)*x": ["A: m n", "x: n"],
    "x(1)*x'*A": ["x: n", "A: n p"],
    "100*(x(2) - x(1)^2)^2 + (1 - x(1))^2": ["x: n"],
    "A(1, 2) - A(2, 1)": ["A: m n"],
    "blkdiag(A, B)*x": ["A: m n", "B: p q", "x: n + q"],
    "[x, y]*w": ["x: n", "y: n", "w: 2"],
    "repmat(x, 1, 3)*w": ["x: n", "w: 3"],
    "diff = h - y; norm2(diff)": ["h: n", "y: n"],
    "kron(B', A)*vec(X)": ["B: m n", "A: p q", "X: q m"],
    "vec(X)'*kron(A, B)*vec(X)": ["X: m n", "A: n n", "B: m m"],
    "logdet(kron(A, X))": ["A: n n", "X: p p"],
    "[x; y]'*[u; v]": ["x: n", "y: p", "u: n", "v: p"],
}


@pytest.mark.parametrize("text", ASSUMED)
def test_sizes_follow(text):
    variables = parse_program(text).variables
    written = {
        name: " ".join(f"({s})" if " " in str(s) and v.order > 1 else str(s) for s in v.shape)
        for name, v in variables.items()
    }
    assert [f"{name}: {s}" if s else name for name, s in written.items()] == ASSUMED[text]


@pytest.mark.parametrize(
    ("text", "message", "under"),
    [
        ("x: 3\nx(4)", "there is no entry 4 on an axis of size 3", "(4)"),
        ("x: n\nx(0)", "there is no entry 0", "(0)"),
        ("x: n\nx(end + 1)", r"there is no entry n \+ 1", "(end + 1)"),
        ("x(3:2)", r"x\(3:2\) has no entries", "(3:2)"),
        (
            "x(1:2:end)",
            r"the size of x\(1:2:end\) cannot be told.*\n.*\n.*\n.*x: 2\*k",
            "(1:2:end)",
        ),
        ("x(1:0:end)", "a step is a whole number that is not 0", "0"),
        ("A: m n\nA(2)", "one place for a matrix.*\n.*\n.*\nwrite A", "(2)"),
        ("x: n\nx(2, 2)", "a column has one column", "(2, 2)"),
        ("s:\ns(1)", "a scalar has no entries", "(1)"),
        ("x: n\nx(y > 0)", "'x' is no function", "x"),
        ("x(2:y.^2)", "a size is made of whole numbers", "y.^2"),
        ("x: n, A: m n\nx(n) + A", "two readings: an entry, or a product", "x(n)"),
        ("x: n, y: m\n[x, y]", "needs the rows of x .n. to equal the rows of y", "[x, y]"),
        ("A: m n, x: n\n[A, x']", "a matrix and a row in one row of blocks", "[A, x']"),
        ("A: m n, B: m k\n[A, B; A]", "has size", "[A, B; A]"),
        (
            "x: n, y: m\nA: p k\nA*[x; y]",
            r"the columns of A \(k\) to equal the rows of \[x; y\]",
            "*",
        ),
        ("x: n\nreshape(x, 2, 3)", "sizes disagree: reshape", "reshape(x, 2, 3)"),
        ("x: n\nreshape(x, 2)", "takes a value and the new sizes", "reshape(x, 2)"),
        ("x: n\ncross(x, x)", "size n where 3 is needed", "cross(x, x)"),
        ("T: a b c\nkron(T, T)", "⊗ joins vectors and matrices", "kron(T, T)"),
        ("T: a b c\npermute(T, [1 1 2])", "every axis once", "permute(T, [1 1 2])"),
        ("einsum('ij,j', A)", "for 2 operands, not 1", "'ij,j'"),
        ("einsum(A, x)", "takes its subscripts first", "einsum(A, x)"),
        ("ones(n)", "a matrix in MATLAB and a vector in NumPy", "ones(n)"),
        ("size(A)", "size.A. is two numbers", "size(A)"),
        ("A: m n\nlength(A)", "the larger of its sizes", "length(A)"),
        ("kron(eye, A)*x", "nothing determines this size", "eye"),
        ("x: m*n\nkron(y, z) - x", "does not tell those of its parts", "kron(y, z)"),
        ("commutation(m, n)*vec(X)", "does not tell those of its parts: X is", "vec(X)"),
        ("conv(x, y, 'same')", "only conv", "'same'"),
        ("diff(1)", "1 has no axis 1|has no axis", "diff(1)"),
        ("sigmod(1)", "unknown function 'sigmod'\n.*\n.*\ndid you mean 'sigmoid'", "sigmod"),
        ("foo(y)", "unknown function 'foo'", "foo"),
        ("[A x, b]", "two entries, or a product|^", None),
        ("‖[A B]‖", "two entries, or a product", " "),
    ],
)
def test_what_has_no_meaning_or_two_is_refused(text, message, under):
    if under is None:
        assert parse_program(text).result.shape[0] == Size.of("m")
        return
    with pytest.raises(PullbackError, match=message) as caught:
        parse_program(text)
    place = caught.value.place
    assert text[place.start : place.stop] == under
    assert isinstance(caught.value, PullbackError | ShapeError)


@pytest.mark.parametrize("text", ["x(1:n/2)", "eye(n/2)*x", "0(0:0/0)", "reshape(X, m/n, 3)"])
def test_half_a_size_is_no_size(text):
    with pytest.raises(PullbackError, match="a size is made of whole numbers"):
        pb.parse(text)
