"""Where entries stand: slices, concatenations, merged and split axes, triangles, ⊗.

All of these are contractions with an indicator, so their derivatives are too: what a slice takes
out, its transpose puts back.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from pullback.errors import ShapeError
from pullback.expressions.constructors import add, broadcast, contract, has_delta, transpose, zeros
from pullback.expressions.nodes import Contraction, Indicator, Node, Sum
from pullback.expressions.relations import Relation, indicator_of, settle
from pullback.expressions.sizes import Shape, Size, SizeLike, shape_of, shape_text

Factor = tuple[Node, Sequence[Hashable]]


def indicator(
    coefficients: Iterable[SizeLike],
    offset: SizeLike,
    shape: Iterable[SizeLike],
    *,
    equality: bool = True,
    granted: Iterable[Size] = (),
) -> Node:
    """1 where Σₖ cₖ iₖ + offset = 0 (or ≥ 0), else 0, for indices from 0 on.

    ``granted`` are sizes that the one who states it promises to be at least 0.

    >>> indicator([1, -1], 0, ["n", "n"]).shape  # the identity
    (Size(n), Size(n))
    """
    sizes: dict[Hashable, Size] = dict(enumerate(shape_of(shape)))
    terms = enumerate(shape_of(coefficients))
    relation = Relation.of(terms, Size.of(offset), equality, granted)
    settled = settle([relation], set(sizes), sizes)
    if settled.relations is None:
        return zeros(sizes.values())
    name: dict[Hashable, Hashable] = {gone: kept for kept, gone in settled.same}
    out = [name.get(x, x) for x in sizes]
    factors = [indicator_of(r, sizes) for r in settled.relations]
    return contract(factors, out, {x: sizes[k] for k, x in enumerate(out)})


def taken(start: SizeLike, count: SizeLike, size: SizeLike, step: int = 1) -> Node:
    """S with S x = x[start], x[start + step], …: ``count`` × ``size``, a 1 in each row.

    Raises ShapeError where entries outside are certain to be asked for.
    """
    start, count, size = Size.of(start), Size.of(count), Size.of(size)
    last = start + step * (count - 1)
    for place in (start, last):
        if (-1 - place).at_least(0) or (place - size).at_least(0):
            raise ShapeError(f"there is no entry {place + 1} on an axis of size {size}")
    lowest, highest = (start, last) if step > 0 else (last, start)
    granted = [s for s in (count, lowest, size - 1 - highest) if not s.at_least(0)]
    return indicator([step, -1], start, [count, size], granted=granted)


def is_placement(node: Node) -> bool:
    """Whether the node only moves the entries of one other to places, which indicators say."""
    if not isinstance(node, Contraction):
        return False
    others = sum(not isinstance(child, Indicator) for child in node.children)
    return others <= 1 < len(node.operands)


def has_no_values(node: Node) -> bool:
    """Whether the node is made of indicators alone."""
    if isinstance(node, Contraction):
        return bool(node.operands) and all(isinstance(n, Indicator) for n in node.children)
    return isinstance(node, Indicator)


def _rearranged(
    node: Node, labels: Sequence[Hashable], chosen: Factor, output: Sequence[Hashable]
) -> Node:
    """The node with an indicator; what has been placed before is placed once, each part of a sum."""
    if isinstance(node, Sum) and node.terms and all(is_placement(n) for _, n in node.terms):
        parts = [(c, _rearranged(n, labels, chosen, output)) for c, n in node.terms]
        return add(parts)
    if isinstance(node, Contraction) and is_placement(node) and not has_delta(node):
        outer: dict[int, Hashable] = dict(zip(node.output, labels, strict=True))
        name = {x: outer.get(x, ("inner", x)) for x in range(len(node.sizes))}
        factors = [(n, [name[x] for x in ls]) for n, ls in node.operands]
        sizes = {name[x]: size for x, size in enumerate(node.sizes)}  # also of broadcast axes
        return contract([*factors, chosen], output, sizes)
    return contract([(node, labels), chosen], output)


def take(
    node: Node, axis: int, start: SizeLike, count: SizeLike | None = None, step: int = 1
) -> Node:
    """``count`` entries along an axis, from ``start`` (counted from 0) on; without it, just one.

    >>> from pullback.expressions.constructors import variable
    >>> take(variable("A", ["m", "n"]), 1, 0, "k").shape, take(variable("x", ["n"]), 0, 2).shape
    ((Size(m), Size(k)), ())
    """
    labels: list[Hashable] = list(range(node.order))
    chosen = taken(start, 1 if count is None else count, node.shape[axis], step)
    if count is None:
        single = contract([(chosen, ("one", axis))], [axis], {"one": Size.of(1)})
        return _rearranged(node, labels, (single, [axis]), [x for x in labels if x != axis])
    out = [("new", x) if x == axis else x for x in labels]
    return _rearranged(node, labels, (chosen, [("new", axis), axis]), out)


def placed(node: Node, axis: int, start: SizeLike, size: SizeLike, step: int = 1) -> Node:
    """The transpose of :func:`take`: the entries at their places on a longer axis, else 0."""
    labels: list[Hashable] = list(range(node.order))
    chosen = taken(start, node.shape[axis], size, step)
    out = [("new", x) if x == axis else x for x in labels]
    return _rearranged(node, labels, (chosen, [axis, ("new", axis)]), out)


def inserted(node: Node, axis: int, start: SizeLike, size: SizeLike) -> Node:
    """The node as the one entry that is not 0 along a new axis."""
    labels: list[Hashable] = list(range(node.order))
    start, size = Size.of(start), Size.of(size)
    granted = [s for s in (start, size - 1 - start) if not s.at_least(0)]
    there = indicator([1], -start, [size], granted=granted)
    out = [*labels[:axis], "new", *labels[axis:]]
    return _rearranged(node, labels, (there, ["new"]), out)


def concatenate(nodes: Sequence[Node], axis: int = 0) -> Node:
    """The nodes one after another along an axis; all other sizes must agree."""
    first = nodes[0]
    for node in nodes[1:]:
        rest, wanted = list(node.shape), list(first.shape)
        if len(rest) == len(wanted):
            rest[axis] = wanted[axis]
        if rest != wanted:
            raise ShapeError(
                f"cannot join {shape_text(first.shape)} and {shape_text(node.shape)} along axis {axis + 1}"
            )
    size = sum((node.shape[axis] for node in nodes), Size.of(0))
    start, parts = Size.of(0), []
    for node in nodes:
        parts.append((1, placed(node, axis, start, size)))
        start = start + node.shape[axis]
    return add(parts)


def flipped(node: Node, axis: int) -> Node:
    """The entries along an axis in reverse."""
    size = node.shape[axis]
    return take(node, axis, size - 1, size, step=-1)


def triangle(
    rows: SizeLike, columns: SizeLike, offset: SizeLike = 0, *, upper: bool = False
) -> Node:
    """1 on and below the diagonal j = i + offset (on and above it, for ``upper``), else 0."""
    sign = -1 if upper else 1
    return indicator([sign, -sign], sign * Size.of(offset), [rows, columns], equality=False)


# merged and split axes


def _number_of(shape: Shape) -> Node:
    """[k = (…(i₁ n₂ + i₂) n₃ + …)]: the axis k, then the axes that it numbers, last one fastest."""
    place, coefficients = Size.of(1), []
    for size in reversed(shape):
        coefficients.append(-place)
        place = place * size
    return indicator([1, *reversed(coefficients)], 0, [place, *shape])


def merge(node: Node, axes: Sequence[int], *, first_fastest: bool = False) -> Node:
    """Neighbouring axes as one, in the place of the first; the last varies fastest."""
    labels: list[Hashable] = list(range(node.order))
    inner = list(reversed(axes)) if first_fastest else list(axes)
    numbering = _number_of(tuple([node.shape[a] for a in inner]))
    gone = [x for x in labels if x in axes and x != axes[0]]
    out = ["merged" if x == axes[0] else x for x in labels if x not in gone]
    return _rearranged(node, labels, (numbering, ["merged", *inner]), out)


def split(node: Node, axis: int, shape: Iterable[SizeLike], *, first_fastest: bool = False) -> Node:
    """One axis as several; the last varies fastest. Raises ShapeError where the sizes disagree."""
    sizes = shape_of(shape)
    labels: list[Hashable] = list(range(node.order))
    new: list[Hashable] = [("new", k) for k in range(len(sizes))]
    inner = list(reversed(new)) if first_fastest else new
    numbering = _number_of(tuple(reversed(sizes)) if first_fastest else sizes)
    if numbering.order and numbering.shape[0] != node.shape[axis]:
        raise ShapeError(f"an axis of size {node.shape[axis]} cannot become {shape_text(sizes)}")
    out = [*labels[:axis], *new, *labels[axis + 1 :]]
    return _rearranged(node, labels, (numbering, [axis, *inner]), out)


def reshape(node: Node, shape: Iterable[SizeLike]) -> Node:
    """The same entries under other axes, row by row (the last axis varies fastest).

    Axes are merged and split in the smallest groups that have as many entries before and after.

    >>> from pullback.expressions.constructors import variable
    >>> x = variable("X", ["m", "n", "p"])
    >>> reshape(reshape(x, [Size.of("m") * "n", "p"]), ["m", "n", "p"]) is x
    True
    """
    wanted = shape_of(shape)
    for (a, b), (c, d) in reversed(_groups(node.shape, wanted)):
        if node.shape[a:b] == wanted[c:d]:
            continue
        if a == b:  # new axes of size 1
            node = _with_ones(node, a, wanted[c:d])
            continue
        if b - a > 1:
            node = merge(node, range(a, b))
        node = split(node, a, wanted[c:d])
    return node


Span = tuple[int, int]


def _groups(have: Shape, wanted: Shape) -> list[tuple[Span, Span]]:
    """The shortest stretches of axes with equal numbers of entries, in order."""
    groups: list[tuple[Span, Span]] = []
    left = right = 0
    while left < len(have) or right < len(wanted):
        a, c = left, right
        before = after = Size.of(1)
        while (left, right) == (a, c) or before != after:
            here = left < len(have) and (not before.at_least(after) or right == len(wanted))
            if here or ((left, right) == (a, c) and left < len(have)):
                before, left = before * have[left], left + 1
            elif right < len(wanted):
                after, right = after * wanted[right], right + 1
            else:
                raise ShapeError(
                    f"{shape_text(have)} cannot become {shape_text(wanted)}: "
                    "the numbers of entries differ"
                )
        groups.append(((a, left), (c, right)))
    return groups


def _with_ones(node: Node, at: int, sizes: Shape) -> Node:
    """New axes at a place, along which the node is repeated."""
    count = len(sizes)
    order = [*range(count, count + at), *range(count), *range(count + at, count + node.order)]
    return transpose(broadcast(node, sizes + node.shape), order)


def vec(node: Node) -> Node:
    """The columns of a matrix one below another (the first axis varies fastest)."""
    return merge(node, range(node.order), first_fastest=True)


def unvec(node: Node, rows: SizeLike, columns: SizeLike) -> Node:
    """The matrix whose :func:`vec` this vector is."""
    return split(node, 0, [rows, columns], first_fastest=True)


def kron(left: Node, right: Node) -> Node:
    """The Kronecker product, axis by axis; both of one order.

    >>> from pullback.expressions.constructors import variable
    >>> kron(variable("A", ["m", "n"]), variable("B", ["p", "q"])).shape
    (Size(m*p), Size(n*q))
    """
    if left.order != right.order:
        raise ShapeError(
            f"⊗ joins {shape_text(left.shape)} and {shape_text(right.shape)}: orders differ"
        )
    factors: list[Factor] = [
        (left, [("left", k) for k in range(left.order)]),
        (right, [("right", k) for k in range(left.order)]),
    ]
    for k, sizes in enumerate(zip(left.shape, right.shape, strict=True)):
        factors.append((_number_of(sizes), [k, ("left", k), ("right", k)]))
    return contract(factors, range(left.order))


def column_kron(left: Node, right: Node) -> Node:
    """The Khatri–Rao product: for each column the Kronecker product of the two columns."""
    joined = contract([(left, ("i", "k")), (right, ("j", "k"))], ("i", "j", "k"))
    return merge(joined, (0, 1))


def commutation(rows: SizeLike, columns: SizeLike) -> Node:
    """K with K vec(A) = vec(Aᵀ) for each A of these sizes."""
    sizes: dict[Hashable, SizeLike] = {"i": rows, "j": columns}
    pairs = contract([], ("j", "i", "i", "j"), {k: Size.of(s) for k, s in sizes.items()})
    return merge(merge(pairs, (2, 3), first_fastest=True), (0, 1), first_fastest=True)


def convolution(left: Node, right: Node) -> Node:
    """All of the convolution of two vectors: the k-th entry is the sum of xᵢ yⱼ with i + j = k.

    >>> from pullback.expressions.constructors import variable
    >>> convolution(variable("x", ["n"]), variable("h", [3])).shape
    (Size(n + 2),)
    """
    (m,), (n,) = left.shape, right.shape
    places = indicator([1, -1, -1], 0, [m + n - 1, m, n])
    return contract([(left, "i"), (right, "j"), (places, "kij")], "k")


def rolled(node: Node, axis: int, by: SizeLike) -> Node:
    """The entries along an axis moved on by some places, the last ones to the front."""
    size, by = node.shape[axis], Size.of(by)
    if size.constant and by.constant is not None:
        by = Size.of(by.constant % size.constant)
    if by == Size.of(0):
        return node
    back = (-by).at_least(1)
    front = -by if back else size - by  # how many entries there are before the new first one
    parts = [(front, size - front, Size.of(0)), (Size.of(0), front, size - front)]
    moved = [placed(take(node, axis, a, count), axis, b, size) for a, count, b in parts]
    return add([(1, part) for part in moved])


def differences(node: Node, axis: int) -> Node:
    """Each entry along an axis less the one before it."""
    count = node.shape[axis] - 1
    return add([(1, take(node, axis, 1, count)), (-1, take(node, axis, 0, count))])


def cross(left: Node, right: Node) -> Node:
    """The cross product of two vectors with three entries: Σ ε_ijk aⱼ bₖ."""
    return contract([(levi_civita(), "ijk"), (left, "j"), (right, "k")], "i")


def levi_civita() -> Node:
    """ε_ijk: 1 for 012, 120, 201, −1 for 210, 102, 021, else 0."""
    terms = []
    for start in range(3):
        for sign in (1, -1):
            factors = [(indicator([1], -((start + sign * k) % 3), [3]), [k]) for k in range(3)]
            terms.append((sign, contract(factors, range(3))))
    return add(terms)
