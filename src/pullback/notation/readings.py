"""Textbook forms for the reader: σ(−x) as 1 − σ(x) where σ(x) is already on the page."""

from __future__ import annotations

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Node
from pullback.expressions.walks import rebuild
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import Function, Reading
from pullback.notation.names import Names
from pullback.simplification.simplify import simplify
from pullback.trace import Trace

READINGS = [
    r for record in CATALOGUE.values() if isinstance(record, Function) for r in record.readings
]


def visible(root: Node, names: Names) -> list[Node]:
    """The nodes that are printed for ``root``, children first: names hide what is below them."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if not names.hides(node, root):
                stack.extend([(child, False) for child in reversed(node.children)])
    return order


def textbook_form(root: Node, names: Names) -> Node:
    """``root`` with the readings of its functions applied, named nodes left as they are."""
    nodes = visible(root, names)
    image: dict[Node, Node] = {}
    on_page = set(nodes)
    depth: dict[Node, int] = {}
    used: set[Reading] = set()
    for node in nodes:
        if names.hides(node, root):
            image[node] = node
        else:
            changed = rebuild(node, tuple([image[child] for child in node.children]))
            image[node] = _read(changed, on_page, names, depth, used)
    if any(reading.simplify for reading in used):
        kept = {node: node for node in nodes if names.hides(node, root)}
        return simplify(image[root], Trace(simplified=kept))
    return image[root]


def used_by_readings(node: Node) -> list[Node]:
    """What the textbook forms of a function use beside its arguments, as tanh(x) for its slope."""
    if not isinstance(node, Apply):
        return []
    found = (reading.rewrite(node) for reading in READINGS)
    return [needed for _, needed in filter(None, found)]


def _read(
    node: Node, on_page: set[Node], names: Names, depth: dict[Node, int], used: set[Reading]
) -> Node:
    """The node in the first reading that helps, which is noted in ``used``."""
    coefficient, core = make.split_coefficient(node)
    if not isinstance(core, Apply) or core in names:
        return node
    for reading in READINGS:
        found = reading.rewrite(core)
        if found is None:
            continue
        form, needed = found
        # of two that could each be read through the other, the simpler one stays
        back = reading.rewrite(needed)
        mutual = back is not None and back[1] is core
        simpler = not mutual or _depth(needed, depth) < _depth(core, depth)
        seen = needed in on_page or needed in names.known
        if reading.by_name:
            simpler = False
            if any(argument in names for argument in core.arguments):
                continue
        if needed in names or (seen and simpler):
            used.add(reading)
            return make.scale(coefficient, form)
    return node


def _depth(root: Node, known: dict[Node, int]) -> int:
    stack = [root]
    while stack:
        node = stack[-1]
        missing = [child for child in node.children if child not in known]
        if missing:
            stack.extend(missing)
        else:
            known[node] = 1 + max((known[child] for child in node.children), default=0)
            stack.pop()
    return known[root]
