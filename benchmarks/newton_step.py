"""What structure is worth: a damped Newton step, with the Hessian kept and with a dense one.

    python benchmarks/newton_step.py [--sizes 30 100 1000] [--core 0]

Matrix factorisation ‖T − UVᵀ‖² + ‖U‖²/10 by U (rank 5): build the Hessian, solve, update. The
competitor is ``jax.hessian`` with a dense solve, where the n·k × n·k matrix fits into ``--memory``.
The updated U of both must agree to 1e-8.
"""

from __future__ import annotations

import argparse
import sys

from one_core import one_core

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--sizes", type=int, nargs="+", default=[30, 100, 1000])
parser.add_argument("--core", type=int, default=0)
parser.add_argument("--memory", type=float, default=4.0, help="GB that a dense Hessian may take")
options = parser.parse_args()
one_core(options.core)

import statistics
import time

import jax
import numpy as np

import pullback as pb

jax.config.update("jax_enable_x64", True)

RANK = 5
LOSS = pb.parse(
    "norm2(T - U*V')^2 + norm2(U)^2/10", shapes={"T": ("n", "m"), "U": ("n", "k"), "V": ("m", "k")}
)
gradient = pb.compile(pb.gradient(LOSS, "U"), target="auto")
hessian = pb.compile(pb.hessian(LOSS, "U"), structure="keep")


def kept_step(U, V, T):
    return U - hessian(U=U, V=V, T=T).solve(gradient(U=U, V=V, T=T))


def loss(U, V, T):
    return jax.numpy.sum((T - U @ V.T) ** 2) + jax.numpy.sum(U**2) / 10


@jax.jit
def dense_step(U, V, T):
    H = jax.hessian(loss)(U, V, T).reshape(U.size, U.size)
    return U - jax.numpy.linalg.solve(H, jax.grad(loss)(U, V, T).ravel()).reshape(U.shape)


def median(step, given) -> float:
    times = []
    end = time.perf_counter() + 2.0
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        np.asarray(step(**given))
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> int:
    print(f"{'n':>6}{'kept':>14}{'jax.hessian, dense':>24}{'× faster':>12}")
    rng = np.random.default_rng(0)
    for n in options.sizes:
        shapes = {"U": (n, RANK), "V": (n, RANK), "T": (n, n)}
        given = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        ours = kept_step(**given)
        taken = median(kept_step, given)
        # the tangents of all entries at once, as jax.hessian has them
        need = (RANK * n) * max(n * n, RANK * n) * 8 * 2 / 1e9
        if need > options.memory:
            print(f"{n:>6}{taken * 1e3:>11.3f} ms{f'needs {need:.0f} GB':>24}")
            continue
        theirs = np.asarray(dense_step(**given))
        if not np.max(np.abs(ours - theirs)) <= 1e-8 * np.max(np.abs(theirs)):
            raise SystemExit("the two steps differ")
        dense = median(dense_step, given)
        print(f"{n:>6}{taken * 1e3:>11.3f} ms{dense * 1e3:>21.1f} ms{dense / taken:>12.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
