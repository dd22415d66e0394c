"""Which rewrites made which gradient simpler, read from the trace, and their laws in words."""

from __future__ import annotations

from collections.abc import Mapping

from pullback.expressions.nodes import Node, Variable
from pullback.expressions.walks import rebuild
from pullback.trace import Rewrite, Trace


def laws_by_gradient(trace: Trace) -> dict[Node, tuple[str, ...]]:
    """For each operation the laws that simplified the gradient it was handed.

    A law counts for the first gradient, in the order of the backward pass, that it simplified.
    """
    by_before = {rewrite.before: rewrite for rewrite in trace.rewrites}
    seen: set[Node] = set()
    laws: dict[Node, tuple[str, ...]] = {}
    for node, cotangent in trace.cotangents.items() if by_before else ():
        used = _follow(cotangent, trace, by_before, seen)
        if used:
            laws[node] = tuple(dict.fromkeys(map(law_text, used)))
    return laws


def _follow(
    root: Node, trace: Trace, by_before: Mapping[Node, Rewrite], seen: set[Node]
) -> list[Rewrite]:
    """The rewrites on the way from a node to its simplified image, as the simplifier went."""
    image = trace.simplified
    used = []
    stack = [root]
    while stack:
        node = stack.pop()
        if node in seen or node not in image:
            continue
        seen.add(node)
        step = by_before.get(node)
        if step is not None:
            used.append(step)
            stack.append(step.after)
            continue
        stack.extend(node.children)
        rebuilt = rebuild(node, tuple([image.get(child, child) for child in node.children]))
        if rebuilt is not node:
            stack.append(rebuilt)
    return used


def law_text(rewrite: Rewrite) -> str:
    """The law of a rewrite, with what was declared of the variables that it removed."""
    left = set(_nearby(rewrite.after))
    declared = [
        f"{node.name} is declared {' and '.join(sorted(node.assumptions))}"
        for node in _nearby(rewrite.before)
        if isinstance(node, Variable) and node.assumptions and node not in left
    ]
    return f"{rewrite.law} ({', '.join(declared)})" if declared else rewrite.law


def _nearby(node: Node) -> list[Node]:
    """A node, its operands and theirs."""
    found = {node: None}
    for _ in range(2):
        found.update(dict.fromkeys(child for part in list(found) for child in part.children))
    return list(found)
