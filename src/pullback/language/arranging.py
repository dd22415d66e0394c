"""Functions that arrange entries: vec, reshape, kron, triangles, differences, convolution, …

MATLAB's meaning, axes counted from 1 and columns first; a column or row is a matrix with one
column or row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from pullback.errors import Place, PullbackError
from pullback.expressions import Node, Shape, Size, placement
from pullback.expressions import constructors as make
from pullback.language import kinds as k
from pullback.language.callee import Callee
from pullback.language.extents import number_of, size_of
from pullback.language.kinds import Axis, Extent, Kind, Refusal, Rule, Verdict, length
from pullback.language.probing import probed
from pullback.language.slicing import entries_of
from pullback.language.syntax import Block, Call, Static, Syntax, parts_of

Resolver = Callable[[Call, Place], Callee]


def whole(item: Syntax, place: Place, what: str) -> int:
    """An argument that states a whole number."""
    value = number_of(item, place.text).constant
    if value is None:
        raise PullbackError(f"{what} is a whole number", Place(place.text, item.start, item.stop))
    return value


# vec and its kin


def _vec(call: Call, _place: Place) -> Callee:
    def rule(kinds: tuple[Kind, ...]) -> Verdict:
        if not k.order_of(kinds[0]):
            return Refusal(f"vec takes a matrix, not {k.kind_text(kinds[0])}")
        if k.order_of(kinds[0]) == 1:
            return Rule(k.COLUMN, k.axes_of(0, kinds[0]))
        slowest_first = tuple(reversed(k.axes_of(0, kinds[0])))
        return Rule(k.COLUMN, (Extent(entries_of(kinds[0]), cut=slowest_first),))

    return Callee(
        tuple(call.arguments),
        rule,
        lambda n, shape: placement.vec(n[0]) if n[0].order > 1 else n[0],
    )


def _reshape(call: Call, place: Place) -> Callee:
    """``reshape(X, m, n)``: the entries column by column under other axes; one size may be ``[]``."""
    value, *stated = call.arguments
    if len(stated) == 1 and isinstance(stated[0], Block):
        stated = parts_of(stated[0])
    sizes = [None if isinstance(s, Static) else size_of(s, place.text) for s in stated]
    if len(sizes) < 2 or sizes.count(None) > 1:
        hint = "as in reshape(x, m, n), or reshape(x, [], n)"
        raise PullbackError(f"{call.function} takes a value and the new sizes", place, hint)
    known = Size.of(1)
    for size in sizes:
        known = known * (1 if size is None else size)

    def rule(kinds: tuple[Kind, ...]) -> Verdict:
        if not k.order_of(kinds[0]):
            return Refusal(f"{k.kind_text(kinds[0])} has one entry only")
        total = entries_of(kinds[0])
        rest = Extent(total, by=known)
        shape = [Extent(size) if size is not None else rest for size in sizes]
        equal = () if None in sizes else ((Extent(total), Extent(known)),)
        kind, kept = k.shape_of_sizes([Size.of(2) if s is None else s for s in sizes])
        if len(kept) < len(sizes):
            shape = [extent for extent in shape if extent.size.constant != 1]
        return Rule(kind, tuple(shape), equal)

    def build(nodes: Sequence[Node], shape: Shape) -> Node:
        column = placement.vec(nodes[0]) if nodes[0].order > 1 else nodes[0]
        if len(shape) == 1:
            return column
        return placement.split(column, 0, shape, first_fastest=True)

    return Callee((value,), rule, build)


# products


def _kron(call: Call, _place: Place) -> Callee:
    """The Kronecker product; of more than two from the left."""
    first, *rest = call.arguments
    if len(rest) > 1:
        inner = Call(first.start, rest[-2].stop, call.function, [first, *rest[:-1]])
        return Callee((inner, rest[-1]), lambda kinds: _kron_rule(*kinds))
    return Callee(tuple(call.arguments), lambda kinds: _kron_rule(*kinds))


@cache
def _kron_rule(left: Kind, right: Kind) -> Verdict:
    if not k.order_of(left) or not k.order_of(right):
        return k.product(left, right)
    if max(left, right) > k.MATRIX:
        return Refusal("⊗ joins vectors and matrices", "of tensors, write einsum and reshape")
    sides = [
        [_matrix_axis(kind, i, axis) for i, kind in enumerate((left, right))] for axis in (0, 1)
    ]
    axes: list[Axis | Extent] = []
    for pair in sides:
        there = [axis for axis in pair if axis is not None]
        if len(there) == 2:
            axes.append(Extent(length(*there[0]) * length(*there[1])))
        axes += there if len(there) == 1 else []
    rows, columns = (any(axis is not None for axis in pair) for pair in sides)
    kind = k.MATRIX if rows and columns else k.COLUMN if rows else k.ROW

    def build(nodes: Sequence[Node], _shape: Shape) -> Node:
        labels = [axis for pair in sides for axis in pair if axis is not None]
        own = [[(i, a) for a in range(node.order)] for i, node in enumerate(nodes)]
        result = make.contract(list(zip(nodes, own, strict=True)), labels)
        at = result.order
        for pair in reversed(sides):
            at -= sum(axis is not None for axis in pair)
            if None not in pair:
                result = placement.merge(result, (at, at + 1))
        return result

    return Rule(kind, tuple(axes), build=build)


def _matrix_axis(kind: Kind, operand: int, axis: int) -> Axis | None:
    """The axis of a vector or matrix that is its rows (0) or its columns (1)."""
    if kind == k.MATRIX:
        return (operand, axis)
    return (operand, 0) if kind == (k.COLUMN if axis == 0 else k.ROW) else None


def _khatri_rao(call: Call, _place: Place) -> Callee:
    def rule(kinds: tuple[Kind, ...]) -> Verdict:
        if kinds == (k.COLUMN, k.COLUMN):
            return _kron_rule(*kinds)
        if kinds != (k.MATRIX, k.MATRIX):
            wrong = next(kind for kind in kinds if kind != k.MATRIX)
            return Refusal(f"the Khatri–Rao product takes two matrices, not {k.kind_text(wrong)}")
        rows = Extent(length(0, 0) * length(1, 0))
        equal = (((0, 1), (1, 1)),)

        def build(nodes: Sequence[Node], _shape: Shape) -> Node:
            return placement.column_kron(*nodes)

        return Rule(k.MATRIX, (rows, (0, 1)), equal, build=build)

    return Callee(tuple(call.arguments), rule)


def _vectors(
    call: Call, build: Callable[..., Node], size: Extent, equal: bool, name: str
) -> Callee:
    """A function of two vectors whose result stands as the first does."""

    def rule(kinds: tuple[Kind, ...]) -> Verdict:
        wrong = [kind for kind in kinds if k.order_of(kind) != 1]
        if wrong:
            return Refusal(f"{name} takes two vectors, not {k.kind_text(wrong[0])}")
        three = Extent(Size.of(3))
        sides = (((0, 0), three), ((1, 0), three)) if equal else ()
        return Rule(kinds[0], (size,), sides)

    return Callee(tuple(call.arguments), rule, lambda nodes, shape: build(*nodes))


def _conv(call: Call, place: Place) -> Callee:
    if len(call.arguments) == 3:
        shape = call.arguments.pop()
        if not isinstance(shape, Static) or shape.value != "full":
            hint = "the whole convolution has m + n - 1 entries; take a slice of it"
            at = Place(place.text, shape.start, shape.stop)
            raise PullbackError("only conv(x, y) and conv(x, y, 'full') are read", at, hint)
    size = Extent(length(0, 0) + length(1, 0) - 1)
    return _vectors(call, placement.convolution, size, equal=False, name="conv")


def _cross(call: Call, _place: Place) -> Callee:
    return _vectors(call, placement.cross, Extent(Size.of(3)), equal=True, name="cross")


# along axes


def _axis(call: Call, at: int, place: Place) -> int | None:
    """The axis an argument states, from 1 on, if it is there."""
    if len(call.arguments) <= at:
        return None
    axis = whole(call.arguments[at], place, f"the axis of {call.function}")
    if axis < 1:
        raise PullbackError(f"the axis of {call.function} is 1, 2, …", place)
    return axis


def _along(call: Call, axis: int | None, change: Callable[[Node, int], Node]) -> Callee:
    """A function along an axis; of a vector, along that vector."""

    @cache
    def rule(kinds: tuple[Kind, ...]) -> Verdict:
        (kind,) = kinds
        order = k.order_of(kind)
        if not order or (axis or 1) > max(order, 2):
            return Refusal(f"{k.kind_text(kind)} has no axis {axis or 1} for {call.function}")
        at = (axis or 1) - 1
        if order == 1:
            if axis is not None and axis != (1 if kind == k.COLUMN else 2):
                return Refusal(f"{k.kind_text(kind)} has one entry along axis {axis}")
            at = 0
        found = probed(lambda nodes: change(nodes[0], at), kinds, name=call.function)
        if isinstance(found, Refusal):
            return found
        return Rule(kind, found.axes, build=lambda nodes, shape: change(nodes[0], at))

    return Callee((call.arguments[0],), rule)


def _flip(call: Call, place: Place) -> Callee:
    axis = {"flipud": 1, "fliplr": 2}.get(call.function) or _axis(call, 1, place)
    return _along(call, axis, placement.flipped)


def _diff(call: Call, place: Place) -> Callee:
    times = whole(call.arguments[1], place, "how often diff is taken") if call.arguments[1:] else 1
    if not 1 <= times <= 20:
        raise PullbackError("differences are taken 1 to 20 times", place)

    def change(node: Node, axis: int) -> Node:
        for _ in range(times):
            node = placement.differences(node, axis)
        return node

    return _along(call, _axis(call, 2, place), change)


def _circshift(call: Call, place: Place) -> Callee:
    by = number_of(call.arguments[1], place.text)
    return _along(call, _axis(call, 2, place), lambda node, axis: placement.rolled(node, axis, by))


def _triangle(call: Call, place: Place) -> Callee:
    offset = number_of(call.arguments[1], place.text) if call.arguments[1:] else Size.of(0)
    upper = call.function == "triu"

    def rule(kinds: tuple[Kind, ...]) -> Verdict:
        if kinds[0] != k.MATRIX:
            return Refusal(f"{call.function} takes a matrix, not {k.kind_text(kinds[0])}")
        return Rule(k.MATRIX, k.axes_of(0, k.MATRIX))

    def build(nodes: Sequence[Node], shape: Shape) -> Node:
        return make.multiply(nodes[0], placement.triangle(shape[0], shape[1], offset, upper=upper))

    return Callee((call.arguments[0],), rule, build)


def _permute(call: Call, place: Place) -> Callee:
    value, *order = call.arguments
    if len(order) == 1 and isinstance(order[0], Block):
        order = parts_of(order[0])
    axes = [whole(item, place, "an axis") for item in order]
    if sorted(axes) != list(range(1, len(axes) + 1)) or len(axes) < 2:
        raise PullbackError("permute takes every axis once, as in permute(T, [2 1 3])", place)

    def rule(kinds: tuple[Kind, ...]) -> Verdict:
        (kind,) = kinds
        if k.order_of(kind) == 1 and len(axes) == 2:
            return k.transpose(kind) if axes == [2, 1] else Rule(kind, k.axes_of(0, kind))
        if k.order_of(kind) != len(axes):
            return Refusal(f"permute lists {len(axes)} axes of {k.kind_text(kind)}")
        return Rule(kind, tuple([(0, axis - 1) for axis in axes]))

    return Callee((value,), rule, orders=(len(axes),))


def _repmat(call: Call, place: Place) -> Callee:
    """Copies side by side: the Kronecker product of ones with the value."""
    value, *stated = call.arguments
    if len(stated) == 1 and isinstance(stated[0], Block):
        stated = parts_of(stated[0])
    if len(stated) != 2:
        raise PullbackError("repmat takes a value and two numbers, as in repmat(x, 1, n)", place)
    ones = Call(call.start, call.stop, "ones", list(stated))
    return _kron(Call(call.start, call.stop, "kron", [ones, value]), place)


# sizes as numbers


def _counted(call: Call, place: Place) -> Callee:
    """``numel(A)``, ``length(x)``, ``size(A, 1)`` as numbers."""
    axis = _axis(call, 1, place)
    if call.function == "size" and axis is None:
        raise PullbackError("size(A) is two numbers", place, "write size(A, 1) or size(A, 2)")

    def rule(kinds: tuple[Kind, ...]) -> Verdict:
        (kind,) = kinds
        if call.function == "length" and k.order_of(kind) > 1:
            hint = "write size(A, 1), size(A, 2) or numel(A)"
            return Refusal("the length of a matrix is the larger of its sizes", hint)
        sides: list[Axis] = list(k.axes_of(0, kind))
        if axis is not None:
            if kind <= k.MATRIX:
                there = [_matrix_axis(kind, 0, a) for a in (0, 1)]
                sides = [s for s in there[axis - 1 : axis] if s is not None]
            else:
                sides = sides[axis - 1 : axis]

        def build(nodes: Sequence[Node], _shape: Shape) -> Node:
            total = Size.of(1)
            for _, side in sides:
                total = total * nodes[0].shape[side]
            return make.size_value(total)

        return Rule(k.NUMBER, build=build)

    return Callee((call.arguments[0],), rule)


BUILD: dict[str, tuple[int, int, Resolver]] = {
    "vec": (1, 1, _vec),
    "unvec": (3, 3, _reshape),
    "reshape": (2, 9, _reshape),
    "kron": (2, 9, _kron),
    "khatri_rao": (2, 2, _khatri_rao),
    "conv": (2, 3, _conv),
    "cross": (2, 2, _cross),
    "flip": (1, 2, _flip),
    "flipud": (1, 1, _flip),
    "fliplr": (1, 1, _flip),
    "diff": (1, 3, _diff),
    "circshift": (2, 3, _circshift),
    "tril": (1, 2, _triangle),
    "triu": (1, 2, _triangle),
    "permute": (2, 9, _permute),
    "repmat": (2, 3, _repmat),
    "numel": (1, 1, _counted),
    "length": (1, 1, _counted),
    "size": (1, 2, _counted),
}
