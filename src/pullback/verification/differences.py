"""A function's derivative and its differences at one point, in as many digits as wanted."""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from pullback.derivation.result import Derivation
from pullback.errors import DomainError
from pullback.expressions import Node
from pullback.expressions.walks import depending_on
from pullback.verification.exact import Array, array, evaluate, real_context, unknown_below
from pullback.verification.motions import motion_of
from pullback.verification.points import Sizes


def random_direction(shape: tuple[int, ...], generator: random.Random) -> Array:
    count = int(np.prod(shape, dtype=int))
    entries = [generator.choice((-1, 1)) * generator.uniform(0.5, 1.5) for _ in range(count)]
    return np.array(entries, dtype=object).reshape(shape)


@dataclass(frozen=True)
class Scale:
    """Digits and step: a nested difference of order k loses k steps' worth of digits."""

    order: int
    extra: int

    @property
    def step_digits(self) -> int:
        return 14 + self.extra // (2 * self.order)

    @property
    def digits(self) -> int:
        return 30 + 14 * self.order + self.extra


class Place:
    """A point, with the function's value, its derivative and its differences there."""

    def __init__(
        self, derivation: Derivation, drawn: Mapping[Node, Array], sizes: Sizes, scale: Scale
    ) -> None:
        self.function = derivation.program.result
        self.derivative = derivation.node
        self.targets = [w.node for w in derivation.wrt]
        self.motions = [motion_of(target, derivation.structured) for target in self.targets]
        self.sizes = sizes
        self.mp = real_context(scale.digits)
        self.step = self.mp.mpf(10) ** -scale.step_digits
        given = {node: array(value, self.mp) for node, value in drawn.items()}
        self.base = evaluate([self.function, self.derivative, *self.targets], given, sizes, self.mp)
        self.value = self.base[self.function]
        self.sides = self._sides(self.base.of)

    def _sides(self, given: Mapping[Node, Array]) -> list[Hashable]:
        """On which side of each kink the moving part of the function lies."""
        fixed = {n: v for n, v in given.items() if n not in self._moving}
        fixed.update({target: given[target] for target in self.targets})
        return evaluate([self.function], fixed, self.sizes, self.mp).sides

    @cached_property
    def _moving(self) -> set[Node]:
        """What changes with a target; all else keeps its value."""
        held = unknown_below([self.function], dict.fromkeys(self.targets))
        return depending_on(self.function, self.targets) & {*held, *self.targets}

    @cached_property
    def largest_entry(self) -> Any:
        return largest_of(self.base[self.derivative])

    def derivative_along(self, directions: Sequence[Array]) -> Array:
        """The derivative contracted with a direction for each variable, last one first."""
        result = self.base[self.derivative]
        for direction in reversed([array(d, self.mp) for d in directions]):
            axes = tuple(range(result.ndim - direction.ndim, result.ndim))
            result = np.asarray((result * direction).sum(axis=axes) if axes else result * direction)
        return result

    def difference(self, directions: Sequence[Array]) -> Array:
        """The nested central difference of the function, each variable in its own motion."""
        moves = [
            motion.along(self.base[target], array(direction, self.mp), self.mp) * self.step
            for target, motion, direction in zip(
                self.targets, self.motions, directions, strict=True
            )
        ]
        fixed = {n: v for n, v in self.base.of.items() if n not in self._moving}
        total: Any = 0
        for signs in product((1, -1), repeat=len(moves)):
            displaced: dict[Node, Array] = {}
            for target, sign, move in zip(self.targets, signs, moves, strict=True):
                displaced[target] = displaced.get(target, 0) + sign * move
            moved = {
                target: motion.moved(self.base[target], displaced[target], self.mp)
                for target, motion in zip(self.targets, self.motions, strict=True)
            }
            values = evaluate([self.function], {**fixed, **moved}, self.sizes, self.mp)
            if values.sides != self.sides:
                raise DomainError("the point lies at a kink")
            total = total + int(np.prod(signs)) * values[self.function]
        return np.asarray(total / (2 * self.step) ** len(moves), dtype=object)


def largest_of(value: Array) -> Any:
    return max((abs(v) for v in np.asarray(value, dtype=object).flat), default=0)


def relative_error(left: Array, right: Array, scale: Any) -> float:
    """The largest difference relative to ``scale``; NaN where either is."""
    if np.shape(left) != np.shape(right):
        return float("nan")
    entries: Iterable[Any] = np.asarray(left - right, dtype=object).flat
    differences = [abs(v) for v in entries]
    if any(d != d for d in differences):  # only NaN differs from itself
        return float("nan")
    worst = max(differences, default=0)
    return float(worst / scale) if worst else 0.0
