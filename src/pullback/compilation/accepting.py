"""Arrays that a caller gives for results."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


class Accepted:
    """Arrays that were accepted for results, so that the same ones need no full look again."""

    def __init__(
        self,
        out: Mapping[str, Any],
        shapes: list[tuple[int, ...]],
        inputs: Sequence[Any],
        receivers: list[Any],
    ) -> None:
        self.names, self.arrays = list(out), list(out.values())
        self.shapes, self.inputs, self.receivers = shapes, inputs, receivers
        owners = {id(a.base if a.base is not None else a): a for a in self.arrays}
        self.memory = [a.base if isinstance(a.base, np.ndarray) else a for a in owners.values()]

    def holds(
        self, out: Mapping[str, Any], shapes: list[tuple[int, ...]], inputs: Sequence[Any]
    ) -> bool:
        """Whether all is as it was, and inputs that are new share no memory with results."""
        same = (
            self.shapes is shapes
            and self.names == list(out)
            and all(map(operator.is_, self.arrays, out.values()))
        )
        if not same:
            return False
        for new, old in zip(inputs, self.inputs, strict=True):
            if new is not old:
                for memory in self.memory:
                    if np.may_share_memory(new, memory):
                        return False
        return True
