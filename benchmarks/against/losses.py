"""Logistic loss and matrix factorisation."""

from __future__ import annotations

import numpy as np
from against.case import KEPT, Case, drawn

# logistic loss


def logistic(lib, w, X, y):
    return lib.sum(lib.log1p(lib.exp(-y * (X @ w))))


def logistic_hessian_scaled(np, w, X, y):
    e = np.exp(-np.abs(X @ w))
    return (X * (e / (1 + e) ** 2)[:, None]).T @ X


def logistic_hessian_root(np, w, X, y):
    e = np.exp(-np.abs(X @ w))
    R = X * (np.sqrt(e) / (1 + e))[:, None]
    return R.T @ R  # NumPy sees one matrix twice, and calls syrk


def logistic_gradient(np, w, X, y):
    z = y * (X @ w)
    return -(X.T @ (y / (1 + np.exp(z))))


def logistic_product(np, w, X, y, v):
    e = np.exp(-np.abs(X @ w))
    return X.T @ ((e / (1 + e) ** 2) * (X @ v))


LOGISTIC = "sum(log(1 + exp(-y.*(X*w))))"
LOGISTIC_AXES = {"w": ("n",), "X": ("m", "n"), "y": ("m",)}


def logistic_arrays(m: int, n: int) -> dict[str, np.ndarray]:
    arrays = drawn(1, w=(n,), X=(m, n))
    arrays["X"] /= np.sqrt(n)
    arrays["y"] = np.where(np.random.default_rng(2).normal(size=m) > 0, 1.0, -1.0)
    return arrays


def logistic_case(row, size, order, m, n, hand, hand_limit, peer_limit, **more):
    return Case(
        row,
        size,
        order,
        LOGISTIC,
        "w",
        logistic_arrays(m, n),
        logistic,
        hand,
        hand_limit,
        peer_limit,
        assume={"y": "sign"},
        axes=LOGISTIC_AXES,
        **more,
    )


# matrix factorisation


def factorisation(lib, U, V, T):
    return lib.sum((T - U @ V.T) ** 2)


def masked(lib, U, V, T, M):
    return lib.sum((M * (T - U @ V.T)) ** 2)


def spread_numpy(core, n):
    """δ_il core_(i)jp as the whole array: zeros, and the diagonal blocks written."""
    k = core.shape[-1]
    H = np.zeros((n, k, n, k))
    np.einsum("ijip->ijp", H)[...] = core
    return H


def factorisation_core(np, U, V, T):
    return 2 * (V.T @ V)


def masked_core(np, U, V, T, M):
    k = V.shape[1]
    pairs = (V[:, :, None] * V[:, None, :]).reshape(-1, k * k)
    return (2 * ((M * M) @ pairs)).reshape(-1, k, k)


def masked_core_batched(np, U, V, T, M):
    return 2 * (((M * M)[:, None, :] * V.T) @ V)


def times(np, core, v):
    """Each row of v times the one core, or times its own."""
    return v @ core if core.ndim == 2 else (core @ v[:, :, None])[..., 0]


def factorisation_gradient(np, U, V, T):
    return 2 * ((U @ V.T - T) @ V)


def factorisation_product(np, U, V, T, v):
    return 2 * (v @ (V.T @ V))


def factorisation_cases(n: int, dense_peer: float) -> list[Case]:
    k, m = 5, n
    arrays = drawn(3, U=(n, k), V=(m, k), T=(n, m))
    both = {**arrays, "M": (np.random.default_rng(4).random((n, m)) < 0.5) * 1.0}
    v = drawn(5, v=(n, k))["v"]
    axes = {"U": ("n", "k"), "V": ("m", "k"), "T": ("n", "m")}
    cases = []
    for row, text, loss, given, cores in (
        (
            "Hessian of ‖T − UVᵀ‖² by U",
            "norm2(T - U*V')^2",
            factorisation,
            arrays,
            {"product": factorisation_core},
        ),
        (
            "Hessian of ‖M ⊙ (T − UVᵀ)‖² by U",
            "norm2(M.*(T - U*V'))^2",
            masked,
            both,
            {"pairs": masked_core, "batched": masked_core_batched},
        ),
    ):
        whole = {
            f"{name}, numpy": lambda np, core=core, **a: spread_numpy(core(np, **a), n)
            for name, core in cores.items()
        }
        applied = {
            name: lambda np, v, core=core, **a: times(np, core(np, **a), v)
            for name, core in cores.items()
        }
        shared = {
            "assume": {},
            "axes": axes if "M" not in given else {**axes, "M": ("n", "m")},
        }
        size = f"n = m = {n}, k = {k}"
        base = (row, size, "hessian", text, "U", given, loss)
        cases += [
            Case(*base, whole, 1.2, dense_peer, **shared),
            Case(*base, applied, 1.5, 1, form=KEPT, vector=v, **shared),
            Case(*base, dict(cores), 1.5, None, form=KEPT, build_only=True, **shared),
        ]
    return cases


def large_cases() -> list[Case]:
    m, n = 20_000, 200
    big, k = 1000, 20
    arrays = drawn(15, U=(big, k), V=(big, k), T=(big, big))
    axes = {"axes": {"U": ("n", "k"), "V": ("m", "k"), "T": ("n", "m")}}
    base = ("norm2(T - U*V')^2", "U", arrays, factorisation)
    size = f"n = m = {big}, k = {k}"
    return [
        logistic_case(
            "gradient of logistic loss",
            f"m = {m}, n = {n}",
            "gradient",
            m,
            n,
            {"product": logistic_gradient},
            1.2,
            0.95,
        ),
        logistic_case(
            "Hessian-vector product of logistic loss",
            f"m = {m}, n = {n}",
            "hvp",
            m,
            n,
            {"product": logistic_product},
            1.2,
            0.95,
            vector=drawn(16, v=(n,))["v"],
        ),
        Case(
            "gradient of ‖T − UVᵀ‖² by U",
            size,
            "gradient",
            *base,
            {"product": factorisation_gradient},
            1.2,
            0.95,
            **axes,
        ),
        Case(
            "Hessian-vector product of ‖T − UVᵀ‖² by U",
            size,
            "hvp",
            *base,
            {"product": factorisation_product},
            1.2,
            0.95,
            vector=drawn(17, v=(big, k))["v"],
            **axes,
        ),
    ]
