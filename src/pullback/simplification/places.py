"""Indicators in a product of products: what is put somewhere and taken out again."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Indicator, Node, Sum
from pullback.expressions.placement import is_placement
from pullback.simplification.measure import measure
from pullback.simplification.products import Opened


def relations_meet(node: Node) -> Node | None:
    """Two indicators that share an index, as what they say together, where that is shorter."""
    opened = Opened(node)
    places = [k for k in opened.leaves() if isinstance(opened.parts[k].node, Indicator)]
    best: Node | None = None
    for one, other in combinations(places, 2):
        first, second = opened.parts[one], opened.parts[other]
        if first.parent == second.parent or set(first.labels).isdisjoint(second.labels):
            continue  # what stands in one product has met already
        factors = [(part.node, part.labels) for part in (first, second)]
        best = _shorter([best or node, opened.replaced([one, other], factors)])
        best = None if best is node else best
    return best


def parts_apart(node: Node) -> Node | None:
    """A slice of a concatenation: Σⱼ [j = i + a] Σₖ xₖⱼ with the xₖ at places of their own."""
    opened = Opened(node)
    leaves = [(k, opened.parts[k]) for k in opened.leaves()]
    for place, part in leaves:
        inner = part.node
        if not isinstance(inner, Sum) or not all(is_placement(n) for _, n in inner.terms):
            continue
        for other, chosen in leaves:
            if isinstance(chosen.node, Indicator) and not set(chosen.labels).isdisjoint(
                part.labels
            ):
                terms = []
                for c, term in inner.terms:
                    product = make.contract([(term, range(term.order))], range(term.order))
                    whole = opened.replaced(
                        [place, other], [(product, part.labels), (chosen.node, chosen.labels)]
                    )
                    terms.append((c, relations_meet(whole) or whole))
                after = make.add(terms, node.shape)
                if _shorter([node, after]) is after:
                    return after
    return None


def _shorter(nodes: Iterable[Node]) -> Node:
    return min(nodes, key=lambda node: measure(node)[0])
