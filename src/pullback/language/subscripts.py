"""NumPy's subscripts on nodes: ``x[1:]``, ``A[:, 0]``, ``T[..., None]``, counted from 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.errors import PullbackError
from pullback.expressions import Node, Size, placement
from pullback.language.broadcasting import shape_as_tuple


def subscripted(node: Node, key: Any) -> Node:
    """``node[key]``: whole numbers, slices, None, ``...`` and one list of whole numbers.

    Numbers may be sizes, such as the ``n - 1`` of ``x[n - 1]``; a negative number counts from
    the end. Raises PullbackError for entries that are not there, and for what picks entries by
    their values.
    """
    parts = _expanded(key if isinstance(key, tuple) else (key,), node)
    if sum(isinstance(part, list) for part in parts) > 1 or (
        any(isinstance(part, list) for part in parts) and any(map(_is_place, parts))
    ):
        raise PullbackError(
            "lists in a subscript are paired by NumPy", None, "take one axis after the other"
        )
    axis = node.order
    for part in reversed(parts):  # from the last axis on, so that the others keep their place
        if part is None:
            node = new_axis(node, axis)
            continue
        axis -= 1
        node = _along(node, axis, part)
    return node


def new_axis(node: Node, axis: int) -> Node:
    """The node with an axis of size 1 before this one."""
    return placement.inserted(node, axis, 0, 1)


def _expanded(parts: Sequence[Any], node: Node) -> list[Any]:
    """The subscripts, one for each axis, with ``...`` written out."""
    known: list[Any] = [_known(part, node) for part in parts]
    used = sum(part is not None and part is not Ellipsis for part in known)
    if sum(part is Ellipsis for part in known) > 1:
        raise PullbackError("... stands once in a subscript")
    if used > node.order:
        raise PullbackError(f"{used} subscripts for a symbol of shape {shape_as_tuple(node.shape)}")
    rest = [slice(None)] * (node.order - used)
    if Ellipsis in known:
        at = known.index(Ellipsis)
        return [*known[:at], *rest, *known[at + 1 :]]
    return [*known, *rest]


def _known(part: Any, node: Node) -> Any:
    """A subscript as None, ``...``, a slice, a place, or a list of places."""
    if part is None or part is Ellipsis or isinstance(part, slice | Size):
        return part
    if isinstance(part, bool | np.bool_) or (isinstance(part, np.ndarray) and part.dtype == bool):
        raise PullbackError("a mask picks entries by truth values", None, "multiply by 0s and 1s")
    if isinstance(part, Node):
        raise PullbackError(
            "a symbol is no subscript: which entries there are must not depend on values",
            None,
            "pb.where(condition, a, b) chooses entry by entry",
        )
    if isinstance(part, int | np.integer):
        return Size.of(int(part))
    if isinstance(part, list | np.ndarray | range):
        items = list(part)
        if items and all(isinstance(item, int | np.integer | Size) for item in items):
            return [item if isinstance(item, Size) else Size.of(int(item)) for item in items]
    raise PullbackError(
        f"{part!r} is no subscript of a symbol of shape {shape_as_tuple(node.shape)}"
    )


def _is_place(part: Any) -> bool:
    return isinstance(part, Size)


def _along(node: Node, axis: int, part: Any) -> Node:
    if isinstance(part, Size):
        return placement.take(node, axis, _place(part, node.shape[axis]))
    if isinstance(part, list):
        size = node.shape[axis]
        singles = [placement.take(node, axis, _place(item, size), 1) for item in part]
        return placement.concatenate(singles, axis)
    return _slice(node, axis, part)


def _place(place: Size, size: Size) -> Size:
    """A place counted from the start of an axis; PullbackError where it is surely not on it."""
    found = place + size if (-place).at_least(1) else place
    if (-1 - found).at_least(0) or (found - size).at_least(0):
        raise PullbackError(f"there is no entry [{place}] on an axis of size {size}")
    return found


def _slice(node: Node, axis: int, part: slice) -> Node:
    size = node.shape[axis]
    step = 1 if part.step is None else part.step
    if not isinstance(step, int | np.integer) or step == 0:
        raise PullbackError(f"a step is a whole number that is not 0, not {step!r}")
    step = int(step)
    start, stop = (_bound(bound, size) for bound in (part.start, part.stop))
    if size.constant is not None and all(
        bound is None or bound.constant is not None for bound in (start, stop)
    ):  # as NumPy cuts off what lies beyond the ends
        ends = [None if bound is None else bound.constant for bound in (start, stop)]
        whole = slice(ends[0], ends[1], step)
        low, high, _ = whole.indices(size.constant)
        first, count = Size.of(low), Size.of(len(range(low, high, step)))
    else:
        first = start if start is not None else Size.of(0) if step > 0 else size - 1
        last = stop if stop is not None else size if step > 0 else Size.of(-1)
        found = ((last - first - 1) if step > 0 else (first - last - 1)).floor(abs(step))
        if found is None:
            hint = "declare a size that can be divided so, as pb.vector('x', 2*k)"
            raise PullbackError(f"the length of this slice of {size} cannot be told", None, hint)
        count = found + 1
    if count.constant is not None and count.constant < 1:
        raise PullbackError(f"this slice of an axis of size {size} holds no entries")
    if first == Size.of(0) and count == size and step == 1:
        return node
    return placement.take(node, axis, first, count, step)


def _bound(bound: Any, size: Size) -> Size | None:
    if bound is None:
        return None
    if isinstance(bound, bool) or not isinstance(bound, int | np.integer | Size):
        raise PullbackError(f"{bound!r} is no end of a slice: whole numbers and sizes are")
    place = bound if isinstance(bound, Size) else Size.of(int(bound))
    if (-place).at_least(1) and size.constant is None:
        return place + size
    return place
