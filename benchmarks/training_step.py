"""One training step of a 64-128-10 sigmoid network, against its matrix products alone and others.

    python benchmarks/training_step.py [--rounds 200] [--core 0]

Softmax cross entropy, batches of 32, float32, momentum SGD, one core. Everyone takes the same
batches from the same initial weights, rounds are interleaved in one process, and the losses must
agree with PyTorch's. Medians over rounds of 50 steps each.
"""

from __future__ import annotations

import argparse
import sys

from one_core import one_core

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--rounds", type=int, default=200)
parser.add_argument("--core", type=int, default=0)
options = parser.parse_args()
one_core(options.core)

import statistics
import time
import warnings

import numpy as np

from pullback.compilation.compile import compile_nodes
from pullback.derivation.batching import batch
from pullback.derivation.derive import derive_each
from pullback.expressions import Program
from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE

INPUT, HIDDEN, CLASSES, BATCH = 64, 128, 10, 32
RATE, MOMENTUM = 0.1, 0.9
STEPS = 50  # in one round
PARAMETERS = ("U", "b", "V", "c")


def network() -> Program:
    """f = U x + b, g = σ(f), h = V g + c, L = cross entropy of softmax(h) with a label."""
    x, y = make.variable("x", ["n"]), make.variable("y", ["p"], ["unit-sum"])
    U, b = make.variable("U", ["m", "n"]), make.variable("b", ["m"])
    V, c = make.variable("V", ["p", "m"]), make.variable("c", ["p"])
    f = make.add([(1, make.einsum("mn,n->m", U, x)), (1, b)])
    g = CATALOGUE["sigmoid"].apply([f])
    h = make.add([(1, make.einsum("pm,m->p", V, g)), (1, c)])
    loss = CATALOGUE["cross_entropy"].apply([CATALOGUE["softmax"].apply([h]), y])
    variables = {v.name: v for v in (x, y, U, b, V, c)}
    return Program(loss, variables, {"f": f, "g": g, "h": h}, result_name="L")  # type: ignore[arg-type]


class Data:
    """The same batches and initial weights for everyone."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.x = rng.uniform(0, 1, (STEPS, BATCH, INPUT)).astype(np.float32)
        self.labels = rng.integers(0, CLASSES, (STEPS, BATCH))
        self.y = np.eye(CLASSES, dtype=np.float32)[self.labels]
        self.U = rng.normal(0, 0.1, (HIDDEN, INPUT)).astype(np.float32)
        self.b = np.zeros(HIDDEN, np.float32)
        self.V = rng.normal(0, 0.1, (CLASSES, HIDDEN)).astype(np.float32)
        self.c = np.zeros(CLASSES, np.float32)


class Ours:
    """The generated code, its gradients written into one flat vector."""

    name = "pullback, planned"

    def __init__(self, data: Data) -> None:
        self.data = data
        program = batch(network(), ("x", "y"))
        gradients = derive_each(program, PARAMETERS)
        outputs = {"L": program.result, **{f"d{k}": d.node for k, d in gradients.items()}}
        self.step = compile_nodes(outputs, program, planned=True, checked=False)
        sizes = [getattr(data, k).size for k in PARAMETERS]
        self.flat, self.gradient, self.velocity, self.update = (
            np.zeros(sum(sizes), np.float32) for _ in range(4)
        )
        self.weights, self.out, start = {}, {}, 0
        for k, size in zip(PARAMETERS, sizes, strict=True):
            shape = getattr(data, k).shape
            self.weights[k] = self.flat[start : start + size].reshape(shape)
            self.out[f"d{k}"] = self.gradient[start : start + size].reshape(shape)
            start += size
        self.reset()

    def reset(self) -> None:
        for k, weight in self.weights.items():
            weight[...] = getattr(self.data, k)
        self.velocity[...] = 0

    def round(self) -> list[float]:
        losses, rate, momentum = [], np.float32(RATE), np.float32(MOMENTUM)
        rate, momentum = np.array(rate), np.array(momentum)
        flat, gradient, velocity, update = self.flat, self.gradient, self.velocity, self.update
        given = dict(self.weights)
        order = self.step.inputs
        for x, y in zip(self.data.x, self.data.y, strict=True):
            given["x"], given["y"] = x, y
            losses.append(self.step(*[given[name] for name in order], out=self.out)["L"])
            np.multiply(velocity, momentum, velocity)
            np.add(velocity, gradient, velocity)
            np.multiply(velocity, rate, update)
            np.subtract(flat, update, flat)
        return losses


class Products:
    """The five matrix products of the step, into buffers, and nothing else."""

    name = "matrix products alone"

    def __init__(self, data: Data) -> None:
        self.data = data
        self.hidden = np.zeros((BATCH, HIDDEN), np.float32)
        self.scores = np.zeros((BATCH, CLASSES), np.float32)
        self.back = np.zeros((BATCH, HIDDEN), np.float32)
        self.dU, self.dV = np.zeros_like(data.U), np.zeros_like(data.V)

    def reset(self) -> None:
        pass

    def round(self) -> list[float]:
        matmul, d = np.matmul, self.data
        for x in d.x:
            matmul(x, d.U.T, self.hidden)
            matmul(self.hidden, d.V.T, self.scores)
            matmul(self.scores.T, self.hidden, self.dV)
            matmul(self.scores, d.V, self.back)
            matmul(self.back.T, x, self.dU)
        return []


class Torch:
    """PyTorch eager: nn.Module, SGD with momentum."""

    name = "PyTorch eager"

    def __init__(self, data: Data) -> None:
        import torch

        torch.set_num_threads(1)
        self.torch = torch
        first, second = torch.nn.Linear(INPUT, HIDDEN), torch.nn.Linear(HIDDEN, CLASSES)
        self.model = torch.nn.Sequential(first, torch.nn.Sigmoid(), second)
        self.cost = torch.nn.CrossEntropyLoss()
        self.start = {
            first.weight: data.U,
            first.bias: data.b,
            second.weight: data.V,
            second.bias: data.c,
        }
        self.reset()
        self.batches = [
            (torch.from_numpy(x), torch.from_numpy(label))
            for x, label in zip(data.x, data.labels, strict=True)
        ]

    def reset(self) -> None:
        torch = self.torch
        with torch.no_grad():
            for tensor, array in self.start.items():
                tensor.copy_(torch.from_numpy(array))
        self.optimiser = torch.optim.SGD(self.model.parameters(), lr=RATE, momentum=MOMENTUM)

    def round(self) -> list[float]:
        losses = []
        for x, label in self.batches:
            self.optimiser.zero_grad()
            loss = self.cost(self.model(x), label)
            loss.backward()
            self.optimiser.step()
            losses.append(loss.detach())
        return [float(loss) for loss in losses]


class Sklearn:
    """scikit-learn's MLPClassifier, partial_fit on one batch at a time."""

    name = "scikit-learn"

    def __init__(self, data: Data) -> None:
        from sklearn.neural_network import MLPClassifier

        self.data, self.kind = data, MLPClassifier
        self.reset()

    def reset(self) -> None:
        self.model = self.kind(
            (HIDDEN,),
            activation="logistic",
            solver="sgd",
            batch_size=BATCH,
            learning_rate_init=RATE,
            momentum=MOMENTUM,
            nesterovs_momentum=False,
            alpha=0.0,
        )
        x, labels = self.data.x[0], self.data.labels[0]
        self.model.partial_fit(x, labels, classes=np.arange(CLASSES))

    def round(self) -> list[float]:
        for x, label in zip(self.data.x, self.data.labels, strict=True):
            self.model.partial_fit(x, label)
        return []


def main() -> int:
    data = Data()
    contestants = []
    for kind in (Products, Ours, Torch, Sklearn):
        try:
            contestants.append(kind(data))
        except ImportError as missing:
            print(f"{kind.name}: left out, {missing}")
    warnings.simplefilter("ignore")
    losses = {c.name: c.round() for c in contestants}  # the first round, also a warm-up
    agreed = compare(losses)
    times: dict[str, list[float]] = {c.name: [] for c in contestants}
    for _ in range(options.rounds):
        for contestant in contestants:
            contestant.reset()
            start = time.perf_counter()
            contestant.round()
            times[contestant.name].append((time.perf_counter() - start) / STEPS * 1e6)
    report(times)
    return 0 if agreed else 1


def compare(losses: dict[str, list[float]]) -> bool:
    """Whether 50 steps from the same weights gave PyTorch's losses."""
    if not losses.get(Torch.name):
        return True
    ours, theirs = np.array(losses[Ours.name]), np.array(losses[Torch.name])
    worst = float(np.max(np.abs(ours / theirs - 1)))
    print(f"losses of {STEPS} steps from the same weights: worst relative difference {worst:.1e}")
    return worst < 1e-4


def report(times: dict[str, list[float]]) -> None:
    base = times[Products.name]
    print(f"\n{'':24}{'median µs':>10}{'best µs':>10}{'× products':>12}")
    for name, measured in times.items():
        ratio = statistics.median(a / b for a, b in zip(measured, base, strict=True))
        print(f"{name:24}{statistics.median(measured):10.1f}{min(measured):10.1f}{ratio:12.2f}")
    print("\n× products: median over rounds of the ratio within the round; at most 3.0 is asked.")


if __name__ == "__main__":
    sys.exit(main())
