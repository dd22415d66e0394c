"""What other floors call: a node as a formula, a derivation as an equation."""

from __future__ import annotations

from typing import Literal

from pullback.expressions.nodes import Node
from pullback.notation import algebra
from pullback.notation.matrix import MatrixForms
from pullback.notation.names import Names
from pullback.notation.printing import written
from pullback.notation.readings import textbook_form
from pullback.notation.styles import ASCII, LATEX, UNICODE, Style

Form = Literal["matrix", "index", "vec"]


def style_of(style: str, ascii: bool) -> Style:
    return LATEX if style == "latex" else ASCII if ascii else UNICODE


def write(
    node: Node,
    names: Names,
    form: Form = "matrix",
    style: str = "text",
    ascii: bool = False,
    groups: tuple[int, ...] | None = None,
    row: bool = False,
) -> str:
    node = textbook_form(node, names)
    tree = MatrixForms(names).of(node)
    assert tree is not None
    if row:
        tree = algebra.transpose(tree)
    return written(tree, style_of(style, ascii))
