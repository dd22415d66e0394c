"""The computation graph: a box for each value, with its shape, and the gradient it was handed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pullback.compilation.compile import compile_nodes
from pullback.derivation.derive import derive_each
from pullback.drawing.blocks import short
from pullback.drawing.diagram import Box, BoxKind, Diagram, Edge
from pullback.explanation.operations import operation_of
from pullback.explanation.reading import Reader
from pullback.explanation.wording import Wording
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Indicator, Node, SizeValue, Variable
from pullback.expressions.program import Program
from pullback.expressions.sizes import shape_text
from pullback.expressions.walks import post_order

SHOWN = 40  # operations drawn before the middle of a long program is folded
ENDS = 14  # of a folded program shown at either end
WRITTEN = 3  # entries of a value that are still written out

KEY = (("value, and the operation that makes it", "ink"), ("gradient handed back to it", "accent"))


def graph(
    program: Program, names: Sequence[str] = (), values: Mapping[str, Any] | None = None
) -> Diagram:
    """The values from the variables to the result, and shapes on the edges between them.

    With ``names`` of variables or lines, each value on their way says what gradient it was
    handed. ``values`` of the variables put numbers on all of it. A long program is folded.
    """
    reader = Reader(derive_each(program, list(dict.fromkeys(names)))) if names else None
    words = reader.words if reader else Wording(program)
    nodes = _nodes(program, words, reader)
    shown, hidden = _folded(nodes)
    numbers = _numbers(program, shown, reader, values) if values is not None else {}
    place: dict[Node, int] = {}
    boxes: list[Box] = []
    for node in shown:
        place[node] = len(boxes)
        boxes.append(_box(node, words, reader, numbers))
    if hidden:
        place.update(dict.fromkeys(hidden, len(boxes)))
        boxes.append(Box(((f"… {len(hidden)} values …", "muted"),), "dots"))
    edges: dict[tuple[int, int], Edge] = {}
    for node in nodes:
        for child in _operands(node, words, reader):
            ends = place[child], place[node]
            if ends[0] != ends[1]:
                edges.setdefault(ends, Edge(*ends, shape_text(child.shape)))
    title = f"The computation of {words.result.text}"
    if reader:
        below = ", ".join(words.gradient_name(node).text for node in reader.targets)
        title = f"{title} and of {below}"
    return Diagram(title, tuple(boxes), tuple(edges.values()), key=KEY if reader else ())


def _nodes(program: Program, words: Wording, reader: Reader | None) -> list[Node]:
    """The values with a box of their own, operands before what is made of them."""
    found = {program.result}
    stack = [program.result]
    while stack:
        for child in _operands(stack.pop(), words, reader):
            if child not in found:
                found.add(child)
                stack.append(child)
    return [node for node in post_order(program.result) if node in found]


def _operands(node: Node, words: Wording, reader: Reader | None) -> list[Node]:
    """What a value is made of; what no derivative is taken by is not opened, unless it has a name."""
    on_the_way = reader is None or node in reader.links or words.is_named(node)
    children = dict.fromkeys(node.children) if on_the_way else {}
    return [child for child in children if not _constant(child)]


def _constant(node: Node) -> bool:
    if make.constant_value(node) is not None or isinstance(node, SizeValue | Indicator):
        return True
    return not isinstance(node, Variable) and not node.children


def _folded(nodes: Sequence[Node]) -> tuple[list[Node], list[Node]]:
    """The values shown, and those of the middle that are not; variables go with their first use."""
    operations = [n for n in nodes if not isinstance(n, Variable)]
    if len(operations) <= SHOWN:
        return list(nodes), []
    kept = {*operations[:ENDS], *operations[-ENDS:]}
    near = {child for node in kept for child in node.children}
    shown = [n for n in nodes if n in kept or (isinstance(n, Variable) and n in near)]
    return shown, [n for n in nodes if n not in set(shown)]


def _box(
    node: Node, words: Wording, reader: Reader | None, numbers: Mapping[tuple[str, Node], str]
) -> Box:
    name = words.plainly(node).text
    target = reader is not None and node in reader.targets
    kind: BoxKind = "operation"
    if isinstance(node, Variable):
        kind = "parameter" if target else "input"
    elif node is words.root:
        kind = "result"
    formula = "" if isinstance(node, Variable) else words.formula(node, row=words.is_row(node)).text
    said = name if formula in ("", name) else f"{name} = {formula}"
    lines = [(said, "ink")]
    if not isinstance(node, Variable):
        lines.append((operation_of(node).sentence, "muted"))
    if ("value", node) in numbers:
        lines.append((f"= {numbers['value', node]}", "ink"))
    if reader is not None and node in reader.trace.cotangents:
        lines.append((_gradient(node, reader), "accent"))
        if ("gradient", node) in numbers:
            lines.append((f"= {numbers['gradient', node]}", "accent"))
    return Box(tuple(lines), kind)


def _gradient(node: Node, reader: Reader) -> str:
    """The gradient of a value, in what the operation above it was handed."""
    words = reader.words
    title = words.gradient_name(node).text
    sources = reader.sources(node)
    row = words.is_row(node)
    if not sources:
        return f"{title} = {words.formula(reader.trace.cotangents[node], row=row).text}"
    if len(sources) > 1:
        return f"{title}, the sum of {len(sources)} contributions"
    given = reader.contribution(sources[0], node)
    return f"{title} = {words.told(given, row=row and given.order == 1).text}"


def _numbers(
    program: Program,
    shown: Sequence[Node],
    reader: Reader | None,
    values: Mapping[str, Any],
) -> dict[tuple[str, Node], str]:
    """Values and gradients at given values of the variables, as short texts."""
    keys = [("value", node, node) for node in shown]
    if reader is not None:
        cotangents = reader.trace.cotangents
        keys += [("gradient", node, cotangents[node]) for node in shown if node in cotangents]
    needed = compile_nodes({f"v{k}": given for k, (_, _, given) in enumerate(keys)}, program)
    found = needed(**values)
    arrays = found if isinstance(found, dict) else {"v0": found}
    return {(what, node): _written(arrays[f"v{k}"]) for k, (what, node, _) in enumerate(keys)}


def _written(value: Any) -> str:
    array = np.asarray(value, dtype=float)
    if array.size <= WRITTEN or array.ndim == 0:
        text = ", ".join(short(float(x)) for x in array.ravel())
        return text if array.ndim == 0 else f"[{text}]"
    low, high = short(float(array.min())), short(float(array.max()))
    return f"{array.size} numbers from {low} to {high}"
