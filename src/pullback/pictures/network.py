"""A tensor as a network, in the notation of R. Penrose ("Applications of negative dimensional
tensors", Combinatorial Mathematics and its Applications (1971)).

Each factor is a box, each index that two factors share a wire, and each free index a wire with an
open end. Nothing tells a matrix from its transpose: only what is joined to what. An index that more
than two share, as in ⊙, diag and δ, is a dot at which wires meet.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from pullback.drawing.diagram import Box, BoxKind, Diagram, Edge
from pullback.drawing.scene import Label, Scene, text_width
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Contraction, Indicator, Node, Number, Sum, Variable
from pullback.expressions.sizes import Size
from pullback.notation.names import Names
from pullback.notation.write import write

LONGEST = 34  # characters of what a box says
MOST_TERMS = 6  # of a sum, one network each
MOST_FACTORS = 40
NOTES = (
    "A wire between two boxes is an index that is summed; an open end is an axis of the result.",
    "At a dot several meet in one index. The size of each stands beside it.",
)


@dataclass
class Network:
    """One product: its factors with the index on each of their axes, and its free indices."""

    coefficient: Number
    factors: list[tuple[Node, tuple[Hashable, ...]]] = field(default_factory=list)
    output: tuple[Hashable, ...] = ()
    sizes: dict[Hashable, Size] = field(default_factory=dict)

    def meeting(self) -> dict[Hashable, int]:
        """How many ends of wires each index has."""
        counts: dict[Hashable, int] = {}
        for labels in (*(labels for _, labels in self.factors), self.output):
            for label in labels:
                counts[label] = counts.get(label, 0) + 1
        for label in self.sizes:  # of an index that is summed and that nothing has
            counts.setdefault(label, 0)
        return counts


def networks(node: Node, names: Names) -> list[Network]:
    """The tensor as a sum of networks; what has a name is not opened."""
    parts: Sequence[tuple[Number, Node]] = node.terms if isinstance(node, Sum) else [(1, node)]
    found = []
    for coefficient, part in sorted(parts, key=lambda term: term[0] < 0):
        network = Network(coefficient)
        network.output = tuple([("out", k) for k in range(part.order)])
        network.sizes = dict(zip(network.output, part.shape, strict=True))
        _open(part, network.output, network, names, part)
        found.append(network)
    return found


def _open(
    root: Node, ends: tuple[Hashable, ...], network: Network, names: Names, whole: Node
) -> None:
    """Adds the factors of a product, and theirs, to a network."""
    stack: list[tuple[Node, tuple[Hashable, ...]]] = [(root, ends)]
    while stack:
        node, labels = stack.pop()
        coefficient, core = make.split_coefficient(node)
        if core is not node and not names.hides(node, whole):
            network.coefficient = make.plain(network.coefficient * coefficient)
            stack.append((core, labels))
            continue
        opened = isinstance(node, Contraction) and not names.hides(node, whole)
        if not opened or len(network.factors) > MOST_FACTORS:
            network.factors.append((node, labels))
            continue
        assert isinstance(node, Contraction)
        inner: dict[int, Hashable] = {}
        for k, label in zip(node.output, labels, strict=True):
            if k in inner and inner[k] != label:
                _tie(network, stack, inner, label, inner[k])
            inner.setdefault(k, label)
        for k, size in enumerate(node.sizes):
            inner.setdefault(k, object())
            network.sizes.setdefault(inner[k], size)
        stack += [(child, tuple([inner[k] for k in ls])) for child, ls in reversed(node.operands)]


def _tie(
    network: Network,
    stack: list[tuple[Node, tuple[Hashable, ...]]],
    inner: dict[int, Hashable],
    gone: Hashable,
    kept: Hashable,
) -> None:
    """Makes two indices one: a δ is no factor, but a wire."""

    def renamed(labels: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
        return tuple([kept if label == gone else label for label in labels])

    network.factors = [(node, renamed(labels)) for node, labels in network.factors]
    network.output = renamed(network.output)
    stack[:] = [(node, renamed(labels)) for node, labels in stack]
    inner.update({k: kept for k, label in inner.items() if label == gone})
    network.sizes.pop(gone, None)


def diagram(network: Network, names: Names, letters: Sequence[str]) -> Diagram:
    """The boxes, dots and wires of one network, laid out to the right."""
    boxes: list[Box] = []
    ends: dict[Hashable, list[tuple[int, str]]] = {}  # of each index: the box, and which axis
    for node, labels in network.factors:
        boxes.append(Box(((_said(node, names), "ink"),), _kind(node)))
        for axis, label in enumerate(labels):
            ends.setdefault(label, []).append((len(boxes) - 1, _axis(node, axis)))
    opened: dict[Hashable, list[str]] = {}
    for letter, label in zip(letters, network.output, strict=False):
        opened.setdefault(label, []).append(letter)
        boxes.append(Box(((letter, "accent"),), "leg"))
        ends.setdefault(label, []).append((len(boxes) - 1, ""))
    wires: list[tuple[int, int, str]] = []
    for label, met in ends.items():
        size = str(network.sizes[label]).replace("*", "·")
        if len(met) == 2:
            marks = [mark for _, mark in met if mark]
            wires.append((met[0][0], met[1][0], ", ".join([size, *marks])))
            continue
        boxes.append(Box((), "dot"))
        for k, (box, mark) in enumerate(met):
            text = mark if k else ", ".join(filter(None, (size, mark)))
            wires.append((box, len(boxes) - 1, text))
    order = _reading_order(boxes, wires)
    edges = [
        Edge(a, b, text) if order[a] < order[b] else Edge(b, a, text)
        for a, b, text in wires
        if a != b
    ]
    for a, b, text in wires:
        if a == b:  # a trace: a wire from a box to itself goes by a dot
            boxes.append(Box((), "dot"))
            edges += [Edge(a, len(boxes) - 1, text), Edge(a, len(boxes) - 1, "")]
    return Diagram("", tuple(boxes), tuple(edges), "right", directed=False)


def _reading_order(boxes: Sequence[Box], wires: Sequence[tuple[int, int, str]]) -> dict[int, int]:
    """The boxes from one end of each piece on, so that wires lead away from it.

    Reading begins at a free index, or else at a factor with one wire.
    """
    near: list[list[int]] = [[] for _ in boxes]
    for a, b, _ in wires:
        near[a].append(b)
        near[b].append(a)
    starts = sorted(range(len(boxes)), key=lambda k: (boxes[k].kind != "leg", len(near[k]) != 1))
    order: dict[int, int] = {}
    for start in starts:
        queue = [start] if start not in order else []
        for box in queue:
            if box not in order:
                order[box] = len(order)
                queue += near[box]
    return order


def _kind(node: Node) -> BoxKind:
    return "input" if isinstance(node, Variable) else "operation"


def _said(node: Node, names: Names) -> str:
    """What a box says: a name, or a formula that is short enough."""
    own = names.name(node)
    if own is not None:
        return own.text
    if isinstance(node, Indicator):
        return "0/1"
    text = write(node, names, row=False).split("\n")[0]
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _axis(node: Node, axis: int) -> str:
    """Which axis a wire comes from, where the sizes alone leave it open."""
    if node.order < 2 or len(set(node.shape)) == node.order:
        return ""
    if node.order == 2:
        return ("row", "column")[axis]
    return f"axis {axis + 1}"


def scene(
    title: str, node: Node, names: Names, letters: Sequence[str], lines: Mapping[str, str]
) -> Scene:
    """The networks of a tensor, one below the other with their numbers, and the formulas."""
    found = networks(node, names)
    page = Scene(0, 40, title)
    page.add(Label(16, 20, title, 14, "start", bold=True))
    for heading, text in lines.items():
        page.add(Label(16, page.height + 8, heading, 11, "start", "muted"))
        page.add(Label(72, page.height + 8, text, 12, "start"))
        page.width = max(page.width, 88 + text_width(text, 12))
        page.height += 22
    if not found:
        page.add(Label(16, page.height + 12, "0", 14, "start"))
        page.height += 24
    page.height += 8
    for k, network in enumerate(found[:MOST_TERMS]):
        drawn = diagram(network, names, letters).body()
        sign = _sign(network.coefficient, first=k == 0)
        if not drawn.shapes and abs(network.coefficient) == 1:  # the number 1 has no box
            sign = f"{sign} 1".strip()
        indent = 20.0 + text_width(sign, 16) + (10 if sign else 0)
        if sign:
            page.add(Label(16, page.height + max(drawn.height, 16.0) / 2, sign, 16, "start"))
        page.put(drawn, indent, page.height)
        page.width = max(page.width, indent + drawn.width + 16)
        page.height += max(drawn.height, 16.0) + 22
    if len(found) > MOST_TERMS:
        rest = f"and {len(found) - MOST_TERMS} more terms"
        page.add(Label(16, page.height + 4, rest, 11, "start", "muted"))
        page.height += 22
    for note in NOTES:
        page.add(Label(16, page.height + 4, note, 11, "start", "muted"))
        page.width = max(page.width, text_width(note, 11) + 32)
        page.height += 18
    page.width = max(page.width, text_width(title, 14) * 1.1 + 32)
    page.height += 8
    return page


def _sign(coefficient: Number, *, first: bool) -> str:
    """The number in front of a network, with the sign that joins it to the one before."""
    size = "" if abs(coefficient) == 1 else str(abs(coefficient))
    if coefficient < 0:
        return f"− {size}".strip()
    return size if first else f"+ {size}".strip()
