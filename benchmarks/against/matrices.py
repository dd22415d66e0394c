"""Quadratic forms, log det, Gaussian likelihood, attention."""

from __future__ import annotations

import numpy as np
from against.case import KEPT, Case, drawn
from scipy.linalg import cho_factor, lapack


def quadratic_case(n: int, peer_limit: float) -> Case:
    return Case(
        "Hessian of xᵀAx",
        f"n = {n}",
        "hessian",
        "x'*A*x",
        "x",
        drawn(10, x=(n,), A=(n, n)),
        lambda lib, x, A: x @ (A @ x),
        {"sum": lambda np, x, A: A + A.T},
        1.2,
        peer_limit,
        axes={"x": ("n",), "A": ("n", "n")},
    )


def logdet_cases(n: int) -> list[Case]:
    arrays = drawn(11, X=(n, n))
    arrays["X"] = arrays["X"] @ arrays["X"].T / n + np.eye(n)
    base = ("Hessian of log det X", f"n = {n}", "hessian", "log(det(X))", "X", arrays)
    v = drawn(12, v=(n, n))["v"]

    def loss(lib, X):
        return lib.logdet(X)

    def whole(np, X):
        Y = np.linalg.inv(X)
        return Y.T[:, None, None, :] * (-Y)[:, :, None]

    def applied(np, X, v):
        Y = np.linalg.inv(X)
        return -(Y @ v @ Y).T

    axes = {"axes": {"X": ("n", "n")}}
    return [
        Case(*base, loss, {"outer": whole}, 1.2, 22, **axes),
        Case(*base, loss, {"product": applied}, 1.2, 1, form=KEPT, vector=v, **axes),
    ]


# Gaussian likelihood and attention


def gaussian_cholesky_numpy(np, S, x, u):
    """With LAPACK's potrf and potri, whose triangle is mirrored."""
    c, _ = cho_factor(S, lower=True, check_finite=False)
    P, _ = lapack.dpotri(c, lower=1, overwrite_c=1)
    r = x - u
    lower = np.tril(P)
    P = lower + np.tril(P, -1).T
    z = P @ r
    return 0.5 * (z[:, None] * z - P)


def gaussian_inverse(np, S, x, u):
    P = np.linalg.inv(S)
    z = P @ (x - u)
    return 0.5 * (z[:, None] * z - P)


def gaussian_case(n: int, peer_limit: float) -> Case:
    arrays = drawn(13, x=(n,), u=(n,), S=(n, n))
    arrays["S"] = arrays["S"] @ arrays["S"].T / n + np.eye(n)

    def loss(lib, S, x, u):
        r = x - u
        return -0.5 * lib.logdet(S) - 0.5 * (r @ lib.solve(S, r))

    return Case(
        "gradient of the Gaussian log-likelihood by S",
        f"n = {n}",
        "gradient",
        "-logdet(S)/2 - (x - u)'*inv(S)*(x - u)/2",
        "S",
        arrays,
        loss,
        {"cholesky, numpy": gaussian_cholesky_numpy, "inverse": gaussian_inverse},
        1.2,
        peer_limit,
        assume={"S": "posdef"},
        axes={"S": ("n", "n"), "x": ("n",), "u": ("n",)},
    )


def attention_gradient(np, Q, K, V, C):
    s = 1 / np.sqrt(Q.shape[1])
    P = (Q * s) @ K.T
    P = np.exp(P - np.max(P, axis=1, keepdims=True))
    P = P / np.sum(P, axis=1, keepdims=True)
    D = C @ V.T
    D = P * (D - np.sum(P * D, axis=1, keepdims=True))
    return (D @ K) * s


def attention_in_place_numpy(np, Q, K, V, C):
    """The same, nothing allocated twice, and the rows' sums divided out at the end."""
    s = 1 / np.sqrt(Q.shape[1])
    P = (Q * s) @ K.T
    P -= P.max(axis=1, keepdims=True)
    np.exp(P, out=P)
    total = P.sum(axis=1, keepdims=True)
    D = C @ V.T
    D -= (np.vecdot(P, D) / total[:, 0])[:, None]
    D *= P
    return (D @ K) * (s / total)


def attention_case(n: int, peer_limit: float) -> Case:
    d = 64

    def loss(lib, Q, K, V, C):
        return lib.sum(C * (lib.softmax((Q @ K.T) / np.sqrt(d)) @ V))

    return Case(
        "gradient of attention by Q",
        f"n = {n}, d = {d}",
        "gradient",
        "sum(C.*(softmax(Q*K'/sqrt(d), 2)*V))",
        "Q",
        drawn(14, Q=(n, d), K=(n, d), V=(n, d), C=(n, d)),
        loss,
        {"plain": attention_gradient, "in place, numpy": attention_in_place_numpy},
        1.2,
        peer_limit,
        axes=dict.fromkeys("QKVC", ("n", "d")),
    )
