"""Products with a choice: what is not chosen need not have a value.

The derivative of where(c, log x, 0) is where(c, 1/x, 0), not where(c, 1, 0) ⊙ 1/x, which is no
number where x is 0. So a factor goes into the choice that it meets.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Sum
from pullback.expressions.sizes import Size
from pullback.functions.catalogue import primitive

Factor = tuple[Node, list[Hashable]]


def product(
    factors: Sequence[Factor],
    output: list[Hashable],
    sizes: Mapping[Hashable, Size] | None = None,
) -> Node:
    """:func:`make.contract`, with factors that have the axes of a choice taken into it."""
    if not any(_chooses(node) for node, _ in factors):
        return make.contract(factors, output, sizes)
    for place, (node, labels) in enumerate(factors):
        if isinstance(node, Sum) and _chooses(node):
            rest = [f for k, f in enumerate(factors) if k != place]
            return make.add(
                [(c, product([(term, labels), *rest], output, sizes)) for c, term in node.terms]
            )
    parts: list[Factor] = []
    for node, labels in factors:
        parts += opened(node, labels) if _chooses(node) else [(node, labels)]
    parts = _along_one_label(parts)
    joined = _join_one(parts)
    while joined is not None:
        parts, joined = joined, _join_one(joined)
    return make.contract(parts, output, sizes)


def _along_one_label(parts: list[Factor]) -> list[Factor]:
    """δ_ij f_j as δ_ij f_i, so that what lies along one axis has one label."""
    first: dict[Hashable, Hashable] = {}
    for node, labels in parts:
        if _is_delta(node):
            kept, gone = (first.setdefault(label, label) for label in labels)
            first = {label: kept if root == gone else root for label, root in first.items()}
    deltas = [f for f in parts if _is_delta(f[0])]
    others = [f for f in parts if not _is_delta(f[0])]
    return deltas + [(node, [first.get(x, x) for x in labels]) for node, labels in others]


def _is_delta(node: Node) -> bool:
    return isinstance(node, Contraction) and not node.operands and node.output == (0, 0)


def _join_one(parts: list[Factor]) -> list[Factor] | None:
    """The factors with one of them taken into a choice, or None if there is none to take."""
    for place, (choice, labels) in enumerate(parts):
        if not _is_choice(choice):
            continue
        for k, (other, its) in enumerate(parts):
            if k != place and len(its) == len(labels) and set(its) == set(labels):
                aligned = make.contract([(other, its)], labels)
                return [
                    *[f for j, f in enumerate(parts) if j not in (place, k)],
                    (_taken_in(choice, aligned) or choice, labels),
                ]
    return None


def _chooses(node: Node) -> bool:
    """Whether a choice is a factor of the node, or of every term of it."""
    if isinstance(node, Sum):
        return bool(node.terms) and all(_chooses(term) for _, term in node.terms)
    if isinstance(node, Contraction):
        return any(map(_is_choice, node.children))
    return _is_choice(node)


def _is_choice(node: Node) -> bool:
    """Whether the node is nothing but zeros where something is not chosen."""
    if not isinstance(node, Apply) or not primitive(node).selects:
        return False
    return any(map(make.is_zero, node.arguments[1:]))


def _taken_in(choice: Node, factor: Node) -> Node | None:
    """The choice with a factor within it."""
    assert isinstance(choice, Apply)
    (law,) = primitive(choice).products
    return law.rewrite(*choice.arguments, factor)


def opened(node: Node, labels: Sequence[Hashable]) -> list[Factor]:
    """A product as its factors under outer labels; any other node as itself."""
    outer = list(labels)
    if not isinstance(node, Contraction):
        return [(node, outer)]
    seen: dict[int, Hashable] = {}
    factors: list[Factor] = [(make.ones(node.shape), outer)]
    for inner, label in zip(node.output, outer, strict=True):
        if inner in seen:
            factors.append((make.delta(node.sizes[inner]), [seen[inner], label]))
        else:
            seen[inner] = label
    scope = object()  # summed labels of different products never meet
    for inner in node.summed:
        seen[inner] = (scope, inner)
    return factors + [(n, [seen[label] for label in ls]) for n, ls in node.operands]
