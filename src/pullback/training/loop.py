"""The loop over mini-batches: shuffle, step, measure, keep the best, stop when told.

It knows no model: an objective gives the loss of a batch and the gradients, which are averages
over the batch, so that a last batch of fewer samples is right too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pullback.errors import DomainError, PullbackError
from pullback.training.flat import Layout
from pullback.training.metrics import Metric
from pullback.training.optimisers import Optimiser, clip_by_global_norm, sgd
from pullback.training.schedules import Schedule, constant

Array = NDArray[Any]


class Objective(Protocol):
    """What is trained: a loss, its gradients, and a prediction if the model has one."""

    @property
    def parameters(self) -> Mapping[str, tuple[int, ...]]: ...

    @property
    def predicts(self) -> bool: ...

    def loss_and_gradients(
        self, batch: Mapping[str, Array], parameters: Mapping[str, Array], out: Mapping[str, Array]
    ) -> float:
        """The average loss of a batch; its gradients are written to ``out``."""
        ...

    def evaluate(
        self, batch: Mapping[str, Array], parameters: Mapping[str, Array]
    ) -> tuple[float, Array | None]:
        """The average loss, and the predictions ``(samples, …)``, without gradients."""
        ...


@dataclass(frozen=True)
class Epoch:
    """The state after an epoch; 0 is the beginning. Without held-out samples those are nan."""

    number: int
    rate: float
    loss: float
    held_out_loss: float
    score: float
    held_out_score: float
    seconds: float


class Progress:
    """What a training tells while it runs; this one says nothing."""

    def begin(self, epochs: int, batches: int, metric: Metric | None) -> None: ...

    def step(self, epoch: int, batch: int) -> None:
        """Called a few times a second."""

    def epoch(self, epoch: Epoch) -> None: ...

    def end(self) -> None: ...


@dataclass
class Run:
    """A training: the parameters kept, and how it went.

    ``kept`` is the epoch they come from: with patience the one of the lowest held-out loss,
    without it the last, so that the held-out figures are then of samples that had no say. A
    training that was interrupted or broke down keeps the epoch of the lowest loss so far.
    """

    parameters: dict[str, Array]
    history: list[Epoch] = field(default_factory=list)
    kept: Epoch | None = None
    interrupted: bool = False
    stopped_early: bool = False
    metric: Metric | None = None


class Diverged(PullbackError):
    """The loss left the real numbers; ``run`` holds the best parameters until then."""

    def __init__(self, message: str, run: Run, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.run = run


@dataclass(frozen=True)
class Plan:
    """How to train, with the optimiser and schedule made."""

    optimiser: Optimiser = field(default_factory=sgd)
    schedule: Schedule = field(default_factory=lambda: constant(0.1))
    epochs: int = 50
    batch: int = 32
    patience: int = 0
    clip: float | None = None


def train(
    objective: Objective,
    start: Mapping[str, Array],
    data: Mapping[str, Array],
    training: Array,
    held_out: Array,
    plan: Plan,
    rng: np.random.Generator,
    metric: Metric | None = None,
    progress: Progress | None = None,
) -> Run:
    """Train from ``start`` on the samples at the positions ``training``.

    ``data`` holds one array per fed variable, samples first; its dtype is that of the training.
    Ctrl-C ends the training as if it were over, with ``interrupted`` set. Raises Diverged when
    the loss is not finite any more.
    """
    return _Training(
        objective, start, data, training, held_out, plan, metric, progress or Progress()
    ).run(rng)


class _Training:
    def __init__(
        self,
        objective: Objective,
        start: Mapping[str, Array],
        data: Mapping[str, Array],
        training: Array,
        held_out: Array,
        plan: Plan,
        metric: Metric | None,
        progress: Progress,
    ) -> None:
        self.objective, self.plan, self.progress = objective, plan, progress
        self.data, self.training, self.held_out = data, training, held_out
        self.metric = metric if objective.predicts else None
        layout = Layout(objective.parameters)
        dtype = np.result_type(*data.values())
        self.vector = layout.pack(start, dtype)
        self.parameters = layout.views(self.vector)
        self.gradient = np.zeros_like(self.vector)
        self.gradients = layout.views(self.gradient)
        self.copy = self.vector.copy()
        self.result = Run(layout.views(self.copy), metric=self.metric)
        self.rate = plan.schedule(0.0)
        self.begun = perf_counter()

    def run(self, rng: np.random.Generator) -> Run:
        plan, result = self.plan, self.result
        state = plan.optimiser.init(self.vector)
        batches = math.ceil(len(self.training) / plan.batch)
        buffers = _buffers(self.data, min(plan.batch, len(self.training)))
        self.progress.begin(plan.epochs, batches, self.metric)
        number, inside = 0, False
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                self._measure(0)
                for number in range(1, plan.epochs + 1):
                    inside = True
                    self._pass(number, batches, state, rng.permutation(self.training), buffers)
                    inside = False
                    self._measure(number)
                    if (
                        result.kept
                        and plan.patience
                        and number - result.kept.number >= plan.patience
                    ):
                        result.stopped_early = True
                        break
                if not plan.patience:
                    self._keep(result.history[-1])
        except KeyboardInterrupt:
            if result.kept is None:
                raise  # nothing was measured yet, so there is nothing to keep
            result.interrupted = True
            if inside:  # the work of a broken epoch counts if it is the best so far
                with suppress(KeyboardInterrupt, PullbackError), np.errstate(all="ignore"):
                    self._measure(number)
        finally:
            self.progress.end()
        return result

    def _pass(
        self, number: int, batches: int, state: Any, order: Array, buffers: Mapping[str, Array]
    ) -> None:
        """One epoch: every training sample once."""
        plan, told = self.plan, perf_counter()
        for k, (_, batch) in enumerate(_batches(self.data, order, plan.batch, buffers)):
            self.rate = plan.schedule(number - 1 + k / batches)
            try:
                loss = self.objective.loss_and_gradients(batch, self.parameters, self.gradients)
            except DomainError as error:
                raise self._diverged(number, error.message) from error
            if not math.isfinite(loss):
                raise self._diverged(number, f"the loss is {loss}")
            if plan.clip is not None:
                clip_by_global_norm(self.gradient, plan.clip)
            plan.optimiser.update(self.vector, self.gradient, state, self.rate)
            now = perf_counter()
            if now - told > 0.1:
                told = now
                self.progress.step(number, k + 1)

    def _measure(self, number: int) -> None:
        """The losses and scores of the parameters as they are; keep them if they are the best."""
        loss, score = self._evaluate(number, self.training)
        if not math.isfinite(loss):
            raise self._diverged(number, f"the loss is {loss}")
        held_loss, held_score = self._evaluate(number, self.held_out)
        seconds = perf_counter() - self.begun
        epoch = Epoch(number, self.rate, loss, held_loss, score, held_score, seconds)
        self.result.history.append(epoch)
        best = self.result.kept
        if best is None or self._judged(epoch) < self._judged(best):
            self._keep(epoch)
        self.progress.epoch(epoch)

    def _keep(self, epoch: Epoch) -> None:
        """Keep the parameters as they are now, those after this epoch."""
        self.result.kept = epoch
        self.copy[:] = self.vector

    def _judged(self, epoch: Epoch) -> float:
        by_held_out = self.plan.patience and len(self.held_out)
        loss = epoch.held_out_loss if by_held_out else epoch.loss
        return loss if loss == loss else math.inf

    def _evaluate(self, number: int, samples: Array) -> tuple[float, float]:
        if not len(samples):
            return math.nan, math.nan
        total, parts = 0.0, []
        # pieces as small as the batches stay in the cache, and where those are small, BLAS starts
        # no threads for them, which on a busy machine would wait for each other
        size = max(32, self.plan.batch)
        try:
            for chosen, batch in _batches(self.data, samples, size):
                loss, prediction = self.objective.evaluate(batch, self.parameters)
                total += float(loss) * len(chosen)
                if self.metric is not None and prediction is not None:
                    parts.append(prediction)
        except DomainError as error:
            raise self._diverged(number, error.message) from error
        score = self.metric.of(np.concatenate(parts), samples) if self.metric else math.nan
        return total / len(samples), score

    def _diverged(self, number: int, what: str) -> Diverged:
        if number == 0:
            advice = "the first parameters are at fault, or the data: look at init and scale"
        else:
            advice = f'try a rate below {self.rate:.3g}, clip = 1, or scale = "standard"'
        return Diverged(
            f"training broke down in epoch {number} at the rate {self.rate:.3g}: {what}",
            self.result,
            advice,
        )


def _buffers(data: Mapping[str, Array], count: int) -> dict[str, Array]:
    return {name: np.empty((count, *v.shape[1:]), v.dtype) for name, v in data.items()}


def _batches(
    data: Mapping[str, Array],
    order: Array,
    size: int,
    buffers: Mapping[str, Array] | None = None,
) -> Iterator[tuple[Sequence[int] | Array, dict[str, Array]]]:
    """The samples in this order, ``size`` at a time; the last batch holds what is left."""
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        if buffers is None:
            yield chosen, {name: values[chosen] for name, values in data.items()}
            continue
        batch = {name: buffer[: len(chosen)] for name, buffer in buffers.items()}
        for name, part in batch.items():
            # mode="clip" lets NumPy write to the buffer directly
            np.take(data[name], chosen, axis=0, out=part, mode="clip")
        yield chosen, batch
