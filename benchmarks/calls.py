"""What a call costs beside its work: small functions against the same operations by hand.

    python benchmarks/calls.py [--core 0]

The microseconds that a call takes above a hand-written function, by position and by keyword, on one
core, checked as by default (asked: at most 1.5); and what the check costs of the whole where there is
work to do (asked: at most 1.05 times the unchecked function).
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
from one_core import pin

import pullback as pb

SIZES = (3, 10, 29)
ROUNDS, CALLS = 300, 200


def per_call(call, count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def interleaved(calls: dict, rounds: int, count: int) -> dict[str, float]:
    times = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            times[name].append(per_call(call, count))
    return {name: statistics.median(taken) for name, taken in times.items()}


def least_squares(A, x, b):
    return 2 * (A.T @ (A @ x - b))


def quadratic(A):
    return A + A.T


def small() -> None:
    print(f"{'':34}{'by hand':>10}{'+ position':>12}{'+ keyword':>12}   asked ≤ +1.5 µs")
    f = pb.parse("norm2(A*x - b)^2", shapes={"A": ("m", "n")})
    for target in ("numpy", "native"):
        gradient = pb.compile(pb.gradient(f, "x"), target=target)
        hessian = pb.compile(pb.hessian("x'*A*x", "x"), target=target)
        for n in SIZES:
            rng = np.random.default_rng(n)
            A, x, b = rng.normal(size=(n, n)), rng.normal(size=n), rng.normal(size=n)
            for name, calls in (
                (
                    "2 Aᵀ(A x − b)",
                    {
                        "hand": lambda A=A, x=x, b=b: least_squares(A, x, b),
                        "position": lambda A=A, x=x, b=b, g=gradient: g(A, x, b),
                        "keyword": lambda A=A, x=x, b=b, g=gradient: g(A=A, x=x, b=b),
                    },
                ),
                (
                    "A + Aᵀ",
                    {
                        "hand": lambda A=A: quadratic(A),
                        "position": lambda A=A, h=hessian: h(A),
                        "keyword": lambda A=A, h=hessian: h(A=A),
                    },
                ),
            ):
                t = {k: v * 1e6 for k, v in interleaved(calls, ROUNDS, CALLS).items()}
                above = [t[k] - t["hand"] for k in ("position", "keyword")]
                label = f"{name}, n = {n}, {target}"
                print(f"{label:34}{t['hand']:>7.2f} µs{above[0]:>+9.2f} µs{above[1]:>+9.2f} µs")


LARGER = (
    ("gradient of logistic loss", "sum(log(1 + exp(-y.*(X*w))))", "w", 1),
    ("Hessian of logistic loss", "sum(log(1 + exp(-y.*(X*w))))", "w", 2),
    ("gradient of a network by U", "norm2(V*tanh(U*x) - y)^2", "U", 1),
    ("gradient of log det", "logdet(X)", "X", 1),
)


def checks() -> None:
    print(f"\n{'':44}{'unchecked':>10}   × checked, asked ≤ 1.05")
    for title, text, wrt, order in LARGER:
        d = pb.derivative(text, *[wrt] * order)
        both = {on: pb.compile(d, checked=on) for on in (False, True)}
        variables = pb.parse(text).to_program().variables
        for n in (100, 500):
            rng = np.random.default_rng(n)
            arrays = {}
            for name in both[True].inputs:
                shape = [n] * variables[name].order
                arrays[name] = rng.normal(size=shape) / np.sqrt(n)
            if "logdet" in text:
                arrays["X"] = arrays["X"] @ arrays["X"].T + np.eye(n)
            calls = {on: lambda fn=fn, arrays=arrays: fn(**arrays) for on, fn in both.items()}
            t = interleaved(calls, 60 if n > 100 else 300, 2)
            label = f"{title}, n = {n}"
            print(f"{label:44}{t[False] * 1e6:>7.1f} µs{t[True] / t[False]:>11.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--core", type=int, default=0)
    options = parser.parse_args()
    pin(options.core)
    small()
    checks()
