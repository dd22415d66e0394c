"""What JAX says of a program: its value, and its derivatives along random directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax_by_numpy import evaluate
from sheets import Drawn

ROUNDING = 2.0**-52


@dataclass(frozen=True)
class Directions:
    """A direction in each of the two variables, and one in the result."""

    first: np.ndarray
    second: np.ndarray
    result: np.ndarray

    @classmethod
    def of(cls, drawn: Drawn) -> Directions:
        generator = np.random.default_rng(5)
        shapes = [drawn.sheet.arrays[k].shape for k in (*drawn.targets, drawn.root)]
        return cls(*(generator.uniform(0.5, 1.5, s) * generator.choice([-1, 1], s) for s in shapes))


def in_jax(drawn: Drawn, way: Directions, moved: Sequence[Any] = ()) -> dict[str, np.ndarray]:
    """Value, J v, f̄ᵀ J and f̄ᵀ H w, at the point or where its variables have moved to."""
    sheet, (first, second) = drawn.sheet, drawn.targets
    places = {target: _held_together(drawn, target) for target in drawn.targets}

    def everything(*arrays: Any) -> dict[str, Any]:
        values = sheet.evaluate(arrays, {})

        def function(held: dict[int, Any]) -> Any:
            """The result where targets have these values, wherever they stand."""
            everywhere = {k: value for target, value in held.items() for k in places[target]}
            return sheet.evaluate(arrays, everywhere)[drawn.root]

        def of_first(x: Any) -> Any:
            return function({first: x})

        def pulled_back(y: Any) -> Any:
            """f̄ᵀ J, as a function of the second target."""
            at = y if first == second else values[first]
            rest = {} if first == second else {second: y}
            return jax.vjp(lambda x: function({first: x} | rest), at)[1](way.result)[0]

        value, along = jax.jvp(of_first, (values[first],), (way.first,))
        back = jax.vjp(of_first, values[first])[1](way.result)[0]
        second_order = jax.jvp(pulled_back, (values[second],), (way.second,))[1]
        return {"value": value, "jvp": along, "vjp": back, "second": second_order}

    return evaluate(everything, *(moved or drawn.point))


def _held_together(drawn: Drawn, target: int) -> list[int]:
    """Every place with the same expression: it is held free wherever it stands."""
    node = drawn.sheet.tensors[target].node
    return [k for k, tensor in enumerate(drawn.sheet.tensors) if tensor.node is node]


def nearby(drawn: Drawn, count: int) -> list[list[np.ndarray]]:
    """The point, moved by a rounding error of every entry."""
    generator = np.random.default_rng(7)
    given = drawn.sheet.arrays[: drawn.sheet.given]
    return [
        [a * (1 + ROUNDING * generator.choice([-1, 1], a.shape)) for a in given]
        for _ in range(count)
    ]
