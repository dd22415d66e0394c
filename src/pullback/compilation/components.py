"""Products that fall apart: an outer product is not multiplied out before it has to be."""

from __future__ import annotations

from dataclasses import replace

from pullback.compilation.arrays import Arrays
from pullback.compilation.contraction import Factor, Product, multiply_out
from pullback.compilation.ir import Register


def _parts(product: Product) -> list[list[Factor]]:
    """The factors in groups that are tied by labels that are summed."""
    groups: list[tuple[set[int], list[Factor]]] = []
    for factor in product.factors:
        summed = set(factor[1]).difference(product.output)
        near = [g for g in groups if g[0] & summed]
        groups = [g for g in groups if not g[0] & summed]
        groups.append((summed.union(*[g[0] for g in near]), [f for g in near for f in g[1]]))
        groups[-1][1].append(factor)
    return [factors for _, factors in groups]


def _own(factors: list[Factor], product: Product) -> list[int]:
    held = {x for _, labels in factors for x in labels}
    return [x for x in dict.fromkeys(product.output) if x in held]


def condensed(product: Product) -> Product:
    """The product with a stand-in for each group of factors that sums tie together."""
    factors: list[Factor] = []
    for part in _parts(product):
        if len(part) == 1:
            factors += part
        else:
            own = _own(part, product)
            shape = tuple([product.sizes[x] for x in own])
            factors.append((Register(-1, shape), tuple(own)))
    return replace(product, factors=factors)


def condense(arrays: Arrays, product: Product) -> Product:
    """The same with each group multiplied out."""
    factors: list[Factor] = []
    for part in _parts(product):
        if len(part) == 1:
            factors += part
            continue
        own = _own(part, product)
        view = multiply_out(
            arrays, replace(product, output=own, factors=part, scalars=[], coefficient=1)
        )
        assert isinstance(view.source, Register)
        labels = tuple([own[view.axes.index(a)] for a in range(len(view.source.shape))])
        factors.append((view.source, labels))
    return replace(product, factors=factors)
