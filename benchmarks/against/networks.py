"""Ten dense layers, and one alone."""

from __future__ import annotations

import numpy as np
from against.case import KEPT, Case, drawn

# ten dense layers and a softmax cross entropy

LAYERS = 10


def network_text(activation: str) -> str:
    lines = ["h1 = " + activation + "(W1*x)"]
    lines += [f"h{k} = {activation}(W{k}*h{k - 1})" for k in range(2, LAYERS)]
    return "\n".join([*lines, f"cross_entropy(softmax(W{LAYERS}*h{LAYERS - 1}), y)"])


def network_loss(activation: str):
    def loss(lib, W1, x, y, **weights):
        h = getattr(lib, activation)(W1 @ x)
        for k in range(2, LAYERS):
            h = getattr(lib, activation)(weights[f"W{k}"] @ h)
        scores = weights[f"W{LAYERS}"] @ h
        return lib.logsumexp(scores) - lib.sum(y * scores)

    return loss


def network_second(activation: str):
    """∂²L/∂f₁² for the first layer's result f₁, from the last layer back."""

    def second(np, x, y, **weights):
        values, slopes, bends = [], [], []
        h = x
        for k in range(1, LAYERS):
            f = weights[f"W{k}"] @ h
            if activation == "relu":
                h = np.maximum(f, 0)
                slopes.append((f > 0) * 1.0)
            else:
                e = np.exp(-np.abs(f))
                h = np.where(f > 0, 1, e) / (1 + e)
                slope = e / (1 + e) ** 2
                slopes.append(slope)
                bends.append(slope * (1 - 2 * h))
            values.append(h)
        W = weights[f"W{LAYERS}"]
        scores = W @ h
        p = np.exp(scores - np.max(scores))
        p = p / np.sum(p)
        slope = slopes[-1]
        J = W * slope
        q = p @ J
        S = J.T @ (p[:, None] * J) - q[:, None] * q
        g = W.T @ (p - y)
        for k in range(LAYERS - 1, 0, -1):
            if bends:
                S = S + np.diag(bends[k - 1] * g)
            if k > 1:
                W = weights[f"W{k}"]
                g = W.T @ (slopes[k - 1] * g)
                J = W * slopes[k - 2]
                S = J.T @ S @ J
        return S

    return second


def network_relu_root(np, x, y, **weights):
    """The same for relu, by the Jacobian of the scores: n × n products, forwards."""
    h, J = x, None
    for k in range(1, LAYERS):
        W = weights[f"W{k}"]
        f = W @ h
        s = (f > 0) * 1.0
        J = np.diag(s) if J is None else s[:, None] * (W @ J)
        h = np.maximum(f, 0)
    W = weights[f"W{LAYERS}"]
    scores = W @ h
    p = np.exp(scores - np.max(scores))
    p = p / np.sum(p)
    J = W @ J
    q = p @ J
    return J.T @ (p[:, None] * J) - q[:, None] * q


def network_cases(n: int, activation: str, dense_peer: float) -> list[Case]:
    names = [f"W{k}" for k in range(1, LAYERS + 1)]
    arrays = drawn(6, x=(n,), **dict.fromkeys(names, (n, n)))
    for name in names:
        arrays[name] *= np.sqrt(2 / n)
    arrays["y"] = np.eye(n)[n // 3]
    axes = {"x": ("n",), "y": ("n",)} | dict.fromkeys(names, ("n", "n"))
    v = drawn(7, v=(n, n))["v"]
    second = network_second(activation)
    seconds = {"backwards": second} | (
        {"forwards": network_relu_root} if activation == "relu" else {}
    )
    row = f"Hessian by W₁ of {LAYERS} layers, {activation}"
    base = (row, f"n = {n}", "hessian", network_text(activation), "W1", arrays)
    shared = {"assume": {"y": "unit-sum"}, "axes": axes}
    whole = {
        name: lambda np, f=f, **a: (
            f(np, **a)[:, None, :, None] * (a["x"][:, None] * a["x"])[:, None]
        )
        for name, f in seconds.items()
    }
    applied = {
        name: lambda np, v, f=f, **a: (f(np, **a) @ (v @ a["x"]))[:, None] * a["x"]
        for name, f in seconds.items()
    }
    loss = network_loss(activation)
    return [
        Case(*base, loss, whole, 1.2, dense_peer, **shared),
        Case(*base, loss, applied, 1.2, 1, form=KEPT, vector=v, **shared),
    ]


# one layer's Jacobian


def slope_of(np, W, x):
    e = np.exp(-np.abs(W @ x))
    return e / (1 + e) ** 2


def layer_whole_numpy(np, W, x):
    n = len(W)
    J = np.zeros((n, n, len(x)))
    i = np.arange(n)
    J[i, i] = slope_of(np, W, x)[:, None] * x
    return J


def layer_cases(n: int, dense_peer: float) -> list[Case]:
    arrays = drawn(8, W=(n, n), x=(n,))
    arrays["W"] /= np.sqrt(n)
    base = ("Jacobian of σ(Wx) by W", f"n = {n}", "jacobian", "sigmoid(W*x)", "W", arrays)
    axes = {"axes": {"W": ("m", "n"), "x": ("n",)}}
    v = drawn(9, v=(n, n))["v"]

    def loss(lib, W, x):
        return lib.sigmoid(W @ x)

    def applied(np, W, x, v):
        return slope_of(np, W, x) * (v @ x)

    return [
        Case(*base, loss, {"numpy": layer_whole_numpy}, 1.2, dense_peer, **axes),
        Case(*base, loss, {"product": applied}, 1.2, 1, form=KEPT, vector=v, **axes),
    ]
