"""The pictures there are of a program: its graph, its tensor network, its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

from pullback.derivation.derive import derive
from pullback.drawing.diagram import Diagram
from pullback.drawing.picture import Picture
from pullback.drawing.scene import Scene
from pullback.errors import PullbackError
from pullback.explanation.anatomy import function_of, name_of_derivative
from pullback.expressions.program import Program
from pullback.notation.equations import equation_of
from pullback.notation.names import Names
from pullback.notation.styles import UNICODE
from pullback.notation.write import Form, write
from pullback.pictures import network
from pullback.pictures.field import field
from pullback.pictures.graph import graph

Kind = Literal["graph", "network", "field"]
LONGEST = 110  # characters of a formula beside a network


class GraphPicture(Picture):
    """A computation graph, also as text for Graphviz and Mermaid."""

    def __init__(self, diagram: Diagram, theme: str = "auto") -> None:
        super().__init__(diagram.scene(), theme)
        self.diagram = diagram

    def dot(self) -> str:
        """The graph in Graphviz's language."""
        return self.diagram.dot()

    def mermaid(self) -> str:
        """The graph in Mermaid's language."""
        return self.diagram.mermaid()


def picture(
    program: Program,
    names: Sequence[str] = (),
    kind: Kind = "graph",
    values: Mapping[str, Any] | None = None,
    around: Any = (-2.0, 2.0),
    theme: str = "auto",
) -> Picture:
    """A picture of a program, or of its derivative by variables or lines.

    Raises PullbackError for a kind that there is not, and what a field raises.
    """
    if not program.result_name:  # so that every formula calls the result the same
        program = replace(program, result_name=function_of(program))
    if kind == "graph":
        return GraphPicture(graph(program, names, values), theme)
    if kind == "network":
        return Picture(_network(program, names), theme)
    if kind == "field":
        return field(program, names or list(program.variables), values, around, theme)
    raise PullbackError(
        f"there is no picture of the kind '{kind}'", hint=f"kinds: {', '.join(get_args(Kind))}"
    )


def _network(program: Program, wrt: Sequence[str]) -> Scene:
    """The network of a function, or of its derivative, with its formulas above it."""
    plain = replace(program, rows=frozenset())  # in a network nothing lies as a row
    names = Names.of(plain, named=True)
    if not wrt:
        title = f"{program.result_name or 'f'} as a network"
        names = names.without(program.result)
        formulas = {
            form: write(program.result, Names.of(program, named=True).without(program.result), form)
            for form in get_args(Form)
        }
        node, letters = program.result, "ijklpqrs"
        return network.scene(title, node, names, letters, _lines(formulas))
    derivation = derive(program, wrt)
    function = function_of(program)
    title = f"{name_of_derivative(function, derivation).text} as a network"
    written = {form: equation_of(derivation, form, named=True) for form in get_args(Form)}
    formulas = {f: e.text(UNICODE) for f, e in written.items() if e.writing.form == f}
    free = [*written["index"].writing.letters, *"ijklpqrs"]
    names = names.without(derivation.node) if derivation.node in names else names
    return network.scene(title, derivation.node, names, free, _lines(formulas))


def _lines(formulas: Mapping[str, str]) -> dict[str, str]:
    """The formulas that one line holds, none of them twice."""
    found: dict[str, str] = {}
    for form, text in formulas.items():
        if "\n" not in text and len(text) <= LONGEST and text not in found.values():
            found[form] = text
    return found
