"""Formulas of entries and blocks: x_{2:n}, A_{:,1}, A_{1:k,:}, [x; 0], [A, B; C, D].

A slice is a product with rows of the identity, and so is its transpose, which puts entries back
in their places with zeros elsewhere: x_{2:n} = I_{2:n,:} x and [0; y] = I_{:,2:n} y. In a chain
of factors such a selection is taken by its neighbour; at an end of the chain it makes a block of
it, and where it is alone it stays, as [0, I] or, for a single row, as a unit vector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pullback.expressions.sizes import Size
from pullback.notation.tree import FLIPPED, ONE, Formula, Kind, identity, ones


@dataclass(frozen=True)
class Range:
    """Places along an axis, counted from 1: ``first``, ``first + step``, …, ``count`` of them."""

    first: Size
    count: Size
    step: int = 1

    @property
    def last(self) -> Size:
        return self.first + self.step * (self.count - 1)


Place = Range | Size | None  # several places, one, or all


def selection(size: Size, place: Place) -> Formula:
    """Rows of the identity of this size: what takes a slice when it multiplies from the left."""
    return _slice(identity(size), (place, None))


def selected(f: Formula, axis: int) -> Place:
    """Which rows (axis 0) or columns (axis 1) of an identity a formula is."""
    if f.op != "slice" or f.parts[0].op != "identity" or f.data[1 - axis] is not None:
        return None
    place: Place = f.data[axis]
    return place


def sliced(f: Formula, axis: int, place: Place) -> Formula:
    """The rows (axis 0) or columns (axis 1) of a formula, which is no product."""
    if f.op == "transpose":
        return turned(sliced(f.parts[0], 1 - axis, place))
    if f.op == "ones":
        return ones(place.count) if isinstance(place, Range) else ONE
    base: Formula = f
    places: list[Place] = [None, None]
    if f.op == "slice":
        (base,), places = f.parts, list(f.data)
    places[axis] = _within(places[axis], place)
    if base.op == "identity" and places[0] == places[1]:
        return identity(places[0].count) if isinstance(places[0], Range) else ONE
    return _slice(base, places)


def _within(outer: Place, inner: Place) -> Place:
    """The places of an axis that are ``inner`` places of its ``outer`` ones."""
    if not isinstance(outer, Range) or inner is None:
        return inner if outer is None else outer
    if isinstance(inner, Size):
        return outer.first + outer.step * (inner - 1)
    first = outer.first + outer.step * (inner.first - 1)
    return Range(first, inner.count, outer.step * inner.step)


def _slice(base: Formula, places: Sequence[Place]) -> Formula:
    row = base.kind == "row" or isinstance(places[0], Size)
    column = base.kind == "column" or isinstance(places[1], Size)
    kind: Kind = "scalar" if row and column else "row" if row else "column" if column else "matrix"
    return Formula("slice", (base,), kind, tuple(places))


def turned(f: Formula) -> Formula:
    """The transpose of what is no product."""
    if f.kind == "scalar" or f.op == "identity":
        return f
    if f.op == "transpose":
        return f.parts[0]
    if f.op == "slice" and f.parts[0].op == "identity":
        return _slice(f.parts[0], f.data[::-1])
    return Formula("transpose", (f,), FLIPPED[f.kind])


def with_slices(chain: Iterable[Formula]) -> list[Formula]:
    """A chain of factors with its selections taken by their neighbours."""
    result: list[Formula] = []
    for factor in chain:
        f = factor
        while result and (place := selected(result[-1], 0)) is not None:
            result.pop()
            f = sliced(f, 0, place)
        if result and (place := selected(f, 1)) is not None:
            result[-1] = sliced(result[-1], 1, place)
        else:
            result.append(f)
    return result


def extent(f: Formula, axis: int) -> Size | None:
    """How many rows (axis 0) or columns (axis 1) a formula has, where it shows."""
    while True:
        if f.shape is not None:
            return f.shape[axis]
        if f.kind == ("row", "column")[axis]:
            return Size.of(1)
        if f.op in _SIZED:
            size: Size | None = _SIZED[f.op](f, axis)
            if size is not None:
                return size
        parts = [p for p in f.parts if p.kind != "scalar"]
        if f.op == "diag" and f.kind == "matrix":
            axis = 0 if parts[0].kind == "column" else 1
        if f.op == "transpose":
            axis = 1 - axis
        elif f.op not in _KEEP_SHAPE or not parts:
            return None
        f = parts[-1 if axis and f.op == "product" else 0]


def _taken(f: Formula, axis: int) -> Size | None:
    place: Place = f.data[axis]
    return place.count if isinstance(place, Range) else None


_SIZED: dict[str, Callable[[Formula, int], Size | None]] = {
    "ones": lambda f, axis: f.data,
    "identity": lambda f, axis: f.data[0],
    "slice": _taken,
    "blocks": lambda f, axis: f.data.sizes[axis],
    "reshape": lambda f, axis: f.data[axis],
}
_KEEP_SHAPE = {"product", "sum", "hadamard", "division", "entrypower", "function", "quotient"}
_KEEP_SHAPE |= {"power", "tril", "triu", "slice", "blocks", "diag"}


# blocks

Span = tuple[Size, Size]  # from here, counted from 0, up to there


@dataclass(frozen=True)
class Layout:
    """Where the parts of a block vector or matrix stand; what no part covers is 0.

    Each part has a span down and a span across, None if it is as long as the whole.
    """

    sizes: tuple[Size | None, Size | None]  # of the whole, where they are known
    spans: tuple[tuple[Span | None, Span | None], ...]

    def turned(self) -> Layout:
        """The layout of the transpose."""
        return Layout(self.sizes[::-1], tuple([span[::-1] for span in self.spans]))


def flipped(f: Formula, parts: Sequence[Formula]) -> Formula:
    """The transpose of blocks or of a triangle, from the transposes of its parts."""
    if f.op == "blocks":
        return Formula("blocks", parts, FLIPPED[f.kind], f.data.turned())
    return Formula("triu" if f.op == "tril" else "tril", parts, "matrix", -f.data)


def is_block(f: Formula) -> bool:
    """Whether the formula is one block among zeros."""
    return f.op == "blocks" and len(f.parts) == 1


def apart(f: Formula) -> list[Formula]:
    """One block among zeros as a product with selections."""
    layout: Layout = f.data
    (spans,) = layout.spans
    front, back = (
        [] if span is None or size is None else [selection(size, _range_of(span))]
        for size, span in zip(layout.sizes, spans, strict=True)
    )
    return [*map(turned, front), f.parts[0], *back]


def _range_of(span: Span) -> Range:
    return Range(span[0] + 1, span[1] - span[0])


def placed(chain: Sequence[Formula]) -> tuple[Formula | None, Sequence[Formula], Formula | None]:
    """The selections at the ends of a chain that make a block of what is between them."""
    front, back = None, None
    if len(chain) > 1 and _is_span(selected(chain[0], 1)):
        front, chain = chain[0], chain[1:]
    if len(chain) > 1 and _is_span(selected(chain[-1], 0)):
        back, chain = chain[-1], chain[:-1]
    elif front is not None and len(chain) == 1 and _is_span(selected(chain[0], 0)):
        place = selected(chain[0], 0)
        assert isinstance(place, Range)
        back, chain = chain[0], [identity(place.count)]
    return front, chain, back


def _is_span(place: Place) -> bool:
    return isinstance(place, Range) and place.step == 1


def block(front: Formula | None, inner: Formula, back: Formula | None) -> Formula | None:
    """``inner`` at the places that the selections say, zeros elsewhere; None if it is unknown where."""
    spans: list[Span | None] = [None, None]
    sizes = [extent(inner, 0), extent(inner, 1)]
    for axis, end in enumerate((front, back)):
        if end is not None:
            place = selected(end, 1 - axis)
            assert isinstance(place, Range)
            spans[axis] = place.first - 1, place.first - 1 + place.count
            sizes[axis] = end.parts[0].data[0]
    layout = Layout((sizes[0], sizes[1]), ((spans[0], spans[1]),))
    made = Formula("blocks", (inner,), inner.kind, layout)
    return None if grid(made) is None else made


def together(one: Formula, other: Formula) -> Formula | None:
    """The sum of two block formulas as one, or None if their blocks are no grid."""
    layouts: tuple[Layout, Layout] = (one.data, other.data)
    first, second = (layout.sizes for layout in layouts)
    sizes = (first[0] or second[0], first[1] or second[1])
    whole = Layout(sizes, (*layouts[0].spans, *layouts[1].spans))
    joined = Formula("blocks", (*one.parts, *other.parts), one.kind, whole)
    flat = _flat(joined)
    return flat if grid(flat) is not None else None if grid(joined) is None else joined


def _flat(f: Formula) -> Formula:
    """Blocks of blocks as blocks."""
    spans: list[tuple[Span | None, Span | None]] = []
    parts: list[Formula] = []
    for outer, part in zip(f.data.spans, f.parts, strict=True):
        inner = part.data.spans if part.op == "blocks" else ((None, None),)
        spans += [(_moved(outer[0], rows), _moved(outer[1], columns)) for rows, columns in inner]
        parts += part.parts if part.op == "blocks" else (part,)
    return Formula("blocks", parts, f.kind, Layout(f.data.sizes, tuple(spans)))


def _moved(outer: Span | None, inner: Span | None) -> Span | None:
    """A span of a part as one of the whole."""
    if outer is None or inner is None:
        return outer or inner
    return outer[0] + inner[0], outer[0] + inner[1]


def grid(f: Formula) -> list[list[Formula]] | None:
    """The cells of a block formula row by row; None where a part is no single cell of its own."""
    layout: Layout = f.data
    down, across = _cuts(layout, 0), _cuts(layout, 1)
    if down is None or across is None:
        return None
    cells: dict[tuple[int, int], Formula] = {}
    for spans, part in zip(layout.spans, f.parts, strict=True):
        row, column = _cell(spans[0], down), _cell(spans[1], across)
        if row is None or column is None or (row, column) in cells:
            return None
        cells[row, column] = part
    rows, columns = _lengths(layout, 0, down), _lengths(layout, 1, across)
    return [
        [cells.get((r, c)) or _zero(f.kind, rows[r], columns[c]) for c in range(len(columns))]
        for r in range(len(rows))
    ]


def _cuts(layout: Layout, axis: int) -> list[Size] | None:
    """The ends of the blocks along an axis in order, none if there are no cuts; None if unknown."""
    ends = {end for spans in layout.spans for end in spans[axis] or ()}
    if not ends:
        return []
    total = layout.sizes[axis]
    if total is None:
        return None
    rest = list(dict.fromkeys([Size.of(0), total, *sorted(ends, key=str)]))
    ordered: list[Size] = []
    while rest:
        first = next((x for x in rest if all(y.at_least(x) for y in rest)), None)
        if first is None:
            return None
        rest.remove(first)
        ordered.append(first)
    return ordered


def _cell(span: Span | None, cuts: Sequence[Size]) -> int | None:
    """Which stretch between cuts a span is; None if it is no single one."""
    if not cuts:
        return 0
    if span is None:
        return 0 if len(cuts) == 2 else None
    at = cuts.index(span[0])
    return at if at + 1 < len(cuts) and cuts[at + 1] == span[1] else None


def _lengths(layout: Layout, axis: int, cuts: Sequence[Size]) -> list[Size | None]:
    if not cuts:
        return [layout.sizes[axis]]
    return [after - before for before, after in pairwise(cuts)]


def _zero(kind: Kind, rows: Size | None, columns: Size | None) -> Formula:
    """A block of zeros."""
    return Formula("zero", (), kind, (rows, columns))


# triangles and merged axes


def triangle(op: str, f: Formula, offset: Size) -> Formula:
    """``tril`` or ``triu`` of a matrix: zeros above, or below, the diagonal j = i + offset."""
    return Formula(op, (f,), "matrix", offset)


def reshaped(f: Formula, rows: Size, columns: Size) -> Formula:
    """The matrix whose columns, one below the other, are a vector."""
    if f.op == "vec" and (extent(f.parts[0], 0), extent(f.parts[0], 1)) == (rows, columns):
        return f.parts[0]
    if f.op in ("sum", "hadamard", "division") and any(p.op == "vec" for p in f.parts):
        return f.like(
            [p if p.kind == "scalar" else reshaped(p, rows, columns) for p in f.parts], "matrix"
        )
    inner = f.parts[0] if f.op in ("vec", "reshape") else f
    return Formula("reshape", (inner,), "matrix", (rows, columns))


def khatri_rao(left: Formula, right: Formula) -> Formula:
    """The Kronecker products of the columns of two matrices, column by column."""
    return Formula("khatri", (left, right), "matrix")
