"""The linear program that every target spells: one array operation per instruction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pullback.expressions.nodes import Node, Number
from pullback.expressions.sizes import Shape, Size


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, written as a Python scalar: it never decides a dtype."""

    value: Number


class Register:
    """The array that one instruction makes.

    ``weak`` marks a number made of sizes and literals only: a Python scalar. ``kind`` is
    "real", "bool" for a comparison, or "tuple" for a factorisation with several results.
    """

    __slots__ = ("index", "kind", "shape", "weak")

    def __init__(self, index: int, shape: Shape, kind: str = "real", *, weak: bool = False) -> None:
        self.index = index
        self.shape = shape
        self.kind = kind
        self.weak = weak

    def __repr__(self) -> str:
        return f"r{self.index}({', '.join(map(str, self.shape))})"


Source = Register | Literal
VIEWS = frozenset({"slice", "reshape"})  # operations whose result may lie in their operand's memory


@dataclass(frozen=True, slots=True)
class Stretch:
    """Entries start, start + step, … of an axis; ``count`` None for a single one, which has no axis."""

    start: Size
    count: Size | None
    step: int = 1

    @property
    def last(self) -> Size:
        return self.start if self.count is None else self.start + self.step * (self.count - 1)


@dataclass(frozen=True, slots=True)
class View:
    """A source seen along other axes.

    ``axes[k]`` is the axis of the source that axis k shows; None is a broadcast axis. An axis
    that comes twice is a δ: such a view stands for a tensor that is zero off that diagonal, and
    is scattered before any operation but a contraction or a scaling uses it. A negative number,
    always twice, is a δ between axes that the source does not have.
    """

    source: Source
    axes: tuple[int | None, ...] = ()

    @property
    def has_delta(self) -> bool:
        real = [a for a in self.axes if a is not None]
        return len(set(real)) < len(real)

    @property
    def plain(self) -> bool:
        """Whether the view is its source, axis by axis."""
        return isinstance(self.source, Register) and self.axes == tuple(
            range(len(self.source.shape))
        )


def whole(register: Register) -> View:
    """A register as it is."""
    return View(register, tuple(range(len(register.shape))))


# What an instruction does; ``name`` says which one, ``detail`` along which axes.
#   input     an argument of the function               name: the variable
#   size      a size as a number                        detail: (size,)
#   map       an elementwise function, broadcasting      name: add, exp, where, …
#   reduce    a reduction over axes                     name: sum, max, …; detail: axes
#   matmul    a product of matrices or vectors, leading axes are batch axes
#   vecdot    inner products along the last axis
#   vdot      the inner product of all entries
#   tensordot a product over several axes               detail: (axes of a, axes of b)
#   einsum    what nothing simpler does                 name: the subscripts
#   scatter   the operand on a diagonal, zero elsewhere detail: axis labels, repeated for a δ
#   place     operand 0 plus operand 1 on a diagonal     detail: axis labels
#   fill      the operand repeated to a full array
#   copy      the operand as a fresh array
#   call      a function of whole arrays                name: linalg.inv, …; detail: literals
#   item      one result of a call that has several     detail: (position,)
#   slice     entries of some axes                      detail: ((axis, stretch), …)
#   reshape   the operand's entries under other axes, row by row
#   store     the operand at places of one axis, zero elsewhere  detail: (axis, stretch)
#   concatenate  the operands one after another         detail: (axis,)
#   indicator 1 where a relation between indices holds name: == or >=; detail: (coefficients, offset)
#   factor    a matrix taken apart, for what follows    name: lu (a tuple), cholesky;
#                                                       detail: (whether singular is a fault,)
#   solve     A⁻¹ B by a factor of A                    name: general, lu, cholesky, lower, upper;
#                                                       detail: (whether it is A⁻ᵀ B,)
#   inverse   A⁻¹ by a factor of A                      name: lu, cholesky, lower, upper
#   determinant  det A by a factor of A, or sign and log |det A|  name: lu, cholesky; detail: (which,)
#   helper    a catalogue function as a function of its own  name: its name; detail: (code,)
@dataclass(frozen=True, slots=True, eq=False)
class Instruction:
    """One array operation: its result is a new register."""

    op: str
    name: str
    operands: tuple[View, ...]
    result: Register
    detail: tuple[Any, ...] = ()
    node: Node | None = None  # the expression it was lowered for

    @property
    def sources(self) -> list[Register]:
        return [v.source for v in self.operands if isinstance(v.source, Register)]


@dataclass
class LinearProgram:
    """Instructions in order, what goes in and what comes out."""

    instructions: list[Instruction]
    inputs: dict[str, Register]  # by the name of the variable, in order of first appearance
    outputs: dict[str, View]
    names: dict[Register, str] = field(default_factory=dict)  # wanted names, made safe later
    lines: dict[Register, Node] = field(default_factory=dict)  # the expression a name stands for
    roots: dict[str, Node] = field(default_factory=dict)
    granted: tuple[Size, ...] = ()  # what must not be negative for the sizes of a call
    flexible: bool = False  # whether products would be made in another order for other sizes

    def use_counts(self) -> dict[Register, int]:
        """How often each register is read, as an operand or as an output."""
        counts: dict[Register, int] = {i.result: 0 for i in self.instructions}
        for instruction in self.instructions:
            for source in instruction.sources:
                counts[source] += 1
        for view in self.outputs.values():
            if isinstance(view.source, Register):
                counts[view.source] += 1
        return counts


class Builder:
    """Appends instructions; equal ones are made once."""

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.defined: dict[Register, Instruction] = {}
        self.node: Node | None = None
        self._known: dict[Any, Register] = {}

    def emit(
        self,
        op: str,
        name: str,
        operands: Sequence[View],
        shape: Shape,
        detail: tuple[Any, ...] = (),
        kind: str = "real",
    ) -> Register:
        key = (op, name, tuple(operands), shape, detail)
        known = self._known.get(key)
        if known is not None:
            return known
        weak = op == "size" or (
            op == "map" and kind == "real" and all(is_weak(view.source) for view in operands)
        )
        register = Register(len(self.instructions), shape, kind, weak=weak)
        instruction = Instruction(op, name, tuple(operands), register, detail, self.node)
        self.instructions.append(instruction)
        self._known[key] = register
        self.defined[register] = instruction
        return register

    def owner(self, register: Register) -> Register:
        """The register whose memory this one may show."""
        while self.defined[register].op in VIEWS:
            (register,) = self.defined[register].sources
        return register

    def definition(self, view: View, op: str, name: str) -> Instruction | None:
        """The instruction that makes a view, if it is the given one."""
        if not isinstance(view.source, Register):
            return None
        made = self.defined[view.source]
        return made if made.op == op and made.name == name else None


def is_weak(source: Source) -> bool:
    return isinstance(source, Literal) or source.weak


def live(instructions: Iterable[Instruction], outputs: Iterable[View]) -> list[Instruction]:
    """The instructions that some output needs, in order."""
    needed = {view.source for view in outputs}
    kept: list[Instruction] = []
    for instruction in reversed(list(instructions)):
        if instruction.result in needed:
            kept.append(instruction)
            needed.update(instruction.sources)
    kept.reverse()
    return kept
