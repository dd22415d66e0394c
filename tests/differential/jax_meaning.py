"""What each function of the catalogue means, said again in JAX; nothing here reads a record.

Functions of single numbers act entry by entry, functions of a vector on the last axis,
functions of a matrix on the last two; axes before these are a batch. A new record needs a line
here: ``test_every_function_has_a_meaning`` fails until it has one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import nn
from jax.scipy import linalg, special

from pullback.functions import analytic, matrices, singular, solving, spectral
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import Definition, Function

jax.config.update("jax_enable_x64", True)  # JAX's own signature

Array = Any  # of JAX; or of NumPy, which it takes too
Meaning = Callable[..., Array]


def truth(condition: Array) -> Array:
    return jnp.where(condition, 1.0, 0.0)


def step(x: Array) -> Array:
    return truth(x > 0)


def safe_power(x: Array, p: Array) -> Array:
    """A power by a number as JAX has it, by an array through the logarithm (positive bases)."""
    return jnp.exp(p * jnp.log(x)) if isinstance(p, jax.Array) else x**p


ELEMENTWISE: dict[str, Meaning] = {
    "power": safe_power,
    "exp": jnp.exp,
    "expm1": jnp.expm1,
    "log": jnp.log,
    "log1p": jnp.log1p,
    "log2": lambda x: jnp.log(x) / math.log(2),
    "log10": lambda x: jnp.log(x) / math.log(10),
    "sqrt": jnp.sqrt,
    "sigmoid": nn.sigmoid,
    "softplus": nn.softplus,
    "cosh": jnp.cosh,
    "sinh": jnp.sinh,
    "tanh": jnp.tanh,
    "sech2": lambda x: 1 / jnp.cosh(x) ** 2,
    "sin": jnp.sin,
    "cos": jnp.cos,
    "tan": jnp.tan,
    "asin": jnp.arcsin,
    "acos": jnp.arccos,
    "atan": jnp.arctan,
    "arctan2": jnp.arctan2,
    "asinh": jnp.arcsinh,
    "acosh": jnp.arccosh,
    "atanh": jnp.arctanh,
    "pi": lambda: jnp.asarray(math.pi),
    "erf": special.erf,
    "erfc": special.erfc,
    "normcdf": special.ndtr,
    "gamma": special.gamma,
    "lgamma": special.gammaln,
    "digamma": special.digamma,
    "polygamma": lambda n, x: special.polygamma(jnp.asarray(n, int), x),
    "step": step,
    "relu": nn.relu,
    "sign": jnp.sign,
    "abs": jnp.abs,
    "maximum": jnp.maximum,
    "minimum": jnp.minimum,
    "clip": lambda x, low, high: jnp.minimum(jnp.maximum(x, low), high),
    "huber": lambda r, d: jnp.where(jnp.abs(r) <= d, r * r / 2, d * (jnp.abs(r) - d / 2)),
    "less": lambda a, b: truth(a < b),
    "less_equal": lambda a, b: truth(a <= b),
    "greater": lambda a, b: truth(a > b),
    "greater_equal": lambda a, b: truth(a >= b),
    "equal": lambda a, b: truth(a == b),
    "not_equal": lambda a, b: truth(a != b),
    "where": lambda c, a, b: jnp.where(c != 0, a, b),
    "leaky_relu": lambda x, slope=0.01: jnp.where(x > 0, x, slope * x),
    "elu": lambda x, alpha=1.0: jnp.where(x > 0, x, alpha * jnp.expm1(jnp.where(x > 0, 0.0, x))),
    "gelu": lambda x: x * special.erfc(-x / math.sqrt(2)) / 2,
    "silu": nn.silu,
    "softsign": nn.soft_sign,
    "logcosh": lambda x: jnp.logaddexp(x, -x) - math.log(2),
}


def hardmax(x: Array) -> Array:
    hits = truth(x == jnp.max(x, axis=-1, keepdims=True))
    return hits / jnp.sum(hits, axis=-1, keepdims=True)


def product(x: Array, axis: Any = None) -> Array:
    """A product whose derivative JAX has right at zeros too: multiplied out one by one."""
    axes = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    for gone in sorted((a % x.ndim for a in axes), reverse=True):
        x = jnp.moveaxis(x, gone, -1)
        one_by_one = x[..., 0]
        for k in range(1, x.shape[-1]):
            one_by_one = one_by_one * x[..., k]
        x = one_by_one
    return x


def others(x: Array) -> Array:
    """For each entry the product of all the others."""
    keep = [[j for j in range(x.shape[-1]) if j != i] for i in range(x.shape[-1])]
    return jnp.stack([product(x[..., jnp.array(k, int)], axis=-1) for k in keep], axis=-1)


def layer_norm(x: Array, eps: Array = 1e-5) -> Array:
    centred = x - jnp.mean(x, axis=-1, keepdims=True)
    return centred / jnp.sqrt(jnp.mean(centred**2, axis=-1, keepdims=True) + eps)


def standard_deviation(x: Array, axis: Any = None) -> Array:
    return jnp.sqrt(jnp.var(x, axis=axis))


REDUCTIONS: dict[str, Meaning] = {  # they take an axis, or several
    "sum": jnp.sum,
    "mean": jnp.mean,
    "prod": product,
    "max": jnp.max,
    "min": jnp.min,
    "var": jnp.var,
    "std": standard_deviation,
    "logsumexp": special.logsumexp,
}

OF_VECTORS: dict[str, Meaning] = {
    "hardmax": hardmax,
    "prod_others": others,
    "cumsum": lambda x: jnp.cumsum(x, axis=-1),
    "softmax": lambda x: nn.softmax(x, axis=-1),
    "softmin": lambda x: nn.softmax(-x, axis=-1),
    "log_softmax": lambda x: nn.log_softmax(x, axis=-1),
}


def norm(x: Array, p: float = 2) -> Array:
    return jnp.sum(jnp.abs(x) ** p) ** (1 / p)


def euclidean(x: Array) -> Array:
    return jnp.sqrt(jnp.sum(x * x))


def cross_entropy(p: Array, y: Array) -> Array:
    return -jnp.sum(y * jnp.log(p))


OF_WHOLES: dict[str, Meaning] = {  # of matrices, and totals
    "inv": jnp.linalg.inv,
    "det": jnp.linalg.det,
    "logdet": lambda x: jnp.linalg.slogdet(x)[1],
    "logabsdet": lambda x: jnp.linalg.slogdet(x)[1],
    "tr": jnp.trace,
    "solve": jnp.linalg.solve,
    "solve_lower": lambda a, b: linalg.solve_triangular(a, b, lower=True),
    "solve_upper": lambda a, b: linalg.solve_triangular(a, b, lower=False),
    "norm1": lambda x: jnp.sum(jnp.abs(x)),
    "norm2": euclidean,
    "normF": euclidean,
    "norm1_induced": lambda x: jnp.max(jnp.sum(jnp.abs(x), axis=-2), axis=-1),
    "norm_inf_induced": lambda x: jnp.max(jnp.sum(jnp.abs(x), axis=-1), axis=-1),
    "norm_inf": lambda x: jnp.max(jnp.abs(x)),
    "norm": norm,
    "layer_norm": layer_norm,
    "squared_error": lambda h, y: jnp.sum((h - y) ** 2),
    "absolute_error": lambda h, y: jnp.sum(jnp.abs(h - y)),
    "cross_entropy": cross_entropy,
    "binary_cross_entropy": lambda p, y: cross_entropy(p, y) + cross_entropy(1 - p, 1 - y),
    "hinge": lambda h, y: jnp.sum(jnp.maximum(0, 1 - y * h)),
    "normpdf": lambda x: jnp.exp(-x * x / 2) / math.sqrt(2 * math.pi),
    "hypot": lambda a, b: jnp.sqrt(a**2 + b**2),
    "logaddexp": jnp.logaddexp,
    "huber_loss": lambda h, y, delta=1.0: jnp.sum(ELEMENTWISE["huber"](h - y, delta)),
}

MEANINGS: dict[str, Meaning] = {**ELEMENTWISE, **REDUCTIONS, **OF_VECTORS, **OF_WHOLES}

# Other functions of matrices are judged by mpmath, in tests/functions: of most of them JAX has no
# derivative, or one at other points
BY_MPMATH = {
    record.name
    for family in (analytic, matrices, singular, solving, spectral)
    for record in vars(family).values()
    if isinstance(record, Function | Definition)
} - set(MEANINGS)
COMPARED = tuple([name for name in CATALOGUE if name not in BY_MPMATH])


def along(name: str, x: Array, axis: Any) -> Array:
    """A reduction over axes, or a function of a vector along one axis."""
    if name in REDUCTIONS:
        return REDUCTIONS[name](x, axis=axis)
    return jnp.moveaxis(OF_VECTORS[name](jnp.moveaxis(x, axis, -1)), -1, axis)


def contract(
    operands: list[tuple[Array, tuple[Any, ...]]], output: tuple[Any, ...], sizes: dict[Any, int]
) -> Array:
    """A sum of products by its definition: every factor along all labels, multiplied and summed.

    A label that comes twice in the output is a δ, one that no operand has a broadcast axis.
    """
    order = list(sizes)
    product_: Array = jnp.ones([sizes[label] for label in order])
    for array, labels in operands:
        factor, seen = array, list(labels)
        while len(set(seen)) < len(seen):  # a diagonal
            twice = next(label for label in seen if seen.count(label) > 1)
            first = seen.index(twice)
            second = seen.index(twice, first + 1)
            factor = jnp.diagonal(factor, axis1=first, axis2=second)
            seen = [label for k, label in enumerate(seen) if k not in (first, second)] + [twice]
        present = [label for label in order if label in seen]
        factor = jnp.transpose(factor, [seen.index(label) for label in present])
        factor = factor.reshape([sizes[label] if label in present else 1 for label in order])
        product_ = product_ * factor
    distinct = list(dict.fromkeys(output))
    result = jnp.sum(product_, axis=[k for k, label in enumerate(order) if label not in distinct])
    present = [label for label in order if label in distinct]
    result = jnp.transpose(result, [present.index(label) for label in distinct])
    shown = list(distinct)
    for k, label in enumerate(output):
        if shown[k : k + 1] == [label] and label not in output[:k]:
            continue
        tie = jnp.eye(sizes[label])
        first = shown.index(label)
        shape = [sizes[label] if a in (first, k) else 1 for a in range(len(shown) + 1)]
        result = jnp.expand_dims(result, k) * tie.reshape(shape)
        shown.insert(k, label)
    return result
