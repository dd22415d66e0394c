"""What one operation hands on: the only place where a local derivative meets a cotangent.

With f the function that is differentiated and S its axes, the cotangent of a node v is ∂f/∂v
with axes S + axes of v. A tangent is dv/dt with the axes of v, then those of the direction.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from pullback.differentiation.choosing import Factor, opened, product
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Sum
from pullback.functions.algebra import Term
from pullback.functions.catalogue import primitive
from pullback.functions.record import LinearMap


def partial_of(node: Node, position: int) -> Node | None:
    """The partial of a function node by one argument as a tensor.

    None for sums, products and functions whose derivative is a linear map: these have none.
    """
    if isinstance(node, Apply):
        return primitive(node).partial(position, node, node.arguments)
    return None


def hand_on(node: Node, position: int, cotangent: Node, partial: Node | None) -> Node:
    """The contribution to the cotangent of operand ``position``.

    Sum: the coefficient times what was handed. Contraction: what was handed takes the place
    of the operand and the operand's labels become the output, so that a transpose, a
    broadcast, a diagonal and a partial sum each turn into their adjoint. Function: the
    contraction with its partial over the axes of the result, or the adjoint of its linear map.
    """
    lead: list[Hashable] = [("lead", k) for k in range(cotangent.order - node.order)]
    if isinstance(node, Sum):
        return make.scale(node.terms[position][0], cotangent)
    if isinstance(node, Contraction):
        labels = node.operands[position][1]
        return _replace(node, position, (cotangent, [*lead, *node.output]), [*lead, *labels])
    assert isinstance(node, Apply)
    if partial is None:
        return _mapped(node, cotangent, len(lead), _linear_map(node, position).adjoint)
    batch, result, argument = _axes(node, position)
    return _join(
        partial,
        [*batch, *result, *argument],
        (cotangent, [*lead, *batch, *result]),
        [*lead, *batch, *argument],
        distribute=bool(result or argument),
    )


def push_forward(node: Node, position: int, tangent: Node, partial: Node | None) -> Node:
    """The contribution of operand ``position`` to the tangent of the node."""
    operand = node.children[position]
    trail: list[Hashable] = [("trail", k) for k in range(tangent.order - operand.order)]
    if isinstance(node, Sum):
        return make.scale(node.terms[position][0], tangent)
    if isinstance(node, Contraction):
        labels = node.operands[position][1]
        return _replace(node, position, (tangent, [*labels, *trail]), [*node.output, *trail])
    assert isinstance(node, Apply)
    if partial is None:
        last = [*range(operand.order, tangent.order), *range(operand.order)]
        given = make.transpose(tangent, last)
        moved = _mapped(node, given, len(trail), _linear_map(node, position).forward)
        return make.transpose(moved, [*range(len(trail), moved.order), *range(len(trail))])
    batch, result, argument = _axes(node, position)
    return _join(
        partial,
        [*batch, *result, *argument],
        (tangent, [*batch, *argument, *trail]),
        [*batch, *result, *trail],
        distribute=bool(result or argument),
    )


def _linear_map(node: Apply, position: int) -> LinearMap:
    rule = primitive(node).rule(position)
    assert isinstance(rule, LinearMap)
    return rule


def _mapped(node: Apply, given: Node, lead: int, apply: Callable[..., Term]) -> Node:
    """A linear map of what it is given, whose leading axes are further batch axes."""
    shape = given.shape[:lead]
    here = [Term(make.broadcast(n, shape + n.shape)) for n in (node, *node.arguments)]
    return apply(*here, Term(given)).node


def _replace(node: Contraction, position: int, given: Factor, output: list[Hashable]) -> Node:
    """The contraction with ``given`` in place of one operand, read off at ``output``."""
    others: list[Factor] = [
        (n, list(ls)) for k, (n, ls) in enumerate(node.operands) if k != position
    ]
    return product([given, *others], output, dict(enumerate(node.sizes)))


def _axes(node: Apply, position: int) -> tuple[list[Hashable], list[Hashable], list[Hashable]]:
    """Labels of the batch axes, the result's core axes and the argument's core axes."""
    signature = primitive(node).signature
    result: list[Hashable] = [("result", k) for k in range(len(signature.result))]
    argument: list[Hashable] = [("argument", k) for k in range(len(signature.arguments[position]))]
    batch: list[Hashable] = [("batch", k) for k in range(node.order - len(result))]
    return batch, result, argument


def _join(
    partial: Node, labels: list[Hashable], given: Factor, output: list[Hashable], distribute: bool
) -> Node:
    """The contraction of ``given`` with a partial, its products opened so that δs vanish.

    A partial with core axes is also distributed over its terms: diag(p) − p pᵀ then meets
    what it is given as two short products and is never formed.
    """
    if distribute and isinstance(partial, Sum) and partial.terms:
        return make.add(
            [(c, _join(term, labels, given, output, False)) for c, term in partial.terms]
        )
    coefficient, core = make.split_coefficient(partial)
    return make.scale(coefficient, product([given, *opened(core, labels)], output))
