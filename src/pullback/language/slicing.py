"""Entries of a value at places counted from 1: ``x(2:n)``, ``x(end)``, ``A(:, 1)``.

A place alone takes its axis away; a range keeps it. A slice of a matrix that leaves one axis is
a column or a row, as it stands in the matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pullback.errors import Place, PullbackError
from pullback.expressions import Node, Shape, Size, placement
from pullback.language import kinds as k
from pullback.language.callee import Callee
from pullback.language.extents import number_of
from pullback.language.kinds import Axis, Extent, Kind, Refusal, Rule, Verdict, length
from pullback.language.parentheses import END
from pullback.language.syntax import Block, Index, Range, Syntax, parts_of

ONE = Size.of(1)


@dataclass(frozen=True, slots=True)
class Taken:
    """Places on one axis, from 1 on, in polynomials that may hold the ``end`` of that axis.

    ``last`` is None for a single place, which takes the axis away. ``several`` are places one by
    one. All are None for the whole axis.
    """

    first: Size | None = None
    last: Size | None = None
    step: int = 1
    several: tuple[Size, ...] | None = None

    @property
    def single(self) -> bool:
        return self.first is not None and self.last is None

    def at(self, size: Size) -> Taken:
        """With the size of the axis in place of its end."""

        def put(place: Size | None) -> Size | None:
            return None if place is None else place.put({END: size})

        several = self.several and tuple([place.put({END: size}) for place in self.several])
        return Taken(put(self.first), put(self.last), self.step, several)

    def extent(self, axis: Axis) -> Axis | Extent:
        """The size of the axis that is left."""
        if self.several is not None:
            return Extent(Size.of(len(self.several)))
        here = self.at(length(*axis))
        if here.first is None or here.last is None:
            return axis
        span = here.last - here.first if self.step > 0 else here.first - here.last
        return Extent(span + 1) if abs(self.step) == 1 else Extent(span, abs(self.step))

    def of(self, node: Node, axis: int) -> Node:
        """These entries along an axis of a node."""
        here = self.at(node.shape[axis])
        if here.several is not None:
            single = [Taken(place, place) for place in here.several]
            return placement.concatenate([one.of(node, axis) for one in single], axis)
        if here.first is None:
            return node
        if here.last is None:
            return placement.take(node, axis, here.first - 1)
        count = self.extent((0, axis))
        assert isinstance(count, Extent)
        found = count.value({f"0.{axis}": node.shape[axis]})
        assert found is not None
        return placement.take(node, axis, here.first - 1, found, self.step)


_ACROSS = (Taken(), Taken(ONE))  # what may stand for the axis that a vector lacks


def indexed(item: Index, text: str) -> Callee:
    """The meaning of places behind a value."""
    taken = [_taken(place, text) for place in item.places]
    return Callee((item.operand,), lambda kinds: rule_of(taken, kinds[0]), orders=(len(taken),))


def _taken(item: Syntax, text: str) -> Taken:
    if isinstance(item, Block):
        return Taken(several=tuple([number_of(part, text) for part in parts_of(item)]))
    if not isinstance(item, Range):
        return Taken(number_of(item, text))
    if item.first is None or item.last is None:
        return Taken()
    step = 1
    if item.step is not None:
        stated = number_of(item.step, text).constant
        if not stated:
            at = Place(text, item.step.start, item.step.stop)
            raise PullbackError("a step is a whole number that is not 0", at)
        step = stated
    first, last = number_of(item.first, text), number_of(item.last, text)
    return Taken(first) if first == last else Taken(first, last, step)


def rule_of(taken: Sequence[Taken], kind: Kind) -> Verdict:
    """What places make of a value of a kind."""
    order = k.order_of(kind)
    if not order:
        return Refusal(f"{k.kind_text(kind)} has no entries")
    if len(taken) == 1 and order > 1:
        if taken[0] == Taken():
            size = Extent(entries_of(kind), cut=tuple(reversed(k.axes_of(0, kind))))
            return Rule(k.COLUMN, (size,), build=lambda nodes, shape: placement.vec(nodes[0]))
        hint = "write A(i, j), A(:, j) or A(i, :); A(:) is the column of all entries"
        return Refusal(f"one place for {k.kind_text(kind)}", hint)
    axes = _axes(taken, kind)
    if isinstance(axes, Refusal):
        return axes
    left = [(axis, one) for axis, one in axes if not one.single]
    made = kind if len(left) == order else k.kind_of_order(len(left))
    if kind == k.MATRIX and len(left) == 1:
        made = k.ROW if left[0][0] == (0, 1) else k.COLUMN
    if kind == k.ROW and taken == [Taken()]:
        made = k.COLUMN

    def build(nodes: Sequence[Node], _shape: Shape) -> Node:
        (node,) = nodes
        for (_, axis), one in reversed(axes):
            node = one.of(node, axis)
        return node

    sizes = tuple([one.extent(axis) for axis, one in left])
    return Rule(made, sizes, build=build)


def entries_of(kind: Kind) -> Size:
    total = ONE
    for axis in k.axes_of(0, kind):
        total = total * length(*axis)
    return total


def _axes(taken: Sequence[Taken], kind: Kind) -> list[tuple[Axis, Taken]] | Refusal:
    """Each axis of the value with the places that are taken on it."""
    order = k.order_of(kind)
    if len(taken) == order:
        return list(zip(k.axes_of(0, kind), taken, strict=True))
    if order == 1 and len(taken) == 2:  # a column is a matrix with one column
        along, across = taken if kind == k.COLUMN else reversed(taken)
        if across in _ACROSS:
            return [((0, 0), along)]
        what = "column" if kind == k.COLUMN else "row"
        return Refusal(f"a {what} has one {what}")
    return Refusal(f"{len(taken)} places for {k.kind_text(kind)}")
