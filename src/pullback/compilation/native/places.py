"""Where values lie: in arguments, in parts of the workspace, or in views of either."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pullback.compilation.ir import Stretch
from pullback.expressions.sizes import Shape, Size

ALIGNMENT = 64  # bytes, a cache line


@dataclass(frozen=True, slots=True)
class Place:
    """An array in memory: the name of a pointer, where it starts, a stride for each axis."""

    name: str
    shape: Shape
    strides: Shape
    start: Size
    contiguous: bool = True

    def sliced(self, stretches: Mapping[int, Stretch]) -> Place:
        start, kept = self.start, []
        for axis, (length, stride) in enumerate(zip(self.shape, self.strides, strict=True)):
            stretch = stretches.get(axis)
            if stretch is None:
                kept.append((length, stride))
                continue
            start = start + stretch.start * stride
            if stretch.count is not None:
                kept.append((stretch.count, stretch.step * stride))
        shape = tuple([length for length, _ in kept])
        return Place(self.name, shape, tuple([stride for _, stride in kept]), start, False)

    def reshaped(self, shape: Shape) -> Place:
        return replace(self, shape=shape, strides=row_major(shape))


def at(name: str, shape: Shape) -> Place:
    """A whole array, row by row."""
    return Place(name, shape, row_major(shape), Size.of(0))


def row_major(shape: Sequence[Size]) -> Shape:
    strides = [Size.of(1)]
    for length in reversed(shape[1:]):
        strides.append(strides[-1] * length)
    return tuple(reversed(strides[: len(shape)]))


def volume(shape: Sequence[Size]) -> Size:
    total = Size.of(1)
    for length in shape:
        total = total * length
    return total


@dataclass(frozen=True, slots=True)
class Space:
    """A part of the workspace: so many entries of a type, needed from one item to another."""

    name: str
    type: str  # real, bool or blas_int
    count: Size
    first: int
    last: int


def arranged(
    spaces: Sequence[Space], sizes: Mapping[str, int], widths: Mapping[str, int]
) -> tuple[list[int], int]:
    """The offset of each space in bytes, and the bytes of all: what is never needed together overlaps.

    >>> n = Size.of("n")
    >>> a, b, c = Space("a", "real", n, 0, 1), Space("b", "real", n, 1, 2), Space("c", "real", n, 2, 3)
    >>> arranged([a, b, c], {"n": 8}, {"real": 8})
    ([0, 64, 0], 128)
    """
    alive: list[tuple[int, int, Space]] = []  # by where they start
    offsets: list[int] = []
    length = 0
    for space in spaces:  # which are in the order of the items that need them first
        alive = [entry for entry in alive if entry[2].last >= space.first]
        width = max(space.count.evaluate(sizes), 1) * widths[space.type]
        width = -(-width // ALIGNMENT) * ALIGNMENT
        offset = 0
        for start, end, _ in alive:
            if offset < end and start < offset + width:
                offset = end
        offsets.append(offset)
        insort(alive, (offset, offset + width, space), key=lambda entry: entry[0])
        length = max(length, offset + width)
    return offsets, length
