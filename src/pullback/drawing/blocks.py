"""A tensor as a grid of blocks: each block a heat map, structural zeros hatched.

Arrays come with four axes: rows and columns of the grid, then of each block. What has fewer axes
has some of length 1, without a letter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.drawing.scene import Label, Rect, Scene, Strokes, text_width

WIDTH = 760.0  # pixels that a picture is wide at most
MOST_SIDE = 64  # cells of a block along one side; more entries share a cell
MOST_BLOCKS = 12  # blocks along one side of the grid; the rest is told
MOST_CELLS = 6000  # of a picture
NUMBERED = 160  # cells in which their numbers are still written
CAN = "#5b8db8"  # an entry that can differ from zero
NEGATIVE, ZERO, POSITIVE = (33, 102, 172), (244, 243, 240), (178, 24, 43)
STRANGE = "#b08cc8"  # neither a number nor zero

Array = NDArray[Any]


@dataclass(frozen=True)
class Blocks:
    """What is drawn: ``mask`` says where an entry can differ from zero, ``values`` what it is.

    ``letters`` name the four axes, empty for one that is not there; ``notes`` stand below.
    ``rows`` is what each row of the grid is called where it is not just numbered.
    """

    title: str
    mask: Array
    values: Array | None
    letters: tuple[str, str, str, str]
    notes: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()

    def row_name(self, row: int) -> str:
        return self.rows[row] if self.rows else f"{self.letters[0]} = {row + 1}"


def draw(blocks: Blocks) -> Scene:
    """The grid with its letters, a legend and the notes."""
    notes = list(blocks.notes)
    mask, values = blocks.mask, blocks.values
    side = MOST_SIDE
    shown = [min(n, MOST_BLOCKS) for n in mask.shape[:2]]
    while side > 8 and shown[0] * shown[1] * min(side, mask.shape[2]) * min(side, mask.shape[3]) > (
        MOST_CELLS
    ):
        side -= 4
    for axis in (0, 1):
        rest = mask.shape[axis] - shown[axis]
        if rest:
            notes.append(f"{rest} more blocks along {blocks.letters[axis]} are not shown")
    mask = mask[: shown[0], : shown[1]]
    values = None if values is None else values[: shown[0], : shown[1]]
    steps = [-(-n // side) for n in mask.shape[2:]]
    if max(steps) > 1:
        notes.append(f"each cell is the largest of {steps[0]}×{steps[1]} entries")
        mask = _pooled(mask, steps)
        values = None if values is None else _pooled(values, steps)
    return _page(replace(blocks, mask=mask, values=values, notes=tuple(notes)))


def _pooled(array: Array, steps: Sequence[int]) -> Array:
    """The entry of largest size in each patch of the last two axes."""
    for axis, step in ((2, steps[0]), (3, steps[1])):
        starts = range(0, array.shape[axis], step)
        parts = [np.take(array, range(s, min(s + step, array.shape[axis])), axis) for s in starts]
        best = [np.expand_dims(np.argmax(np.abs(part), axis=axis), axis) for part in parts]
        taken = [np.take_along_axis(p, b, axis) for p, b in zip(parts, best, strict=True)]
        array = np.concatenate(taken, axis=axis)
    return array


def _page(blocks: Blocks) -> Scene:
    rows, columns, high, wide = blocks.mask.shape
    outer_row, outer_column, inner_row, inner_column = blocks.letters
    left = 16.0 + (text_width(blocks.row_name(rows - 1)) + 10 if outer_row else 0)
    left += text_width(inner_row) + 22 if inner_row else 0
    gap = 14.0 if max(rows, columns) > 1 else 0.0
    wraps = not outer_row and columns > 1
    room = WIDTH - left - 16
    cell = _cell(blocks, room, gap, wraps=wraps)
    across = max(1, min(columns, int((room + gap) // (wide * cell + gap)))) if wraps else columns
    step_x = max(wide * cell + gap, text_width(f"{outer_column} = {columns}") + 8)
    above = (18.0 if inner_column else 0.0) + (18.0 if outer_column else 0.0)
    step_y = high * cell + (above + 8 if wraps else gap)
    scene = Scene(0, 0, blocks.title)
    scene.add(Label(16, 20, blocks.title, 14, "start", bold=True))
    top = 40 + above
    paint = _painter(blocks)
    hatch: list[tuple[float, float, float, float]] = []
    for row in range(rows):
        for column in range(columns):
            line, place = (column // across, column % across) if wraps else (row, column)
            x, y = left + place * step_x, top + line * step_y
            if outer_column and (wraps or row == 0):
                middle = x + wide * cell / 2
                text = f"{outer_column} = {column + 1}"
                scene.add(Label(middle, y - above + 8, text, 11, colour="muted"))
            if outer_row and column == 0:
                text = blocks.row_name(row)
                scene.add(Label(16, y + high * cell / 2, text, 11, "start", colour="muted"))
            _letters(scene, blocks, x, y, cell, first=row == 0 and column == 0)
            _cells(scene, blocks, (row, column), (x, y, cell), paint, hatch)
    scene.add(Strokes(tuple(hatch)))
    lines = -(-columns // across) if wraps else rows
    bottom = top + lines * step_y - (above + 8 if wraps else gap) + 16
    scene.width = max(left + across * step_x + 16 - gap, text_width(blocks.title, 14) * 1.1 + 32)
    _legend(scene, blocks, bottom)
    return scene


def _cell(blocks: Blocks, room: float, gap: float, *, wraps: bool) -> float:
    """The side of a cell: large while there are few, so that all fit the page."""
    rows, columns, high, wide = blocks.mask.shape
    count = rows * columns * high * wide
    largest = 44.0 if blocks.values is not None and count <= NUMBERED else 26.0
    beside = min(columns, 4) if wraps else columns
    fits = (room - gap * beside) / (beside * wide)
    tall = 900.0 / float(high * rows)
    return float(max(3.0, min(largest, fits, tall)))


def _letters(scene: Scene, blocks: Blocks, x: float, y: float, cell: float, *, first: bool) -> None:
    """The letters of the axes inside a block, at the first one."""
    _, _, inner_row, inner_column = blocks.letters
    _, _, high, wide = blocks.mask.shape
    if first and inner_row:
        scene.add(Label(x - 8, y + high * cell / 2, f"{inner_row} ↓", 12, "end"))
    if first and inner_column:
        scene.add(Label(x + wide * cell / 2, y - 10, f"{inner_column} →", 12))


def _cells(
    scene: Scene,
    blocks: Blocks,
    block: tuple[int, int],
    place: tuple[float, float, float],
    paint: Callable[[float], tuple[str, str]],
    hatch: list[tuple[float, float, float, float]],
) -> None:
    x, y, cell = place
    mask = blocks.mask[block]
    high, wide = mask.shape
    edge = "faint" if cell >= 9 else "none"
    written = blocks.values is not None and blocks.mask.size <= NUMBERED and cell >= 30
    for (r, c), can in np.ndenumerate(mask):
        left, top = x + c * cell, y + r * cell
        if not can:
            hatch += _hatch(left, top, cell)
            continue
        if blocks.values is None:
            scene.add(Rect(left, top, cell, cell, CAN, edge, 0.5))
            continue
        value = float(blocks.values[block][r, c])
        fill, text = paint(value)
        scene.add(
            Rect(left, top, cell, cell, fill, edge, 0.5, told=_index(blocks, block, r, c, value))
        )
        if written:
            scene.add(Label(left + cell / 2, top + cell / 2, short(value), 11, colour=text))
    scene.add(Rect(x, y, wide * cell, high * cell, "none", "faint", 1.0))


def _hatch(x: float, y: float, side: float) -> list[tuple[float, float, float, float]]:
    """Diagonal strokes that go on from one cell to the next."""
    strokes = [(x, y + side, x + side, y)]
    if side >= 9:
        half = side / 2
        strokes += [(x, y + half, x + half, y), (x + half, y + side, x + side, y + half)]
    return strokes


def _index(blocks: Blocks, block: tuple[int, int], r: int, c: int, value: float) -> str:
    """The entry in words, for the pointer over it; nothing in a large picture."""
    if blocks.mask.size > 4 * NUMBERED:
        return ""
    places = zip(blocks.letters, (*block, r, c), strict=True)
    return ", ".join(f"{x} = {k + 1}" for x, k in places if x) + f": {value:.6g}"


def short(value: float) -> str:
    """A number in at most five characters or so.

    >>> short(0.123456), short(-12.34), short(1234567.0), short(0.0), short(-0.00123)
    ('0.12', '−12', '1e6', '0', '−1e-3')
    """
    size = abs(value)
    if size == 0 or not np.isfinite(value):
        return "0" if size == 0 else str(value)
    text = f"{value:.2f}" if 0.01 <= size < 10 else f"{value:.0f}"
    if not 0.01 <= size < 1000:
        text = f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    return text.replace("-", "−", 1) if value < 0 else text


def _painter(blocks: Blocks) -> Callable[[float], tuple[str, str]]:
    """The colour of a number, and of the text on it."""
    top = _largest(blocks.values) or 1.0

    def paint(value: float) -> tuple[str, str]:
        if not np.isfinite(value):
            return STRANGE, "#000000"
        share = abs(value) / top
        end = POSITIVE if value > 0 else NEGATIVE
        mixed = [round(a + (b - a) * share) for a, b in zip(ZERO, end, strict=True)]
        return "#{:02x}{:02x}{:02x}".format(*mixed), "#ffffff" if share > 0.55 else "#1b1e23"

    return paint


def _largest(values: Array | None) -> float:
    """The size of the largest finite number."""
    finite = np.abs(values[np.isfinite(values)]) if values is not None else np.zeros(0)
    return float(finite.max()) if finite.size else 0.0


def _legend(scene: Scene, blocks: Blocks, y: float) -> None:
    """What the colours mean, and the notes."""
    x = 16.0
    middle = y + 8
    if blocks.values is None:
        x = _key(scene, x, y, "can differ from zero", CAN)
    else:
        paint = _painter(blocks)
        top = _largest(blocks.values)
        low, high = ("−" + short(top), short(top))
        scene.add(Label(x, middle, low, 11, "start"))
        x += text_width(low, 11) + 6
        for k in range(9):
            scene.add(Rect(x, y, 14, 16, paint((k - 4) / 4 * (top or 1.0))[0]))
            x += 14
        scene.add(Label(x + 6, middle, high, 11, "start"))
        x += text_width(high, 11) + 24
        if not np.isfinite(blocks.values).all():
            x = _key(scene, x, y, "no finite number", STRANGE)
    if not blocks.mask.all():
        width = 24 + text_width("zero, whatever the numbers are", 11)
        if x + width > WIDTH:
            x, y = 16.0, y + 24
        x = _key(scene, x, y, "zero, whatever the numbers are", "")
    scene.width = max(scene.width, x)
    for note in blocks.notes:
        y += 22
        scene.add(Label(16, y + 8, note, 11, "start", colour="muted"))
        scene.width = max(scene.width, text_width(note, 11) + 32)
    scene.height = y + 30


def _key(scene: Scene, x: float, y: float, text: str, fill: str) -> float:
    scene.add(Rect(x, y, 16, 16, fill or "none", "faint"))
    if not fill:
        scene.add(Strokes(tuple(_hatch(x, y, 16))))
    scene.add(Label(x + 24, y + 8, text, 11, "start"))
    return x + 24 + text_width(text, 11) + 18
