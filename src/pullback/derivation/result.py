"""What a derivation yields, as data that notation, code and explanation read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pullback.derivation.structure import Convention, Structure, along, structure_of
from pullback.expressions.nodes import Node
from pullback.expressions.program import Program
from pullback.expressions.sizes import Shape
from pullback.trace import Trace


@dataclass(frozen=True)
class Wrt:
    """What a derivative is taken by: a variable, or a named line that is held free."""

    name: str
    node: Node


@dataclass(frozen=True)
class Derivation:
    """The derivative of a program's result by ``wrt``, in that order.

    ``node`` has the axes of the function, then those of each entry of ``wrt``; ``raw`` is the
    same value as the chain rule left it. ``trace`` holds the steps of the last differentiation
    (for a second derivative: of the gradient). ``structured`` names the convention for structured
    variables (see :mod:`.structure`); None says that entries are independent.
    """

    program: Program
    wrt: tuple[Wrt, ...]
    node: Node
    raw: Node
    trace: Trace
    structured: Convention | None = None

    @property
    def shape(self) -> Shape:
        return self.node.shape

    @property
    def groups(self) -> tuple[int, ...]:
        """How many axes belong to the function, then to each variable."""
        return (self.program.result.order, *(w.node.order for w in self.wrt))

    def along(self, write: Callable[[str], str] = str) -> str:
        """In words, what a structured variable moves along; empty where entries are independent."""
        return along(self.structured, {w.name: w.node for w in self.wrt}, write)

    def taken_as_independent(self) -> dict[str, Structure]:
        """The structured variables whose structure this derivative does not respect."""
        found = {w.name: structure_of(w.node) for w in self.wrt if self.structured is None}
        return {name: s for name, s in found.items() if s is not None and s.conventions}

    def handed_to_lines(self) -> dict[Node, str]:
        """The gradient that each named line was handed, simplified, and the name of that line."""
        handed: dict[Node, str] = {}
        for name, line in self.program.lines.items():
            cotangent = self.trace.cotangents.get(line)
            if cotangent is not None and line is not self.program.result:
                handed.setdefault(self.trace.simplified.get(cotangent, cotangent), name)
        return handed
