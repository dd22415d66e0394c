"""Products over several axes as products of matrices whose rows and columns are several axes each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from pullback.compilation.ir import Instruction, Register
from pullback.expressions.sizes import Shape, Size


def as_matrices(i: Instruction) -> bool:
    """Whether the axes that a tensordot sums are, in one order, the first or the last of each."""
    first, second = i.detail
    for axes, view in zip(i.detail, i.operands, strict=True):
        ends = (tuple(range(len(axes))), tuple(range(len(view.axes) - len(axes), len(view.axes))))
        if tuple(axes) not in ends:
            return False
    return len(first) == len(second)


def sizes_of_matrices(i: Instruction) -> Shape:
    """The sizes that the text of such a product names."""
    shapes = [v.source.shape for v in i.operands if isinstance(v.source, Register)]
    return (*shapes[0], *shapes[1], *i.result.shape)


def matrix_product(
    i: Instruction, operands: Sequence[str], spell: Callable[[Shape], str]
) -> tuple[str, bool]:
    """``(a.reshape(…) @ b.reshape(…)).reshape(…)``, and whether that last step is there.

    ``operands`` are texts that a method can be called on.
    """
    sides = []
    for side, (text, view, axes) in enumerate(zip(operands, i.operands, i.detail, strict=True)):
        source = view.source
        assert isinstance(source, Register)
        shape = tuple([source.shape[a] for a in view.axes if a is not None])
        first = tuple(axes) == tuple(range(len(axes)))
        cut = len(axes) if first else len(shape) - len(axes)
        rows, columns = _volume(shape[:cut]), _volume(shape[cut:])
        matrix = (
            text if len(shape) == 2 and cut == 1 else f"{text}.reshape({spell((rows, columns))})"
        )
        sides.append(f"{matrix}.T" if first != (side == 1) else matrix)
    product = f"{sides[0]} @ {sides[1]}"
    free = [len(v.axes) - len(a) for v, a in zip(i.operands, i.detail, strict=True)]
    if free == [1, 1]:
        return product, False
    return f"({product}).reshape({spell(i.result.shape)})", True


def _volume(shape: Shape) -> Size:
    return reduce(lambda one, other: one * other, shape, Size.of(1))
