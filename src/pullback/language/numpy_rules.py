"""What operations of NumPy make of operands of certain kinds: axes aligned at the right.

Kinds are orders here: a vector has one axis and is neither a column nor a row.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from pullback.expressions import Size
from pullback.language import kinds as k
from pullback.language.kinds import Axis, Extent, Kind, Refusal, Rule, Verdict, length
from pullback.language.labelling import labelled


def kind_text(kind: Kind) -> str:
    return "a vector" if k.order_of(kind) == 1 else k.kind_text(kind)


@cache
def broadcast(kinds: tuple[Kind, ...], free: int = 99) -> Verdict:
    """Entry by entry; missing axes in front, and axes of size 1, are repeated."""
    order = max(map(k.order_of, kinds))
    if not order:
        return Rule(k.scalar_kind(kinds))
    axes: list[Axis] = []
    equal: list[tuple[Axis, Axis]] = []
    for place in range(order):
        at = [(i, place - order + k.order_of(kind)) for i, kind in enumerate(kinds)]
        there = [axis for axis in at if axis[1] >= 0]
        axes.append(there[0])
        equal += [(there[0], other) for other in there[1:]]
    repeated = [i for i, kind in enumerate(kinds) if k.order_of(kind) < order and kind != k.NUMBER]
    count = sum(i < free for i in repeated)
    return Rule(k.kind_of_order(order), tuple(axes), tuple(equal), count, stretch=True)


@cache
def matmul(kinds: tuple[Kind, ...], name: str = "@") -> Verdict:
    """The last axis with the last but one; axes before these are a batch."""
    left, right = map(k.order_of, kinds)
    if not left or not right:
        if name == "dot":
            return broadcast(kinds)
        return Refusal(f"{name} multiplies vectors and matrices, not a scalar", "write *")
    if left <= 2 and right <= 2:
        inputs = ("ij"[2 - left :], "jk"[:right])
        return labelled(inputs, "i"[2 - left :] + "k"[: right - 1], kinds, name)
    batch = max(left, right) - 2
    letters = "abcdefgh"[:batch]
    first = letters[batch - max(0, left - 2) :] + ("ij" if left > 1 else "j")
    second = letters[batch - max(0, right - 2) :] + ("jk" if right > 1 else "j")
    output = letters + ("i" if left > 1 else "") + ("k" if right > 1 else "")
    return labelled((first, second), output, kinds, name)


def _inner(kinds: tuple[Kind, ...]) -> Verdict:
    left, right = map(k.order_of, kinds)
    if not left or not right:
        return broadcast(kinds)
    rows, columns = "abcd"[: left - 1], "efgh"[: right - 1]
    return labelled((rows + "i", columns + "i"), rows + columns, kinds, "inner")


def solve(kinds: tuple[Kind, ...]) -> Verdict:
    right = "ij"[: k.order_of(kinds[1])] or "i"
    return labelled(("ii", right), right, kinds, "solve")


def _outer(kinds: tuple[Kind, ...]) -> Verdict:
    """Of two vectors; of more axes, entry by entry in order."""
    axes: list[Axis | Extent] = []
    for i, kind in enumerate(kinds):
        if not k.order_of(kind):
            return Refusal("outer takes two vectors, not a scalar", "write *")
        size = Size.of(1)
        for axis in k.axes_of(i, kind):
            size = size * length(*axis)
        axes.append(Extent(size))
    return Rule(k.MATRIX, tuple(axes))


def _vdot(kinds: tuple[Kind, ...]) -> Verdict:
    letters = "abcdefgh"[: k.order_of(kinds[0])]
    return labelled((letters, letters), "", kinds, "vdot")


BINARY: dict[str, Callable[[tuple[Kind, ...]], Verdict]] = {
    "matmul": lambda kinds: matmul(kinds, "matmul"),
    "linalg.matmul": lambda kinds: matmul(kinds, "matmul"),
    "dot": lambda kinds: matmul(kinds, "dot"),
    "outer": _outer,
    "linalg.outer": _outer,
    "vdot": _vdot,
    "inner": _inner,
    "linalg.solve": solve,
}


def transpose(kinds: tuple[Kind, ...]) -> Verdict:
    order = k.order_of(kinds[0])
    return Rule(kinds[0], tuple((0, axis) for axis in reversed(range(order))))
