"""Instructions to nodes, once every shape is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from pullback.errors import DomainError, Place, PullbackError
from pullback.expressions import Node, Shape, Variable
from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE
from pullback.language.broadcasting import broadcast_to
from pullback.language.code import Instruction, Load, Operate, Push, Store
from pullback.language.kinds import Axis, Extent, Rule
from pullback.language.literals import LARGEST, bits, check_literals
from pullback.language.settling import Typing

_PRODUCTS = ("*", "/", ".*", "./", "·")


@dataclass(slots=True)
class _Chain:
    """A product still growing to the right: its scalars together, and the product of the rest."""

    scalars: list[Node] = field(default_factory=list)
    core: Node | None = None
    span: tuple[int, int] = (0, 0)

    def node(self) -> Node:
        if self.core is None:
            return make.multiply(*self.scalars)
        if not self.scalars:
            return self.core
        labels = range(self.core.order)
        return make.contract([*((s, ()) for s in self.scalars), (self.core, labels)], labels)


@dataclass
class Lowered:
    """The value of the last line, of the named lines, and where each node first stands."""

    result: Node
    lines: dict[str, Node]
    places: dict[Node, Place]


def lower(
    code: Sequence[Instruction], typing: Typing, variables: Mapping[str, Variable], text: str
) -> Lowered:
    """The nodes that a typed program denotes."""
    named: dict[str, Node] = dict(variables)
    lines: dict[str, Node] = {}
    places: dict[Node, Place] = {}
    stack: list[Node | _Chain] = []
    result: Node | None = None

    def finished(item: Node | _Chain) -> Node:
        if isinstance(item, Node):
            return item
        node = item.node()
        places.setdefault(node, Place(text, *item.span))
        return node

    for step, entity, rule in zip(code, typing.values, typing.rules, strict=True):
        if isinstance(step, Store):
            result = finished(stack.pop())
            places.setdefault(result, Place(text, *step.span))
            if step.name:
                named[step.name] = lines[step.name] = result
        elif isinstance(step, Load):
            stack.append(named[step.name])
            places.setdefault(named[step.name], Place(text, *step.span))
        elif isinstance(step, Push):
            stack.append(step.node)
        elif isinstance(step, Operate):
            assert rule is not None
            if step.symbol in ("+", "-") and not step.signs:
                continue  # the last addition of a sum takes all its terms
            count = len(step.signs) or step.count
            operands = stack[len(stack) - count :]
            del stack[len(stack) - count :]
            try:
                if step.build is None and step.symbol in _PRODUCTS:
                    chain = _product(step.symbol, rule, operands[0], finished(operands[1]))
                    chain.span = step.span
                    stack.append(chain)
                    continue
                nodes = [finished(operand) for operand in operands]
                node = _operate(step, rule, typing.shape(entity), nodes)
            except PullbackError as error:
                raise error.at(Place(text, *step.at)) from None
            places.setdefault(node, Place(text, *step.span))
            stack.append(node)
    assert result is not None
    return Lowered(result, lines, places)


def _operate(step: Operate, rule: Rule, shape: Shape, nodes: Sequence[Node]) -> Node:
    build = rule.build or step.build
    if step.signs:
        parts = [broadcast_to(n, shape) for n in nodes]
        result = make.add(zip(step.signs, parts, strict=True), shape)
    elif build is not None:
        result = build(nodes, shape)
    elif step.symbol in ("^", ".^"):
        result = power(step.symbol, nodes[0], nodes[1])
    else:
        result = _contraction(rule, nodes)
    check_literals(result, nodes)
    return result


def _product(symbol: str, rule: Rule, left: Node | _Chain, right: Node) -> _Chain:
    if not isinstance(left, _Chain):
        left = _Chain([], left) if left.order else _Chain([left])
    if symbol in ("/", "./"):
        if make.is_zero(right):
            raise DomainError("division by zero")
        right = make.power(right, -1)
        check_literals(right, [right])
    if left.core is not None and right.order:
        right, left.core = _contraction(rule, [left.core, right]), None
    if right.order:
        left.core = right
    else:
        left.scalars.append(right)
    return left


def _contraction(rule: Rule, nodes: Sequence[Node]) -> Node:
    """The contraction a rule describes: equal axes get one label, the result's axes stay."""
    label: dict[Axis, Axis] = {}

    def root(axis: Axis) -> Axis:
        while axis in label:
            axis = label[axis]
        return axis

    for left, right in rule.equal:
        assert not isinstance(left, Extent) and not isinstance(right, Extent)
        a, b = root(left), root(right)
        if a != b:
            label[b] = a
    pairs = [
        (node, [root((i, axis)) for axis in range(node.order)]) for i, node in enumerate(nodes)
    ]
    return make.contract(pairs, [root(axis) for axis in rule.axes if isinstance(axis, tuple)])


def power(symbol: str, base: Node, exponent: Node) -> Node:
    value = make.constant_value(exponent)
    coefficient, _ = make.split_coefficient(base)
    if isinstance(value, int) and bits(coefficient) * abs(value) > LARGEST and coefficient != 1:
        raise PullbackError("this power of a literal is too large")
    if symbol == ".^" or not base.order:
        return make.power(base, exponent)
    if isinstance(value, Fraction) and value.denominator == 2:
        base, value = CATALOGUE["sqrtm"].apply([base]), value.numerator
    if not isinstance(value, int):
        raise PullbackError(
            "a matrix is raised to whole numbers and their halves only",
            None,
            "write .^ entry by entry, or powm(X, p) for other powers",
        )
    if abs(value) > 64:
        raise PullbackError("a matrix is raised to at most the 64th power")
    if value == 0:
        return make.delta(base.shape[0])
    factor = base if value > 0 else CATALOGUE["inv"].apply([base])
    result = factor
    for _ in range(abs(value) - 1):
        result = make.contract([(result, "ij"), (factor, "jk")], "ik")
    return result
