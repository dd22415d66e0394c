"""Abbreviations for formulas too long to read: the user's lines, or t1, t2, …, after "where".

They also bound the depth of every formula that is printed, so that recursion over it is safe.
"""

from __future__ import annotations

from itertools import count

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Node
from pullback.notation.names import Name, Names
from pullback.notation.products import constant_of
from pullback.notation.readings import visible

LONGEST = 150  # nodes in a formula printed in full
DEEPEST = 40  # levels of operations in it
CHUNK, CHUNK_DEPTH = 60, 12  # the same for each abbreviation, once there are any


def shortened(root: Node, names: Names, order: int) -> tuple[Names, list[Node]]:
    """The names completed by abbreviations, if ``root`` needs any, and what they stand for.

    Nodes of at most ``order`` axes are abbreviated: those used more than once, and any at which
    the formula would grow too long or too deep. They come in the order in which each is defined
    by those before it. Linear in the number of nodes.
    """
    nodes = visible(root, names)
    if _within(nodes, root, names):
        return names, []
    uses: dict[Node, int] = {}
    for node in nodes:
        if not names.hides(node, root):
            for child in node.children:
                uses[child] = uses.get(child, 0) + 1
    texts = (f"t{k}" for k in count(1))
    free = names.free(texts)
    chosen: dict[Node, Name] = {}
    extent: dict[Node, tuple[int, int]] = {}
    for node in nodes:
        size, depth = 1, 1
        if not names.hides(node, root):
            size += sum(extent[child][0] for child in node.children)
            depth += max((extent[child][1] for child in node.children), default=0)
        extent[node] = (size, depth)
        long = size > CHUNK or depth > CHUNK_DEPTH
        repeated = size > 3 and uses.get(node, 0) > 1
        if (
            node is not root
            and node not in names
            and (long or repeated)
            and node.order <= order
            and _worth(node)
        ):
            line = names.offered.get(node)
            text = next(free) if line is None else line.text
            rank = len(names.ranks) + len(chosen)
            chosen[node] = line or Name(text, f"t_{{{text[1:]}}}", text, rank)
            extent[node] = (1, 1)
    return names.extended(chosen), list(chosen)


def _within(nodes: list[Node], root: Node, names: Names) -> bool:
    extent: dict[Node, tuple[int, int]] = {}
    for node in nodes:
        size, depth = 1, 1
        if not names.hides(node, root):
            size += sum(extent[child][0] for child in node.children)
            depth += max((extent[child][1] for child in node.children), default=0)
        if size > LONGEST or depth > DEEPEST:
            return False
        extent[node] = (size, depth)
    return True


def _worth(node: Node) -> bool:
    """Multiples and views are no names of their own: products see through them."""
    return (
        make.split_coefficient(node)[1] is node
        and not make.is_view(node)
        and constant_of(node) is None
    )
