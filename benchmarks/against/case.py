"""A case of ``against_peers.py``: a formula for us, a loss for the peers, closed forms by hand.

A case is stated once for every peer: ``loss`` takes a library's functions and its arrays, and each
peer differentiates that with the best of its own operators. ``hand`` holds what a person would
write, in NumPy's meaning; those without ``numpy`` in their name are run under ``jax.jit`` too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Arrays = Mapping[str, np.ndarray[Any, Any]]
DENSE, KEPT = "dense", "kept"


@dataclass
class Case:
    """One line of the table; ``hand_limit`` and ``peer_limit`` are the figures asked for."""

    row: str
    size: str
    order: str  # gradient, jacobian, hessian or hvp
    text: str
    wrt: str
    arrays: Arrays
    loss: Callable[..., Any]
    hand: Mapping[str, Callable[..., Any]]
    hand_limit: float
    peer_limit: float | None
    form: str = DENSE
    assume: Mapping[str, str] = field(default_factory=dict)
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    vector: np.ndarray[Any, Any] | None = None  # what a kept result or an hvp is multiplied by
    build_only: bool = False

    @property
    def name(self) -> str:
        build = ", build alone" if self.build_only else ""
        return f"{self.row}, {self.size}" + (f", {self.form}{build}" if self.form == KEPT else "")


def drawn(seed: int, **shapes: tuple[int, ...]) -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}
