"""What the user wrote, beside the expression it denotes: names, orientation, places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pullback.errors import Place
from pullback.expressions.nodes import Node, Variable


@dataclass(frozen=True)
class Program:
    """Named lines over variables; the last line is the result.

    Names, rows and places live here and never on nodes, since one node may stand in the text
    twice, under two names.
    """

    result: Node
    variables: Mapping[str, Variable] = field(default_factory=dict)  # declared, used or not
    lines: Mapping[str, Node] = field(default_factory=dict)  # named intermediates, in order
    rows: frozenset[str] = frozenset()  # names of variables and lines written as rows
    text: str = ""  # the user's own text, or empty for an expression built in Python
    places: Mapping[Node, Place] = field(default_factory=dict)  # where a node first stands
    assumed: tuple[str, ...] = ()  # what inference decided, one sentence each
    result_name: str = ""  # the name of the last line, if it has one
    closed: frozenset[str] = frozenset()  # lines that name parts, of which the result is not made
