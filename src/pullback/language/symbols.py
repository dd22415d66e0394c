"""The catalogue as Python functions of symbols, by name: ``FUNCTIONS["sigmoid"](U @ x)``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from pullback.expressions import SizeLike, placement
from pullback.expressions import constructors as make
from pullback.functions.catalogue import ALIASES, CATALOGUE
from pullback.functions.record import Definition, Record
from pullback.language import array_functions, broadcasting
from pullback.language.applying import REDUCTIONS, apply_record
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


def _of_numpy(name: str) -> Callable[..., Tensor]:
    """A function of NumPy on tensors and numbers."""
    array_function = array_functions.FUNCTIONS[name]

    def function(*arguments: Any, **options: Any) -> Tensor:
        return lift(array_function.call, *arguments, values=array_function.values, **options)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"As np.{name}, of symbols and numbers."
    return function


def vec(x: TensorLike) -> Tensor:
    """The columns of a matrix one below another."""
    return lift(placement.vec, x)


def unvec(x: TensorLike, rows: SizeLike, columns: SizeLike) -> Tensor:
    """The matrix of these sizes whose columns, one below another, are this vector."""
    return lift(placement.unvec, x, rows, columns, values=1)


def khatri_rao(a: TensorLike, b: TensorLike) -> Tensor:
    """For each column the Kronecker product of the two columns."""
    return lift(placement.column_kron, a, b)


def commutation(rows: SizeLike, columns: SizeLike) -> Tensor:
    """The matrix K with K vec(A) = vec(Aᵀ) for each A of these sizes."""
    (m, n), _ = declare("commutation", (rows, columns), ())
    return Tensor(placement.commutation(m, n))


def eye(size: SizeLike) -> Tensor:
    """The identity matrix, never stored."""
    (shape, _) = declare("eye", (size,), ())
    return Tensor(make.delta(shape[0]))


def full(value: TensorLike, *sizes: SizeLike) -> Tensor:
    """A tensor with one value in every entry."""
    shape, _ = declare("full", sizes, ())
    return lift(lambda node: broadcasting.broadcast_to(node, shape), value)


FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    **{
        name: _of_numpy(name)
        for name in array_functions.FUNCTIONS
        if "." not in name and name != "trace"  # a module has that name
    },
    **{name: _function(record) for name, record in CATALOGUE.items() if _is_called(record)},
    **{alias: _function(CATALOGUE[name]) for alias, name in ALIASES.items()},
    "vec": vec,
    "unvec": unvec,
    "khatri_rao": khatri_rao,
    "commutation": commutation,
    "eye": eye,
    "full": full,
}
