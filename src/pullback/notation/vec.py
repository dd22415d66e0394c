"""Vec and Kronecker notation: matrices as long columns, one column below the other.

With vec stacking columns, vec(A X B) = (Bᵀ ⊗ A) vec X. A derivative becomes a matrix whose rows
belong to the function and whose columns belong to the variable (numerator layout, as Magnus and
Neudecker have it). Its factors are read off the labels: what is not connected by a summed label
is a factor of the Kronecker product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import permutations

from pullback.expressions.nodes import Contraction, Node, Sum
from pullback.notation import algebra, sums, wholes
from pullback.notation.graph import Graph, column
from pullback.notation.matrix import MatrixForms, assembled
from pullback.notation.orders import scalar_order
from pullback.notation.products import Label, Product
from pullback.notation.tree import Formula, commutation, identity, number, ones, vec

Groups = tuple[int, ...]


def vec_form(node: Node, forms: MatrixForms, groups: Groups) -> Formula | None:
    """The derivative as a vector or a matrix over vec'd axes, or None if it has no such form.

    ``groups`` says how many axes belong to the function and to each variable. One group with
    axes gives a column, two give a matrix with a row for each entry of the first.
    """
    sizes = [g for g in groups if g]
    if len(sizes) > 2 or any(g > 2 for g in sizes):
        return None
    if len(sizes) < 2:
        whole = forms.of(node)
        return whole if whole is None or node.order < 2 else stacked(whole)
    if sizes == [1, 1]:
        return forms.of(node)
    return _matrix(node, forms, sizes[0])


def stacked(form: Formula) -> Formula:
    """vec of a matrix: v ⊗ u for an outer product u vᵀ."""
    if form == number(0):
        return form
    scalars = [p for p in form.parts if p.kind == "scalar"] if form.op == "product" else []
    chain = [p for p in form.parts if p.kind != "scalar"] if form.op == "product" else [form]
    if form.op == "quotient":
        return algebra.product([stacked(form.parts[0]), algebra.reciprocal(form.parts[1])])
    if len(chain) == 1 and chain[0].op == "identity":
        chain = [identity(chain[0].data[0], sized=True)]
    if len(chain) == 2 and chain[0].kind == "column":
        return algebra.product([*scalars, _kron([algebra.transpose(chain[1]), chain[0]])])
    return algebra.product([*scalars, vec(algebra.product(chain))])


def _matrix(node: Node, forms: MatrixForms, rows: int) -> Formula | None:
    """The sum of the Kronecker forms of the terms."""
    terms: list[Formula] = []
    parts = node.terms if isinstance(node, Sum) else ((1, node),)
    if not parts:
        return number(0)
    for coefficient, term in parts:
        if not isinstance(term, Contraction):
            return None
        for product in forms.products(term):
            form = _term(product, forms, rows)
            if form is None:
                return None
            terms.append(algebra.product([number(coefficient), form]))
    return sums.add(terms)


@dataclass
class _Block:
    """Labels that hang together: one factor of the Kronecker product."""

    labels: set[Label]
    rows: list[int] = field(default_factory=list)  # places among the row axes
    columns: list[int] = field(default_factory=list)


def _term(product: Product, forms: MatrixForms, rows: int) -> Formula | None:
    graph = forms.graph(product)
    if graph is None:
        return None
    # the last axis of a matrix varies slowest in vec, so it comes first in ⊗
    above = list(reversed(product.output[:rows]))
    across = list(reversed(product.output[rows:]))
    scalars = scalar_order(graph.scalars)
    if above == across and len(set(above)) == 2 and graph.edges[above[0]]:
        whole = algebra.product(assembled(graph, (above[1], above[0])))
        return algebra.product([*scalars, wholes.diag(stacked(whole))])
    if graph.separate(above, across) and _paired(graph, above, across):
        sides = [_side(graph, above), algebra.transpose(_side(graph, across))]
        return algebra.product([*scalars, *sides])
    left = _weight(graph, above)
    right = _weight(graph, across)
    blocks = _blocks(graph, above, across)
    if any(len(b.rows) > 1 or len(b.columns) > 1 for b in blocks):
        return None
    swap: list[Formula] = []
    order = _arranged(blocks, turned=False)
    if order is None:
        order = _arranged(blocks, turned=True)
        if order is None:
            return None
        swap = [commutation(graph.sizes[across[1]], graph.sizes[across[0]])]
    factors = [_factor(graph, b, above, across) for b in order]
    return algebra.product([*scalars, *left, _kron(_joined(factors)), *swap, *right])


def _paired(graph: Graph, above: Sequence[Label], across: Sequence[Label]) -> bool:
    """Whether the two axes of a side are tied by a matrix or a δ."""
    return any(
        len(side) == 2 and (side[0] == side[1] or graph.edges[side[0]]) for side in (above, across)
    )


def _side(graph: Graph, side: Sequence[Label]) -> Formula:
    """The column of one side that no matrix ties to the other."""
    form = algebra.product(assembled(graph, tuple(reversed(side))))
    return form if len(side) < 2 else stacked(form)


def _weight(graph: Graph, pair: Sequence[Label]) -> list[Formula]:
    """A matrix between the two axes of one side multiplies entry by entry: diag(vec(M))."""
    if len(pair) < 2 or pair[0] == pair[1]:
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


def _arranged(blocks: Sequence[_Block], turned: bool) -> list[_Block] | None:
    """The blocks in an order in which row axes and column axes both rise."""
    for order in permutations(blocks):
        r = [k for b in order for k in b.rows]
        c = [k for b in order for k in b.columns]
        if r == sorted(r) and c == sorted(c, reverse=turned):
            return list(order)
    return None


def _factor(
    graph: Graph, block: _Block, above: Sequence[Label], across: Sequence[Label]
) -> Formula:
    row = above[block.rows[0]] if block.rows else None
    col = across[block.columns[0]] if block.columns else None
    if row is None or col is None:
        label = col if row is None else row
        assert label is not None
        lone = column(graph.vectors[label], graph.sizes[label])
        return algebra.transpose(lone) if row is None else lone
    if row == col and not graph.vectors[row]:
        return identity(graph.sizes[row], sized=True)
    return algebra.product(assembled(graph, (row, col)))


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
