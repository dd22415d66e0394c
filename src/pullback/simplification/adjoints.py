"""Linear functions in a product: ⟨L(E), G⟩ = ⟨E, L*(G)⟩, whichever is the shorter.

The derivative of exp(t A) by t is Σ L(t A, E_ij)_kl A_kl, one direction for each entry; on the other side
it is the one matrix L(t A, A) = A exp(t A).
"""

from __future__ import annotations

from collections.abc import Sequence

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node
from pullback.functions.algebra import Term
from pullback.functions.catalogue import primitive
from pullback.functions.record import LinearMap
from pullback.simplification.measure import measure
from pullback.simplification.products import Factor, Label


def on_the_other_side(node: Node) -> Node | None:
    """The product with the adjoint of a linear function in place of the function."""
    if not isinstance(node, Contraction):
        return None
    for at, (function, labels) in enumerate(node.operands):
        if not isinstance(function, Apply):
            continue
        for position in primitive(function).linear:
            after = _moved(node, at, function, labels, position)
            if after is not None and measure(after) < measure(node):
                return after
    return None


def _moved(
    node: Contraction, at: int, function: Apply, labels: Sequence[Label], position: int
) -> Node | None:
    record = primitive(function)
    count = len(record.signature.result)
    lead, core = labels[: len(labels) - count], labels[len(labels) - count :]
    if set(core) & {*node.output, *lead}:
        return None
    sizes = dict(enumerate(node.sizes))
    others = [factor for k, factor in enumerate(node.operands) if k != at]
    meeting = [f for f in others if set(f[1]) & set(core)]
    rest = [f for f in others if not set(f[1]) & set(core)]
    held = {x for _, ls in meeting for x in ls} - set(core)
    if held & {*node.output, *lead, *(x for _, ls in rest for x in ls)}:
        return None  # it would need a direction for each of them
    plain = [
        _without_leading(n, len(lead)) for k, n in enumerate(function.arguments) if k != position
    ]
    if None in plain:
        return None
    given = make.contract(meeting, core, {x: sizes[x] for x in {*core, *held}})
    rule = record.rule(position)
    assert isinstance(rule, LinearMap)
    moved = function.arguments[position]
    arguments = [Term(n) for n in plain if n is not None]
    arguments.insert(position, Term(make.zeros(moved.shape[len(lead) :])))
    adjoint = _shortened(rule.adjoint(Term(given), *arguments, Term(given)).node)
    fresh = len(node.sizes)
    inner = tuple(range(fresh, fresh + adjoint.order))
    factors: list[Factor] = [(moved, (*lead, *inner)), (adjoint, inner), *rest]
    kept = {x: s for x, s in sizes.items() if x not in core and x not in held}
    return make.contract(factors, node.output, kept)


def _without_leading(node: Node, count: int) -> Node | None:
    """The node less leading axes along which it is merely repeated, or None if it is not."""
    found: Node | None = node
    for _ in range(count):
        found = make.without_repeats(found, 0) if found is not None else None
    return found


def _shortened(node: Node) -> Node:
    """The node with a law of its function applied, if one does."""
    if isinstance(node, Apply):
        for law in primitive(node).laws:
            after = law.rewrite(*node.arguments)
            if after is not None:
                return after
    return node
