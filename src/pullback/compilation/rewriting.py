"""Small rewrites of a linear program that need to know how often a value is used."""

from __future__ import annotations

from pullback.compilation.ir import Instruction, LinearProgram, Register, View


def divide_once(program: LinearProgram, *, hoisted: bool = False) -> LinearProgram:
    """A reciprocal that is used once, as a factor, becomes a division; others stay stored.

    With ``hoisted`` a reciprocal of sizes alone is left, as it is computed outside the loop.
    """
    uses = program.use_counts()
    made = {i.result: i for i in program.instructions}
    gone: set[Register] = set()
    kept: list[Instruction] = []
    for instruction in program.instructions:
        new = instruction
        if instruction.op == "map" and instruction.name == "multiply":
            new = made[instruction.result] = _divided(instruction, uses, made, gone, hoisted)
        kept.append(new)
    program.instructions = [i for i in kept if i.result not in gone]
    return program


def _divided(
    product: Instruction,
    uses: dict[Register, int],
    made: dict[Register, Instruction],
    gone: set[Register],
    hoisted: bool,
) -> Instruction:
    left, right = product.operands
    if left.source is right.source:
        return product
    for factor, inverse in ((left, right), (right, left)):
        source = inverse.source
        if not isinstance(source, Register) or uses[source] != 1 or (hoisted and source.weak):
            continue
        maker = made[source]
        if maker.op != "map" or maker.name != "reciprocal":
            continue
        divisor = maker.operands[0]
        axes = tuple([None if a is None else _axis(divisor, a, source) for a in inverse.axes])
        gone.add(source)
        operands = (factor, View(divisor.source, axes))
        return Instruction("map", "divide", operands, product.result, (), product.node)
    return product


def _axis(view: View, axis: int, result: Register) -> int | None:
    """The axis of a view that shows axis ``axis`` of the result it broadcasts to."""
    return view.axes[axis - (len(result.shape) - len(view.axes))]
