"""Learning rates that change with time: functions of the epochs gone by, a real number.

At step k of an epoch of S steps the time is t = (epochs before) + k/S, so a schedule does not
depend on the size of the batches.
"""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[float], float]


def constant(rate: float) -> Schedule:
    """α(t) = α₀.

    >>> constant(0.1)(7)
    0.1
    """
    return lambda time: rate


def inverse_time(rate: float, decay: float = 0.1) -> Schedule:
    """α(t) = α₀ / (1 + decay·t), whose steps sum to ∞ and whose squares do not.

    H. Robbins, S. Monro, "A stochastic approximation method", Ann. Math. Statist. 22 (1951).

    >>> inverse_time(0.3, decay=0.5)(2)
    0.15
    """
    return lambda time: rate / (1 + decay * time)


def exponential(rate: float, decay: float = 0.05) -> Schedule:
    """α(t) = α₀ exp(−decay·t).

    >>> round(exponential(1.0, decay=math.log(2))(3), 12)
    0.125
    """
    return lambda time: rate * math.exp(-decay * time)


def step(rate: float, factor: float = 0.5, every: float = 10) -> Schedule:
    """α(t) = α₀ · factor^⌊t / every⌋, the staircase.

    >>> [step(0.8, factor=0.5, every=10)(t) for t in (0, 9.9, 10, 25)]
    [0.8, 0.8, 0.4, 0.2]
    """
    return lambda time: rate * factor ** math.floor(time / every)


def cosine(rate: float, epochs: float, final: float = 0.0) -> Schedule:
    """α(t) = α₁ + ½ (α₀ − α₁)(1 + cos(π t / epochs)), and α₁ = ``final`` from the end on.

    I. Loshchilov, F. Hutter, "SGDR: Stochastic gradient descent with warm restarts", ICLR 2017,
    equation (5), without restarts.

    >>> [round(cosine(0.4, epochs=10)(t), 12) for t in (0, 5, 10, 12)]
    [0.4, 0.2, 0.0, 0.0]
    """

    def at(time: float) -> float:
        done = min(time / epochs, 1.0)
        return final + (rate - final) * (1 + math.cos(math.pi * done)) / 2

    return at


def warm_up(schedule: Schedule, epochs: float, start: float = 0.1) -> Schedule:
    """The schedule times a factor that rises linearly from ``start`` to 1 over ``epochs``.

    P. Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour",
    arXiv:1706.02677 (2017), section 2.2, gradual warm-up.

    >>> [warm_up(constant(1.0), epochs=2, start=0.5)(t) for t in (0, 1, 2, 3)]
    [0.5, 0.75, 1.0, 1.0]
    """
    if epochs <= 0:
        return schedule
    return lambda time: schedule(time) * (start + (1 - start) * min(time / epochs, 1.0))


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "constant": constant,
    "1/t": inverse_time,
    "exponential": exponential,
    "step": step,
    "cosine": cosine,
}
