"""Walks over an expression, iterative so that depth never matters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import TypeVar

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Sum, Variable

V = TypeVar("V")


def post_order(*roots: Node) -> list[Node]:
    """Every node below the roots once, children before parents."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(root, False) for root in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend([(child, False) for child in reversed(node.children) if child not in seen])
    return order


def at_most(count: int, root: Node) -> bool:
    """Whether an expression has no more than so many nodes; only so many are visited."""
    seen = {root}
    stack = [root]
    while stack and len(seen) <= count:
        for child in stack.pop().children:
            if child not in seen:
                seen.add(child)
                stack.append(child)
    return len(seen) <= count


def variables(*roots: Node) -> list[Variable]:
    """The variables below the roots, in order of first appearance."""
    return [node for node in post_order(*roots) if isinstance(node, Variable)]


def use_counts(*roots: Node) -> dict[Node, int]:
    """How often each node is used as a child (or as a root)."""
    counts: dict[Node, int] = dict.fromkeys(post_order(*roots), 0)
    for node in list(counts):
        for child in node.children:
            counts[child] += 1
    for root in roots:
        counts[root] += 1
    return counts


def depending_on(root: Node, targets: Iterable[Node]) -> set[Node]:
    """The nodes below ``root`` that hold a target, targets included."""
    found = set(targets)
    for node in post_order(root):
        if node not in found and any(child in found for child in node.children):
            found.add(node)
    return found


def rebuild(node: Node, children: tuple[Node, ...]) -> Node:
    """The same operation on other children, each of the shape of the one it replaces."""
    if children == node.children:
        return node
    if isinstance(node, Sum):
        return make.add(
            [(c, child) for (c, _), child in zip(node.terms, children, strict=True)], node.shape
        )
    if isinstance(node, Contraction):
        pairs = [
            (child, labels) for (_, labels), child in zip(node.operands, children, strict=True)
        ]
        return make.contract(pairs, node.output, dict(enumerate(node.sizes)))
    if isinstance(node, Apply):
        return make.apply(node.function, children, node.shape)
    raise TypeError(f"{type(node).__name__} has no children to rebuild")


def transform(
    root: Node, change: Callable[[Node], Node], known: Mapping[Node, Node] | None = None
) -> dict[Node, Node]:
    """Every node below ``root`` with its image: children first, then ``change`` of the rebuilt node.

    ``known`` gives images to begin with; what lies only below them is not visited.
    """
    image: dict[Node, Node] = dict(known or {})
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if node in image:
            continue
        if ready:
            image[node] = change(rebuild(node, tuple([image[child] for child in node.children])))
        else:
            stack.append((node, True))
            stack.extend([(child, False) for child in node.children if child not in image])
    return image


def substitute(root: Node, replacements: Mapping[Node, Node]) -> Node:
    """``root`` with nodes replaced by others of the same shape."""
    return transform(root, lambda node: node, replacements)[root]


def remembered(
    root: Node,
    known: MutableMapping[Node, V],
    below: Callable[[Node], Iterable[Node]],
    decide: Callable[[Node], V],
) -> V:
    """What is decided of a node once it is of those ``below`` it, kept in ``known`` for the next time.

    >>> from pullback.expressions.constructors import total, variable
    >>> depth: dict[Node, int] = {}
    >>> of = lambda node: 1 + max([depth[n] for n in node.children], default=0)
    >>> remembered(total(variable("x", ["n"])), depth, lambda node: node.children, of)
    2
    """
    stack = [] if root in known else [root]
    while stack:
        node = stack[-1]
        missing = [] if node in known else [n for n in below(node) if n not in known]
        if missing:
            stack.extend(missing)
            continue
        stack.pop()
        if node not in known:
            known[node] = decide(node)
    return known[root]
