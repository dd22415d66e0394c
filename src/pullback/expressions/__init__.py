"""Expressions: sizes, the closed set of nodes, constructors in normal form, iterative walks."""

from pullback.expressions.nodes import (
    Apply,
    Contraction,
    Indicator,
    Labels,
    Node,
    Number,
    SizeValue,
    Sum,
    Variable,
)
from pullback.expressions.program import Program
from pullback.expressions.sizes import Shape, Size, SizeLike, shape_of, shape_text

__all__ = [
    "Apply",
    "Contraction",
    "Indicator",
    "Labels",
    "Node",
    "Number",
    "Program",
    "Shape",
    "Size",
    "SizeLike",
    "SizeValue",
    "Sum",
    "Variable",
    "shape_of",
    "shape_text",
]
