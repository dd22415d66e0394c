"""Rows about inverses, determinants and orthogonal matrices; leading axes are batch axes."""

from __future__ import annotations

from collections.abc import Sequence

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Variable
from pullback.functions.catalogue import CATALOGUE, primitive
from pullback.functions.record import Function, argument_of
from pullback.simplification.canonical import parity
from pullback.simplification.factors import base_and_exponent
from pullback.simplification.products import Factor, Label, Opened, Part, tags


def inverse_cancels(node: Node) -> Node | None:
    """X⁻¹ X = I; (A B)⁻¹ A = B⁻¹ and (A B)⁻¹ᵀ with B alike, for square A and B."""
    if not isinstance(node, Contraction) or "inv" not in tags(node):
        return None
    opened = Opened(node)
    for at, part in enumerate(opened.parts):
        matrix = argument_of("inv", part.node)
        if matrix is None:
            continue
        for other, neighbour in enumerate(opened.parts):
            if other == at or _within(opened, other, at):
                continue
            factors = _cancelled(opened, part, matrix, neighbour, (at, other))
            if factors is not None:
                return opened.replaced((at, other), factors)
    return None


def _within(opened: Opened, one: int, other: int) -> bool:
    """Whether one part is a product that holds the other."""
    parent = opened.parts[other].parent
    while parent >= 0:
        if parent == one:
            return True
        parent = opened.parts[parent].parent
    return False


def _cancelled(
    opened: Opened, inverse: Part, matrix: Node, neighbour: Part, pair: tuple[int, int]
) -> list[Factor] | None:
    """What M⁻¹ and its neighbour are together, or None if they do not cancel."""
    *batch, row, column = inverse.labels
    if neighbour.node is matrix:
        readings = [neighbour.labels]
        if parity(matrix) == 1:
            readings.append((*neighbour.labels[:-2], neighbour.labels[-1], neighbour.labels[-2]))
        for *lead, i, j in readings:
            if lead != batch:
                continue
            if i == column and only_here(opened, column, pair):
                return [_identity(matrix, batch, row, j)]
            if j == row and only_here(opened, row, pair):
                return [_identity(matrix, batch, i, column)]
        return None
    if not isinstance(matrix, Contraction) or batch or make.has_delta(matrix):
        return None
    return _peeled(opened, inverse, matrix, neighbour, pair)


def _identity(matrix: Node, batch: Sequence[Label], one: Label, other: Label) -> Factor:
    """δ of the size of a matrix, repeated over its batch axes."""
    places = range(len(batch))
    last = len(batch)
    sizes = dict(enumerate(matrix.shape[: last + 1]))
    return make.contract([], [*places, last, last], sizes), (*batch, one, other)


def only_here(opened: Opened, label: Label, pair: tuple[int, int]) -> bool:
    """Whether a label is summed and ties no more than a pair of parts."""
    if label in opened.output:
        return False
    held = [k for k in opened.cover(pair) if label in opened.parts[k].labels]
    counts = [opened.parts[k].labels.count(label) for k in pair]
    return sorted(held) == sorted(pair) and counts == [1, 1]


def _peeled(
    opened: Opened, inverse: Part, matrix: Contraction, neighbour: Part, pair: tuple[int, int]
) -> list[Factor] | None:
    """M⁻¹ F for M = F N or M = N F or M = s N: what is left is N⁻¹."""
    inner = Opened(matrix)
    first, last = inner.output
    row, column = inverse.labels
    for k, part in enumerate(inner.parts):
        if k == 0 or part.node is not neighbour.node:
            continue
        if not part.labels and not neighbour.labels:
            rest = _inverted(inner.replaced((k,), []))
            return None if rest is None else [(rest, inverse.labels)]
        if part.node.order != 2 or part.node.shape[0] != part.node.shape[1]:
            continue
        if part.node.shape[0] != matrix.shape[0]:
            continue
        if {*part.labels} == {first, last}:
            found = _whole(opened, inverse, inner, k, neighbour, pair)
            if found is not None:
                return found
            continue
        for end, outside, free in ((first, column, row), (last, row, column)):
            if part.labels.count(end) != 1:
                continue
            place = part.labels.index(end)
            joint = part.labels[1 - place]
            if joint in (first, last) or not _only_inside(inner, joint, end, k):
                continue
            places = [place] if parity(part.node) != 1 else [0, 1]
            for axis in places:
                # the neighbour's axis that stood at the end of M meets the inverse there
                if neighbour.labels[1 - axis] == outside or neighbour.labels[axis] != outside:
                    continue
                if not only_here(opened, outside, pair):
                    continue
                output = [joint if label == end else label for label in inner.output]
                sizes = {x: s for x, s in inner.sizes_above((k,)).items() if x != end}
                left = make.contract(inner.others((k,)), output, sizes)
                rest = _inverted(left)
                if rest is None:
                    continue
                other = neighbour.labels[1 - axis]
                return [(rest, (free, other) if end == first else (other, free))]
    return None


def _whole(
    opened: Opened, inverse: Part, inner: Opened, k: int, neighbour: Part, pair: tuple[int, int]
) -> list[Factor] | None:
    """(s F)⁻¹ F = I/s for scalars s."""
    scalars = inner.others((k,))
    if any(labels for _, labels in scalars):
        return None
    row, column = inverse.labels
    i, j = neighbour.labels
    if inner.parts[k].labels != inner.output:
        i, j = j, i
    if i == column and only_here(opened, column, pair):
        ends = row, j
    elif j == row and only_here(opened, row, pair):
        ends = i, column
    else:
        return None
    one = _identity(neighbour.node, (), *ends)
    return [one, *[(make.power(n, -1), labels) for n, labels in scalars]]


def _only_inside(inner: Opened, joint: Label, end: Label, k: int) -> bool:
    """Whether M is a chain at this factor: its outer axis is its own, the inner one ties one more."""
    cover = inner.cover((k,))
    tied = [p for p in cover if joint in inner.parts[p].labels]
    ended = [p for p in cover if end in inner.parts[p].labels]
    count = sum([inner.parts[p].labels.count(joint) for p in tied])
    return ended == [k] and len(tied) == 2 and count == 2


def _inverted(matrix: Node) -> Node | None:
    """The inverse of what is left of a product: s δ has δ/s, and a matrix has a node of its own."""
    if matrix.order != 2:
        return None
    coefficient, core = make.split_coefficient(matrix)
    if isinstance(core, Contraction) and make.has_delta(core):
        scalars = [n for n, labels in core.operands if not labels]
        if len(scalars) != len(core.operands):
            return None
        inverted: list[Factor] = [(make.power(n, -1), ()) for n in scalars]
        one = make.contract(inverted, core.output, dict(enumerate(core.sizes)))
        return make.multiply(make.power(make.constant(coefficient), -1), one)
    record = CATALOGUE["inv"]
    assert isinstance(record, Function)
    return record.apply([matrix])


def adjugate_over_determinant(node: Node) -> Node | None:
    """adj(X) det(X)ᵏ = X⁻¹ det(X)ᵏ⁺¹ for k ≤ −1."""
    if not isinstance(node, Contraction) or "adjugate" not in tags(node):
        return None
    opened = Opened(node)
    for at, part in enumerate(opened.parts):
        matrix = argument_of("adjugate", part.node)
        if matrix is None:
            continue
        for other, scalar in enumerate(opened.parts):
            base, exponent = base_and_exponent(scalar.node)
            if argument_of("det", base) is not matrix or scalar.labels != part.labels[:-2]:
                continue
            if exponent > -1 or _within(opened, other, at):
                continue
            inverse = make.apply("inv", (matrix,), matrix.shape)
            rest = make.power(base, make.exact_number(exponent + 1))
            return opened.replaced((at, other), [(inverse, part.labels), (rest, scalar.labels)])
    return None


def orthogonal_cancels(node: Node) -> Node | None:
    """Qᵀ Q = I and Q Qᵀ = I."""
    if not isinstance(node, Contraction) or "orthogonal" not in tags(node):
        return None
    opened = Opened(node)
    at = [
        k
        for k, part in enumerate(opened.parts)
        if not isinstance(part.node, Contraction) and "orthogonal" in tags(part.node)
    ]
    for first, k in enumerate(at):
        for j in at[first + 1 :]:
            one, other = opened.parts[k], opened.parts[j]
            if one.node is not other.node or one.labels[:-2] != other.labels[:-2]:
                continue
            for axis in (-1, -2):
                shared, free = one.labels[axis], -3 - axis
                if other.labels[axis] == shared and only_here(opened, shared, (k, j)):
                    delta = _identity(
                        one.node, one.labels[:-2], one.labels[free], other.labels[free]
                    )
                    return opened.replaced((k, j), [delta])
    return None


# functions of one matrix


def of_transpose(node: Node) -> Node | None:
    """(Xᵀ)⁻¹ = (X⁻¹)ᵀ, det Xᵀ = det X, where every argument is a transpose."""
    if not isinstance(node, Apply) or not primitive(node).turns:
        return None
    plain = [_transposed_of(n) for n in node.arguments]
    if None in plain:
        return None
    inner = primitive(node).apply([n for n in plain if n is not None])
    return turned(inner) if len(primitive(node).signature.result) == 2 else inner


def turned(node: Node) -> Node:
    """The transpose in the last two axes."""
    return make.transpose(node, [*range(node.order - 2), node.order - 1, node.order - 2])


def _transposed_of(node: Node) -> Node | None:
    """The X of Xᵀ, or None; what is symmetric is its own transpose."""
    _, core = make.split_coefficient(node)
    if isinstance(core, Contraction) and len(core.operands) == 1 and make.is_view(core):
        labels = core.operands[0][1]
        if labels[-2:] == core.output[:-3:-1] and len({*labels[-2:]}) == 2:
            return turned(node)
    return node if parity(node) == 1 else None


def number_taken_out(node: Node) -> Node | None:
    """(c X)⁻¹ = X⁻¹/c for a number c."""
    matrix = argument_of("inv", node)
    if matrix is None:
        return None
    coefficient, core = make.split_coefficient(matrix)
    if coefficient == 1:
        return None
    inverse = make.constant_value(make.power(make.constant(coefficient), -1))
    assert inverse is not None
    return make.scale(inverse, make.apply("inv", (core,), node.shape))


def of_orthogonal(node: Node) -> Node | None:
    """Q⁻¹ = Qᵀ."""
    matrix = argument_of("inv", node)
    if not isinstance(matrix, Variable) or "orthogonal" not in matrix.assumptions:
        return None
    return turned(matrix)


def of_diagonal(node: Node) -> Node | None:
    """diag(x)⁻¹ = diag(1/x)."""
    matrix = argument_of("inv", node)
    if not isinstance(matrix, Contraction) or matrix.summed or not make.has_delta(matrix):
        return None
    if matrix.output[-1] != matrix.output[-2]:
        return None
    inverted = [(make.power(n, -1), labels) for n, labels in matrix.operands]
    return make.contract(inverted, matrix.output, dict(enumerate(matrix.sizes)))


def of_inverse(node: Node) -> Node | None:
    """log det X⁻¹ = −log det X, det X⁻¹ = 1/det X."""
    if not isinstance(node, Apply) or node.function not in ("det", "logdet"):
        return None
    inverted = argument_of("inv", node.arguments[0])
    if inverted is None:
        return None
    plain = make.apply(node.function, (inverted,), node.shape)
    return make.power(plain, -1) if node.function == "det" else make.negate(plain)
