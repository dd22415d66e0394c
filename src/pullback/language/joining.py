"""Blocks: ``[A, B; C, D]``, ``[x; 1]``, ``horzcat``, ``vertcat``, ``blkdiag`` and ``cat``.

Blocks stand in a grid: those in a row have equal heights, those in a column equal widths. A
literal number is one entry, or fills a block whose sizes its neighbours give, as the 0 of
``[A, 0; 0, B]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pullback.errors import Place, PullbackError
from pullback.expressions import Node, Shape, Size, placement
from pullback.expressions import constructors as make
from pullback.language import kinds as k
from pullback.language.callee import Callee
from pullback.language.kinds import Axis, Extent, Kind, Refusal, Rule, Verdict, length
from pullback.language.syntax import Block, Call, Literal, Syntax

Positions = tuple[tuple[int, ...], ...]  # the operands, row by row
ONE = Size.of(1)


def block(item: Block) -> Callee:
    """The meaning of blocks in brackets."""
    return joined(item.rows)


def joined(rows: Sequence[Sequence[Syntax]]) -> Callee:
    arguments: list[Syntax] = []
    positions: list[tuple[int, ...]] = []
    for row in rows:
        positions.append(tuple(range(len(arguments), len(arguments) + len(row))))
        arguments += row
    places = tuple(positions)

    return Callee(tuple(arguments), lambda kinds: rule_of_blocks(places, kinds))


Side = Axis | None  # what gives a row of blocks its height, or a column its width; None is 1


@dataclass(frozen=True, slots=True)
class Grid:
    """Heights of the rows of blocks and widths of their columns."""

    heights: tuple[Side, ...]
    widths: tuple[Side, ...]
    equal: tuple[tuple[Axis | Extent, Axis | Extent], ...]


def rule_of_blocks(places: Positions, kinds: tuple[Kind, ...]) -> Verdict:
    grid = grid_of(places, kinds)
    if isinstance(grid, Refusal):
        return grid
    rows, columns = grid.heights != (None,), grid.widths != (None,)
    sides = ((grid.heights, rows), (grid.widths, columns))
    axes = tuple([_total(side) for side, there in sides if there])
    kind = k.MATRIX if rows and columns else k.COLUMN if rows else k.ROW
    if not axes:
        kind = kinds[0]

    def build(nodes: Sequence[Node], shape: Shape) -> Node:
        return _built(places, kinds, grid, nodes, shape)

    return Rule(kind, axes, grid.equal, build=build)


def _total(sides: Sequence[Side]) -> Axis | Extent:
    if len(sides) == 1 and sides[0] is not None:
        return sides[0]
    return Extent(sum((ONE if side is None else length(*side) for side in sides), Size.of(0)))


def grid_of(places: Positions, kinds: Sequence[Kind]) -> Grid | Refusal:
    """The grid of blocks of these kinds; where rows have unlike numbers of blocks, their widths add up."""
    tensors = [kind for kind in kinds if kind > k.MATRIX]
    if tensors:
        return Refusal(
            f"brackets join vectors and matrices, not {k.kind_text(tensors[0])}", "use cat"
        )
    equal: list[tuple[Axis | Extent, Axis | Extent]] = []
    heights: list[Side] = []
    for row in places:
        side = _side([(i, _height(kinds[i], i)) for i in row], kinds, equal, "row")
        if isinstance(side, Refusal):
            return side
        heights.append(side)
    widths: list[Side] = []
    if len({len(row) for row in places}) == 1:
        for column in zip(*places, strict=True):
            side = _side([(i, _width(kinds[i], i)) for i in column], kinds, equal, "column")
            if isinstance(side, Refusal):
                return side
            widths.append(side)
        return Grid(tuple(heights), tuple(widths), tuple(equal))
    for row, height in zip(places, heights, strict=True):
        if height is not None and any(kinds[i] == k.NUMBER for i in row):
            return Refusal("nothing determines the width of a number here", "write matrix(0, m, n)")
        sides = [_width(kinds[i], i) for i in row]
        if row is places[0]:
            widths = sides
        else:
            equal.append((_extent(widths), _extent(sides)))
    return Grid(tuple(heights), tuple(widths), tuple(equal))


def _extent(sides: Sequence[Side]) -> Extent:
    total = _total(sides)
    return total if isinstance(total, Extent) else Extent(length(*total))


def _height(kind: Kind, operand: int) -> Side:
    return (operand, 0) if kind in (k.COLUMN, k.MATRIX) else None


def _width(kind: Kind, operand: int) -> Side:
    return (operand, k.order_of(kind) - 1) if kind in (k.ROW, k.MATRIX) else None


def _side(
    blocks: Sequence[tuple[int, Side]],
    kinds: Sequence[Kind],
    equal: list[tuple[Axis | Extent, Axis | Extent]],
    what: str,
) -> Side | Refusal:
    """The common height of a row of blocks, or width of a column; a number fits any."""
    fixed = [(i, side) for i, side in blocks if kinds[i] != k.NUMBER]
    axes = [side for _, side in fixed if side is not None]
    if axes and len(axes) < len(fixed):
        one = next(i for i, side in fixed if side is None)
        many = next(i for i, side in fixed if side is not None)
        names = k.kind_text(kinds[many]), k.kind_text(kinds[one])
        hint = f"blocks in one {what} have equal sizes; transpose one of them"
        return Refusal(f"{names[0]} and {names[1]} in one {what} of blocks", hint)
    equal += [(axes[0], axis) for axis in axes[1:]]
    return axes[0] if axes else None


def _built(
    places: Positions, kinds: Sequence[Kind], grid: Grid, nodes: Sequence[Node], shape: Shape
) -> Node:
    """The sum of the blocks, each at its place."""
    sizes = {(i, axis): size for i, n in enumerate(nodes) for axis, size in enumerate(n.shape)}
    aligned = len({len(row) for row in places}) == 1
    rows, columns = grid.heights != (None,), grid.widths != (None,)
    terms: list[tuple[int, Node]] = []
    top = Size.of(0)
    for row, height in zip(places, grid.heights, strict=True):
        tall = ONE if height is None else sizes[height]
        left = Size.of(0)
        for place, i in enumerate(row):
            side = grid.widths[place] if aligned else _width(kinds[i], i)
            wide = ONE if side is None else sizes[side]
            node = nodes[i]
            if not node.order and (tall, wide) != (ONE, ONE):
                own = tuple([s for s, there in ((tall, height), (wide, side)) if there is not None])
                node = make.broadcast(node, own)
            if not make.is_zero(node):
                axis = 0
                if rows:
                    node = _at(node, axis, top, shape[0], alone=height is None)
                    axis = 1
                if columns:
                    node = _at(node, axis, left, shape[-1], alone=side is None)
                terms.append((1, node))
            left = left + wide
        top = top + tall
    return make.add(terms, shape)


def _at(node: Node, axis: int, start: Size, size: Size, *, alone: bool) -> Node:
    if alone:
        return placement.inserted(node, axis, start, size)
    return placement.placed(node, axis, start, size)


# the functions of MATLAB


def _horzcat(call: Call, _place: Place) -> Callee:
    return joined([call.arguments])


def _vertcat(call: Call, _place: Place) -> Callee:
    return joined([[argument] for argument in call.arguments])


def _blkdiag(call: Call, _place: Place) -> Callee:
    """The blocks on the diagonal, zeros elsewhere."""
    count = len(call.arguments)
    zero = Literal(call.start, call.stop, 0)
    rows: list[list[Syntax]] = [[zero] * count for _ in range(count)]
    for i, argument in enumerate(call.arguments):
        rows[i][i] = argument
    return joined(rows)


def _cat(call: Call, place: Place) -> Callee:
    """``cat(3, S, T)``: along an axis, which may be new."""
    along, *arguments = call.arguments
    axis = along.value if isinstance(along, Literal) else None
    if not isinstance(axis, int) or axis < 1:
        at = Place(place.text, along.start, along.stop)
        raise PullbackError("the first argument of cat is an axis: 1, 2, …", at)
    if axis <= 2 and arguments:
        flat = _horzcat if axis == 2 else _vertcat
        matrices = flat(Call(call.start, call.stop, call.function, arguments), place)
    along_axis = axis - 1

    def rule(kinds: tuple[Kind, ...]) -> Verdict:
        if axis <= 2 and max(kinds) <= k.MATRIX:
            return matrices.rule(kinds)
        order = k.order_of(kinds[0])
        if len({k.order_of(kind) for kind in kinds}) > 1 or order < 2 or axis > order + 1:
            return Refusal(f"cat does not join these along axis {axis}")
        own = [k.axes_of(i, kind) for i, kind in enumerate(kinds)]
        kept = [a for a in range(order) if a != along_axis]
        equal = tuple([(own[0][a], axes[a]) for axes in own[1:] for a in kept])
        sizes: list[Axis | Extent] = list(own[0])
        total = _total([axes[along_axis] if axis <= order else None for axes in own])
        sizes[along_axis : along_axis + 1] = [total]

        def build(nodes: Sequence[Node], shape: Shape) -> Node:
            if axis <= order:
                return placement.concatenate(nodes, along_axis)
            starts = enumerate(nodes)
            parts = [(1, placement.inserted(n, order, Size.of(i), shape[-1])) for i, n in starts]
            return make.add(parts, shape)

        return Rule(k.kind_of_order(len(sizes)), tuple(sizes), equal, build=build)

    return Callee(tuple(arguments), rule)


BUILD = {
    "horzcat": (1, 99, _horzcat),
    "vertcat": (1, 99, _vertcat),
    "blkdiag": (1, 99, _blkdiag),
    "cat": (2, 99, _cat),
}
