"""Rows about quotients of exponentials, which overflow as they are typed."""

from __future__ import annotations

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Contraction, Node
from pullback.functions.record import argument_of
from pullback.simplification.factors import base_and_exponent
from pullback.simplification.products import Factor, Opened


def softmax_recognised(node: Node) -> Node | None:
    """exp(x) / Σ exp(x) = softmax(x), the sum over one axis, with other factors between them."""
    if not isinstance(node, Contraction) or len(node.operands) < 2:
        return None
    opened = Opened(node, deepest=3)
    for place in opened.leaves():
        base, exponent = base_and_exponent(opened.parts[place].node)
        if not isinstance(exponent, int) or exponent >= 0:
            continue
        summed = _sum_of_exp(base)
        if summed is None:
            continue
        inner, axis = summed
        over = opened.parts[place].labels
        for k in opened.leaves():
            labels = opened.parts[k].labels
            if k == place or argument_of("exp", opened.parts[k].node) is not inner:
                continue
            kept = tuple([x for j, x in enumerate(labels) if j != axis])
            if kept != over or labels[axis] in kept:
                continue
            order = [*range(axis), *range(axis + 1, inner.order), axis]
            last = make.transpose(inner, order)
            found: list[Factor] = [
                (make.apply("softmax", [last], last.shape), (*kept, labels[axis]))
            ]
            if exponent != -1:
                found.append((make.power(base, exponent + 1), over))
            return opened.replaced((place, k), found)
    return None


def _sum_of_exp(node: Node) -> tuple[Node, int] | None:
    """The x of Σ exp(x), and the axis of the sum, for the other axes in their order."""
    if not isinstance(node, Contraction) or len(node.operands) != 1 or len(node.summed) != 1:
        return None
    (operand, labels), (axis,) = node.operands[0], node.summed
    inner = argument_of("exp", operand)
    others = tuple([label for label in labels if label != axis])
    if inner is None or others != node.output or len(set(labels)) < len(labels):
        return None
    return inner, labels.index(axis)
