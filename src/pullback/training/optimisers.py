"""Optimisers: a rule from a gradient to a change of the parameters, on one flat vector.

An optimiser is a pair: ``init(θ)`` makes its state, ``update(θ, g, state, rate)`` changes θ in
place. All parameters of a model lie in one vector, so that a step is a handful of array
operations whatever the number of layers; all work arrays are in the state, so that a step
allocates nothing. The gradient array may be overwritten.

``weight_decay`` λ adds λ θ to the gradient (the gradient of ½ λ ‖θ‖²), except in AdamW.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[Any]


@dataclass
class State:
    """What an optimiser remembers: averages of what it saw, the steps taken, a work array."""

    work: Vector
    memory: tuple[Vector, ...] = field(default=())
    steps: int = 0


@dataclass(frozen=True)
class Optimiser:
    """A named pair of functions; see the module's docstring."""

    name: str
    init: Callable[[Vector], State]
    update: Callable[[Vector, Vector, State, float], None]


def clip_by_global_norm(gradient: Vector, limit: float) -> float:
    """Scale the gradient in place so that its Euclidean norm is at most ``limit``; returns the norm.

    R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks",
    ICML 2013, algorithm 1.

    >>> g = np.array([3.0, 4.0])
    >>> clip_by_global_norm(g, 1.0), g
    (5.0, array([0.6, 0.8]))
    """
    norm = math.sqrt(float(gradient @ gradient))
    if norm > limit:
        gradient *= limit / norm
    return norm


def _with_memory(count: int) -> Callable[[Vector], State]:
    def init(parameters: Vector) -> State:
        memory = tuple(np.zeros_like(parameters) for _ in range(count))
        return State(np.empty_like(parameters), memory)

    return init


def _decayed(parameters: Vector, gradient: Vector, state: State, decay: float) -> None:
    """g ← g + λ θ."""
    if decay:
        np.multiply(parameters, decay, out=state.work)
        gradient += state.work


def sgd(weight_decay: float = 0.0) -> Optimiser:
    """Gradient descent: θ ← θ − α g.

    H. Robbins, S. Monro, "A stochastic approximation method", Ann. Math. Statist. 22 (1951).

    >>> theta = np.array([1.0, 2.0])
    >>> rule = sgd()
    >>> rule.update(theta, np.array([10.0, 0.0]), rule.init(theta), 0.05)
    >>> theta
    array([0.5, 2. ])
    """

    def update(parameters: Vector, gradient: Vector, state: State, rate: float) -> None:
        _decayed(parameters, gradient, state, weight_decay)
        np.multiply(gradient, rate, out=state.work)
        parameters -= state.work

    return Optimiser("sgd", _with_memory(0), update)


def momentum(momentum: float = 0.9, weight_decay: float = 0.0) -> Optimiser:
    """Heavy ball: v ← μ v + g, θ ← θ − α v.

    B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", USSR Comput.
    Math. Math. Phys. 4 (1964); with α outside v, as is usual when α decays.

    >>> theta = np.array([0.0])
    >>> rule = momentum(0.5)
    >>> state = rule.init(theta)
    >>> for _ in range(2):
    ...     rule.update(theta, np.array([1.0]), state, 0.1)
    >>> theta
    array([-0.25])
    """

    def update(parameters: Vector, gradient: Vector, state: State, rate: float) -> None:
        _decayed(parameters, gradient, state, weight_decay)
        (velocity,) = state.memory
        velocity *= momentum
        velocity += gradient
        np.multiply(velocity, rate, out=state.work)
        parameters -= state.work

    return Optimiser("momentum", _with_memory(1), update)


def nesterov(momentum: float = 0.9, weight_decay: float = 0.0) -> Optimiser:
    """Momentum with the look ahead: v ← μ v + g, θ ← θ − α (g + μ v).

    Y. Nesterov, "A method of solving a convex programming problem with convergence rate O(1/k²)",
    Soviet Math. Dokl. 27 (1983), as I. Sutskever et al. (ICML 2013, equations 3 and 4) state it;
    θ here is their point of look-ahead.

    >>> theta = np.array([0.0])
    >>> rule = nesterov(0.5)
    >>> rule.update(theta, np.array([1.0]), rule.init(theta), 0.1)
    >>> theta
    array([-0.15])
    """

    def update(parameters: Vector, gradient: Vector, state: State, rate: float) -> None:
        _decayed(parameters, gradient, state, weight_decay)
        (velocity,) = state.memory
        velocity *= momentum
        velocity += gradient
        np.multiply(velocity, momentum, out=state.work)
        state.work += gradient
        state.work *= rate
        parameters -= state.work

    return Optimiser("nesterov", _with_memory(1), update)


def rmsprop(smoothing: float = 0.99, epsilon: float = 1e-8, weight_decay: float = 0.0) -> Optimiser:
    """s ← ρ s + (1 − ρ) g², θ ← θ − α g / (√s + ε).

    T. Tieleman, G. Hinton, "Lecture 6.5: rmsprop", Neural Networks for Machine Learning, 2012.

    >>> theta = np.array([0.0, 0.0])
    >>> rule = rmsprop(smoothing=0.75)
    >>> rule.update(theta, np.array([8.0, -1.0]), rule.init(theta), 0.1)
    >>> theta.round(6)
    array([-0.2,  0.2])
    """

    def update(parameters: Vector, gradient: Vector, state: State, rate: float) -> None:
        _decayed(parameters, gradient, state, weight_decay)
        (square,) = state.memory
        _average_of_squares(square, gradient, smoothing, state.work)
        np.sqrt(square, out=state.work)
        state.work += epsilon
        np.divide(gradient, state.work, out=state.work)
        state.work *= rate
        parameters -= state.work

    return Optimiser("rmsprop", _with_memory(1), update)


def adam(
    beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8, weight_decay: float = 0.0
) -> Optimiser:
    """m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², θ ← θ − α m̂ / (√v̂ + ε).

    m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) at step t = 1, 2, … D. P. Kingma, J. Ba, "Adam: a
    method for stochastic optimization", ICLR 2015, algorithm 1.

    >>> theta = np.array([0.0, 0.0])
    >>> rule = adam()
    >>> rule.update(theta, np.array([100.0, -0.01]), rule.init(theta), 0.1)
    >>> theta.round(5)
    array([-0.1,  0.1])
    """

    def update(parameters: Vector, gradient: Vector, state: State, rate: float) -> None:
        _decayed(parameters, gradient, state, weight_decay)
        _adam_step(parameters, gradient, state, rate, beta1, beta2, epsilon)

    return Optimiser("adam", _with_memory(2), update)


def adamw(
    beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8, weight_decay: float = 0.01
) -> Optimiser:
    """Adam with decoupled decay: θ ← (1 − α λ) θ, then Adam's step with the bare gradient.

    I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2,
    with the rate α in the place of its schedule multiplier η.

    >>> theta = np.array([1.0])
    >>> rule = adamw(weight_decay=0.5)
    >>> rule.update(theta, np.array([0.0]), rule.init(theta), 0.1)
    >>> theta
    array([0.95])
    """

    def update(parameters: Vector, gradient: Vector, state: State, rate: float) -> None:
        if weight_decay:
            parameters *= 1 - rate * weight_decay
        _adam_step(parameters, gradient, state, rate, beta1, beta2, epsilon)

    return Optimiser("adamw", _with_memory(2), update)


def _average_of_squares(average: Vector, gradient: Vector, keep: float, work: Vector) -> None:
    """s ← ρ s + (1 − ρ) g²."""
    np.multiply(gradient, gradient, out=work)
    work *= 1 - keep
    average *= keep
    average += work


def _adam_step(
    parameters: Vector,
    gradient: Vector,
    state: State,
    rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> None:
    state.steps += 1
    first, second = state.memory
    _average_of_squares(second, gradient, beta2, state.work)
    gradient *= 1 - beta1
    first *= beta1
    first += gradient
    np.sqrt(second, out=state.work)
    state.work /= math.sqrt(1 - beta2**state.steps)
    state.work += epsilon
    np.divide(first, state.work, out=state.work)
    state.work *= rate / (1 - beta1**state.steps)
    parameters -= state.work


OPTIMISERS: dict[str, Callable[..., Optimiser]] = {
    "sgd": sgd,
    "momentum": momentum,
    "nesterov": nesterov,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adamw,
}

USUAL_RATE: dict[str, float] = {
    "sgd": 0.1,
    "momentum": 0.1,
    "nesterov": 0.1,
    "rmsprop": 0.001,
    "adam": 0.001,
    "adamw": 0.001,
}
