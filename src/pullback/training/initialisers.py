"""How parameters begin: matrices at random with a variance that keeps signals alive, the rest at 0."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Initialiser = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]


def _fans(shape: Sequence[int]) -> tuple[int, int]:
    """How many numbers feed an entry of the result, and how many entries each number feeds.

    The last axis is the one a product W x sums over; every other axis is output.
    """
    return shape[-1], math.prod(shape[:-1])


def xavier(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Uniform on ±√(6 / (fan_in + fan_out)), so with variance 2 / (fan_in + fan_out).

    X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010, equation (16). For sigmoid and tanh.

    >>> W = xavier(np.random.default_rng(0), (30, 20))
    >>> W.shape, bool(abs(W).max() <= math.sqrt(6 / 50))
    ((30, 20), True)
    """
    limit = math.sqrt(6 / max(1, sum(_fans(shape))))
    return rng.uniform(-limit, limit, shape)


def he(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Normal with variance 2 / fan_in.

    K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers", ICCV 2015, equation (10).
    For relu.

    >>> W = he(np.random.default_rng(0), (400, 100))
    >>> round(float(W.std()) / math.sqrt(2 / 100), 1)
    1.0
    """
    return rng.normal(0, math.sqrt(2 / max(1, shape[-1])), shape)


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Normal with standard deviation 0.01, as networks were begun before Glorot and Bengio.

    >>> normal(np.random.default_rng(0), (2, 3)).shape
    (2, 3)
    """
    return rng.normal(0, 0.01, shape)


def zeros(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """All zero, as biases begin.

    >>> zeros(np.random.default_rng(0), (2,))
    array([0., 0.])
    """
    del rng
    return np.zeros(shape)


INITIALISERS: dict[str, Initialiser] = {
    "xavier": xavier,
    "he": he,
    "normal": normal,
    "zeros": zeros,
}


def begin(
    rng: np.random.Generator, shape: tuple[int, ...], kind: str | float | None = None
) -> NDArray[Any]:
    """The first value of a parameter: by name, all one number, or Xavier for two axes and more.

    >>> begin(np.random.default_rng(0), (2,)), begin(np.random.default_rng(0), (), 1.5)
    (array([0., 0.]), array(1.5))
    """
    if kind is None:
        kind = "xavier" if len(shape) >= 2 else "zeros"
    if isinstance(kind, str):
        return INITIALISERS[kind](rng, shape or (1,)).reshape(shape)
    return np.full(shape, float(kind))
