"""How long it takes to derive and compile: one-liners, deep chains, and the import itself.

Run: python benchmarks/derive.py
"""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import count
from statistics import median

from one_core import pin

import pullback as pb
from pullback.compilation.compile import compile_nodes
from pullback.derivation.derive import derive, derive_each
from pullback.expressions import Node, Program
from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE
from pullback.language.parse import parse_program

COUNT = count()
ONE_LINERS = (("norm2(A*x - b)^2", "x"), ("sum(log(1 + exp(-y.*(X*w))))", "w"))
NETWORK = "f = U*x\ng = sigmoid(f)\nh = V*g\nL = norm2(h - y)^2"


def deep(layers: int, start: str = "x") -> Program:
    node: Node = make.variable(start, ["n"])
    variables = {}
    for k in range(layers):
        W = make.variable(f"W{k}", ["n", "n"])
        variables[f"W{k}"] = W
        node = CATALOGUE["tanh"].apply([make.einsum("ij,j->i", W, node)])
    return Program(make.total(node), variables)


def seconds(run, repeats: int) -> float:
    """The median time of a run, after one that is not counted."""
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return median(times)


def compiled_chain(layers: int) -> None:
    """Under a new name each time, so that nothing is known from the run before."""
    chain = deep(layers, f"x{next(COUNT)}")
    gradient = derive(chain, ["W0"])
    compile_nodes({"gradient": gradient.node}, chain)


def imports(statement: str, repeats: int = 7) -> float:
    command = [sys.executable, "-c", statement]
    return seconds(lambda: subprocess.run(command, check=True), repeats)


def row(what: str, figure: str, asked: str) -> None:
    print(f"{what:<58}{figure:>12}   {asked}")


def main() -> None:
    pin()
    program = parse_program(NETWORK)
    row("", "median", "asked for")
    gradients = seconds(lambda: derive_each(program, ["U", "V"]), 200)
    row("derive both gradients of the two-layer network", f"{gradients * 1e3:.2f} ms", "≤ 5 ms")
    parsing = seconds(lambda: derive_each(parse_program(NETWORK), ["U", "V"]), 100)
    row("the same, with parsing", f"{parsing * 1e3:.2f} ms", "")
    chains = {}
    for layers, repeats, asked in ((100, 15, ""), (1_000, 7, "≤ 0.3 s"), (10_000, 3, "works")):
        chain = deep(layers)
        chains[layers] = seconds(lambda chain=chain: derive(chain, ["W0"]), repeats)
        row(f"derive by the first of {layers:,} layers", f"{chains[layers]:.3f} s", asked)
    growth = chains[10_000] / chains[1_000]
    row("growth from 1,000 to 10,000 layers", f"{growth:.1f} ×", "10 × is linear")
    for text, wrt in ONE_LINERS:
        whole_way = seconds(lambda text=text, wrt=wrt: pb.compile(pb.hessian(text, wrt)), 15)
        row(f"derive and compile the Hessian of {text}", f"{whole_way * 1e3:.1f} ms", "≤ 50 ms")
    for layers, asked in ((100, "≤ 0.25 s"), (500, "≤ 1 s")):
        taken = seconds(lambda n=layers: compiled_chain(n), 5)
        row(f"derive and compile by the first of {layers} layers", f"{taken:.3f} s", asked)
    bare, whole, numpy = (imports(s) for s in ("pass", "import pullback", "import numpy"))
    row("import pullback, above a bare interpreter", f"{whole - bare:.3f} s", "≤ 0.2 s")
    row("import numpy, above a bare interpreter", f"{numpy - bare:.3f} s", "")


if __name__ == "__main__":
    main()
