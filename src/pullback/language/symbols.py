"""The catalogue as Python functions of symbols, by name: ``FUNCTIONS["sigmoid"](U @ x)``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from pullback.expressions import SizeLike
from pullback.expressions import constructors as make
from pullback.functions.catalogue import ALIASES, CATALOGUE
from pullback.functions.record import Definition, Record
from pullback.language import array_functions, broadcasting
from pullback.language.array_functions import REDUCTIONS, apply_record
from pullback.language.declarations import declare
from pullback.language.tensor import Tensor, TensorLike, lift


def _function(record: Record) -> Callable[..., Tensor]:
    """A record as a function of tensors and numbers."""
    if record.reduction:
        over = REDUCTIONS[record.name]

        def function(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
            if record.pairs and isinstance(axis, Tensor | float):
                return lift(partial(apply_record, record.pairs), x, axis)
            return lift(over, x, axis=axis, keepdims=keepdims)
    elif record.takes_axis:

        def function(x: TensorLike, axis: int = -1) -> Tensor:  # type: ignore[misc]
            return lift(lambda node: apply_record(record.name, node, axis=axis), x)
    else:

        def function(*arguments: TensorLike) -> Tensor:  # type: ignore[misc]
            return lift(lambda *nodes: apply_record(record.name, *nodes), *arguments)

    function.__name__ = function.__qualname__ = record.name
    function.__doc__ = record.doc
    return function


def _is_called(record: Record) -> bool:
    return isinstance(record, Definition) or bool(record.partials)


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
    **{name: _function(record) for name, record in CATALOGUE.items() if _is_called(record)},
    **{alias: _function(CATALOGUE[name]) for alias, name in ALIASES.items()},
    "einsum": einsum,
    "transpose": transpose,
    "diag": diag,
    "dot": dot,
    "outer": outer,
    "eye": eye,
    "full": full,
}
