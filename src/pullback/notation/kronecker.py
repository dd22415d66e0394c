"""Products over merged axes: vec, its inverse, and ⊗.

With vec stacking columns, an axis that merges two runs first over the rows. Where an axis of a
product numbers others, what stands on these is put together by columns, read off the labels: what
is not connected by a summed label is a factor of a Kronecker product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import permutations

from pullback.expressions.sizes import Size
from pullback.notation import algebra, wholes
from pullback.notation.graph import Graph, Label, Numbering, assembled, column
from pullback.notation.places import khatri_rao, reshaped
from pullback.notation.tree import Formula, commutation, identity, number, ones, vec

ONE = Size.of(1)


def stacked(form: Formula) -> Formula:
    """vec of a matrix: v ⊗ u for an outer product u vᵀ."""
    if form == number(0):
        return form
    scalars = [p for p in form.parts if p.kind == "scalar"] if form.op == "product" else []
    chain = [p for p in form.parts if p.kind != "scalar"] if form.op == "product" else [form]
    if form.op == "quotient":
        return algebra.product([stacked(form.parts[0]), algebra.reciprocal(form.parts[1])])
    if len(chain) == 2 and chain[0].kind == "column":
        return algebra.product([*scalars, _kron([algebra.transpose(chain[1]), chain[0]])])
    if len(chain) == 1 and chain[0].op == "reshape":
        return algebra.product([*scalars, chain[0].parts[0]])
    chain = [identity(f.data[0], sized=True) if f.op == "identity" else f for f in chain]
    return algebra.product([*scalars, vec(wholes.pulled_out(algebra.product(chain)))])


def reduced(graph: Graph) -> bool:
    """Sum all labels of a graph but the kept ones; False if it has no matrix form."""
    while not graph.reduce():
        if not any(_digits_merged(graph, n) for n in graph.numberings) and not any(
            _number_split(graph, n) for n in graph.numberings
        ):
            return False
    return True


def _digits_merged(graph: Graph, first: Numbering) -> bool:
    """What stands on the digits of one or two numbers, as a vector or a matrix on the numbers."""
    members, digits, beside = [first], set(first.digits), set[Label]()
    pending = list(first.digits)
    while pending:
        label = pending.pop()
        if label in graph.kept:
            return False
        near = {label, *(e.other(label) for e in graph.edges[label])}
        joining = [n for n in graph.numberings if n not in members and near & set(n.digits)]
        members += joining
        new = {x for n in joining for x in n.digits} - digits
        digits |= new
        pending += new
        beside |= near
    ends = [n.number for n in members] + sorted(beside - digits)
    if len(set(ends)) < len(ends) or len(ends) > 2 or len(members) == 0 or digits & set(ends):
        return False
    inner = Graph(graph.sizes, [*digits, *ends])
    for label in digits:
        inner.vectors[label] = list(graph.vectors[label])
    edges = list(dict.fromkeys(e for label in sorted(digits) for e in graph.edges[label]))
    for e in edges:
        inner.put(e.matrix, (e.row, e.column))
    inner.reduce()
    sides = [n.digits[::-1] for n in members] + [(x,) for x in ends[len(members) :]]
    form = _side(inner, sides[0]) if len(sides) == 1 else kronecker(inner, sides[0], sides[1])
    if form is None:
        return False
    for e in edges:
        graph.remove(e)
    for label in digits:
        del graph.vectors[label], graph.edges[label]
    graph.numberings = [n for n in graph.numberings if n not in members]
    graph.put(form, tuple(ends))
    return True


def _number_split(graph: Graph, numbering: Numbering) -> bool:
    """A vector on a number as a matrix on its two digits."""
    number = numbering.number
    others = [n for n in graph.numberings if n is not numbering]
    used = {x for n in others for x in (n.number, *n.digits)}
    if number in graph.kept or number in used or graph.edges[number] or len(numbering.digits) != 2:
        return False
    vectors = graph.vectors.pop(number)
    del graph.edges[number]
    graph.numberings = others
    fast, slow = numbering.digits
    if vectors:
        whole = column(vectors, graph.sizes[number])
        graph.put(reshaped(whole, graph.sizes[fast], graph.sizes[slow]), (fast, slow))
    return True


# ⊗


@dataclass
class _Block:
    """Labels that hang together: one factor of the Kronecker product."""

    labels: set[Label]
    rows: list[int] = field(default_factory=list)  # places among the row axes
    columns: list[int] = field(default_factory=list)


def kronecker(graph: Graph, above: Sequence[Label], across: Sequence[Label]) -> Formula | None:
    """The matrix over merged axes, labels of rows and columns given slowest first; None for none."""
    if list(above) == list(across) and len(set(above)) == 2 and graph.edges[above[0]]:
        whole = algebra.product(assembled(graph, (above[1], above[0])))
        return wholes.diag(stacked(whole))
    if graph.separate(above, across):
        columns = _side(graph, above), _side(graph, across)
        if columns[0] is None or columns[1] is None:
            return None
        return algebra.product([columns[0], algebra.transpose(columns[1])])
    left, right = _weight(graph, above), _weight(graph, across)
    arranged = _arranged(graph, _blocks(graph, above, across), above, across)
    if arranged is None:
        return None
    blocks, before, after = arranged
    factors = [_factor(graph, b, above, across) for b in blocks]
    if None in factors:
        return None
    middle = _kron(_joined([f for f in factors if f is not None]))
    return algebra.product([*left, *before, middle, *after, *right])


def _side(graph: Graph, side: Sequence[Label]) -> Formula | None:
    """The column of one side that no matrix ties to the other."""
    if len(side) > 2:
        blocks = _blocks(graph, side, ())
        arranged = _arranged(graph, blocks, side, ())
        columns = arranged and [_factor(graph, b, side, ()) for b in arranged[0]]
        if not arranged or arranged[1] or columns is None or None in columns:
            return None
        return _kron([f for f in columns if f is not None])
    form = algebra.product(assembled(graph, tuple(reversed(side))))
    return form if len(side) < 2 else stacked(form)


def _weight(graph: Graph, pair: Sequence[Label]) -> list[Formula]:
    """A matrix between the two axes of one side multiplies entry by entry: diag(vec(M))."""
    if len(pair) != 2 or pair[0] == pair[1]:
        return []
    edges = [e for e in graph.edges[pair[1]] if e.other(pair[1]) == pair[0]]
    if not edges:
        return []
    graph.remove(edges[0])
    return [wholes.diag(stacked(edges[0].seen_from(pair[1])))]


def _blocks(graph: Graph, above: Sequence[Label], across: Sequence[Label]) -> list[_Block]:
    blocks: list[_Block] = []
    for label in dict.fromkeys([*above, *across]):
        touching = {label} | {e.other(label) for e in graph.edges[label]}
        near = [b for b in blocks if b.labels & touching]
        blocks = [b for b in blocks if b not in near]
        blocks.append(_Block(touching.union(*(b.labels for b in near))))
    for b in blocks:
        b.rows = [k for k, label in enumerate(above) if label in b.labels]
        b.columns = [k for k, label in enumerate(across) if label in b.labels]
    return blocks


Arranged = tuple[list[_Block], list[Formula], list[Formula]]


def _arranged(
    graph: Graph, blocks: Sequence[_Block], above: Sequence[Label], across: Sequence[Label]
) -> Arranged | None:
    """The blocks in an order in which axes rise, but for an exchange of neighbours on each side."""
    best: tuple[tuple[int, int], Arranged] | None = None
    for order in permutations(blocks) if len(blocks) < 7 else ():
        before = _exchange(graph, [k for b in order for k in b.rows], above, rows=True)
        after = _exchange(graph, [k for b in order for k in b.columns], across, rows=False)
        if before is None or after is None:
            continue
        cost = len(before) + len(after), len(before)  # K on the right, if there is a choice
        if best is None or cost < best[0]:
            best = cost, (list(order), before, after)
    return best and best[1]


def _exchange(
    graph: Graph, order: Sequence[int], labels: Sequence[Label], *, rows: bool
) -> list[Formula] | None:
    """The permutation between axes in the order of the blocks and in their own, as I ⊗ K ⊗ I.

    None where it takes more than the exchange of two stretches of axes.
    """
    if list(order) == sorted(order):
        return []
    start = next(k for k, place in enumerate(order) if place != k)
    cut = next(k for k in range(start + 1, len(order)) if order[k] < order[k - 1])
    for stop in range(cut + 1, len(order) + 1):
        first, second = order[start:cut], order[cut:stop]
        if [*order[:start], *second, *first, *order[stop:]] == sorted(order):
            break
    else:
        return None

    def count(places: Sequence[int]) -> Size:
        size = ONE
        for k in places:
            size = size * graph.sizes[labels[k]]
        return size

    pair = (count(second), count(first))
    swap = commutation(*(pair if rows else pair[::-1]))
    ends = [identity(count(p), sized=True) if p else None for p in (order[:start], order[stop:])]
    return [_kron([f for f in (ends[0], swap, ends[1]) if f is not None])]


def _factor(
    graph: Graph, block: _Block, above: Sequence[Label], across: Sequence[Label]
) -> Formula | None:
    rows, columns = [above[k] for k in block.rows], [across[k] for k in block.columns]
    if len(rows) > 1 or len(columns) > 1:
        return _wide_factor(graph, rows, columns)
    if rows and columns:
        if rows == columns and not graph.vectors[rows[0]]:
            return identity(graph.sizes[rows[0]], sized=True)
        return algebra.product(assembled(graph, (rows[0], columns[0])))
    (label,) = rows or columns
    lone = column(graph.vectors[label], graph.sizes[label])
    return lone if rows else algebra.transpose(lone)


def _wide_factor(graph: Graph, rows: Sequence[Label], columns: Sequence[Label]) -> Formula | None:
    """A factor with two axes on a side: vec(M), or the columns of two matrices, ⊗ by pairs."""
    if len(columns) > len(rows):
        flat = _wide_factor(graph, columns, rows)
        return None if flat is None else algebra.transpose(flat)
    if len(columns) > 1 or len(rows) > 2:
        return None
    if not columns:
        return stacked(algebra.product(assembled(graph, (rows[1], rows[0]))))
    joint = columns[0]
    matrices = []
    for label in rows:
        if len({*rows, joint}) < 3 or [e.other(label) for e in graph.edges[label]] != [joint]:
            return None
        left = graph.vectors[label]
        front = [wholes.diag(column(left, graph.sizes[label]))] if left else []
        matrices.append(algebra.product([*front, graph.edges[label][0].seen_from(label)]))
    weight = graph.vectors[joint]
    back = [wholes.diag(column(weight, graph.sizes[joint]))] if weight else []
    return algebra.product([khatri_rao(*matrices), *back])


def _joined(factors: Sequence[Formula]) -> list[Formula]:
    """Neighbours that are a column and a row as their product."""
    result: list[Formula] = []
    for f in _merged(factors):
        last = result[-1] if result else None
        if last is not None and {last.kind, f.kind} == {"row", "column"}:
            result[-1] = algebra.product([last, f] if last.kind == "column" else [f, last])
        else:
            result.append(f)
    return result


def _kron(factors: Sequence[Formula]) -> Formula:
    kept = _merged(factors)
    if len(kept) == 1:
        return kept[0]
    kinds = {f.kind for f in kept}
    return Formula("kron", kept, kept[0].kind if len(kinds) == 1 else "matrix")


def _merged(factors: Sequence[Formula]) -> list[Formula]:
    """Neighbouring identities as one, and neighbouring columns or rows of ones."""
    kept: list[Formula] = []
    for f in factors:
        last = kept[-1] if kept else None
        if last is not None and last.op == f.op == "identity":
            kept[-1] = identity(last.data[0] * f.data[0], sized=True)
        elif last is not None and last.op == f.op == "ones":
            kept[-1] = ones(last.data * f.data)
        elif last is not None and _is_row_of_ones(f) and _is_row_of_ones(last):
            kept[-1] = algebra.transpose(ones(last.parts[0].data * f.parts[0].data))
        else:
            kept.append(f)
    return kept


def _is_row_of_ones(f: Formula) -> bool:
    return f.op == "transpose" and f.parts[0].op == "ones"
