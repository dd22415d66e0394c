"""What an indicator is in a product of matrices: a slice, a triangle, or axes that are merged."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace

from pullback.expressions.nodes import Indicator
from pullback.expressions.relations import ONE, ZERO, Relation, mixed_radix, relation_of
from pullback.expressions.sizes import Size
from pullback.notation import algebra
from pullback.notation.graph import Graph, Label, Numbering
from pullback.notation.places import Range, selection, triangle, turned
from pullback.notation.products import Product
from pullback.notation.solving import taken_as_known
from pullback.notation.tree import Formula, identity, ones

Sizes = Mapping[Hashable, Size]


def put_indicator(graph: Graph, node: Indicator, labels: tuple[Label, ...]) -> bool:
    """Put an indicator on labels of a graph; False if it has no place in matrix notation."""
    form = indicator_form(node) if len(set(labels)) == len(labels) else None
    if form is not None:
        graph.put(form, labels)
        return True
    numberings = _numberings(relation_of(node, labels), graph)
    for numbering in numberings:
        graph.merge(_with_own_digits(numbering, graph))
    return bool(numberings)


def _with_own_digits(numbering: Numbering, graph: Graph) -> Numbering:
    """A numbering of the output whose digits are no output themselves, but tied to it by I."""
    if numbering.number not in graph.kept:
        return numbering
    digits = []
    for digit in numbering.digits:
        digits.append(digit)
        if digit in graph.kept:
            digits[-1] = max(graph.sizes) + 1
            graph.sizes[digits[-1]] = graph.sizes[digit]
            graph.put(identity(graph.sizes[digit], sized=True), (digits[-1], digit))
    return Numbering(numbering.number, tuple(digits))


def indicator_form(node: Indicator) -> Formula | None:
    """A 0/1 vector or matrix: a unit vector, rows of the identity, a triangle of ones."""
    relation = relation_of(node, range(node.order))
    sizes: dict[Hashable, Size] = dict(enumerate(node.shape))
    if node.order == 1 and node.equality:
        place = relation.solved_for(0)
        return None if place is None else turned(selection(sizes[0], place.offset + 1))
    if node.order != 2:
        return None
    if not node.equality:
        return _triangle(relation, sizes)
    for size_axis in (1, 0):
        form = _selection(relation, size_axis, sizes)
        if form is not None:
            return form if size_axis else turned(form)
    return _shift(relation, sizes)


def _selection(relation: Relation, axis: int, sizes: Sizes) -> Formula | None:
    """Rows of the identity, where the index on ``axis`` is known from the other one."""
    value = relation.solved_for(axis)
    if value is None or len(value.coefficients) != 1:
        return None
    ((other, c),) = value.coefficients
    step = c.constant
    least, greatest = value.least(sizes), value.greatest(sizes)
    if step is None or least is None or greatest is None:
        return None
    bounds = (least, sizes[axis] - 1 - greatest)
    if not all(taken_as_known(bound, relation.granted) for bound in bounds):
        return None
    return selection(sizes[axis], Range(value.offset + 1, sizes[other], step))


def _shift(relation: Relation, sizes: Sizes) -> Formula | None:
    """Ones beside the diagonal, j = i + offset: entries that move, those that fall off lost."""
    value = relation.solved_for(1)
    if value is None or value.coefficients != ((0, ONE),) or sizes[0] != sizes[1]:
        return None
    size, offset = sizes[0], value.offset
    for down in (False, True):
        ahead = -offset if down else offset
        if ahead.at_least(1):
            rows, columns = (Range(start, size - ahead) for start in (ONE, ahead + 1))
            if down:
                rows, columns = columns, rows
            return algebra.product([turned(selection(size, rows)), selection(size, columns)])
    return None


def _triangle(relation: Relation, sizes: Sizes) -> Formula | None:
    """tril or triu of a matrix of ones."""
    signs = dict(relation.coefficients)
    if {signs[0], signs[1]} != {ONE, -ONE}:
        return None
    full = algebra.product([ones(sizes[0]), algebra.transpose(ones(sizes[1]))])
    if signs[0] == ONE:
        return triangle("tril", full, relation.offset)
    return triangle("triu", full, -relation.offset)


def _numberings(relation: Relation, graph: Graph) -> list[Numbering]:
    """A merged axis and its digits; of two sets of digits, the number that both are."""
    if not relation.equality or relation.offset != ZERO:
        return []
    sizes: dict[Hashable, Size] = dict(graph.sizes.items())
    for number in relation.labels:
        value = relation.solved_for(number)
        digits = value and mixed_radix(dict(value.coefficients), sizes, exactly=sizes[number])
        if digits and len(digits) > 1:
            return [_numbering(number, digits)]
    left = {x: c for x, c in relation.coefficients if c.at_least(1)}
    right = {x: -c for x, c in relation.coefficients if (-c).at_least(1)}
    both = []
    total = ONE
    for x in left:
        total = total * sizes[x]
    for side in (left, right):
        digits = mixed_radix(side, sizes, exactly=total)
        if digits is None or len(digits) < 2:
            return []
        both.append(digits)
    number = max(graph.sizes) + 1
    graph.sizes[number] = total
    return [_numbering(number, digits) for digits in both]


def _numbering(number: Hashable, digits: list[Hashable]) -> Numbering:
    assert isinstance(number, int)
    return Numbering(number, tuple([x for x in digits if isinstance(x, int)]))


def unmerged(product: Product) -> tuple[Product, list[list[Label]]]:
    """A product with the merged axes of its output parted, and the labels of each, slowest first."""
    axes, factors = [], list(product.factors)
    graph = Graph(dict(product.sizes), product.output)
    for label in product.output:
        holders = [f for f in factors if label in f.labels]
        axis = [label]
        if len(holders) == 1 and product.output.count(label) == 1:
            node = holders[0].node
            if isinstance(node, Indicator) and node.order > 2:
                found = _numberings(relation_of(node, holders[0].labels), graph)
                if [n.number for n in found] == [label]:
                    axis = list(reversed(found[0].digits))
                    factors.remove(holders[0])
        axes.append(axis)
    output = tuple([label for axis in axes for label in axis])
    return replace(product, factors=tuple(factors), output=output), axes
