"""Rules of NumPy's subscripts, reshapes and blocks, whose sizes follow from what they state.

Places are those of :mod:`~pullback.language.slicing`, which count from 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from pullback.errors import PullbackError
from pullback.expressions import Node, Shape, Size
from pullback.language import kinds as k
from pullback.language.kinds import Axis, Extent, Kind, Refusal, Rule, Verdict, length
from pullback.language.labelling import labelled
from pullback.language.numpy_rules import solve
from pullback.language.parentheses import END
from pullback.language.slicing import Taken, entries_of
from pullback.language.subscripts import new_axis
from pullback.language.syntax import Static, Syntax

ONE, LAST = Size.of(1), Size.of(END)


def taken(key: Sequence[Any], order: int) -> list[Taken | None] | Refusal:
    """What a subscript takes on each axis; None for a new axis."""
    used = sum(part is not None and part is not Ellipsis for part in key)
    if used > order or list(key).count(Ellipsis) > 1:
        return Refusal(f"{used} subscripts for {order} axes")
    rest = [slice(None)] * (order - used)
    at = key.index(Ellipsis) if Ellipsis in key else len(key)
    full = [*key[:at], *rest, *key[at + 1 :]]
    lists = sum(isinstance(part, list) for part in full)
    if lists and (lists > 1 or any(isinstance(part, int | Size) for part in full)):
        return Refusal("lists in a subscript are paired by NumPy", "take one axis after the other")
    return [None if part is None else _taken(part) for part in full]


def _taken(part: Any) -> Taken:
    if isinstance(part, list):
        return Taken(several=tuple(map(_place, part)))
    if not isinstance(part, slice):
        return Taken(_place(part))
    step = 1 if part.step is None else part.step
    if not isinstance(step, int) or not step:
        raise PullbackError("a step is a whole number that is not 0")
    if (part.start, part.stop, step) == (None, None, 1):
        return Taken()
    if step > 0:
        first = ONE if part.start is None else _place(part.start)
        last = LAST if part.stop is None else _place(part.stop) - 1
    else:
        first = LAST if part.start is None else _place(part.start)
        last = ONE if part.stop is None else _place(part.stop) + 1
    return Taken(first, last, step)


def _place(place: Any) -> Size:
    """A place as it counts from 1; a negative one counts from the end."""
    if isinstance(place, bool) or not isinstance(place, int | Size):
        raise PullbackError(f"{place!r} is no place: whole numbers and sizes are")
    size = place if isinstance(place, Size) else Size.of(place)
    return size + 1 + (LAST if (-size).at_least(1) else 0)


def subscript_rule(key: Sequence[Any], kinds: tuple[Kind, ...]) -> Verdict:
    """The rule of a subscript, which also makes the node."""
    full = taken(key, k.order_of(kinds[0]))
    if isinstance(full, Refusal):
        return full
    axes: list[Axis | Extent] = []
    axis = 0
    for one in full:
        if one is None:
            axes.append(Extent(ONE))
            continue
        if not one.single:
            axes.append(one.extent((0, axis)))
        axis += 1

    def build(nodes: Sequence[Node], _shape: Shape) -> Node:
        (node,) = nodes
        axis = node.order
        for one in reversed(full):
            axis -= one is not None
            node = new_axis(node, axis) if one is None else one.of(node, axis)
        return node

    return Rule(k.kind_of_order(len(axes)), tuple(axes), build=build)


def reshape_rule(sizes: Sequence[Any], kinds: tuple[Kind, ...]) -> Verdict:
    """The rule of a reshape to stated sizes, of which one may be −1."""
    known = ONE
    for size in sizes:
        known = known * (1 if size == -1 else size)
    total = entries_of(kinds[0])
    if list(sizes).count(-1) > 1 or known == Size.of(0):
        return Refusal("one size of a shape can be -1, and none 0")
    rest = Extent(total, by=known)
    axes = tuple([rest if size == -1 else Extent(Size.of(size)) for size in sizes])
    equal = () if -1 in sizes else ((Extent(total), Extent(known)),)
    return Rule(k.kind_of_order(len(axes)), axes, equal)


def squeeze_rule(axis: Any, kinds: tuple[Kind, ...]) -> Verdict:
    order = k.order_of(kinds[0])
    if axis is None:
        return Refusal("squeeze drops axes by their sizes", "say which: np.squeeze(x, axis=0)")
    gone = {a % order for a in (axis if isinstance(axis, tuple) else (axis,))} if order else set()
    axes = tuple([(0, a) for a in range(order) if a not in gone])
    equal = tuple([((0, a), Extent(ONE)) for a in sorted(gone)])
    return Rule(k.kind_of_order(len(axes)), axes, equal)


def block_rule(places: Sequence[Sequence[int]], kinds: tuple[Kind, ...]) -> Verdict:
    """Blocks in rows; a vector is a row of one, a scalar one entry."""
    if max(kinds) > k.MATRIX:
        return Refusal("np.block of tensors", "write np.concatenate")
    tall = [length(i, 0) if kind == k.MATRIX else ONE for i, kind in enumerate(kinds)]
    wide = [length(i, k.order_of(x) - 1) if k.order_of(x) else ONE for i, x in enumerate(kinds)]
    rows = [Extent(sum((wide[i] for i in row), Size.of(0))) for row in places]
    equal = [(Extent(tall[row[0]]), Extent(tall[i])) for row in places for i in row[1:]]
    equal += [(rows[0], row) for row in rows[1:]]
    height = Extent(sum((tall[row[0]] for row in places), Size.of(0)))
    return Rule(k.MATRIX, (height, rows[0]), tuple(equal))


def _cross(kinds: tuple[Kind, ...]) -> Verdict:
    if [k.order_of(kind) for kind in kinds] != [1, 1]:
        return Refusal("cross takes two vectors")
    three = Extent(Size.of(3))
    return Rule(k.COLUMN, (three,), (((0, 0), three), ((1, 0), three)))


def _tensordot(axes: Any, kinds: tuple[Kind, ...]) -> Verdict:
    """A letter for each axis; those that are summed over have the same in both."""
    left, right = map(k.order_of, kinds)
    if isinstance(axes, int):
        pairs = list(zip(range(left - axes, left), range(axes), strict=True))
    else:
        first, second = ((a,) if isinstance(a, int) else a for a in axes)
        pairs = list(zip([a % left for a in first], [a % right for a in second], strict=True))
    if not all(0 <= a < left and 0 <= b < right for a, b in pairs):
        return Refusal(
            f"there are no such axes in {k.kind_text(kinds[0])} and {k.kind_text(kinds[1])}"
        )
    letters = "abcdefghijklm"[:left]
    others = {b: letters[a] for a, b in pairs}
    second_letters = "".join(others.get(b, "nopqrstuvwxyz"[b]) for b in range(right))
    output = "".join(c for c in letters + second_letters if c not in others.values())
    return labelled((letters, second_letters), output, kinds, "tensordot")


def _singular_values(kinds: tuple[Kind, ...]) -> Verdict:
    if kinds[0] != k.MATRIX:
        return Refusal(f"singular values are those of a matrix, not of {k.kind_text(kinds[0])}")
    return Rule(k.COLUMN, (k.smaller(((0, 0), (0, 1))),))


def rule_of(
    key: str, statics: Sequence[Any], options: Mapping[str, Any], nested: Syntax | None
) -> Callable[[tuple[Kind, ...]], Verdict] | None:
    """The rule of a function whose sizes do not follow from trying it, or None."""
    stated = dict(options) | dict(zip(_FIRST.get(key, ()), statics, strict=False))
    if key == "reshape":
        sizes = stated.get("shape", ())
        return partial(reshape_rule, sizes if isinstance(sizes, tuple) else (sizes,))
    if key == "squeeze":
        return partial(squeeze_rule, stated.get("axis"))
    if key == "tensordot":
        return partial(_tensordot, stated.get("axes", 2))
    if key in ("cross", "linalg.cross"):
        return _cross
    if key == "linalg.svd" and stated.get("compute_uv") is False:
        return _singular_values
    if key in ("solve_triangular", "linalg.solve_triangular"):
        return solve
    if key == "block" and isinstance(nested, Static) and all(map(_is_list, nested.value)):
        count = 0
        rows: list[tuple[int, ...]] = []
        for row in nested.value:
            rows.append(tuple(range(count, count + len(row.value))))
            count += len(row.value)
        return partial(block_rule, tuple(rows))
    return None


_FIRST = {"reshape": ("shape",), "squeeze": ("axis",), "tensordot": ("axes",)}


def _is_list(item: Syntax) -> bool:
    return isinstance(item, Static) and isinstance(item.value, list)
