"""The native target against NumPy's planned code, from which the rule of `target="auto"` comes.

One core, pinned; both take turns, results are compared.

    python benchmarks/native_or_numpy.py
"""

from __future__ import annotations

from one_core import one_core

one_core()

import time
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median

import numpy as np

import pullback as pb

Shapes = Mapping[str, tuple[str, ...]]

# a text, the variable, how often it is derived, shapes, and the sizes n
CASES: list[tuple[str, str, str, int, Shapes, tuple[int, ...]]] = [
    ("elementwise", "sum(log1p(exp(-t)))", "t", 1, {"t": ("n",)}, (10, 1000, 100_000)),
    (
        "logistic gradient",
        "sum(log(1 + exp(-y .* (X*w))))",
        "w",
        1,
        {"X": ("2n", "n"), "y": ("2n",), "w": ("n",)},
        (10, 100, 1000),
    ),
    (
        "logistic Hessian",
        "sum(log(1 + exp(-y .* (X*w))))",
        "w",
        2,
        {"X": ("2n", "n"), "y": ("2n",), "w": ("n",)},
        (10, 100, 500),
    ),
    (
        "factorisation",
        "normF(T - U*V')^2",
        "U",
        1,
        {"T": ("n", "n"), "U": ("n", "5"), "V": ("n", "5")},
        (10, 100, 1000),
    ),
    (
        "network",
        "norm2(V*sigmoid(U*x) - y)^2",
        "U",
        1,
        {"V": ("n", "n"), "U": ("n", "n"), "x": ("n",), "y": ("n",)},
        (10, 100, 500),
    ),
    (
        "attention",
        "sum(softmax(Q*K'/8, 2)*V)",
        "Q",
        1,
        {"Q": ("n", "64"), "K": ("n", "64"), "V": ("n", "64")},
        (64, 256),
    ),
    (
        "likelihood",
        "logdet(S) + x'*inv(S)*x",
        "S",
        1,
        {"S": ("n", "n"), "x": ("n",)},
        (10, 100, 300),
    ),
]


def length(size: str, n: int) -> int:
    return 2 * n if size == "2n" else n if size == "n" else int(size)


def drawn(shapes: Shapes, n: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(n)
    given = {k: generator.normal(size=[length(s, n) for s in v]) for k, v in shapes.items()}
    if "S" in given:
        given["S"] = given["S"] @ given["S"].T + np.eye(n)
    return given


def seconds(run: Callable[[], object], often: int) -> float:
    start = time.perf_counter()
    for _ in range(often):
        run()
    return (time.perf_counter() - start) / often


def main() -> None:
    print(
        f"{'':<20}{'n':>8}{'NumPy µs':>12}{'C µs':>12}{'ratio':>8}{'saved µs':>10}{'by rule':>10}"
    )
    for name, text, by, order, shapes, sizes in CASES:
        for n in sizes:
            given = drawn(shapes, n)
            declared = {k: tuple(length(s, n) for s in v) for k, v in shapes.items()}
            f = pb.parse(text, shapes=declared)
            d = pb.derivative(f, *[by] * order)
            planned, native = pb.compile(d, planned=True), pb.compile(d, target="native")
            values = [given[k] for k in planned.inputs]
            runs = [partial(fn, *values) for fn in (planned, native)]
            expected, found = (run() for run in runs)
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * abs(expected).max())
            often = max(1, int(2e-3 / seconds(runs[0], 3)))
            times = [[seconds(run, often) for run in runs] for _ in range(15)]
            slow, fast = (median(column) * 1e6 for column in zip(*times, strict=True))
            rule = pb.compile(d, target="auto").saved_by({}) * 1e6
            print(
                f"{name:<20}{n:>8}{slow:>12.1f}{fast:>12.1f}{slow / fast:>8.2f}"
                f"{slow - fast:>10.1f}{rule:>10.1f}"
            )


if __name__ == "__main__":
    main()
