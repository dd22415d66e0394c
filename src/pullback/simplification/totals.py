"""Sums over an axis whose value is known: Σᵢ pᵢ = 1."""

from __future__ import annotations

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Variable
from pullback.functions.catalogue import primitive
from pullback.simplification.products import Opened, tags


def sums_to_one(node: Node) -> bool:
    """Whether the entries sum to one over the last axis, declared or known."""
    if isinstance(node, Variable):
        return "unit-sum" in node.assumptions
    return isinstance(node, Apply) and primitive(node).unit_sum


def unit_sum(node: Node) -> Node | None:
    """Σᵢ pᵢ = 1 for what is declared or known to sum to one over its last axis."""
    if not isinstance(node, Contraction) or "unit-sum" not in tags(node):
        return None
    opened = Opened(node)
    for at, part in enumerate(opened.parts):
        if not part.labels or not sums_to_one(part.node):
            continue
        *kept, last = part.labels
        others = opened.others((at,))
        if last in kept or last in opened.output or any(last in labels for _, labels in others):
            continue
        return opened.replaced((at,), [(make.ones(part.node.shape[:-1]), tuple(kept))])
    return None
