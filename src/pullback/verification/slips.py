"""What a gradient becomes by one slip on the way back: the mistakes that people make by hand.

Each is the backward pass with one operation handing on something else, so that it is found
wherever it was made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial as bound

from pullback.differentiation.local import hand_on
from pullback.differentiation.reverse import reverse
from pullback.expressions import Apply, Contraction, Node, Sum
from pullback.expressions import constructors as make
from pullback.functions.catalogue import primitive
from pullback.trace import Link, Trace

MOST = 120  # slips that are tried

Write = Callable[[Node], str]


@dataclass(frozen=True)
class Slip:
    """A slip in words, and the gradient that it leads to."""

    reason: str
    gradient: Node


@dataclass(frozen=True)
class _Change:
    """What an operation hands on to the operands at some places, of what it is handed."""

    reason: str
    operation: Node
    positions: tuple[int, ...]
    contribution: Callable[[int, Node], Node]

    def hand_on(self, node: Node, position: int, handed: Node, partial: Node | None) -> Node:
        if node is self.operation and position in self.positions:
            return self.contribution(position, handed)
        return hand_on(node, position, handed, partial)


def slips(root: Node, target: Node, write: Write) -> Iterator[Slip]:
    """The gradients of the root by the target with one link gone wrong, nearest to the root first.

    ``write`` puts a node into words.
    """
    trace = Trace()
    seen = set(reverse(root, [target], trace))
    tried = 0
    for link in trace.links:
        for change in _changes(link, trace.links, write):
            tried += 1
            if tried > MOST:
                return
            (gradient,) = reverse(root, [target], hand_on=change.hand_on)
            if gradient not in seen:
                seen.add(gradient)
                yield Slip(change.reason, gradient)


def _changes(link: Link, links: Sequence[Link], write: Write) -> Iterator[_Change]:
    node, position = link.operation, link.position
    if isinstance(node, Apply) and link.partial is not None:
        yield from _of_function(node, position, link.partial, write)
    elif isinstance(node, Sum) and node.terms[position][0] < 0:
        yield _Change(
            f"the minus before {write(node.terms[position][1])} is lost",
            node,
            (position,),
            lambda k, handed: make.negate(hand_on(node, k, handed, None)),
        )
    elif isinstance(node, Contraction):
        yield from _of_product(node, position, write)
    alike = [other for other in links if other.operand is link.operand]
    if len(alike) > 1:
        yield from _of_places(link, alike, write)


def _of_function(node: Apply, position: int, partial: Node, write: Write) -> Iterator[_Change]:
    record = primitive(node)
    if not record.elementwise:
        return
    instead = [
        (f"the derivative of {write(node)}, {write(partial)}, is missing", make.ones(partial.shape))
    ]
    if node.function == "power":
        exponent = make.constant_value(node.arguments[1])
        if position == 0 and exponent is not None and exponent not in (0, 1):
            less = make.scale(make.exact_number(1 / exponent), partial)
            instead.append(
                (f"the factor {exponent} of the derivative of {write(node)} is missing", less)
            )
    elif len(node.arguments) == 1:
        at_value = record.partial(position, record.apply([node]), (node,))
        if at_value is not None:
            at = write(node.arguments[0])
            said = f"the derivative of {write(node)} is taken at its value, not at {at}"
            instead.append((said, at_value))
    for reason, other in instead:
        yield _Change(reason, node, (position,), bound(_by_partial, node, other))


def _by_partial(node: Node, partial: Node, position: int, handed: Node) -> Node:
    return hand_on(node, position, handed, partial)


def _of_product(node: Contraction, position: int, write: Write) -> Iterator[_Change]:
    for k, (factor, labels) in enumerate(node.operands):
        if k != position and len(set(labels)) == 2 and factor.shape[0] == factor.shape[1]:
            reason = (
                f"{write(factor)} is transposed where it should not be, or not where it should, "
                f"in what comes back through {write(node)}"
            )
            yield _Change(reason, node, (position,), bound(_turned, node, k))


def _turned(node: Contraction, k: int, position: int, handed: Node) -> Node:
    """What a product hands on, with one of its other matrices transposed."""
    lead = [("lead", axis) for axis in range(handed.order - node.order)]
    factors = [
        (n, list(ls[::-1] if j == k else ls))
        for j, (n, ls) in enumerate(node.operands)
        if j != position
    ]
    output = [*lead, *node.operands[position][1]]
    given = (handed, [*lead, *node.output])
    return make.contract([given, *factors], output, dict(enumerate(node.sizes)))


def _of_places(link: Link, alike: Sequence[Link], write: Write) -> Iterator[_Change]:
    """An operand in several places: a place is left out, or a power's factor."""
    node, operand = link.operation, link.operand

    def nothing(_: int, handed: Node) -> Node:
        return make.zeros(handed.shape[: handed.order - node.order] + operand.shape)

    within = [other for other in alike if other.operation is node]
    places, count = tuple([other.position for other in within]), len(within)
    if link is not within[0]:
        return
    if count < len(alike):
        reason = f"{write(operand)} is used elsewhere too: what comes back through {write(node)} is missing"
        yield _Change(reason, node, places, nothing)
    if count > 1:
        for place in places:
            reason = (
                f"only {count - 1} of the {count} places of {write(operand)} in {write(node)} count"
            )
            yield _Change(reason, node, (place,), nothing)
        share = make.exact_number(Fraction(1, count))
        yield _Change(
            f"the factor {count} of the derivative of {write(node)} is missing",
            node,
            places,
            lambda k, handed: make.scale(share, hand_on(node, k, handed, None)),
        )
