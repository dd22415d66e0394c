"""Which values are surely above 0, or not below it, whatever is computed with."""

from __future__ import annotations

from collections.abc import Mapping

from pullback.compilation.ir import Instruction, LinearProgram, Literal, Register, Source

ABOVE, NOT_BELOW, UNKNOWN = 2, 1, 0
NEVER_BELOW = frozenset({"abs", "exp", "exp2", "sqrt", "square", "hypot", "special.erfc"})
KEEPS = frozenset({"copy", "fill", "reshape", "slice"})  # also true of sums and of the largest


def signs(program: LinearProgram) -> dict[Register, int]:
    """What is known of each value that is not below 0; a NaN is no counter-example.

    exp(x) may be 0, as small numbers are; 1 + exp(x) is above 0.
    """
    known: dict[Register, int] = {}
    for i in program.instructions:
        known[i.result] = ABOVE if i.op == "size" else _sign(i, known)
    return known


def _of(source: Source, known: Mapping[Register, int]) -> int:
    if isinstance(source, Literal):
        return ABOVE if source.value > 0 else NOT_BELOW if source.value == 0 else UNKNOWN
    return known[source]


def _sign(i: Instruction, known: Mapping[Register, int]) -> int:
    operands = [_of(view.source, known) for view in i.operands]
    if i.op in KEEPS or (i.op == "reduce" and i.name in ("sum", "max", "min")):
        return min(operands)
    if i.op in ("vdot", "matmul") and i.operands[0] == i.operands[1]:
        return NOT_BELOW if len(i.operands[0].axes) == 1 or i.op == "vdot" else UNKNOWN
    if i.op != "map":
        return UNKNOWN
    match i.name:
        case "add":
            return max(operands) if min(operands) else UNKNOWN
        case "multiply" if i.operands[0] == i.operands[1]:
            return NOT_BELOW
        case "multiply" | "divide":  # of small numbers it may be 0
            return min(*operands, NOT_BELOW)
        case "reciprocal":  # of an infinity it is 0
            return min(*operands, NOT_BELOW)
        case "maximum":
            return max(operands)
        case "minimum":
            return min(operands)
        case "where":
            return min(operands[1:])
        case "cosh":
            return ABOVE
    return NOT_BELOW if i.name in NEVER_BELOW else UNKNOWN
