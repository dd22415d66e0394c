"""Forward order: from a direction on, each operation pushing tangents to its result."""

from __future__ import annotations

from collections.abc import Mapping

from pullback.differentiation.local import partial_of, push_forward
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Node
from pullback.expressions.walks import depending_on, post_order


def forward(
    root: Node, tangents: Mapping[Node, Node], found: dict[Node, Node] | None = None
) -> Node:
    """The tangent of the root when each target moves along its tangent.

    A tangent has the axes of its target, then any axes of the direction, the same for all.
    ``found`` receives the tangents of the nodes on the way.

    >>> x, v = make.variable("x", ["n"]), make.variable("v", ["n"])
    >>> y = make.contract([(x, "i"), (x, "i")], "")
    >>> forward(y, {x: v}) is make.contract([(x, "i"), (make.scale(2, v), "i")], "")
    True
    """
    target, first = next(iter(tangents.items()))
    trail = first.shape[target.order :]
    active = depending_on(root, tangents)
    known = {} if found is None else found
    known.update(tangents)
    for node in post_order(root):
        if node in active and node not in known:
            known[node] = make.add(
                [
                    (1, push_forward(node, k, known[operand], partial_of(node, k)))
                    for k, operand in enumerate(node.children)
                    if operand in active
                ],
                node.shape + trail,
            )
    return known.get(root, make.zeros(root.shape + trail))
