"""One vector that holds every parameter, and views of it under their names."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Layout:
    """Where each parameter lies in the flat vector.

    >>> layout = Layout({"U": (2, 3), "b": (2,)})
    >>> theta = layout.pack({"U": np.ones((2, 3)), "b": np.zeros(2)})
    >>> layout.views(theta)["b"][:] = 7
    >>> theta
    array([1., 1., 1., 1., 1., 1., 7., 7.])
    """

    shapes: Mapping[str, tuple[int, ...]]

    @property
    def size(self) -> int:
        return sum(math.prod(shape) for shape in self.shapes.values())

    def views(self, vector: Array) -> dict[str, Array]:
        """The parameters as arrays that share the vector's memory."""
        views, start = {}, 0
        for name, shape in self.shapes.items():
            stop = start + math.prod(shape)
            views[name] = vector[start:stop].reshape(shape)
            start = stop
        return views

    def pack(self, values: Mapping[str, Any], dtype: Any = np.float64) -> Array:
        """A new vector with these values."""
        vector = np.empty(self.size, dtype)
        for name, view in self.views(vector).items():
            view[...] = values[name]
        return vector
