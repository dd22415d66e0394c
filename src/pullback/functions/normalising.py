"""Functions of a whole vector, over the last axis: log-sum-exp, softmax, layer normalisation."""

from __future__ import annotations

from pullback.errors import PullbackError
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Node
from pullback.functions.algebra import Term, einsum
from pullback.functions.exponential import exp, log
from pullback.functions.record import Definition, Function, Reading, argument_of, function
from pullback.functions.reductions import centred, var

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
    reduction=True,
)


def _by_exponentials(node: Node) -> tuple[Node, Node] | None:
    """softmax(x) as z / Σ z, for a reader who calls eˣ by a name."""
    inner = argument_of("softmax", node)
    if inner is None:
        return None
    value = exp.apply([inner])
    axes = range(inner.order)
    below = make.power(make.contract([(value, axes)], axes[:-1]), -1)
    return make.contract([(value, axes), (below, axes[:-1])], axes), value


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
    readings=(Reading("softmax(x) = eˣ / Σ eˣ", _by_exponentials, by_name=True),),
    positive=True,
    unit_sum=True,
)

softmin: Function = function(
    "softmin",
    "(i)->(i)",
    partials=(lambda p, x: einsum("...i,...j->...ij", p, p) - einsum("...i->...ii", p),),
    code=(
        "e = xp.exp(xp.min({0}, axis=-1, keepdims=True) - {0})\n"
        "e / xp.sum(e, axis=-1, keepdims=True)"
    ),
    exact=lambda mp, x: [mp.exp(-v) / mp.fsum(mp.exp(-w) for w in x) for v in x],
    doc="exp(−xᵢ) / Σ exp(−xⱼ).",
    latex=r"\operatorname{softmin}",
    special=(0, 1e4, -1e4),
    positive=True,
    unit_sum=True,
)


def _log_softmax_slope(x: Term) -> Term:
    """δ_ij − p_j."""
    one = x**0
    return einsum("...i->...ii", one) - einsum("...i,...j->...ij", one, softmax(x))


def _log_of_softmax(node: Node) -> tuple[Node, Node] | None:
    """log softmax(x) in two steps, for a reader who already has softmax(x)."""
    inner = argument_of("log_softmax", node)
    if inner is None:
        return None
    value = softmax.apply([inner])
    return log.apply([value]), value


log_softmax: Function = function(
    "log_softmax",
    "(i)->(i)",
    partials=(lambda y, x: _log_softmax_slope(x),),
    code=(
        "below = {0} - xp.max({0}, axis=-1, keepdims=True)\n"
        "below - xp.log(xp.sum(xp.exp(below), axis=-1, keepdims=True))"
    ),
    exact=lambda mp, x: [v - mp.log(mp.fsum(mp.exp(w) for w in x)) for v in x],
    doc="log(exp(xᵢ) / Σ exp(xⱼ)) = xᵢ − logsumexp(x), stable at any size of x.",
    latex=r"\operatorname{logsoftmax}",
    readings=(Reading("logsoftmax(x) = log softmax(x)", _log_of_softmax),),
    special=(0, 1e4, -1e4),
)


def _layer_norm(x: Term, eps: Term) -> Term:
    if not x.shape:
        raise PullbackError("layer_norm takes a vector, or a tensor whose last axis it normalises")
    below = (Term(var.apply([x.node])) + eps) ** -0.5
    return einsum("...i,...->...i", centred(x, [len(x.shape) - 1]), below)


layer_norm = Definition(
    "layer_norm",
    ("x", "eps=0.00001"),
    _layer_norm,
    "(x − mean(x)) / √(var(x) + ε), over the last axis.",
    "same",
)
