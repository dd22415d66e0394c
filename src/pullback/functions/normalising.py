"""Functions of a whole vector: log-sum-exp and softmax, over the last axis."""

from __future__ import annotations

from pullback.functions.algebra import einsum
from pullback.functions.record import Function, function

logsumexp: Function = function(
    "logsumexp",
    "(i)->()",
    partials=(lambda y, x: softmax(x),),
    code=(
        "top = xp.max({0}, axis=-1, keepdims=True)\n"
        "xp.log(xp.sum(xp.exp({0} - top), axis=-1)) + top[..., 0]"
    ),
    exact=lambda mp, x: mp.log(mp.fsum(mp.exp(v) for v in x)),
    doc="log Σ exp(xᵢ), stable at any size of x.",
    latex=r"\operatorname{logsumexp}",
    special=(0, 1e4, -1e4),
)

softmax: Function = function(
    "softmax",
    "(i)->(i)",
    partials=(lambda p, x: einsum("...i->...ii", p) - einsum("...i,...j->...ij", p, p),),
    code=(
        "e = xp.exp({0} - xp.max({0}, axis=-1, keepdims=True))\n"
        "e / xp.sum(e, axis=-1, keepdims=True)"
    ),
    exact=lambda mp, x: [mp.exp(v) / mp.fsum(mp.exp(w) for w in x) for v in x],
    doc="exp(xᵢ) / Σ exp(xⱼ).",
    latex=r"\operatorname{softmax}",
    special=(0, 1e4, -1e4),
    positive=True,
    unit_sum=True,
)
