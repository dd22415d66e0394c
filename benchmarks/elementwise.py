"""The gradient of Σ log1p(exp(−t)) for 10⁷ numbers: the native target against a copy, and JAX.

Both cores, `out=` given; JAX may overwrite its input. All take turns in one process, and every
result is compared. Asked for: at most 1.5 × a parallel copy, at least 2 × faster than JAX.

    python benchmarks/elementwise.py [--count 10000000] [--rounds 25]
"""

from __future__ import annotations

import argparse
import ctypes
import time
from collections.abc import Callable
from statistics import median

import jax
import numpy as np

import pullback as pb
from pullback.compilation.native.building import load, recipe

COPY = """
#include <stdint.h>
void copy(const double *restrict from, double *restrict to, int64_t n) {
    #pragma omp parallel for simd
    for (int64_t i = 0; i < n; ++i) to[i] = from[i];
}
"""


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10**7)
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    f = "sum(log1p(exp(-t)))"
    t = 3 * np.random.default_rng(0).normal(size=options.count)
    expected = -1 / (1 + np.exp(t))
    outs = {name: np.empty_like(t) for name in ("copy", "native", "numpy")}
    copy = load(recipe(COPY, [], threads=True)).copy
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in (t, outs["copy"])]
    native = pb.compile(pb.gradient(f, "t"), target="native")
    numpy = pb.compile(pb.gradient(f, "t"), planned=True)
    gradient = jax.jit(
        jax.grad(lambda t: jax.numpy.log1p(jax.numpy.exp(-t)).sum()), donate_argnums=0
    )
    donated = [jax.numpy.asarray(t.copy())]
    found = []

    def by_jax() -> None:
        found.append(gradient(donated.pop()).block_until_ready())

    runs: dict[str, Callable[[], object]] = {
        "copy": lambda: copy(*pointers, ctypes.c_int64(len(t))),
        "native": lambda: native(t, out={"result": outs["native"]}),
        "numpy": lambda: numpy(t, out={"result": outs["numpy"]}),
        "jax": by_jax,
    }
    times: dict[str, list[float]] = {name: [] for name in runs}
    for round_ in range(options.rounds + 2):
        for name, run in runs.items():
            spent = seconds(run)
            if round_ > 1:  # the first ones compile
                times[name].append(spent)
        np.testing.assert_allclose(found.pop(), expected, rtol=1e-12)
        donated.append(jax.numpy.asarray(t.copy()).block_until_ready())
    for name in ("native", "numpy"):
        np.testing.assert_allclose(outs[name], expected, rtol=1e-12)
    typical = {name: median(spent) for name, spent in times.items()}
    print(f"{'':<8}{'median ms':>10}{'best ms':>9}{'× copy':>8}")
    for name, spent in times.items():
        row = f"{typical[name] * 1e3:>10.2f}{min(spent) * 1e3:>9.2f}"
        print(f"{name:<8}{row}{typical[name] / typical['copy']:>8.2f}")
    paired = median(n / c for n, c in zip(times["native"], times["copy"], strict=True))
    faster = median(j / n for j, n in zip(times["jax"], times["native"], strict=True))
    print(f"native: {paired:.2f} × a copy (asked 1.5), {faster:.2f} × faster than JAX (asked 2)")


if __name__ == "__main__":
    main()
