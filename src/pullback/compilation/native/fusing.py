"""Which instructions share a loop: chains and the reductions at their end, over equal axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pullback.compilation.ir import Instruction, LinearProgram, Literal, Register, View
from pullback.compilation.targets.matrices import as_matrices
from pullback.expressions.sizes import Shape, Size


@dataclass(frozen=True, slots=True)
class Operand:
    """A source in a loop: ``axes[k]`` is the loop axis that runs along the source's axis k."""

    source: Register | Literal
    axes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """An instruction as the body of a loop over ``domain``.

    The result has the loop axes ``kept``; the others are reduced by ``reduction``. Several
    operands of a sum are multiplied first.
    """

    instruction: Instruction
    domain: Shape
    operands: tuple[Operand, ...]
    kept: tuple[int, ...]
    reduction: str = ""

    @property
    def result(self) -> Register:
        return self.instruction.result

    @property
    def carried(self) -> bool:
        """Whether the outermost loop adds to one result, which its turns then cannot share out."""
        return bool(self.kept) and 0 not in self.kept

    @property
    def pointwise(self) -> bool:
        """Whether the result is, at each turn of the loop, a number of its own."""
        return not self.reduction and self.result.shape == self.domain

    def whole(self, operand: Operand) -> bool:
        return operand.axes == tuple(range(len(self.domain)))


# what an elementwise operation costs beyond an addition; any function that is not named as much as exp
SLOW = dict.fromkeys(
    ["add", "subtract", "multiply", "negative", "abs", "where", "square", "sign"], 0
)
SLOW |= dict.fromkeys(["maximum", "minimum", "less", "greater", "less_equal", "greater_equal"], 0)
SLOW |= dict.fromkeys(["equal", "not_equal", "floor", "ceil"], 0)
SLOW |= dict.fromkeys(["divide", "reciprocal", "sqrt"], 3)
FUNCTION = 8


@dataclass(eq=False)
class Loop:
    """Steps that are done together, for every index of the domain."""

    domain: Shape
    carried: bool = False
    steps: list[Step] = field(default_factory=list)

    @property
    def work(self) -> int:
        """What one turn costs, about, in additions of numbers at hand."""
        arrays = {
            o.source for s in self.steps for o in s.operands if isinstance(o.source, Register)
        }
        maps = [s.instruction.name for s in self.steps if s.instruction.op == "map"]
        return len(arrays) + len(self.steps) + sum(SLOW.get(name, FUNCTION) for name in maps)

    def read_in_place(self) -> list[Register]:
        """The arrays of the domain's shape of which each turn reads its own entry only."""
        made = {step.result for step in self.steps}
        read = {
            operand.source: all(
                s.whole(o) for s in self.steps for o in s.operands if o.source is operand.source
            )
            for step in self.steps
            for operand in step.operands
            if isinstance(operand.source, Register) and operand.source not in made
        }
        return [r for r, whole in read.items() if whole and r.shape == self.domain]


Item = Loop | Instruction  # an instruction on its own is one that works on whole arrays


def step_of(i: Instruction) -> Step | None:
    """The instruction as the body of a loop, None where it is not one."""
    match i.op:
        case "map" | "fill" | "copy" | "indicator":
            order = len(i.result.shape)
            operands = tuple([_aligned(view, order) for view in i.operands])
            return Step(i, i.result.shape, operands, tuple(range(order)))
        case "reshape":  # of a permuted array: copied row by row
            domain = seen(i.operands[0])
            axes = tuple(range(len(domain)))
            return Step(i, domain, (_aligned(i.operands[0], len(domain)),), axes)
        case "reduce":
            domain = seen(i.operands[0])
            kept = tuple([k for k in range(len(domain)) if k not in i.detail])
            return Step(i, domain, (_aligned(i.operands[0], len(domain)),), kept, i.name)
        case "vdot" | "vecdot":
            return _inner(i)
        case "matmul" if len(i.operands[0].axes) == len(i.operands[1].axes) == 1:
            return _inner(i)
        case "einsum":
            return _einsum(i, *i.name.split("->"))
        case "tensordot" if not as_matrices(i):
            return _einsum(i, *_subscripts(i))
    return None


def seen(view: View) -> Shape:
    """The shape of a view without broadcast axes."""
    assert isinstance(view.source, Register) and None not in view.axes
    return tuple([view.source.shape[a] for a in view.axes if a is not None])


def _aligned(view: View, order: int) -> Operand:
    """The view along the last of so many loop axes; broadcast axes ask for nothing."""
    if not isinstance(view.source, Register):
        return Operand(view.source)
    start = order - len(view.axes)
    at = {axis: start + k for k, axis in enumerate(view.axes)}
    return Operand(view.source, tuple([at[a] for a in range(len(view.source.shape))]))


def _inner(i: Instruction) -> Step:
    domain = seen(i.operands[0])
    operands = tuple([_aligned(view, len(domain)) for view in i.operands])
    return Step(i, domain, operands, tuple(range(len(i.result.shape))), "sum")


def _subscripts(i: Instruction) -> tuple[str, str]:
    """A tensordot in letters."""
    letters = iter("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    left, right = ([""] * len(view.axes) for view in i.operands)
    for k, j in zip(*i.detail, strict=True):
        left[k] = right[j] = next(letters)
    left, right = ([x or next(letters) for x in side] for side in (left, right))
    free = [x for x in left if x not in right] + [x for x in right if x not in left]
    return f"{''.join(left)},{''.join(right)}", "".join(free)


def _einsum(i: Instruction, before: str, after: str) -> Step:
    operands = before.split(",")
    labels = list(dict.fromkeys(after + before.replace(",", "")))
    sizes: dict[str, Size] = {}
    for letters, view in zip(operands, i.operands, strict=True):
        sizes.update(zip(letters, seen(view), strict=True))
    found = []
    for letters, view in zip(operands, i.operands, strict=True):
        at = {axis: labels.index(x) for axis, x in zip(view.axes, letters, strict=True)}
        found.append(Operand(view.source, tuple([at[a] for a in range(len(at))])))
    domain = tuple([sizes[x] for x in labels])
    reduction = "sum" if len(after) < len(labels) else ""
    return Step(i, domain, tuple(found), tuple(range(len(after))), reduction)


class Fuser:
    """Puts every instruction where what it needs is there, and as much as possible with it.

    A number that one later step uses is made in the loop of that step. Any other step joins the
    first loop over its domain in which, or before which, all it needs is made.
    """

    def __init__(self, program: LinearProgram, aliases: Sequence[Instruction]) -> None:
        """``aliases`` are instructions whose result lies in their operand's memory."""
        self.items: list[Item] = []
        self.where: dict[Register, int] = {}  # the item that makes a register
        self.made: dict[Register, Step] = {}
        self.pending: dict[Register, Step] = {}
        self.uses = program.use_counts()
        self.results = {view.source for view in program.outputs.values()}
        alias = set(aliases)
        steps = [(i, step_of(i) if i not in alias else None) for i in program.instructions]
        self.user: dict[Register, Step | None] = {}
        for i, step in steps:
            for source in i.sources:
                self.user[source] = step
        for i, step in steps:
            if i.op in ("input", "size"):
                continue
            if i in alias:
                self.where[i.result] = max(self.where.get(s, -1) for s in i.sources)
            elif step is None:
                self.where[i.result] = len(self.items)
                self.items.append(i)
            elif self._waits(step):
                self.pending[step.result] = step
            else:
                self._place(step)

    def _waits(self, step: Step) -> bool:
        user = self.user.get(step.result)
        return (
            self.uses[step.result] == 1
            and step.result not in self.results
            and step.pointwise
            and user is not None
            and user.domain == step.domain
            and all(user.whole(o) for o in user.operands if o.source is step.result)
        )

    def _place(self, step: Step) -> None:
        chain, left = [step], [step]
        while left:
            for operand in left.pop().operands:
                waiting = self.pending.pop(operand.source, None)  # type: ignore[arg-type]
                if waiting is not None:
                    chain.append(waiting)
                    left.append(waiting)
        chain.sort(key=lambda s: s.result.index)
        start = max((self._earliest(s) for s in chain), default=0)
        at = start
        while at < len(self.items):
            item = self.items[at]
            if isinstance(item, Loop) and (item.domain, item.carried) == (
                step.domain,
                step.carried,
            ):
                break
            at += 1
        else:
            self.items.append(Loop(step.domain, step.carried))
        loop = self.items[at]
        assert isinstance(loop, Loop)
        loop.steps += chain
        for one in chain:
            self.where[one.result] = at
            self.made[one.result] = one

    def _earliest(self, step: Step) -> int:
        """The first item that may do this step."""
        first = 0
        for operand in step.operands:
            source = operand.source
            if not isinstance(source, Register) or source not in self.where:
                continue
            made = self.made.get(source)
            together = (
                made is not None
                and made.pointwise
                and made.domain == step.domain
                and step.whole(operand)
            )
            first = max(first, self.where[source] + (not together))
        return first
