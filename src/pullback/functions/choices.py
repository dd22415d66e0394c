"""Comparisons, as 1 where they hold and 0 elsewhere, and the choice between two values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Sum
from pullback.functions.domains import CONDITION, REAL
from pullback.functions.record import Function, Law, elementwise


def _comparison(name: str, sign: str, latex: str, holds: Callable[[Any, Any], bool]) -> Function:
    return elementwise(
        name,
        partial=(lambda y, a, b: 0 * y, lambda y, a, b: 0 * y),
        code=f"xp.where({{0}} {sign} {{1}}, 1.0, 0.0)",
        exact=lambda mp, a, b: mp.mpf(1) if holds(a, b) else mp.mpf(0),
        doc=f"1 where a {sign} b, else 0.",
        domain=(REAL, REAL),
        latex=rf"\left[{{0}} {latex} {{1}}\right]",
        convention="a comparison is constant in pieces; its derivative is taken as 0 everywhere",
        analytic=False,
    )


less = _comparison("less", "<", "<", lambda a, b: a < b)
less_equal = _comparison("less_equal", "<=", r"\le", lambda a, b: a <= b)
greater = _comparison("greater", ">", ">", lambda a, b: a > b)
greater_equal = _comparison("greater_equal", ">=", r"\ge", lambda a, b: a >= b)
equal = _comparison("equal", "==", "=", lambda a, b: a == b)
not_equal = _comparison("not_equal", "!=", r"\ne", lambda a, b: a != b)


def _same(c: Node, a: Node, b: Node) -> Node | None:
    value = make.constant_value(c)
    if value is not None:
        return a if value else b
    return a if a is b else None


def _times(c: Node, a: Node, b: Node, other: Node) -> Node | None:
    """Where a branch is 0, a factor goes to the other branch: it need not exist where that is 0."""
    if not make.is_zero(a) and not make.is_zero(b):
        return None
    left, right = _where_known(other, c, 1), _where_known(other, c, 2)
    return where.apply([c, make.multiply(a, left), make.multiply(b, right)])


def _nested(c: Node, a: Node, b: Node) -> Node | None:
    """Within a branch the same condition has been decided."""
    inner = [_where_known(a, c, 1), _where_known(b, c, 2)]
    return None if inner == [a, b] else where.apply([c, *inner])


def _where_known(node: Node, condition: Node, branch: int, depth: int = 4) -> Node:
    """The node where the condition is known: choices by it are the branch that it leads to."""
    if isinstance(node, Apply) and node.function == "where" and node.arguments[0] is condition:
        return node.arguments[branch]
    if not depth:
        return node
    if isinstance(node, Sum):
        terms = [(k, _where_known(term, condition, branch, depth - 1)) for k, term in node.terms]
        return make.add(terms, node.shape)
    if isinstance(node, Contraction):
        factors = [
            (_where_known(n, condition, branch, depth - 1) if ls == node.output else n, ls)
            for n, ls in node.operands
        ]
        return make.contract(factors, node.output, dict(enumerate(node.sizes)))
    return node


where: Function = elementwise(
    "where",
    partial=(
        lambda y, c, a, b: 0 * y,
        lambda y, c, a, b: where(c, 1, 0),
        lambda y, c, a, b: where(c, 0, 1),
    ),
    code="xp.where({0} != 0, {1}, {2})",
    exact=lambda mp, c, a, b: a if c != 0 else b,
    doc="a where the condition holds (is not 0), else b; the other one need not have a value.",
    domain=(CONDITION, REAL, REAL),
    latex=r"\operatorname{where}",
    convention="a condition is constant in pieces; the derivative by it is taken as 0 everywhere",
    piece=lambda c, a, b: c != 0,
    normal=_same,
    laws=(Law("where(c, where(c, a, b), d) = where(c, a, d)", _nested),),
    products=(Law("where(c, a, 0) b = where(c, a b, 0)", _times),),
    selects=True,
    analytic=False,
)
