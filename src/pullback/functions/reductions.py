"""Functions of the entries along an axis that give one number, and what their derivatives need."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from pullback.expressions import constructors as make
from pullback.functions.algebra import Term, count, einsum
from pullback.functions.record import Definition, Function, function

TIE = "at a tie the derivative is shared equally among the largest, axis by axis"


def _largest(x: list[Any]) -> tuple[bool, ...]:
    top = builtins.max(x)
    return tuple([value == top for value in x])


def _hardmax(mp: Any, x: list[Any]) -> list[Any]:
    hits = _largest(x)
    return [mp.mpf(hit) / hits.count(True) for hit in hits]


max: Function = function(
    "max",
    "(i)->()",
    partials=(lambda y, x: hardmax(x),),
    code="xp.max({0}, axis=-1)",
    exact=lambda mp, x: x[_largest(x).index(True)],
    doc="The largest entry.",
    latex=r"\max",
    convention=TIE,
    piece=_largest,
    reduction=True,
    pairs="maximum",
    analytic=False,
)

min: Function = function(
    "min",
    "(i)->()",
    partials=(lambda y, x: hardmax(-x),),
    code="xp.min({0}, axis=-1)",
    exact=lambda mp, x: x[_largest([-v for v in x]).index(True)],
    doc="The smallest entry.",
    latex=r"\min",
    convention=TIE.replace("largest", "smallest"),
    piece=lambda x: _largest([-v for v in x]),
    reduction=True,
    pairs="minimum",
    analytic=False,
)

hardmax: Function = function(
    "hardmax",
    "(i)->(i)",
    partials=(lambda y, x: 0 * einsum("...i,...j->...ij", y, x),),
    code=(
        "hit = xp.where({0} == xp.max({0}, axis=-1, keepdims=True), 1.0, 0.0)\n"
        "hit / xp.sum(hit, axis=-1, keepdims=True)"
    ),
    exact=_hardmax,
    doc="1 at the largest entry, 0 elsewhere; 1/k at each of k largest.",
    latex=r"\operatorname{hardmax}",
    convention="its derivative is taken as 0 everywhere",
    piece=_largest,
    unit_sum=True,
    analytic=False,
)


def _off_diagonal(x: Term) -> Term:
    """1 − δ_ij, of the size of the last axis."""
    (size,) = x.shape[-1:]
    return 1 - einsum("->ii", sizes={"i": size})


def _others(x: Term) -> Term:
    """x along the last axis, once for each of its entries, with a 1 in the place of that entry."""
    (size,) = x.shape[-1:]
    rows = einsum("...j,ij->...ij", x, _off_diagonal(x))
    lead = x.shape[:-1]
    letters = "abcdefgh"[: len(lead)]
    sizes = {"i": size, **dict(zip(letters, lead, strict=True))}
    return rows + einsum(f"->{letters}ii", sizes=sizes)


prod: Function = function(
    "prod",
    "(i)->()",
    partials=(lambda y, x: prod_others(x),),
    code="xp.prod({0}, axis=-1)",
    exact=lambda mp, x: mp.fprod(x),
    doc="The product of the entries.",
    latex=r"\prod",
    reduction=True,
    special=(0,),
)

prod_others: Function = function(
    "prod_others",
    "(i)->(i)",
    partials=(lambda y, x: einsum("...ij,ij->...ij", prod_others(_others(x)), _off_diagonal(x)),),
    code=(
        "one = xp.ones_like({0}[..., :1])\n"
        "before = xp.cumprod(xp.concatenate([one, {0}[..., :-1]], axis=-1), axis=-1)\n"
        "turned = xp.flip({0}[..., 1:], (-1,))\n"
        "after = xp.cumprod(xp.concatenate([one, turned], axis=-1), axis=-1)\n"
        "before * xp.flip(after, (-1,))"
    ),
    exact=lambda mp, x: [mp.fprod(x[:i] + x[i + 1 :]) for i in range(len(x))],
    doc="For each entry the product of all the others, right where entries are 0.",
    latex=r"\operatorname{prodothers}",
    special=(0,),
)

cumsum: Function = function(
    "cumsum",
    "(i)->(i)",
    partials=(
        lambda y, x: einsum(
            "ji,...i->...ij", cumsum(einsum("->ii", sizes={"i": x.shape[-1]})), x**0
        ),
    ),
    code="xp.cumsum({0}, axis=-1)",
    exact=lambda mp, x: [mp.fsum(x[: i + 1]) for i in range(len(x))],
    doc="Sums of the first entries: x₁, x₁ + x₂, ….",
    latex=r"\operatorname{cumsum}",
)


def _over(x: Term, axes: Sequence[int]) -> Term:
    kept = [axis for axis in range(len(x.shape)) if axis not in axes]
    return Term(make.contract([(x.node, range(len(x.shape)))], kept))


def _mean(x: Term, axes: Sequence[int]) -> Term:
    return _over(x, axes) / count(x, axes)


def centred(x: Term, axes: Sequence[int]) -> Term:
    """x less its mean over these axes."""
    kept = [axis for axis in range(len(x.shape)) if axis not in axes]
    mean = make.contract(
        [(_mean(x, axes).node, kept)], range(len(x.shape)), dict(enumerate(x.shape))
    )
    return x - mean


def _last(x: Term) -> list[int]:
    return [len(x.shape) - 1]


def _exact_variance(mp: Any, x: list[Any]) -> Any:
    mean = mp.fsum(x) / len(x)
    return mp.fsum((v - mean) ** 2 for v in x) / len(x)


sum = Definition("sum", ("x",), _over, "Sum of all entries.", "scalar", reduction=True)

mean = Definition("mean", ("x",), _mean, "Mean of all entries.", "scalar", reduction=True)

var: Function = function(
    "var",
    "(i)->()",
    partials=(lambda y, x: 2 * centred(x, _last(x)) / count(x, _last(x)),),
    code=(
        "centred = {0} - xp.mean({0}, axis=-1, keepdims=True)\nxp.mean(centred * centred, axis=-1)"
    ),
    exact=_exact_variance,
    doc="Variance, the mean of squared distances from the mean (divided by n, not n − 1).",
    latex=r"\operatorname{var}",
    special=(0, 1e8),
    reduction=True,
    jointly=lambda x, axes: _mean(centred(x, axes) ** 2, axes),
)

std = Definition(
    "std",
    ("x",),
    lambda x, axes: Term(var.along(x.node, axes)) ** 0.5,
    "Standard deviation, the root of the variance (divided by n, not n − 1).",
    "scalar",
    reduction=True,
)
