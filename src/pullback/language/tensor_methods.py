"""The methods of arrays, on symbols."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NoReturn, Self

from pullback.errors import PullbackError
from pullback.expressions import Node
from pullback.expressions import constructors as make
from pullback.language import array_functions, array_shapes
from pullback.language.applying import REDUCTIONS, apply_record
from pullback.language.broadcasting import Axes
from pullback.language.callers import place_called


class ArrayMethods(ABC):
    """Methods of NumPy's arrays that make another symbol of this one."""

    __slots__ = ()

    @abstractmethod
    def _made(self, function: Callable[..., Node], *stated: Any, **options: Any) -> Self:
        """A function of this symbol's node and of what is stated."""

    @property
    def T(self) -> Self:
        """The axes in reverse order."""
        return self._made(array_functions.transpose)

    @property
    def mT(self) -> Self:
        """The last two axes exchanged."""
        return self._made(array_functions.swapaxes, -1, -2)

    def sum(self, axis: Axes = None, keepdims: bool = False) -> Self:
        return self._made(REDUCTIONS["sum"], axis=axis, keepdims=keepdims)

    def mean(self, axis: Axes = None, keepdims: bool = False) -> Self:
        return self._made(REDUCTIONS["mean"], axis=axis, keepdims=keepdims)

    def prod(self, axis: Axes = None, keepdims: bool = False) -> Self:
        return self._made(REDUCTIONS["prod"], axis=axis, keepdims=keepdims)

    def max(self, axis: Axes = None, keepdims: bool = False) -> Self:
        return self._made(REDUCTIONS["max"], axis=axis, keepdims=keepdims)

    def min(self, axis: Axes = None, keepdims: bool = False) -> Self:
        return self._made(REDUCTIONS["min"], axis=axis, keepdims=keepdims)

    def var(self, axis: Axes = None, keepdims: bool = False) -> Self:
        return self._made(REDUCTIONS["var"], axis=axis, keepdims=keepdims)

    def std(self, axis: Axes = None, keepdims: bool = False) -> Self:
        return self._made(REDUCTIONS["std"], axis=axis, keepdims=keepdims)

    def cumsum(self, axis: int) -> Self:
        return self._made(lambda node: apply_record("cumsum", node, axis=axis))

    def clip(self, min: float, max: float) -> Self:
        return self._made(
            lambda node: apply_record("clip", node, make.constant(min), make.constant(max))
        )

    def trace(self, offset: Any = 0) -> Self:
        return self._made(array_shapes.trace, offset)

    def diagonal(self, offset: Any = 0) -> Self:
        return self._made(array_shapes.diagonal, offset)

    def transpose(self, *axes: Any) -> Self:
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return self._made(array_functions.transpose, axes=order or None)

    def swapaxes(self, axis1: int, axis2: int) -> Self:
        return self._made(array_functions.swapaxes, axis1, axis2)

    def reshape(self, *shape: Any, order: str = "C") -> Self:
        """The same entries under other axes, row by row; one size may be −1.

        >>> import pullback as pb
        >>> pb.matrix("A", "m", "n").reshape(-1).shape
        (Size(m*n),)
        """
        sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        return self._made(array_shapes.reshape, sizes, order=order)

    def ravel(self, order: str = "C") -> Self:
        return self._made(array_shapes.ravel, order)

    def flatten(self, order: str = "C") -> Self:
        return self._made(array_shapes.ravel, order)

    def squeeze(self, axis: Axes = None) -> Self:
        return self._made(array_shapes.squeeze, axis)

    def repeat(self, repeats: Any, axis: int | None = None) -> Self:
        return self._made(array_shapes.repeat, repeats, axis)

    def copy(self) -> Self:
        """The symbol itself, which nothing can change."""
        return self

    # what depends on the numbers in a symbol

    def _data_dependent(self, *_arguments: Any, **_options: Any) -> NoReturn:
        raise PullbackError(
            "this depends on numbers that are known only when code is called",
            place_called(),
            "pb.where chooses entry by entry; pb.max and pb.min are functions of a symbol",
        )

    argmax = argmin = argsort = sort = nonzero = any = all = item = tolist = _data_dependent
