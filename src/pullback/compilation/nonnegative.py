"""Which operations have results without negative entries, whatever their arguments or as these are."""

from __future__ import annotations

from collections.abc import Container

from pullback.compilation.ir import Instruction, Literal, Register
from pullback.expressions.nodes import Variable

ALWAYS = frozenset({"exp", "sqrt", "abs"})
WHERE_ALL_ARE = frozenset(
    {"add", "multiply", "divide", "reciprocal", "minimum", "maximum", "power", "sum", "prod"}
) | {"max", "min"}
MOVES = frozenset(
    {"copy", "fill", "slice", "reshape", "store", "scatter", "place", "concatenate", "einsum"}
) | {"matmul", "vecdot", "vdot", "tensordot"}


def is_nonnegative(i: Instruction, known: Container[Register]) -> bool:
    """Whether no entry of the result can be below zero; ``known`` are the registers of which it is so."""
    if i.op == "input":
        return isinstance(i.node, Variable) and "positive" in i.node.assumptions
    if i.op in ("size", "indicator"):
        return True
    every = [
        v.source.value >= 0 if isinstance(v.source, Literal) else v.source in known
        for v in i.operands
    ]
    if i.op in MOVES:
        return all(every) or (i.op == "vdot" and i.operands[0] == i.operands[1])
    if i.op not in ("map", "reduce"):
        return False
    if i.name == "where":
        return all(every[1:])
    if i.name == "maximum":
        return any(every)
    if i.name == "multiply" and i.operands[0] == i.operands[1]:
        return True
    return i.name in ALWAYS or (i.name in WHERE_ALL_ARE and all(every))
