"""The trace: every named step that led from a function to its derivative.

The formula, the explanation and the code are read from the same trace, so they cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pullback.expressions.nodes import Node


@dataclass(frozen=True)
class Link:
    """One link of the chain: an operation hands a gradient on to one of its operands.

    ``handed`` is the cotangent of the operation (axes of the differentiated function, then of
    the operation), ``partial`` the local derivative of a function (None for sums and products,
    whose derivative is the operation itself with one place left open), ``handed_on`` this
    link's contribution to the cotangent of the operand.
    """

    rule: str  # "sum", "product", or the name of a function
    operation: Node
    position: int  # which operand of the operation
    operand: Node
    handed: Node
    partial: Node | None
    handed_on: Node


@dataclass(frozen=True)
class Rewrite:
    """One simplification: a law turned ``before`` into ``after``, which have equal values."""

    law: str
    before: Node
    after: Node


@dataclass
class Trace:
    """The links in the order of the backward pass, and the rewrites in the order they applied.

    ``cotangents`` holds, for every operation on the way, the gradient it was handed, as the
    chain rule left it; ``simplified`` the image of each expression under the rewrites.
    """

    links: list[Link] = field(default_factory=list)
    rewrites: list[Rewrite] = field(default_factory=list)
    cotangents: dict[Node, Node] = field(default_factory=dict)
    simplified: dict[Node, Node] = field(default_factory=dict)
