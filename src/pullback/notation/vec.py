"""Vec and Kronecker notation: matrices as long columns, one column below the other.

With vec stacking columns, vec(A X B) = (Bᵀ ⊗ A) vec X. A derivative becomes a matrix whose rows
belong to the function and whose columns belong to the variable (numerator layout, as Magnus and
Neudecker have it).
"""

from __future__ import annotations

from pullback.expressions.nodes import Contraction, Node, Number, Sum
from pullback.notation import algebra, sums
from pullback.notation.kronecker import kronecker, stacked
from pullback.notation.matrix import MatrixForms
from pullback.notation.merging import unmerged
from pullback.notation.orders import scalar_order
from pullback.notation.products import Product
from pullback.notation.tree import Formula, number

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


def _matrix(node: Node, forms: MatrixForms, rows: int) -> Formula | None:
    """The sum of the Kronecker forms of the terms."""
    terms: list[Formula] = []
    parts: list[tuple[Number, Node]] = [(1, node)]
    while parts:
        coefficient, term = parts.pop(0)
        if isinstance(term, Sum):
            parts = [(coefficient * c, inner) for c, inner in term.terms] + parts
            continue
        if not isinstance(term, Contraction):
            return None
        for product in forms.products(term):
            form = _term(product, forms, rows)
            if form is None:
                return None
            terms.append(algebra.product([number(coefficient), form]))
    return sums.add(terms)


def _term(product: Product, forms: MatrixForms, rows: int) -> Formula | None:
    parted, axes = unmerged(product)
    graph = forms.graph(parted)
    if graph is None:
        return None
    # the last axis of a matrix varies slowest in vec, so it comes first in ⊗
    above = [label for axis in reversed(axes[:rows]) for label in axis]
    across = [label for axis in reversed(axes[rows:]) for label in axis]
    scalars = scalar_order(graph.scalars)
    form = kronecker(graph, above, across)
    return None if form is None else algebra.product([*scalars, form])
