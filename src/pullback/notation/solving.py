"""Sums over labels that relations fix, carried out on paper: Σⱼ [j = i + 1] xⱼ is x_{i+1}.

A product of an expression keeps its indicators, since code takes slices by them; a reader wants
the index itself. What is left are factors at indices that are linear forms, and conditions.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pullback.expressions.nodes import Indicator, Node
from pullback.expressions.relations import ONE, Relation, relation_of, surely
from pullback.expressions.sizes import Size
from pullback.notation.products import Label, Product
from pullback.notation.relations import plain


@dataclass(frozen=True)
class Entry:
    """A factor at its indices; a condition on labels where there is no node."""

    node: Node | None
    indices: tuple[Relation, ...]

    @property
    def labels(self) -> tuple[Label, ...]:
        found = dict.fromkeys(x for index in self.indices for x in index.labels)
        return tuple(x for x in found if isinstance(x, int))


def solved(product: Product) -> list[Entry] | None:
    """The factors and the conditions of a product; None if no indices satisfy these.

    Σₓ [x = e] F(x) = [0 ≤ e < size] F(e), counting from 0. Labels that no other factor has go
    first, and then those whose range leaves no condition. The digits of a merged axis stay.
    """
    relations = [
        relation_of(f.node, f.labels) for f in product.factors if isinstance(f.node, Indicator)
    ]
    others = [f for f in product.factors if not isinstance(f.node, Indicator)]
    value: dict[Hashable, Relation] = {x: plain(x) for f in product.factors for x in f.labels}
    held: set[Hashable] = {x for f in others for x in f.labels}
    sizes: Mapping[Hashable, Size] = dict(product.sizes.items())
    while True:
        relations = [r for r in relations if r.always(sizes) is not True]
        relations = list({r.meaning: r for r in relations}.values())
        if any(r.always(sizes) is False for r in relations):
            return None
        found = _next(relations, held, product.output, sizes)
        if found is None:
            entries = [Entry(f.node, tuple([value[x] for x in f.labels])) for f in others]
            return [*entries, *(Entry(None, (r,)) for r in relations)]
        relation, label, form, conditions = found
        relations = [r.with_label(label, form) for r in relations if r is not relation]
        relations += conditions
        value = {x: v.with_label(label, form) for x, v in value.items()}
        held |= set(form.labels) if label in held else set()


Step = tuple[Relation, Hashable, Relation, list[Relation]]


def _next(
    relations: Sequence[Relation],
    held: set[Hashable],
    output: Sequence[Label],
    sizes: Mapping[Hashable, Size],
) -> Step | None:
    """The relation to use next: the label that goes, what it is, and the conditions on that."""
    best: tuple[tuple[bool, int], Step] | None = None
    for relation in relations:
        for label in relation.labels:
            form = relation.solved_for(label)
            if form is None or label in output:
                continue
            conditions = conditions_of(form, sizes[label], sizes)
            if conditions and any(c not in (ONE, -ONE) for _, c in form.coefficients):
                continue
            cost = (label in held, len(conditions))
            if best is None or cost < best[0]:
                best = cost, (relation, label, form, conditions)
    return None if best is None else best[1]


def conditions_of(form: Relation, size: Size, sizes: Mapping[Hashable, Size]) -> list[Relation]:
    """What is left to ask of 0 ≤ form < size; sizes are as long as what is taken by number."""
    low = Relation(form.coefficients, form.offset, False, form.granted)
    high = low.negated()
    high = Relation(high.coefficients, high.offset + size - ONE, False, form.granted)
    return [r for r in (low, high) if not taken_as_known(r.least(sizes), form.granted)]


def taken_as_known(least: Size | None, granted: Iterable[Size] = ()) -> bool:
    """Whether a bound holds for all sizes, or for all but a few small ones, as n − 3 ≥ 0 does."""
    if least is None:
        return False
    named = [c for monomial, c in least.terms if monomial]
    return surely(least, granted) or (bool(named) and min(named) > 0)
