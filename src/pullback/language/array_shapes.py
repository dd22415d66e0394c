"""NumPy's functions that change shapes, on nodes: reshape, joins, new axes, rolls, copies."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from pullback.errors import PullbackError, ShapeError
from pullback.expressions import Node, Size, placement
from pullback.expressions import constructors as make
from pullback.language.broadcasting import Axes, axes_of, shape_as_tuple
from pullback.language.subscripts import new_axis, subscripted

# other shapes of the same entries


def reshape(node: Node, shape: Any, order: str = "C") -> Node:
    """The same entries, row by row ("C") or column by column ("F"), one size may be −1."""
    if order not in ("C", "F"):
        raise PullbackError(f"order is 'C' or 'F', not {order!r}")
    given = list(shape) if isinstance(shape, Sequence) else [shape]
    sizes = [_size(size) for size in given]
    total, known = Size.of(1), Size.of(1)
    for size in node.shape:
        total = total * size
    for wanted in sizes:
        known = known * (1 if wanted is None else wanted)
    if sizes.count(None) > 1:
        raise PullbackError("only one of the sizes can be -1")
    rest = total.divided(known)
    if rest is None or (None not in sizes and total != known):
        written = f"({', '.join('-1' if s is None else str(s) for s in sizes)})"
        raise ShapeError(
            f"{shape_as_tuple(node.shape)} cannot be reshaped to {written}: it has {total} entries"
        )
    full = [rest if size is None else size for size in sizes]
    if order == "F":
        return make.transpose(placement.reshape(make.transpose(node), reversed(full)))
    return placement.reshape(node, full)


def _size(value: Any) -> Size | None:
    if isinstance(value, Size):
        return value
    if (
        isinstance(value, bool)
        or not isinstance(value, int | np.integer)
        or value < -1
        or not value
    ):
        raise PullbackError(f"{value!r} is no size of a shape")
    return None if value == -1 else Size.of(int(value))


def ravel(node: Node, order: str = "C") -> Node:
    return reshape(node, [-1], order)


def expand_dims(node: Node, axis: Axes) -> Node:
    places = [axis] if isinstance(axis, int) else sorted(axis or ())
    order = node.order + len(places)
    if not all(-order <= place < order for place in places):
        raise PullbackError(f"there is no place {axis} for a new axis")
    for place in sorted(place % order for place in places):
        node = new_axis(node, place)
    return node


def squeeze(node: Node, axis: Axes = None) -> Node:
    """Without the axes of size 1."""
    ones = [a for a, size in enumerate(node.shape) if size.constant == 1]
    chosen = ones if axis is None else list(axes_of(node, axis))
    for a in chosen:
        if a not in ones:
            raise PullbackError(f"axis {a} has size {node.shape[a]}, not 1")
    return subscripted(node, tuple([0 if a in chosen else slice(None) for a in range(node.order)]))


def moveaxis(node: Node, source: Axes, destination: Axes) -> Node:
    froms, tos = axes_of(node, source), axes_of(node, destination)
    if len(froms) != len(tos):
        raise PullbackError("moveaxis needs as many new places as axes")
    order = [a for a in range(node.order) if a not in froms]
    for to, origin in sorted(zip(tos, froms, strict=True)):
        order.insert(to, origin)
    return make.transpose(node, order)


# joins


def concatenate(nodes: Sequence[Node], axis: int | None = 0) -> Node:
    if axis is None:
        return placement.concatenate([ravel(node) for node in nodes])
    _insist_alike(nodes, "concatenate")
    if not nodes[0].order:
        raise PullbackError(
            "scalars cannot be concatenated", None, "np.stack makes a vector of them"
        )
    (along,) = axes_of(nodes[0], axis)
    return placement.concatenate(nodes, along)


def _insist_alike(nodes: Sequence[Node], name: str) -> None:
    if not nodes:
        raise PullbackError(f"{name} needs at least one array")
    if len({node.order for node in nodes}) > 1:
        shapes = ", ".join(shape_as_tuple(node.shape) for node in nodes)
        raise ShapeError(f"{name} needs equal numbers of axes, not {shapes}")


def stack(nodes: Sequence[Node], axis: int = 0) -> Node:
    _insist_alike(nodes, "stack")
    for one, other in pairwise(nodes):
        if one.shape != other.shape:
            shapes = f"{shape_as_tuple(one.shape)} and {shape_as_tuple(other.shape)}"
            raise ShapeError(f"stack needs equal shapes, not {shapes}")
    order = nodes[0].order + 1
    if not -order <= axis < order:
        raise PullbackError(f"there is no place {axis} for a new axis")
    parts = [placement.inserted(n, axis % order, k, len(nodes)) for k, n in enumerate(nodes)]
    return make.add([(1, part) for part in parts])


def array(nested: Any) -> Node:
    """Nested lists of nodes as one, each list along a new first axis."""
    return nested if isinstance(nested, Node) else stack([array(part) for part in nested])


def hstack(nodes: Sequence[Node]) -> Node:
    nodes = [node if node.order else new_axis(node, 0) for node in nodes]
    return concatenate(nodes, 0 if nodes and nodes[0].order == 1 else 1)


def vstack(nodes: Sequence[Node]) -> Node:
    return concatenate([_with_axes(node, 2) for node in nodes], 0)


def column_stack(nodes: Sequence[Node]) -> Node:
    flat = [node if node.order else new_axis(node, 0) for node in nodes]
    return concatenate([new_axis(n, 1) if n.order == 1 else n for n in flat], 1)


def _with_axes(node: Node, order: int) -> Node:
    """The node with axes of size 1 in front."""
    while node.order < order:
        node = new_axis(node, 0)
    return node


def block(nested: Any) -> Node:
    """Blocks in nested lists: the innermost along the last axis, the next along the one before."""
    depth, least = _depth(nested), _orders(nested)
    order = max(depth, least)

    def join(part: Any, level: int) -> Node:
        if isinstance(part, Node):
            return _with_axes(part, order)
        return concatenate([join(item, level - 1) for item in part], order - level)

    return join(nested, depth)


def _depth(nested: Any) -> int:
    if isinstance(nested, Node):
        return 0
    depths = {_depth(item) for item in nested}
    if len(depths) != 1:
        raise PullbackError("block needs lists of equal depths, and none empty")
    return 1 + depths.pop()


def _orders(nested: Any) -> int:
    return nested.order if isinstance(nested, Node) else max(map(_orders, nested))


# copies and shifts


def tile(node: Node, reps: Any) -> Node:
    counts = [_size(r) for r in (reps if isinstance(reps, Sequence) else [reps])]
    if None in counts:
        raise PullbackError("-1 is no number of copies")
    node = _with_axes(node, len(counts))
    first = node.order - len(counts)
    for axis, count in reversed(list(enumerate(counts, first))):
        assert count is not None
        if count.constant != 1:
            node = placement.merge(_copies(node, axis, count), (axis, axis + 1))
    return node


def repeat(node: Node, repeats: Any, axis: int | None = None) -> Node:
    """Each entry several times, one after another."""
    count = _size(repeats)
    if count is None:
        raise PullbackError("-1 is no number of copies")
    if axis is None:
        node, axis = ravel(node), 0
    (along,) = axes_of(node, axis)
    return placement.merge(_copies(node, along + 1, count), (along, along + 1))


def _copies(node: Node, axis: int, count: Size) -> Node:
    """The node repeated along a new axis."""
    labels = list(range(node.order))
    out = [*labels[:axis], "copy", *labels[axis:]]
    return make.contract([(node, labels)], out, {"copy": count})


def roll(node: Node, shift: Any, axis: int | None = None) -> Node:
    by = shift if isinstance(shift, Size) else Size.of(shift)
    if axis is None:
        return reshape(placement.rolled(ravel(node), 0, by), node.shape)
    (along,) = axes_of(node, axis)
    return placement.rolled(node, along, by)


def flip(node: Node, axis: Axes = None) -> Node:
    for along in axes_of(node, axis):
        node = placement.flipped(node, along)
    return node


def diff(node: Node, n: int = 1, axis: int = -1) -> Node:
    (along,) = axes_of(node, axis)
    for _ in range(n):
        node = placement.differences(node, along)
    return node


# diagonals and triangles


def triangle(node: Node, k: Any, *, upper: bool) -> Node:
    """The last two axes, with zeros below or above a diagonal."""
    if node.order < 2:
        raise PullbackError("a triangle is of a matrix")
    rows, columns = node.shape[-2:]
    mask = placement.triangle(rows, columns, k, upper=upper)
    labels = list(range(node.order))
    return make.contract([(node, labels), (mask, labels[-2:])], labels)


def tril(node: Node, k: Any = 0) -> Node:
    return triangle(node, k, upper=False)


def triu(node: Node, k: Any = 0) -> Node:
    return triangle(node, k, upper=True)


def diagonal(node: Node, offset: Any = 0) -> Node:
    """Of a matrix the entries [i, i + offset]."""
    if node.order != 2:
        raise PullbackError(f"the diagonal is of a matrix, not of {node.order} axes")
    start, size = _diagonal(node.shape[0], node.shape[1], offset)
    rows = placement.taken(start[0], size, node.shape[0])
    columns = placement.taken(start[1], size, node.shape[1])
    return make.contract([(node, "ij"), (rows, "ki"), (columns, "kj")], "k")


def _diagonal(rows: Size, columns: Size, offset: Any) -> tuple[tuple[Size, Size], Size]:
    """Where a diagonal starts, and how long it is."""
    by = offset if isinstance(offset, Size) else Size.of(offset)
    down, right = (-by, Size.of(0)) if (-by).at_least(1) else (Size.of(0), by)
    tall, wide = rows - down, columns - right
    if (wide - tall).at_least(0):
        return (down, right), tall
    if (tall - wide).at_least(0):
        return (down, right), wide
    raise PullbackError(
        f"the length of this diagonal of {rows}×{columns} depends on which size is larger",
        None,
        "take a square part first",
    )


def trace(node: Node, offset: Any = 0) -> Node:
    return make.total(diagonal(node, offset))


def diag(node: Node, k: Any = 0) -> Node:
    """Of a vector the matrix with it on a diagonal, of a matrix that diagonal."""
    if node.order == 2:
        return diagonal(node, k)
    if node.order != 1:
        raise PullbackError(f"diag takes a vector or a matrix, not {node.order} axes")
    by = k if isinstance(k, Size) else Size.of(k)
    lower = (-by).at_least(1)
    size = node.shape[0] + (-by if lower else by)
    start = (-by, Size.of(0)) if lower else (Size.of(0), by)
    sides = [placement.taken(at, node.shape[0], size) for at in start]
    return make.contract([(node, "k"), (sides[0], "ki"), (sides[1], "kj")], "ij")
