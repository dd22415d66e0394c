"""Reverse order: from the result back, each operation handing its cotangent on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pullback.differentiation.local import hand_on, partial_of
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Sum
from pullback.expressions.walks import depending_on, post_order
from pullback.trace import Link, Trace


def identity(node: Node) -> Node:
    """∂v/∂v: a δ for every axis of v, so 1 for a scalar."""
    labels = list(range(node.order))
    return make.contract([], labels + labels, dict(enumerate(node.shape)))


HandOn = Callable[[Node, int, Node, Node | None], Node]


def reverse(
    root: Node,
    targets: Sequence[Node],
    trace: Trace | None = None,
    seed: Node | None = None,
    hand_on: HandOn = hand_on,
) -> list[Node]:
    """∂root/∂target for each target, with the axes of the root, then of the target.

    ``seed`` replaces ∂root/∂root: a cotangent of the root's shape gives a vector-Jacobian
    product. ``hand_on`` may be another rule of what an operation hands on, such as a mistaken
    one to compare with. Raises MissingRule where an operation on the way has no derivative.

    >>> x = make.variable("x", ["n"])
    >>> y = make.contract([(x, "i"), (x, "i")], "")
    >>> reverse(y, [x]) == [make.scale(2, x)]
    True
    """
    trace = Trace() if trace is None else trace
    start = identity(root) if seed is None else seed
    lead = start.shape[: start.order - root.order]
    active = depending_on(root, targets)
    handed: dict[Node, list[tuple[int, Node]]] = {root: [(1, start)]}
    result = {target: make.zeros(lead + target.shape) for target in targets}
    for node in reversed(post_order(root)):
        if node not in active or node not in handed:
            continue
        cotangent = make.add(handed.pop(node), lead + node.shape)
        trace.cotangents[node] = cotangent
        if node in result:
            result[node] = cotangent
        if make.is_zero(cotangent):
            continue
        for position, operand in enumerate(node.children):
            if operand not in active:
                continue
            partial = partial_of(node, position)
            contribution = hand_on(node, position, cotangent, partial)
            handed.setdefault(operand, []).append((1, contribution))
            trace.links.append(
                Link(_rule(node), node, position, operand, cotangent, partial, contribution)
            )
    return [result[target] for target in targets]


def _rule(node: Node) -> str:
    if isinstance(node, Sum):
        return "sum"
    if isinstance(node, Contraction):
        return "product"
    assert isinstance(node, Apply)
    return node.function
