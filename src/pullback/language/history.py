"""What a symbol remembers of how it was made: the lines that were named on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pullback.errors import PullbackError
from pullback.expressions import Node, Program, Variable
from pullback.expressions.walks import post_order, variables


class History:
    """A step in the making of an expression, linked to those before it.

    Each operation adds one link, whatever was named before, so that long expressions stay cheap.
    """

    __slots__ = ("name", "node", "parents", "program")

    def __init__(
        self,
        node: Node,
        name: str = "",
        parents: tuple[History, ...] = (),
        program: Program | None = None,
    ) -> None:
        self.node = node
        self.name = name
        self.parents = parents
        self.program = program

    def program_of(self, node: Node) -> Program | None:
        """The program this very node is the result of, if it was parsed."""
        if self.program is not None and self.program.result is node:
            return self.program
        return None

    def name_of(self, node: Node) -> str:
        if self.node is not node:
            return ""
        return self.name or (self.program.result_name if self.program else "")

    def collect(self) -> tuple[dict[str, Node], dict[str, Variable], set[str], set[str]]:
        """Lines and variables, by first appearance; names written as rows; lines that are closed."""
        lines: dict[str, Node] = {}
        given: dict[str, Variable] = {}
        rows: set[str] = set()
        closed: set[str] = set()
        for step in self._in_order():
            named = dict(step.program.lines) if step.program else {}
            if step.name:
                named[step.name] = step.node
            if isinstance(step.node, Variable) and not step.name:
                add_variable(given, step.node)
            for name, node in named.items():
                if lines.setdefault(name, node) is not node:
                    raise PullbackError(f"two different intermediates are called '{name}'")
            if step.program:
                rows |= step.program.rows
                closed |= step.program.closed
                for variable in step.program.variables.values():
                    add_variable(given, variable)
        _insist_on_sizes_apart(lines, given)
        return lines, given, rows, closed

    def _in_order(self) -> Iterator[History]:
        """Each step once, earlier ones first."""
        seen: set[int] = set()
        stack: list[tuple[History, bool]] = [(self, False)]
        while stack:
            step, ready = stack.pop()
            if ready:
                yield step
            elif id(step) not in seen:
                seen.add(id(step))
                stack.append((step, True))
                stack.extend((parent, False) for parent in reversed(step.parents))


def _insist_on_sizes_apart(lines: Iterable[str], given: dict[str, Variable]) -> None:
    """A name is that of a size or of a value: in a formula it could not be told which."""
    sizes = {n for variable in given.values() for size in variable.shape for n in size.names}
    for name in (*given, *lines):
        if name in sizes:
            raise PullbackError(f"'{name}' is both a size and a variable")


def add_variable(given: dict[str, Variable], variable: Variable) -> None:
    """Add a variable by its name, which no other may have."""
    other = given.setdefault(variable.name, variable)
    if other is not variable:
        shapes = " and ".join(f"({', '.join(map(str, v.shape))})" for v in (other, variable))
        raise PullbackError(
            f"two different variables are called '{variable.name}', of shapes {shapes}",
            hint="give them different names, or the same shape and assumptions",
        )


def program_of(node: Node, history: History | None) -> Program:
    """A node as a program: its variables, and the lines named on the way.

    Raises PullbackError where one name means two things.
    """
    parsed = history.program_of(node) if history is not None else None
    if parsed is not None:
        return parsed
    empty: Any = ({}, {}, set(), set())
    lines, given, rows, closed = history.collect() if history else empty
    for variable in variables(node):
        add_variable(given, variable)
    for name in lines:
        if name in given:
            raise PullbackError(f"'{name}' names a variable and an intermediate")
    below = set(post_order(node))
    kept = {name: line for name, line in lines.items() if line in below}
    return Program(
        result=node,
        variables=given,
        lines=kept,
        rows=frozenset(rows & {*given, *kept}),
        result_name=next((name for name, line in lines.items() if line is node), ""),
        closed=frozenset(closed & set(kept)),
    )
