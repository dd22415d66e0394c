"""A function's derivative and its differences at one point, in as many digits as wanted."""

from __future__ import annotations

import math
import random
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from pullback.derivation.result import Derivation
from pullback.errors import DomainError
from pullback.expressions import Contraction, Node, Sum
from pullback.expressions.walks import depending_on, post_order
from pullback.verification.exact import (
    Array,
    Values,
    array,
    evaluate,
    real_context,
    unknown_below,
)
from pullback.verification.motions import motion_of
from pullback.verification.points import Sizes


def random_direction(shape: tuple[int, ...], generator: random.Random) -> Array:
    count = int(np.prod(shape, dtype=int))
    entries = [generator.choice((-1, 1)) * generator.uniform(0.5, 1.5) for _ in range(count)]
    return np.array(entries, dtype=object).reshape(shape)


_LOG10_2 = math.log10(2)
ROUNDING = 30  # binary digits that rounding may grow by
USUAL = 14  # digits between the numbers of a usual evaluation


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
        self.scale = scale
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

    @property
    def pieces(self) -> frozenset[Hashable]:
        """On which smooth piece of which function the point lies."""
        return frozenset(self.sides)

    @cached_property
    def span(self) -> Span:
        """The first look takes every number for real; with more digits, rounding is told apart."""
        return span_of([self.function, self.derivative], self.base, rounding=self.scale.extra > 0)

    @property
    def noise(self) -> Any:
        """Differences below this may be rounding, once digits cover the span."""
        return self.mp.mpf(10) ** (self.span.high - 20 - self.scale.extra // 4)

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


@dataclass(frozen=True)
class Span:
    """The decimal exponents between which all numbers of an evaluation lie, zeros aside."""

    low: float
    high: float

    @property
    def digits(self) -> float:
        """How many digits it takes to see the smallest beside the largest."""
        return self.high - self.low

    @property
    def agreement(self) -> float:
        """The relative error below which no term can be missing; 1 where all sizes are usual."""
        return max(10 ** -(self.digits + 6), 1e-300) if self.digits > USUAL else 1.0


def span_of(roots: Sequence[Node], values: Values, *, rounding: bool = False) -> Span:
    """The span of the values of all nodes below the roots, and of what their sums add up.

    A sum may swallow a term that is small beside another. With ``rounding``, numbers that are as
    small as the digits are many are left out.
    """
    mp = values.mp
    low = high = 0
    least = ROUNDING - mp.prec if rounding else -math.inf
    within: dict[Node, tuple[int, int]] = {}
    for node in post_order(*roots):
        if node not in values.of:
            continue
        sizes = [size for v in values[node].flat if v and (size := mp.mag(v)) > high + least]
        within[node] = (min(sizes), max(sizes)) if sizes else (0, 0)
        ranges = [within[node]]
        if isinstance(node, Sum):
            for coefficient, term in node.terms:
                size = mp.mag(mp.mpf(coefficient.numerator) / coefficient.denominator)
                ranges.append((size + within[term][0], size + within[term][1]))
        elif isinstance(node, Contraction) and node.operands:
            of = [within[operand] for operand in node.children]
            ranges.append((sum(a for a, _ in of), sum(b for _, b in of)))
        low, high = min(low, *(a for a, _ in ranges)), max(high, *(b for _, b in ranges))
    return Span(low * _LOG10_2, high * _LOG10_2)


def largest_of(value: Array) -> Any:
    return max((abs(v) for v in np.asarray(value, dtype=object).flat), default=0)


def relative_error(left: Array, right: Array, beside: Any = 0) -> float:
    """The largest difference of two entries relative to the larger one; NaN where either is.

    An entry that is tiny beside the largest, or beside ``beside``, is compared as if it were 1e-12
    of that.
    """
    if np.shape(left) != np.shape(right):
        return float("nan")
    pairs = list(zip(np.asarray(left).flat, np.asarray(right).flat, strict=True))
    if any(a != a or b != b for a, b in pairs):  # only NaN differs from itself
        return float("nan")
    least = max(largest_of(left), largest_of(right), beside) / 10**12
    worst = 0.0
    for a, b in pairs:
        difference = abs(a - b)
        if difference:
            worst = max(worst, float(difference / max(abs(a), abs(b), least)))
    return worst
