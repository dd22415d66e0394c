"""Rows about triangles and Cholesky factors; leading axes are batch axes."""

from __future__ import annotations

from fractions import Fraction

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Indicator, Node, Sum
from pullback.functions.catalogue import CATALOGUE, primitive
from pullback.functions.record import argument_of
from pullback.simplification.canonical import parity
from pullback.simplification.definite import is_triangle
from pullback.simplification.inverses import only_here, turned
from pullback.simplification.products import Opened, multiplied_out, sums_in

HALF = Fraction(1, 2)


def symmetric_part(node: Node) -> Node:
    """(A + Aᵀ)/2, which is A for a symmetric matrix."""
    if parity(node) == 1:
        return node
    return make.add([(HALF, node), (HALF, turned(node))])


def _factored(node: Node) -> tuple[Node, bool] | None:
    """The A of its Cholesky factor, and whether that is inverted."""
    inner = argument_of("inv", node)
    matrix = argument_of("cholesky", node if inner is None else inner)
    return None if matrix is None else (matrix, inner is not None)


def factor_squared(node: Node) -> Node | None:
    """L Lᵀ = A and L⁻ᵀ L⁻¹ = A⁻¹ for the Cholesky factor L of A."""
    if not isinstance(node, Contraction):
        return None
    opened = Opened(node)
    at = [(k, _factored(part.node)) for k, part in enumerate(opened.parts)]
    found = [(k, of) for k, of in at if of is not None]
    for n, (k, (matrix, inverted)) in enumerate(found):
        for j, other in found[n + 1 :]:
            one, two = opened.parts[k], opened.parts[j]
            if other != (matrix, inverted) or one.labels[:-2] != two.labels[:-2]:
                continue
            axis, free = (-2, -1) if inverted else (-1, -2)
            if one.labels[axis] != two.labels[axis]:
                continue
            if not only_here(opened, one.labels[axis], (k, j)):
                continue
            whole = symmetric_part(matrix)
            if inverted:
                whole = CATALOGUE["inv"].apply([whole])
            labels = (*one.labels[:-2], one.labels[free], two.labels[free])
            return opened.replaced((k, j), [(whole, labels)])
    return None


def factor_beside_its_square(node: Node) -> Node | None:
    """Lᵀ A⁻¹ = L⁻¹ and L⁻¹ A = Lᵀ for the Cholesky factor L of A."""
    if not isinstance(node, Contraction):
        return None
    opened = Opened(node)
    for k, part in enumerate(opened.parts):
        found = _factored(part.node)
        if found is None:
            continue
        matrix, inverted = found
        whole = symmetric_part(matrix)
        wanted = whole if inverted else CATALOGUE["inv"].apply([whole])
        shared, free = part.labels[-1 if inverted else -2], part.labels[-2 if inverted else -1]
        for j, other in enumerate(opened.parts):
            if other.node is not wanted or other.labels[:-2] != part.labels[:-2]:
                continue
            if shared not in other.labels[-2:] or not only_here(opened, shared, (k, j)):
                continue
            row, column = other.labels[-2:]
            far = row if column == shared else column
            factor = CATALOGUE["cholesky"].apply([matrix])
            ends = (far, free) if inverted else (free, far)
            after = factor if inverted else CATALOGUE["inv"].apply([factor])
            return opened.replaced((k, j), [(after, (*part.labels[:-2], *ends))])
    return None


def part_of_triangle(node: Node) -> Node | None:
    """tril(L) = L for a lower triangle L, triu(U) = U for an upper one."""
    if not isinstance(node, Contraction):
        return None
    for k, (mask, labels) in enumerate(node.operands):
        if not isinstance(mask, Indicator) or mask.equality or len(labels) != 2:
            continue
        signs = [c.constant for c in mask.coefficients]
        if {*signs} != {1, -1} or not mask.offset.at_least(0):
            continue
        row, column = (labels[signs.index(1)], labels[signs.index(-1)])
        others = [f for n, f in enumerate(node.operands) if n != k]
        for factor, own in others:
            if len(own) < 2:
                continue
            side = {(row, column): "lower", (column, row): "upper"}.get((own[-2], own[-1]))
            if side is not None and is_triangle(factor, side):
                return make.contract(others, node.output, dict(enumerate(node.sizes)))
    return None


def half_of_triangle(node: Node) -> Node | None:
    """The halved lower triangle of an upper triangle is half its diagonal."""
    matrix = argument_of("tril_half", node)
    if matrix is None or not is_triangle(matrix, "upper"):
        return None
    return make.scale(HALF, _diagonal(matrix))


def diagonal_of_half(node: Node) -> Node | None:
    """The halved lower triangle of a matrix has half its diagonal."""
    if not isinstance(node, Contraction):
        return None
    for k, (half, labels) in enumerate(node.operands):
        matrix = argument_of("tril_half", half)
        if matrix is not None and labels[-1] == labels[-2]:
            factors = [*node.operands[:k], (matrix, labels), *node.operands[k + 1 :]]
            sizes = dict(enumerate(node.sizes))
            return make.scale(HALF, make.contract(factors, node.output, sizes))
    return None


def halves_meet(node: Node) -> Node | None:
    """The halved lower triangle of a symmetric matrix and its transpose are the matrix.

    That of an upper triangle has the diagonal only; a product with a sum is taken term by term.
    """
    if not isinstance(node, Sum):
        return None
    terms = list(node.terms)
    for n, (c, half) in enumerate(terms):
        matrix = argument_of("tril_half", half)
        other = None if matrix is None else (c, turned(half))
        whole = _both_halves(matrix, 2) if matrix is not None and other in terms else None
        if whole is not None:
            rest = [t for k, t in enumerate(terms) if k != n and t != other]
            return make.add([*rest, (c, whole)], node.shape)
    return None


def _both_halves(matrix: Node, deepest: int) -> Node | None:
    """tril_half(M) + tril_half(M)ᵀ, if all terms of M are symmetric or upper triangles."""
    if parity(matrix) == 1:
        return matrix
    if is_triangle(matrix, "upper"):
        return _diagonal(matrix)
    opened = Opened(matrix)
    for at, inner, others in sums_in(opened) if deepest else ():
        terms = multiplied_out(opened, at, others)
        shorter = [(c, factor_beside_its_square(t) or t) for c, t in terms]
        wholes = [(c, _both_halves(t, deepest - 1)) for c, t in shorter]
        found = [(c, t) for c, t in wholes if t is not None]
        if len(found) == len(inner.terms):
            return make.add(found, matrix.shape)
    return None


def _diagonal(matrix: Node) -> Node:
    """The diagonal of a matrix, and zeros."""
    axes = list(range(matrix.order - 1))
    alone = make.contract([(matrix, [*axes, axes[-1]])], axes)
    return make.contract([(alone, axes)], [*axes, axes[-1]])


def factor_of_diagonal(node: Node) -> Node | None:
    """The Cholesky factor of diag(x) is diag(√x)."""
    matrix = argument_of("cholesky", node)
    if not isinstance(matrix, Contraction) or matrix.summed or not make.has_delta(matrix):
        return None
    if matrix.output[-1] != matrix.output[-2]:
        return None
    roots = [(make.power(n, make.exact_number(0.5)), labels) for n, labels in matrix.operands]
    return make.contract(roots, matrix.output, dict(enumerate(matrix.sizes)))


def determinant_of_factor(node: Node) -> Node | None:
    """log det L = ½ log det A, det L = √det A, for the Cholesky factor L of A."""
    if not isinstance(node, Apply) or node.function not in ("det", "logdet", "logabsdet"):
        return None
    matrix = argument_of("cholesky", node.arguments[0])
    if matrix is None:
        return None
    name = "det" if node.function == "det" else "logdet"
    whole = make.apply(name, (symmetric_part(matrix),), node.shape)
    return make.power(whole, make.exact_number(0.5)) if name == "det" else make.scale(HALF, whole)


def multiple_taken_out(node: Node) -> Node | None:
    """A linear function of a multiple: L(c E) = c L(E)."""
    if not isinstance(node, Apply):
        return None
    for position in primitive(node).linear:
        coefficient, core = make.split_coefficient(node.arguments[position])
        if coefficient != 1:
            arguments = list(node.arguments)
            arguments[position] = core
            return make.scale(coefficient, make.apply(node.function, tuple(arguments), node.shape))
    return None


def whole_of_diagonal(node: Node) -> Node | None:
    """δᵢⱼ Dᵢᵢ = Dᵢⱼ for a diagonal matrix D."""
    if not isinstance(node, Contraction) or len(node.output) < 2:
        return None
    *lead, row, column = node.output
    if row != column:
        return None
    for k, (matrix, labels) in enumerate(node.operands):
        if len(labels) < 2 or labels[-2:] != (row, row) or any(x == row for x in lead):
            continue
        alone = all(row not in ls for j, (_, ls) in enumerate(node.operands) if j != k)
        if alone and is_triangle(matrix, "lower") and is_triangle(matrix, "upper"):
            fresh = len(node.sizes)
            factors = [*node.operands[:k], (matrix, (*labels[:-1], fresh)), *node.operands[k + 1 :]]
            sizes = {**dict(enumerate(node.sizes)), fresh: node.sizes[row]}
            return make.contract(factors, (*lead, row, fresh), sizes)
    return None
