"""Products, sums and reductions of nodes with NumPy's meaning of axes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from pullback.errors import DomainError, PullbackError, ShapeError
from pullback.expressions import Node, Number, Shape, Size
from pullback.expressions import constructors as make

Axes = int | Sequence[int] | None


def shape_as_tuple(shape: Shape) -> str:
    """A shape as NumPy users write it.

    >>> shape_as_tuple((Size.of("m"), Size.of(3)))
    '(m, 3)'
    """
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The common shape, axes aligned at the right; an axis of size 1 fits any."""
    order = max(map(len, shapes))
    common = [Size.of(1)] * order
    for shape in shapes:
        for axis, size in enumerate(shape, order - len(shape)):
            if common[axis].constant == 1:
                common[axis] = size
            elif size.constant != 1 and size != common[axis]:
                written = " and ".join(dict.fromkeys(map(shape_as_tuple, shapes)))
                raise ShapeError(
                    f"shapes {written} do not broadcast: an axis has the sizes "
                    f"{common[axis]} and {size}"
                )
    return tuple(common)


def _labels(node: Node, common: Shape, mark: int) -> list[Hashable]:
    """A label per axis; one of size 1 that is to be repeated is summed away instead."""
    first = len(common) - node.order
    return [
        axis if size == common[axis] else (mark, axis)
        for axis, size in enumerate(node.shape, first)
    ]


def broadcast_to(node: Node, shape: Shape) -> Node:
    if node.shape == shape:
        return node
    return make.contract(
        [(node, _labels(node, shape, 0))], range(len(shape)), dict(enumerate(shape))
    )


def multiply(*nodes: Node) -> Node:
    """The product entry by entry."""
    common = broadcast_shapes(*[node.shape for node in nodes])
    pairs = [(node, _labels(node, common, i)) for i, node in enumerate(nodes)]
    return make.contract(pairs, range(len(common)), dict(enumerate(common)))


def add(*terms: tuple[Number, Node]) -> Node:
    """A linear combination of nodes that broadcast."""
    common = broadcast_shapes(*[node.shape for _, node in terms])
    return make.add([(c, broadcast_to(node, common)) for c, node in terms], common)


def plus(left: Node, right: Node) -> Node:
    return add((1, left), (1, right))


def minus(left: Node, right: Node) -> Node:
    return add((1, left), (-1, right))


def power(base: Node, exponent: Node) -> Node:
    if not exponent.order:
        return make.power(base, exponent)
    common = broadcast_shapes(base.shape, exponent.shape)
    return make.power(broadcast_to(base, common), broadcast_to(exponent, common))


def divide(left: Node, right: Node) -> Node:
    if make.is_zero(right):
        raise DomainError("division by zero")
    return multiply(left, make.power(right, -1))


def matmul(left: Node, right: Node) -> Node:
    """``left @ right``: the last axis with the last but one; axes before these are a batch."""
    if not left.order or not right.order:
        raise ShapeError("@ multiplies vectors and matrices; with a scalar, write *")
    inner = left.shape[-1]
    other = right.shape[max(0, right.order - 2)]
    if inner != other:
        raise ShapeError(
            f"{shape_as_tuple(left.shape)} @ {shape_as_tuple(right.shape)}: the last axis of the "
            f"left ({inner}) must equal the {'last but one' if right.order > 1 else 'only'} axis "
            f"of the right ({other})"
        )
    rows: list[Hashable] = ["row"] if left.order > 1 else []
    columns: list[Hashable] = ["column"] if right.order > 1 else []
    lead = broadcast_shapes(left.shape[:-2], right.shape[:-2])
    pairs: list[tuple[Node, list[Hashable]]] = []
    for mark, (node, core) in enumerate(
        ((left, [*rows, "inner"]), (right, ["inner", *columns])),
    ):
        batch = node.shape[: node.order - len(core)]
        labels = [
            axis if size == lead[axis] else (mark, axis)
            for axis, size in enumerate(batch, len(lead) - len(batch))
        ]
        pairs.append((node, [*labels, *core]))
    return make.contract(pairs, [*range(len(lead)), *rows, *columns])


def axes_of(node: Node, axis: Axes) -> tuple[int, ...]:
    """Axes counted from 0, all for None; PullbackError for one that is not there."""
    if axis is None:
        return tuple(range(node.order))
    if isinstance(axis, Size):
        raise PullbackError(f"an axis is a number, and {axis} is a size")
    given = [axis] if isinstance(axis, int) else list(axis)
    axes = []
    for a in given:
        if not isinstance(a, int) or not -node.order <= a < node.order:
            raise PullbackError(f"there is no axis {a} in shape {shape_as_tuple(node.shape)}")
        axes.append(a % node.order)
    if len(set(axes)) < len(axes):
        raise PullbackError(f"an axis comes twice in {tuple(given)}")
    return tuple(axes)
