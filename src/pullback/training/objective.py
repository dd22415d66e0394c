"""A program as something to train: its batch derived, compiled, and called with flat parameters.

The user states one sample. Here it becomes a batch whose result is the average, the gradients by
all parameters come from one backward pass, and the loss with its gradients is one compiled
function: the same lines that a derivation shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.compilation.compile import compile_nodes
from pullback.compilation.compiled import Compiled
from pullback.derivation.batching import batch as batch_program
from pullback.derivation.derive import derive_each
from pullback.derivation.result import Derivation
from pullback.errors import PullbackError
from pullback.expressions import Node, Program, shape_text
from pullback.expressions.walks import depending_on, variables
from pullback.simplification.simplify import simplify

Array = NDArray[Any]


@dataclass(frozen=True)
class ProgramObjective:
    """The :class:`pullback.training.loop.Objective` of a program.

    ``over`` names the variables that change from sample to sample, ``constants`` those with one
    value; every other variable is a parameter, with sizes from ``sizes``. ``answer`` is the line
    that predicts, or empty.
    """

    program: Program
    over: tuple[str, ...]
    sizes: Mapping[str, int]
    constants: Mapping[str, Array] = field(default_factory=dict)
    answer: str = ""

    @cached_property
    def parameters(self) -> dict[str, tuple[int, ...]]:
        """The shape of every parameter, in the order of the program."""
        return {
            name: tuple(size.evaluate(self.sizes) for size in self.program.variables[name].shape)
            for name in parameter_names(self.program, (*self.over, *self.constants))
        }

    @property
    def predicts(self) -> bool:
        return bool(self.answer)

    @cached_property
    def batched(self) -> Program:
        """The program of a whole batch; its result is the average."""
        return batch_program(self.program, self.over)

    @cached_property
    def derivations(self) -> dict[str, Derivation]:
        """The gradient of the batch's average by each parameter, from one backward pass."""
        return derive_each(self.batched, list(self.parameters))

    @cached_property
    def loss(self) -> Node:
        """The average loss in its stable form, such as log-sum-exp for log softmax."""
        return simplify(self.batched.result)

    @cached_property
    def gradient_names(self) -> dict[Node, str]:
        """What was handed to each named line, under the name that the code gives it: dL_dg."""
        one = next(iter(self.derivations.values()))  # all share one backward pass
        return {node: self._gradient(line) for node, line in one.handed_to_lines().items()}

    @cached_property
    def step_outputs(self) -> dict[str, Node]:
        """The loss and its gradient by every parameter, to be compiled together."""
        gradients = {self._gradient(name): d.node for name, d in self.derivations.items()}
        return {self._loss: self.loss, **gradients}

    @cached_property
    def step(self) -> Compiled:
        """The training step, planned: buffers are kept from call to call."""
        return compile_nodes(self.step_outputs, self.batched, self.gradient_names, planned=True)

    @cached_property
    def measure(self) -> Compiled:
        """The loss and the prediction."""
        outputs: dict[str, Node] = {self._loss: self.loss}
        if self.answer:
            outputs[self.answer] = self.batched.lines[self.answer]
        return compile_nodes(outputs, self.batched)

    @cached_property
    def answering(self) -> Compiled:
        """The prediction alone, which needs no label."""
        return compile_nodes({self.answer: self.batched.lines[self.answer]}, self.batched)

    def compile(self) -> None:
        """Derive and compile now, so that whatever can't be derived is said before training."""
        _ = self.step, self.measure

    def loss_and_gradients(
        self, batch: Mapping[str, Array], parameters: Mapping[str, Array], out: Mapping[str, Array]
    ) -> float:
        """The average loss; the gradients are written to ``out``."""
        given = {self._gradient(name): view for name, view in out.items()}
        values = self.step(*self._arguments(self.step, batch, parameters), out=given)
        return float(values[self._loss])

    def evaluate(
        self, batch: Mapping[str, Array], parameters: Mapping[str, Array]
    ) -> tuple[float, Array | None]:
        """The average loss and the predictions."""
        values = self.measure(*self._arguments(self.measure, batch, parameters))
        if not self.answer:
            return float(values), None
        return float(values[self._loss]), values[self.answer]

    def predict(self, batch: Mapping[str, Array], parameters: Mapping[str, Array]) -> Array:
        """The predictions for samples without a label, ``(samples, …)``."""
        return np.asarray(self.answering(*self._arguments(self.answering, batch, parameters)))

    def _arguments(
        self, compiled: Compiled, batch: Mapping[str, Array], parameters: Mapping[str, Array]
    ) -> list[Array]:
        """By position: a user may call a variable ``out``."""
        given = {**self.constants, **batch, **parameters}
        return [given[name] for name in compiled.inputs]

    @property
    def _loss(self) -> str:
        return self.program.result_name or "loss"

    def _gradient(self, name: str) -> str:
        return f"d{self._loss}_d{name}"


def parameter_names(program: Program, fed: tuple[str, ...]) -> list[str]:
    """The variables that are neither data nor constants, in the order of the program.

    Raises PullbackError for one that the result does not use, and for one that is assumed to
    have a structure: steps along independent entries would leave it.
    """
    names = [name for name in program.variables if name not in fed]
    used = {node.name for node in variables(program.result)}
    for name in names:
        if name not in used:
            raise PullbackError(
                f"the result does not depend on {name}, so it cannot be trained",
                hint=f"remove its declaration, or give its columns: inputs = {{ {name} = … }}",
            )
        assumed = sorted(program.variables[name].assumptions)
        if assumed:
            raise PullbackError(
                f"the parameter {name} is declared {assumed[0]}, which training does not keep",
                hint="leave the assumption out, or write the structure as a formula, "
                "such as exp(s) for a positive number",
            )
    if not names:
        raise PullbackError("the program has no parameters: every variable is data or constant")
    return names


def find_answer(program: Program, inputs: tuple[str, ...], label: str, wanted: str | None) -> str:
    """The line that predicts: the one that was named, or else the last that can.

    That is the last line of the label's shape which depends on an input and not on the label.
    Empty if the program names none.
    """
    labels = [program.variables[label]] if label else []
    fed = [program.variables[name] for name in inputs]
    if wanted is not None:
        if wanted not in program.lines:
            raise PullbackError(
                f"predict is {wanted!r}, and the program has no such line",
                hint=f"its lines are {', '.join(program.lines) or 'not named'}",
            )
        if not _depends(program.lines[wanted], fed):
            raise PullbackError(f"the line {wanted} does not depend on {' or '.join(inputs)}")
        if _depends(program.lines[wanted], labels):
            raise PullbackError(f"the line {wanted} uses the label {label}: it cannot predict it")
        return wanted
    for name in reversed(list(program.lines)):
        node = program.lines[name]
        if _fits(node, labels) and _depends(node, fed) and not _depends(node, labels):
            return name
    return ""


def _fits(node: Node, labels: list[Any]) -> bool:
    return all(node.shape == label.shape for label in labels) and bool(labels)


def _depends(node: Node, targets: list[Any]) -> bool:
    return node in depending_on(node, targets)


def no_answer(program: Program, label: str) -> PullbackError:
    """The refusal to predict with a program that names no prediction."""
    if not label:
        return PullbackError(
            "the settings do not say which line predicts", hint='add predict = "p"'
        )
    shape = shape_text(program.variables[label].shape)
    return PullbackError(
        f"the program names no prediction: no line is {shape} and free of the label {label}",
        hint="name it on a line of its own, such as p = softmax(h)",
    )
