"""Rows about I + u vᵀ: its determinant, and its inverse beside u or v (Sherman and Morrison)."""

from __future__ import annotations

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Sum
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import argument_of
from pullback.simplification.inverses import only_here
from pullback.simplification.products import Opened, hanging_together


def _vectors(matrix: Node) -> tuple[Node, Node, Node] | None:
    """The u and v of a matrix that is written as I + c u vᵀ, and 1 + c vᵀ u."""
    if not isinstance(matrix, Sum) or matrix.order != 2 or len(matrix.terms) != 2:
        return None
    identity = (1, make.delta(matrix.shape[0]))
    if identity not in matrix.terms or matrix.shape[0] != matrix.shape[1]:
        return None
    coefficient, outer = next(term for term in matrix.terms if term != identity)
    opened = Opened(outer)
    factors, sizes = opened.flat()
    row, column = opened.output
    if row == column or not isinstance(outer, Contraction):
        return None
    left, right = hanging_together(factors, [row]), hanging_together(factors, [column])
    scalars = [f for f in factors if not f[1]]
    if any(f in right for f in left) or len(left) + len(right) + len(scalars) != len(factors):
        return None
    u, v = (
        make.contract(
            part, (end,), {x: sizes[x] for x in {end, *(x for _, ls in part for x in ls)}}
        )
        for part, end in ((left, row), (right, column))
    )
    product = make.multiply(*[n for n, _ in scalars], make.einsum("i,i->", v, u))
    return u, v, make.add([(1, make.ones(())), (coefficient, product)])


def determinant_lemma(node: Node) -> Node | None:
    """det(I + u vᵀ) = 1 + vᵀ u."""
    if not isinstance(node, Apply) or node.function not in ("det", "logdet", "logabsdet"):
        return None
    found = _vectors(node.arguments[0])
    if found is None:
        return None
    value = found[2]
    if node.function == "logabsdet":
        value = CATALOGUE["abs"].apply([value])
    return value if node.function == "det" else CATALOGUE["log"].apply([value])


def inverse_beside_its_vector(node: Node) -> Node | None:
    """(I + u vᵀ)⁻¹ u = u/(1 + vᵀ u), and vᵀ(I + u vᵀ)⁻¹ alike."""
    if not isinstance(node, Contraction):
        return None
    opened = Opened(node)
    for at, part in enumerate(opened.parts):
        matrix = argument_of("inv", part.node)
        found = _vectors(matrix) if matrix is not None else None
        if found is None:
            continue
        row, column = part.labels
        for vector, end, other in ((found[0], column, row), (found[1], row, column)):
            core = make.split_coefficient(vector)[1]
            for k, neighbour in enumerate(opened.parts):
                beside = neighbour.node is core and neighbour.labels == (end,)
                if beside and only_here(opened, end, (at, k)):
                    factors = [(core, (other,)), (make.power(found[2], -1), ())]
                    return opened.replaced((at, k), factors)
    return None
