"""What compilation returns, whatever library its arrays are of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from pullback.compilation.arguments import Arguments
from pullback.compilation.memory import Footprint, Forecast
from pullback.errors import PullbackError

Out = Mapping[str, Any] | None


class Compiled(ABC):
    """A function made from expressions.

    Takes the variables of the program by position (in the order of ``inputs``) or by name,
    ignoring those it does not need, and sizes by name where no array shows them. Returns an
    array, or a dict of them for several outputs. ``out`` gives arrays to write results into,
    where the target has arrays that can be written to. Raises PullbackError for arguments that
    do not fit.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    sizes: tuple[str, ...]  # every named size; each may be given by name
    footprint: Footprint  # the arrays that its code makes

    def __init__(
        self,
        outputs: Iterable[str],
        arguments: Arguments,
        write: Callable[[], str],
        footprint: Footprint,
    ) -> None:
        self.inputs = arguments.inputs
        self.outputs = tuple(outputs)
        self.sizes = tuple(arguments.size_names)
        self._arguments = arguments
        self._write = write
        self.footprint = footprint
        # the sizes that the code computes with and no array shows
        self.asked: tuple[str, ...] = ()

    @cached_property
    def source(self) -> str:
        """The generated code: readable, standalone, each named line with its formula."""
        return self._write()

    def sizes_for(
        self, shapes: Mapping[str, tuple[int, ...]], given: Mapping[str, Any]
    ) -> dict[str, int]:
        """Every size that arrays of these shapes show, or that is given by name."""
        known = {name: s for name, s in shapes.items() if name in self._arguments.variables}
        return self._arguments.sizes(known, given)

    def forecast(self, dtype: str = "float64", **sizes: int) -> Forecast:
        """The bytes that a call will allocate at these sizes: at the peak, and for its results.

        ``sizes`` gives a number to each named size. Raises PullbackError for one that is missing.

        >>> import pullback as pb
        >>> print(pb.compile(pb.hessian("norm2(x)^4", "x")).forecast(n=1000))
        16.0 MB at the peak, 8.0 MB of it results (n = 1000)
        """
        missing = [name for name in self.sizes if name not in sizes]
        if missing:
            raise PullbackError(f"a forecast needs a number for the size {missing[0]}")
        return self.footprint_at(sizes).forecast(sizes, np.dtype(dtype).itemsize)

    def footprint_at(self, sizes: Mapping[str, int]) -> Footprint:
        """The arrays that its code for these sizes makes."""
        del sizes
        return self.footprint

    @abstractmethod
    def __call__(self, /, *positional: Any, out: Out = None, **arrays: Any) -> Any:
        """The outputs at these arrays."""

    def __repr__(self) -> str:
        return f"<compiled {', '.join(self.outputs)} of {', '.join(self.inputs)}>"
