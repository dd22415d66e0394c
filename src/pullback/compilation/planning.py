"""Where each value of a linear program is kept: few buffers, reused as soon as they are free."""

from __future__ import annotations

from dataclasses import dataclass, field

from pullback.compilation.ir import VIEWS, Instruction, LinearProgram, Register, View
from pullback.expressions.sizes import Shape

# operations that write their result into a buffer they are given
BUFFERED = frozenset(
    {
        "map",
        "reduce",
        "matmul",
        "vecdot",
        "einsum",
        "scatter",
        "place",
        "fill",
        "copy",
        "store",
        "concatenate",
    }
)

AMONG_ZEROS = frozenset({"scatter", "store"})


@dataclass(frozen=True, slots=True)
class Buffer:
    """A workspace of the plan, or the array that receives an output."""

    index: int
    shape: Shape
    kind: str
    output: str = ""


@dataclass
class Plan:
    """The buffer of every register that has one; the others are scalars or fresh arrays."""

    program: LinearProgram
    hoisted: list[Instruction]  # of sizes alone: computed once, when the buffers are made
    steps: list[Instruction]
    buffers: dict[Register, Buffer] = field(default_factory=dict)
    workspaces: list[Buffer] = field(default_factory=list)
    results: dict[Register, str] = field(default_factory=dict)
    blank: list[str] = field(default_factory=list)  # outputs that are entries among zeros


def plan(program: LinearProgram) -> Plan:
    """Assign buffers by liveness; elementwise operations overwrite an operand that dies."""
    return _Planner(program).run()


def in_place(i: Instruction, operand: View) -> bool:
    """Whether the operation may write over this operand."""
    if not operand.plain or not isinstance(operand.source, Register):
        return False
    if operand.source.shape != i.result.shape or operand.source.kind != i.result.kind:
        return False
    if i.op == "map":
        return i.name != "where"
    return i.op == "place" and operand is i.operands[0]


def is_constant(i: Instruction) -> bool:
    """Whether the result depends on sizes and literals only, so that it is made once."""
    return i.result.weak or i.op == "indicator"


class _Planner:
    def __init__(self, program: LinearProgram) -> None:
        hoisted = [i for i in program.instructions if is_constant(i)]
        steps = [i for i in program.instructions if not is_constant(i) and i.op != "input"]
        self.plan = Plan(program, hoisted, steps)
        for name, view in program.outputs.items():
            assert isinstance(view.source, Register)
            self.plan.results[view.source] = name
        self.last: dict[Register, int] = {}
        self.owner: dict[Register, Register] = {}  # whose memory a view shows
        for k, i in enumerate(steps):
            if i.op in VIEWS:
                self.owner[i.result] = self._owner(i.sources[0])
            for source in i.sources:
                self.last[source] = self.last[self._owner(source)] = k
        for register in self.plan.results:
            self.last[register] = len(steps)
        self.free: dict[tuple[Shape, str], list[Buffer]] = {}
        # arrays for outputs that are not computed yet serve as workspaces until then
        self.waiting: dict[Shape, list[tuple[int, Buffer]]] = {}
        self.receivers: dict[Register, Buffer] = {}
        self.due: dict[str, int] = {}  # the step that computes each output
        for k, i in enumerate(steps):
            if i.result in self.plan.results and i.result.shape:
                buffer = Buffer(-1, i.result.shape, "real", self.plan.results[i.result])
                self.receivers[i.result] = buffer
                self.due[buffer.output] = k
                if (
                    i.op in AMONG_ZEROS
                ):  # memory that is zero from the start is the fastest: untouched
                    self.plan.blank.append(buffer.output)
                    continue
                self.waiting.setdefault(i.result.shape, []).append((k, buffer))

    def run(self) -> Plan:
        for k, i in enumerate(self.plan.steps):
            if i.result.shape and (i.op in BUFFERED or i.result in self.receivers):
                self.plan.buffers[i.result] = self._buffer(k, i)
            for source in dict.fromkeys([self._owner(source) for source in i.sources]):
                if self.last[source] == k:
                    self._release(k, source, self.plan.buffers.get(i.result))
        return self.plan

    def _owner(self, register: Register) -> Register:
        return self.owner.get(register, register)

    def _buffer(self, k: int, i: Instruction) -> Buffer:
        receiver = self.receivers.get(i.result)
        if receiver is not None:
            line = self.waiting.get(receiver.shape, [])
            line[:] = [entry for entry in line if entry[1] is not receiver]
            return receiver
        for operand in i.operands:
            source = operand.source
            if isinstance(source, Register) and self.last.get(source) == k:
                held = self.plan.buffers.get(source)
                if held is not None and in_place(i, operand) and self._fits(held, i.result):
                    return held
        return self._towards_output(i) or self._workspace(i)

    def _fits(self, held: Buffer, register: Register) -> bool:
        """Whether a value may stay in a buffer for as long as it lives."""
        return not held.output or self._may_stay(register, self.due[held.output])

    def _may_stay(self, register: Register, due: int) -> bool:
        """Whether a value is dead when the output that owns the buffer is written over it."""
        last = self.last[register]
        if last != due:
            return last < due
        final = self.plan.steps[due]
        return all(
            in_place(final, v) and v.source is register  # not a part of it, seen as a view
            for v in final.operands
            if isinstance(v.source, Register) and self._owner(v.source) is register
        )

    def _towards_output(self, i: Instruction) -> Buffer | None:
        """The array of an output of this shape that is written later, if it is free until then."""
        if i.result.kind != "real":
            return None
        line = self.waiting.get(i.result.shape, [])
        for position, (due, buffer) in enumerate(line):
            if self._may_stay(i.result, due):
                line.pop(position)
                return buffer
        return None

    def _workspace(self, i: Instruction) -> Buffer:
        ready = self.free.get((i.result.shape, i.result.kind))
        if ready:
            return ready.pop()
        buffer = Buffer(len(self.plan.workspaces), i.result.shape, i.result.kind)
        self.plan.workspaces.append(buffer)
        return buffer

    def _release(self, k: int, register: Register, taken: Buffer | None) -> None:
        buffer = self.plan.buffers.get(register)
        if buffer is None or buffer is taken:
            return
        if not buffer.output:
            self.free.setdefault((buffer.shape, buffer.kind), []).append(buffer)
        elif register not in self.receivers:
            due = self.due[buffer.output]
            if due > k:
                self.waiting[buffer.shape].append((due, buffer))
                self.waiting[buffer.shape].sort(key=lambda entry: entry[0])
