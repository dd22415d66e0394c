"""A program at a point, as a sheet of steps: each with symbols, and with numbers in JAX.

Neither meaning of a step knows of the other. A step is built once from symbols, through the
public functions, and is evaluated as it is added, so that arguments can be judged by value.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jax_by_numpy import evaluate

from pullback.errors import PullbackError
from pullback.language.tensor import Tensor
from pullback.language.variables import tensor
from pullback.verification.exact import real_context
from pullback.verification.points import DRAWS, draw_value

SIZES = {"n": 2, "m": 3, "k": 4}
LARGEST = 30.0  # an entry of a value; more would only test how digits are lost
ENTRIES = 64  # of a value
MP = real_context(20)

# the shape and the assumptions of every variable that there may be, simple ones first
VARIABLES: Mapping[str, tuple[tuple[Any, ...], str]] = {
    "x": (("n",), ""),
    "A": (("m", "n"), ""),
    "B": (("n", "n"), ""),
    "s": ((), ""),
    "z": (("m",), ""),
    "y": (("n",), ""),
    "t": ((), "positive"),
    "q": (("n",), "positive"),
    "T": (("m", "n", "n"), ""),
    "S": (("n", "n"), "symmetric"),
    "P": (("n", "n"), "posdef"),
    "D": (("n", "n"), "diagonal"),
    "L": (("n", "n"), "lower"),
    "R": (("n", "n"), "upper"),
    "Q": (("n", "n"), "orthogonal"),
    "K": (("n", "n"), "skew"),
    "u": (("n",), "positive unit-sum"),
    "e": (("m",), "sign"),
    "h": (("n",), "binary"),
    "w": ((3,), ""),
    "r": ((1, "n"), ""),
    "c": (("k",), ""),
}


@dataclass(frozen=True)
class Step:
    """One operation on earlier values: its text, with ``{0}`` for an argument, and its meanings."""

    text: str
    of: tuple[int, ...]
    ours: Callable[..., Tensor]
    theirs: Callable[..., Any]
    name: str = ""  # of the line, if it has one
    calls: str = ""  # the function of the catalogue, if it is one

    def written(self, names: Sequence[str]) -> str:
        return self.text.format(*(names[k] for k in self.of))


@dataclass
class Sheet:
    """The values so far: variables first, then steps; as symbols, and as numbers."""

    tensors: list[Tensor] = field(default_factory=list)
    arrays: list[np.ndarray] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # what was said to steps that are not taken
    crashes: list[Exception] = field(default_factory=list)  # any other error is a fault of ours

    @property
    def given(self) -> int:
        """How many values are variables."""
        return len(self.tensors) - len(self.steps)

    def declare(self, name: str, generator: random.Random) -> None:
        sizes, assumed = VARIABLES[name]
        symbol = tensor(name, *sizes, assume=assumed)
        value = draw_value(symbol.node, SIZES, generator.choice(DRAWS[:3]), generator, MP)
        self.tensors.append(symbol)
        self.arrays.append(np.array(value, dtype=np.float64))
        self.names.append(name)

    def add(self, step: Step) -> int | None:
        """The place of the step's value; None where there is none, or it is too large to be useful."""
        try:
            value = np.asarray(evaluate(step.theirs, *(self.arrays[k] for k in step.of)))
        except (TypeError, ValueError, IndexError):
            return None  # the shapes do not fit, says JAX
        small = value.size <= ENTRIES and value.ndim <= 4
        if not small or not np.all(np.abs(value) <= LARGEST):  # as no NaN is
            return None
        try:
            symbol = step.ours(*(self.tensors[k] for k in step.of))
        except PullbackError as refusal:
            self.refused.append(f"{step.text}: {refusal.message}")
            return None
        except Exception as crash:  # noqa: BLE001  # whatever it is, it is told
            crash.add_note(f"in {step.written(self.names)}, where\n{self!r}")
            self.crashes.append(crash)
            return None
        if step.name:
            symbol = symbol.named(step.name)
        shape = tuple(size.evaluate(SIZES) for size in symbol.shape)
        assert shape == value.shape, f"{step.text} is {symbol.shape}, in JAX {value.shape}"
        self.tensors.append(symbol)
        self.arrays.append(value)
        self.names.append(step.name or f"v{len(self.steps)}")
        self.steps.append(step)
        return len(self.tensors) - 1

    def evaluate(self, variables: Sequence[Any], held: Mapping[int, Any]) -> list[Any]:
        """Every value in JAX, where some are held at given ones."""
        values = [held.get(k, value) for k, value in enumerate(variables)]
        for step in self.steps:
            k = len(values)
            values.append(held[k] if k in held else step.theirs(*(values[i] for i in step.of)))
        return values

    def __repr__(self) -> str:
        lines = [
            f"{name}: {self.tensors[k].shape} {VARIABLES[name][1]} = {self.arrays[k].tolist()}"
            for k, name in enumerate(self.names[: self.given])
        ]
        for k, step in enumerate(self.steps, self.given):
            lines.append(f"{self.names[k]} = {step.written(self.names)}")
        return "\n".join(lines)


@dataclass(frozen=True, repr=False)
class Drawn:
    """A sheet, the value that is the result, and what to differentiate it by."""

    sheet: Sheet
    root: int
    targets: tuple[int, int]

    @property
    def tensor(self) -> Tensor:
        return self.sheet.tensors[self.root]

    @property
    def point(self) -> list[np.ndarray]:
        return self.sheet.arrays[: self.sheet.given]

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # what Hypothesis prints
        printer.text(repr(self))

    def __repr__(self) -> str:
        names = self.sheet.names
        first, second = (names[k] for k in self.targets)
        return f"{self.sheet!r}\n{names[self.root]} by {first}, {second}\n"
