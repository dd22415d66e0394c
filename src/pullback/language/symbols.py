"""The catalogue as Python functions of symbols, by name: ``FUNCTIONS["sigmoid"](U @ x)``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.expressions import SizeLike
from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import Definition, Record
from pullback.language import array_functions, broadcasting
from pullback.language.array_functions import apply_record
from pullback.language.broadcasting import Axes
from pullback.language.declarations import declare
from pullback.language.tensor import Tensor, TensorLike, lift


def _function(record: Record) -> Callable[..., Tensor]:
    """A record as a function of tensors and numbers."""
    takes_axis = not isinstance(record, Definition) and [
        len(core) for core in record.signature.arguments
    ] == [1]

    if takes_axis:

        def function(x: TensorLike, axis: int = -1) -> Tensor:
            return lift(lambda node: apply_record(record.name, node, axis=axis), x)
    else:

        def function(*arguments: TensorLike) -> Tensor:  # type: ignore[misc]
            return lift(lambda *nodes: apply_record(record.name, *nodes), *arguments)

    function.__name__ = function.__qualname__ = record.name
    function.__doc__ = record.doc
    return function


def sum(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The sum of all entries, or over the axes given (counted from 0)."""
    return lift(broadcasting.sum_over, x, axis=axis, keepdims=keepdims)


def mean(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The mean of all entries, or over the axes given (counted from 0)."""
    return lift(broadcasting.mean_over, x, axis=axis, keepdims=keepdims)


def einsum(subscripts: str, *operands: TensorLike) -> Tensor:
    """A sum of products with one letter per axis, as ``np.einsum``."""
    return lift(array_functions.einsum, subscripts, *operands)


def transpose(x: TensorLike, axes: Any = None) -> Tensor:
    """The axes in reverse order, or in the order given."""
    return lift(array_functions.transpose, x, axes=axes)


def diag(x: TensorLike) -> Tensor:
    """Of a vector the matrix with it on the diagonal, of a matrix its diagonal."""
    return lift(array_functions.diag, x)


def dot(a: TensorLike, b: TensorLike) -> Tensor:
    """The product of ``np.dot``: of two vectors the sum of products."""
    return lift(array_functions.dot, a, b)


def outer(a: TensorLike, b: TensorLike) -> Tensor:
    """The matrix of all products of entries of two vectors."""
    return lift(array_functions.outer, a, b)


def eye(size: SizeLike) -> Tensor:
    """The identity matrix, never stored."""
    (shape, _) = declare("eye", (size,), ())
    return Tensor(make.delta(shape[0]))


def full(value: TensorLike, *sizes: SizeLike) -> Tensor:
    """A tensor with one value in every entry."""
    shape, _ = declare("full", sizes, ())
    return lift(lambda node: broadcasting.broadcast_to(node, shape), value)


FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    **{name: _function(record) for name, record in CATALOGUE.items()},
    "sum": sum,
    "mean": mean,
    "einsum": einsum,
    "transpose": transpose,
    "trace": _function(CATALOGUE["tr"]),
    "diag": diag,
    "dot": dot,
    "outer": outer,
    "eye": eye,
    "full": full,
}
