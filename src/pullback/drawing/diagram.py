"""Boxes joined by edges: drawn as a scene, or written as DOT or Mermaid for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pullback.drawing.layered import Join, placed, ranks_of
from pullback.drawing.scene import Disc, Label, Line, Rect, Scene, shortened, text_width

SIZE, SMALL = 12.0, 11.0  # of the first line of a box, and of the others
ROOM = 290.0  # a line of a box is cut where it is wider
EDGE = 10.5  # size of what stands beside an edge
PAGE, MOST_COLUMNS = 1000.0, 4  # a diagram that is higher stands in columns

BoxKind = Literal["operation", "input", "parameter", "result", "dots", "dot", "leg"]
FRAMES = {"input": "second", "parameter": "second", "result": "accent", "dots": "none"}


@dataclass(frozen=True)
class Box:
    """A box with lines of text, each in a colour; a "dot" is a disc, a "leg" has no frame."""

    lines: tuple[tuple[str, str], ...]
    kind: BoxKind = "operation"

    @property
    def size(self) -> tuple[float, float]:
        if self.kind == "dot":
            return 8.0, 8.0
        widths = [_width(text, k) for k, (text, _) in enumerate(self.lines)]
        pad = 4.0 if self.kind == "leg" else 20.0
        return max(widths, default=0.0) + pad, 17.0 * len(self.lines) + pad / 2.5


@dataclass(frozen=True)
class Edge:
    """An edge from one box to another, by their numbers."""

    source: int
    target: int
    label: str = ""


@dataclass(frozen=True)
class Diagram:
    """Boxes and edges without a cycle, drawn downwards or to the right.

    ``directed`` edges have arrows. ``key`` says what the colours mean, one pair each.
    """

    title: str
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    direction: Literal["down", "right"] = "down"
    directed: bool = True
    key: tuple[tuple[str, str], ...] = ()

    def scene(self) -> Scene:
        """The boxes at their places, under the title; what is long stands in columns."""
        columns = _columns(self)
        parts = [_drawn(column) for column in columns]
        scene = Scene(16.0, 0.0, self.title)
        scene.add(Label(16, 20, self.title, 14, "start", bold=True))
        for part in parts:
            scene.put(part, scene.width, 40.0)
            scene.width += part.width + (28.0 if len(parts) > 1 else 0.0)
        scene.width = max(scene.width + 16, text_width(self.title, 14) * 1.1 + 32)
        scene.height = 40 + max((part.height for part in parts), default=0.0) + 16
        _key(scene, self.key)
        return scene

    def body(self) -> Scene:
        """The boxes and edges alone, from the upper left corner."""
        return _drawn(self)

    def dot(self) -> str:
        """The text of the diagram in Graphviz's language.

        >>> print(Diagram("t", (Box((("a", "ink"),)), Box((("b", "ink"),))), (Edge(0, 1),)).dot())
        digraph "t" {
          rankdir=TB;
          node [shape=box, style=rounded];
          n0 [label="a"];
          n1 [label="b"];
          n0 -> n1;
        }
        """
        arrow = "->" if self.directed else "--"
        lines = [
            f'{"digraph" if self.directed else "graph"} "{_quoted(self.title)}" {{',
            f"  rankdir={'TB' if self.direction == 'down' else 'LR'};",
            "  node [shape=box, style=rounded];",
        ]
        for k, box in enumerate(self.boxes):
            text = "\\n".join(_quoted(line) for line, _ in box.lines)
            more = {"dot": ", shape=point", "leg": ", shape=plaintext"}.get(box.kind, "")
            lines.append(f'  n{k} [label="{text}"{more}];')
        for edge in self.edges:
            label = f' [label="{_quoted(edge.label)}"]' if edge.label else ""
            lines.append(f"  n{edge.source} {arrow} n{edge.target}{label};")
        return "\n".join([*lines, "}"])

    def mermaid(self) -> str:
        """The text of the diagram in Mermaid's language, as Markdown pages draw it.

        >>> print(Diagram("t", (Box((("a", "ink"),)), Box((("b", "ink"),))), (Edge(0, 1, "n"),)).mermaid())
        flowchart TD
          n0["a"]
          n1["b"]
          n0 -->|"n"| n1
        """
        arrow = "-->" if self.directed else "---"
        lines = [f"flowchart {'TD' if self.direction == 'down' else 'LR'}"]
        for k, box in enumerate(self.boxes):
            text = "<br/>".join(_entities(line) for line, _ in box.lines) or " "
            lines.append(f'  n{k}(("•"))' if box.kind == "dot" else f'  n{k}["{text}"]')
        for edge in self.edges:
            label = f'|"{_entities(edge.label)}"|' if edge.label else ""
            lines.append(f"  n{edge.source} {arrow}{label} n{edge.target}")
        return "\n".join(lines)


def _quoted(text: str) -> str:
    """Text between the quotes of DOT."""
    clean = "".join(c if c.isprintable() else " " for c in text)
    return clean.replace("\\", "\\\\").replace('"', '\\"')


def _entities(text: str) -> str:
    """Text between the quotes of Mermaid, where marks are written by their numbers."""
    return "".join(
        c if c.isalnum() or c in " .,·×−+=∂ᵀ⊙⊗" or ord(c) > 0x2E7F else f"#{ord(c)};"
        for c in text
        if c.isprintable()
    )


def _width(text: str, line: int) -> float:
    size = SMALL if line else SIZE
    return min(text_width(text, size), ROOM)


def _columns(diagram: Diagram) -> list[Diagram]:
    """The diagram, or pieces of it that stand side by side so that all fits a page.

    Where an edge is cut the value it carries is named on both sides.
    """
    boxes, edges = diagram.boxes, diagram.edges
    ranks = ranks_of(len(boxes), [Join(e.source, e.target) for e in edges])
    tall = [0.0] * (max(ranks, default=0) + 1)
    for box, rank in zip(boxes, ranks, strict=True):
        tall[rank] = max(tall[rank], box.size[1] + 46)
    count = min(MOST_COLUMNS, -int(-sum(tall) // PAGE))
    if diagram.direction != "down" or count < 2:
        return [diagram]
    share = sum(tall) / count
    above = [sum(tall[:rank]) for rank in range(len(tall))]
    column = [min(int((above[rank] + tall[rank] / 2) / share), count - 1) for rank in ranks]
    for k in set(range(len(boxes))) - {edge.target for edge in edges}:  # where it is first used
        column[k] = min((column[e.target] for e in edges if e.source == k), default=column[k])
    pieces: list[Diagram] = []
    for c in range(count):
        place = {k: n for n, k in enumerate(k for k in range(len(boxes)) if column[k] == c)}
        own = [boxes[k] for k in place]
        kept: list[Edge] = []
        ends: dict[tuple[int, bool], int] = {}
        for edge in edges:
            here = column[edge.source] == c, column[edge.target] == c
            if all(here):
                kept.append(Edge(place[edge.source], place[edge.target], edge.label))
            elif any(here):
                key = edge.source, here[0]
                if key not in ends:
                    ends[key] = len(own)
                    own.append(_cut(boxes[edge.source], leaves=here[0]))
                    if here[0]:
                        kept.append(Edge(place[edge.source], ends[key], edge.label))
                if here[1]:
                    kept.append(Edge(ends[key], place[edge.target], edge.label))
        pieces.append(Diagram("", tuple(own), tuple(kept), "down", diagram.directed))
    return pieces


def _cut(box: Box, *, leaves: bool) -> Box:
    """The end of an edge that goes on in another column."""
    name = box.lines[0][0].split(" = ")[0] if box.lines else ""
    return Box(((f"{name}, to the next column" if leaves else name, "muted"),), "leg")


def _drawn(diagram: Diagram) -> Scene:
    """The boxes and edges alone, from the upper left corner."""
    down = diagram.direction == "down"
    sizes = [box.size for box in diagram.boxes]
    joins = []
    for edge in diagram.edges:
        width = text_width(edge.label, EDGE) if edge.label else 0.0
        tall = EDGE + 4 if edge.label else 0.0
        joins.append(Join(edge.source, edge.target, *((width, tall) if down else (tall, width))))
    found = placed(sizes if down else [(h, w) for w, h in sizes], joins)
    width, height = (found.width, found.height) if down else (found.height, found.width)
    scene = Scene(width, height, diagram.title)

    def at(point: tuple[float, float]) -> tuple[float, float]:
        return point if down else (point[1], point[0])

    for edge, route, place in zip(diagram.edges, found.routes, found.labels, strict=True):
        points = tuple([at(point) for point in route])
        colour = "muted" if diagram.directed else "ink"
        scene.add(Line(points, colour, 1.2, diagram.directed, "down" if down else "right"))
        if edge.label:
            x, y = at(place)
            label = Label(x, y, edge.label, EDGE, "start", "muted")
            if not down:  # beside the line, which runs to the right
                label = Label(x, y + 4, edge.label, EDGE, "middle", "muted")
            scene.add(label)
    for box, middle, (w, h) in zip(diagram.boxes, found.boxes, sizes, strict=True):
        _box(scene, box, at(middle), w, h)
    return scene


def _box(scene: Scene, box: Box, middle: tuple[float, float], w: float, h: float) -> None:
    x, y = middle
    if box.kind == "dot":
        scene.add(Disc(x, y, 4, "ink"))
        return
    if box.kind != "leg":
        frame = FRAMES.get(box.kind, "muted")
        thick = 1.8 if box.kind in ("parameter", "result") else 1.0
        round_ = 13.0 if box.kind in ("input", "parameter") else 5.0
        scene.add(Rect(x - w / 2, y - h / 2, w, h, "paper", frame, thick, min(round_, h / 2)))
    first = y - 17.0 * (len(box.lines) - 1) / 2
    for k, (text, colour) in enumerate(box.lines):
        size = SMALL if k else SIZE
        shown = shortened(text, ROOM, size)
        scene.add(Label(x, first + 17.0 * k, shown, size, "middle", colour))


def _key(scene: Scene, key: Sequence[tuple[str, str]]) -> None:
    """What the colours mean, below the picture."""
    x = 16.0
    for text, colour in key:
        if x > 16 and x + text_width(text, SMALL) > max(scene.width, 500.0):
            x = 16.0
            scene.height += 18
        scene.add(Label(x, scene.height + 2, text, SMALL, "start", colour))
        x += text_width(text, SMALL) + 10
        scene.width = max(scene.width, x + 16)
    scene.height += 20 if key else 0
