"""What has merged axes, as kron(A, B) and vec(A) have, in the notation of vec and ⊗."""

from __future__ import annotations

from pullback.derivation.stacking import in_one_product, unstacked
from pullback.expressions.nodes import Contraction, Indicator, Node, Sum
from pullback.expressions.relations import ZERO, Relation, relation_of
from pullback.expressions.sizes import Size
from pullback.expressions.walks import post_order
from pullback.notation.matrix import MatrixForms
from pullback.notation.names import Names
from pullback.notation.products import Product, opened
from pullback.notation.tree import Formula
from pullback.notation.vec import vec_form

Pair = tuple[Size, Size]


def merged_form(root: Node, names: Names) -> Formula | None:
    """The formula of a vector or matrix whose axes are pairs of axes; None where none is."""
    if not any(isinstance(node, Indicator) for node in post_order(root)):
        return None
    root = in_one_product(root)
    pairs: dict[int, Pair] = {}
    for term in [n for _, n in root.terms] if isinstance(root, Sum) else [root]:
        if isinstance(term, Contraction):
            product = opened(term, names)
            for axis in range(root.order):
                pair = _pair(product, axis)
                if pair is not None and pairs.setdefault(axis, pair) != pair:
                    return None
    if not pairs:
        return None
    shape = tuple(s for k, size in enumerate(root.shape) for s in pairs.get(k, (size,)))
    groups = tuple(2 if k in pairs else 1 for k in range(root.order))
    apart = unstacked(root, shape, groups)
    if any(isinstance(node, Indicator) for node in post_order(apart)):
        return None
    return vec_form(apart, MatrixForms(names, apart), groups)


def _pair(product: Product, axis: int) -> Pair | None:
    """The sizes of two axes of which the first varies fastest, where one axis numbers both."""
    label = product.output[axis]
    for factor in product.factors:
        if isinstance(factor.node, Indicator) and label in factor.labels:
            pair = _digits(relation_of(factor.node, factor.labels), label, product)
            if pair is not None:
                return pair
    return None


def _digits(relation: Relation, label: int, product: Product) -> Pair | None:
    value = relation.solved_for(label)
    if value is None or value.offset != ZERO or len(value.coefficients) != 2:
        return None
    sizes = [(c, product.sizes[x]) for x, c in value.coefficients if isinstance(x, int)]
    for (one, first), (other, second) in (sizes, sizes[::-1]):
        whole = product.sizes[label]
        if one == Size.of(1) and other == first and first * second == whole:
            return first, second
    return None
