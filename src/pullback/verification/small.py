"""Small whole numbers for which the assumptions of a variable hold, to show to people."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from pullback.expressions import Variable
from pullback.verification.points import NotTestable

Values = Any  # an array of whole numbers
TRIES = 20  # points of one kind


def small_value(
    variable: Variable, sizes: Mapping[str, int], generator: random.Random, low: int
) -> Values:
    """Whole numbers from ``low`` to 3 where assumptions leave them so, else close to them.

    Raises NotTestable for an assumption that none is known for.
    """
    shape = tuple(size.evaluate(sizes) for size in variable.shape)
    values = np.empty(shape, dtype=int)
    for index in np.ndindex(shape):
        values[index] = generator.randint(low, 3)
    assumed = variable.assumptions
    unknown = sorted(assumed - set(_KEEPING))
    if unknown:
        raise NotTestable(f"there is no rule to draw a point that is '{unknown[0]}'")
    for name, keep in _KEEPING.items():
        if name in assumed:
            values = keep(values, assumed, generator)
    return values


def small_points(
    inputs: Iterable[Variable], sizes: Mapping[str, int], generator: random.Random
) -> Iterator[dict[Variable, Values]]:
    """Values for all of them to try, first with negative numbers, at last without zeros."""
    for low in (-2, 0, 1):
        for _ in range(TRIES):
            yield {v: small_value(v, sizes, generator, low) for v in inputs}


def rounded(values: Any) -> Any:
    """Numbers as they are shown: lists, of six digits after the point."""
    return np.round(values, 6).tolist()


Keep = Callable[[Values, frozenset[str], random.Random], Values]


def _turned(values: Values) -> Values:
    return np.swapaxes(values, -1, -2)


def _positive_definite(values: Values, assumed: frozenset[str], _g: random.Random) -> Values:
    size = values.shape[-1]
    if "diagonal" in assumed:
        return abs(values) + np.eye(size, dtype=int)
    return values @ _turned(values) + np.eye(size, dtype=int)


def _permutation(values: Values, _assumed: frozenset[str], g: random.Random) -> Values:
    """A permutation with signs for each matrix."""
    size = values.shape[-1]
    turned = np.zeros_like(values)
    for index in np.ndindex(values.shape[:-2]):
        for row, column in enumerate(g.sample(range(size), size)):
            turned[(*index, row, column)] = g.choice((-1, 1))
    return turned


def _chosen(*among: int) -> Keep:
    def keep(values: Values, _assumed: frozenset[str], g: random.Random) -> Values:
        return np.vectorize(lambda _: g.choice(among), otypes=[int])(values)

    return keep


def _of_unit_sum(values: Values, assumed: frozenset[str], g: random.Random) -> Values:
    if "binary" in assumed:  # one 1 in each row
        rows = [g.randrange(values.shape[-1]) for _ in np.ndindex(values.shape[:-1])]
        return np.eye(values.shape[-1], dtype=int)[rows].reshape(values.shape)
    if "positive" in assumed:
        return values / values.sum(axis=-1, keepdims=True)
    values = values.copy()
    values[..., -1] += 1 - values.sum(axis=-1)
    return values


_KEEPING: Mapping[str, Keep] = {
    "positive": lambda v, _a, _g: abs(v) + 1,
    "symmetric": lambda v, _a, _g: v + _turned(v),
    "skew": lambda v, _a, _g: v - _turned(v),
    "lower": lambda v, _a, _g: np.tril(v),
    "upper": lambda v, _a, _g: np.triu(v),
    "diagonal": lambda v, _a, _g: v * np.eye(v.shape[-1], dtype=int),
    "orthogonal": _permutation,
    "posdef": _positive_definite,
    "sign": _chosen(-1, 1),
    "binary": _chosen(0, 1),
    "unit-sum": _of_unit_sum,
}
