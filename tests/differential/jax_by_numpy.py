"""JAX functions evaluated step by step in NumPy: JAX's own rules, without waiting for its compiler.

JAX writes a function, or what its differentiation makes of one, as a list of primitive steps (a
jaxpr). Here every step is done as it stands. Compiling each program would take a hundred times as
long as it is worth. What is not in the table below is left to JAX.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal
from scipy import special

Array = Any


def evaluate(function: Callable[..., Any], *arguments: Any) -> Any:
    """The value of a function of arrays, with JAX's meaning of everything in it."""
    arrays = [np.asarray(a, dtype=np.float64) for a in arguments]
    closed, shape = jax.make_jaxpr(function, return_shape=True)(*arrays)
    with np.errstate(all="ignore"):
        values = run(closed.jaxpr, closed.consts, arrays)
    return jax.tree.unflatten(jax.tree.structure(shape), values)


def run(jaxpr: Jaxpr, consts: Sequence[Any], arguments: Sequence[Any]) -> list[Array]:
    known: dict[Any, Array] = {}

    def read(atom: Any) -> Array:
        return np.asarray(atom.val) if isinstance(atom, Literal) else known[atom]

    known.update(zip(jaxpr.constvars, map(np.asarray, consts), strict=True))
    known.update(zip(jaxpr.invars, arguments, strict=True))
    for step in jaxpr.eqns:
        given = [read(atom) for atom in step.invars]
        known.update(zip(step.outvars, _step(step, given), strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _step(step: Any, given: list[Array]) -> list[Array]:
    name, params = step.primitive.name, step.params
    if name in NUMPY:
        result = NUMPY[name](*given, **params)
        wanted = step.outvars[0].aval
        return [np.asarray(result, dtype=wanted.dtype).reshape(wanted.shape)]
    if name == "cond":
        branches = params["branches"]
        chosen = branches[min(max(int(given[0]), 0), len(branches) - 1)]
        return run(chosen.jaxpr, chosen.consts, given[1:])
    inner = next((params[k] for k in ("jaxpr", "call_jaxpr", "fun_jaxpr") if k in params), None)
    if inner is not None and name not in ("while", "scan"):
        if isinstance(inner, ClosedJaxpr):
            return run(inner.jaxpr, inner.consts, given)
        return run(inner, (), given)
    results = step.primitive.bind(*map(jax.numpy.asarray, given), **params)
    several = results if step.primitive.multiple_results else [results]
    return [np.asarray(r) for r in several]


def _broadcast(
    x: Array, *, shape: Sequence[int], broadcast_dimensions: Sequence[int], **_: Any
) -> Array:
    wide = [1] * len(shape)
    for axis, size in zip(broadcast_dimensions, x.shape, strict=True):
        wide[axis] = size
    return np.broadcast_to(x.reshape(wide), shape)


def _select(which: Array, *cases: Array, **_: Any) -> Array:
    return np.choose(np.broadcast_to(which, cases[0].shape).astype(int), cases)


def _iota(*, dtype: Any, shape: Sequence[int], dimension: int, **_: Any) -> Array:
    return np.broadcast_to(
        np.arange(shape[dimension], dtype=dtype).reshape(
            [-1 if axis == dimension else 1 for axis in range(len(shape))]
        ),
        shape,
    )


def _dot_general(a: Array, b: Array, *, dimension_numbers: Any, **_: Any) -> Array:
    (over_a, over_b), (batch_a, batch_b) = dimension_numbers
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    left, right = [next(letters) for _ in a.shape], [""] * b.ndim
    for mine, its in (*zip(over_a, over_b, strict=True), *zip(batch_a, batch_b, strict=True)):
        right[its] = left[mine]
    right = [letter or next(letters) for letter in right]
    free_a = [x for k, x in enumerate(left) if k not in (*over_a, *batch_a)]
    free_b = [x for k, x in enumerate(right) if k not in (*over_b, *batch_b)]
    out = [left[k] for k in batch_a] + free_a + free_b
    return np.einsum(f"{''.join(left)},{''.join(right)}->{''.join(out)}", a, b)


def _plain(function: Callable[..., Array]) -> Callable[..., Array]:
    return lambda *arrays, **_: function(*arrays)


def _over(function: Callable[..., Array]) -> Callable[..., Array]:
    return lambda x, *, axes, **_: function(x, axis=tuple(axes))


def _cumulative(function: Callable[..., Array]) -> Callable[..., Array]:
    def along(x: Array, *, axis: int, reverse: bool, **_: Any) -> Array:
        return np.flip(function(np.flip(x, axis), axis), axis) if reverse else function(x, axis)

    return along


NUMPY: dict[str, Callable[..., Array]] = {
    **{
        name: _plain(getattr(np, name))
        for name in ("abs", "exp", "exp2", "expm1", "log", "log1p", "sqrt", "square", "sign", "floor")
        + ("sin", "cos", "tan", "sinh", "cosh", "tanh")
    },
    **{f"a{name}": _plain(getattr(np, f"arc{name}")) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "add": _plain(np.add),
    "add_any": _plain(np.add),
    "sub": _plain(np.subtract),
    "mul": _plain(np.multiply),
    "div": _plain(np.true_divide),
    "neg": _plain(np.negative),
    "max": _plain(np.maximum),
    "min": _plain(np.minimum),
    "pow": _plain(np.power),
    "atan2": _plain(np.arctan2),
    "rsqrt": _plain(lambda x: 1 / np.sqrt(x)),
    "logistic": _plain(special.expit),
    "erf": _plain(special.erf),
    "erfc": _plain(special.erfc),
    "lgamma": _plain(special.gammaln),
    "digamma": _plain(special.digamma),
    "eq": _plain(np.equal),
    "ne": _plain(np.not_equal),
    "lt": _plain(np.less),
    "le": _plain(np.less_equal),
    "gt": _plain(np.greater),
    "ge": _plain(np.greater_equal),
    "and": _plain(np.bitwise_and),
    "or": _plain(np.bitwise_or),
    "not": _plain(np.invert),
    "is_finite": _plain(np.isfinite),
    "stop_gradient": _plain(np.asarray),
    "copy": _plain(np.asarray),
    "integer_pow": lambda x, *, y, **_: x ** float(y),
    "convert_element_type": lambda x, *, new_dtype, **_: x.astype(new_dtype),
    "select_n": _select,
    "broadcast_in_dim": _broadcast,
    "iota": _iota,
    "reshape": lambda x, *, new_sizes, **_: x.reshape(new_sizes),
    "squeeze": lambda x, *, dimensions, **_: np.squeeze(x, tuple(dimensions)),
    "expand_dims": lambda x, *, dimensions, **_: np.expand_dims(x, tuple(dimensions)),
    "transpose": lambda x, *, permutation, **_: np.transpose(x, permutation),
    "rev": lambda x, *, dimensions, **_: np.flip(x, tuple(dimensions)),
    "concatenate": lambda *xs, dimension, **_: np.concatenate(xs, dimension),
    "reduce_sum": _over(np.sum),
    "reduce_max": _over(np.max),
    "reduce_min": _over(np.min),
    "reduce_prod": _over(np.prod),
    "cumsum": _cumulative(np.cumsum),
    "dot_general": _dot_general,
}  # fmt: skip
