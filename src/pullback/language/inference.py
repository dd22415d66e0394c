"""Shapes by unification on the syntax, before any node is made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from pullback.errors import Place, PullbackError, ShapeError
from pullback.expressions import Shape
from pullback.expressions.sizes import shape_text
from pullback.language import kinds as k
from pullback.language.code import Instruction, Load, Operate, Store
from pullback.language.declarations import EVERY_KIND, SQUARE, Declared, oriented
from pullback.language.kinds import Axis, Kind, Refusal, Rule
from pullback.language.readings import Cost, Reading, default_kind, every, search
from pullback.language.unification import SizeNames, Sizes

_WORDS = {
    "*": "the product",
    "·": "the product",
    ".*": "the product entry by entry",
    "./": "the division entry by entry",
    ".^": "the power entry by entry",
    "^": "a power of a matrix",
    "+": "the sum",
    "-": "the difference",
}


@dataclass(slots=True)
class Entity:
    """The kind of a value and the classes of its sizes."""

    kind: Kind
    sizes: tuple[int, ...] = ()


@dataclass
class Typing:
    """What every instruction yields, and every variable is, under one reading."""

    sizes: Sizes = field(default_factory=Sizes)
    values: list[Entity] = field(default_factory=list)  # one per instruction
    rules: list[Rule | None] = field(default_factory=list)  # of each operation
    names: dict[str, Entity] = field(default_factory=dict)  # variables and lines

    def shape(self, entity: Entity) -> Shape:
        shape = []
        for index in entity.sizes:
            size = self.sizes.value(index)
            assert size is not None
            shape.append(size)
        return tuple(shape)


def infer(
    code: Sequence[Instruction],
    declared: Mapping[str, Declared],
    text: str,
    taken: Collection[str],
    result: Shape | None = None,
    kinds: Sequence[Kind] = EVERY_KIND,
) -> tuple[Typing, tuple[str, ...]]:
    """The typing of a program, and the sentences that say what was assumed.

    ``taken`` are the names that no size may get, ``result`` is the shape that is asked for,
    ``kinds`` those that a name can have. Raises ShapeError where sizes disagree, and
    PullbackError where two readings are equally good.
    """
    lines = {step.name for step in code if isinstance(step, Store)}
    fixed = {name: d.kind for name, d in declared.items() if d.kind is not None}
    possible: dict[str, Sequence[Kind]] = {}
    for step in code:
        if isinstance(step, Load) and step.name not in fixed and step.name not in lines:
            known = declared[step.name].kinds() if step.name in declared else kinds
            possible[step.name] = [kind for kind in known if kind in kinds]
    settle = _Settling(code, declared, text, taken, result)
    typing = settle(fixed) if not possible else _choose(settle, fixed, possible)
    name_sizes(typing, code, taken)
    _insist_on_sizes(typing, code, text)
    for name in possible:
        if any(size.constant == 1 for size in typing.shape(typing.names[name])):
            raise PullbackError(f"'{name}' would need an axis of size 1", None, "declare its shape")
    assumed = tuple(_sentence(name, typing) for name in possible)
    return typing, assumed


def _choose(
    settle: _Settling, fixed: Mapping[str, Kind], possible: Mapping[str, Sequence[Kind]]
) -> Typing:
    """The best reading whose sizes agree; an error if two are equally good."""
    default = {name: default_kind(name, kinds) for name, kinds in possible.items()}
    first: PullbackError | None = None
    for find in (search, every):  # first the cheapest; if sizes contradict them, also dearer ones
        chosen: tuple[Cost, Reading, Typing] | None = None
        for cost, reading in find(settle.code, fixed, possible):
            if chosen is not None and cost > chosen[0]:
                break
            try:
                typing = settle({**fixed, **reading})
            except PullbackError as error:
                first = first or error
                continue
            if chosen is not None:
                first = first or _failure(settle, {**fixed, **default})
                _ambiguous(first, chosen[1:], (reading, typing))
            chosen = (cost, reading, typing)
        if chosen is not None:
            return chosen[2]
    first = first or _failure(settle, {**fixed, **default})
    assert first is not None
    read = ", ".join(f"{name} as {k.kind_text(kind)}" for name, kind in default.items())
    note = f"without a declaration {read} is the first guess; declare what is meant, as in  x: n"
    first.hint = f"{first.hint}; {note}" if first.hint else note
    raise first


def _failure(settle: _Settling, reading: Reading) -> PullbackError | None:
    """What is wrong with a reading."""
    try:
        settle(reading)
    except PullbackError as error:
        return error
    return None


def _ambiguous(
    first: PullbackError | None, one: tuple[Reading, Typing], other: tuple[Reading, Typing]
) -> NoReturn:
    """Both readings, at the place where the first guess fails."""
    differing = [name for name in reversed(one[0]) if one[0][name] != other[0][name]]
    shown = []
    for reading, typing in sorted((one, other), key=lambda each: [each[0][n] for n in differing]):
        kinds = ", ".join(f"{name} {k.kind_text(reading[name])}" for name in differing)
        shown.append(f"    with {kinds}, the result is {k.kind_text(typing.values[-1].kind)}")
    said = f"{first.message}\n" if first else ""
    message = f"{said}two readings are equally good:\n" + "\n".join(shown)
    place = first.place if first else None
    said = f"{first.hint}; or " if first and first.hint else ""
    raise PullbackError(message, place, f"{said}declare one, as in  {differing[0]}: n")


def _sentence(name: str, typing: Typing) -> str:
    entity = typing.names[name]
    sizes = [str(size) for size in typing.shape(entity)]
    if entity.kind == k.MATRIX:
        return f"{name} is a matrix {oriented(entity.kind, sizes)}"
    if not sizes:
        return f"{name} is a scalar"
    return f"{name} is {k.kind_text(entity.kind)} of size {sizes[0]}"


@dataclass
class _Settling:
    """Runs the program over kinds and sizes under a given reading."""

    code: Sequence[Instruction]
    declared: Mapping[str, Declared]
    text: str
    taken: Collection[str]
    result: Shape | None = None

    def __call__(self, reading: Mapping[str, Kind]) -> Typing:
        typing = Typing()
        stack: list[Entity] = []
        for step in self.code:
            rule = None
            if isinstance(step, Operate):
                operands = stack[len(stack) - step.count :]
                del stack[len(stack) - step.count :]
                rule = self._rule(step, operands, typing)
                stack.append(self._operate(step, operands, rule, typing))
            elif isinstance(step, Load):
                if step.name not in typing.names:
                    typing.names[step.name] = self._variable(step.name, reading[step.name], typing)
                stack.append(typing.names[step.name])
            elif isinstance(step, Store):
                if step.name:
                    typing.names[step.name] = stack[-1]
            else:
                stack.append(Entity(k.NUMBER))
            typing.values.append(stack[-1])
            typing.rules.append(rule)
            if isinstance(step, Store):
                stack.pop()
        if self.result is not None:
            self._insist_on_result(self.result, typing)
        return typing

    def _insist_on_result(self, wanted: Shape, typing: Typing) -> None:
        found = typing.values[-1]
        fits = len(found.sizes) == len(wanted) and all(
            typing.sizes.unify(index, typing.sizes.known(size))
            for index, size in zip(found.sizes, wanted, strict=True)
        )
        if not fits and found.kind != k.NUMBER:
            sizes = [str(typing.sizes.value(index) or "?") for index in found.sizes]
            raise ShapeError(
                f"the result is {oriented(found.kind, sizes)}, not {shape_text(wanted)}",
                Place(self.text, *self.code[-1].span),
            )

    def _variable(self, name: str, kind: Kind, typing: Typing) -> Entity:
        declared = self.declared.get(name)
        if declared is not None and declared.kind is not None:
            return Entity(kind, tuple(typing.sizes.known(size) for size in declared.shape))
        sizes = tuple(typing.sizes.unknown() for _ in range(k.order_of(kind)))
        if declared is not None and declared.assumptions & SQUARE:
            typing.sizes.unify(sizes[0], sizes[1])
        return Entity(kind, sizes)

    def _rule(self, step: Operate, operands: list[Entity], typing: Typing) -> Rule:
        verdict = step.rule(tuple([operand.kind for operand in operands]))
        if isinstance(verdict, Refusal):
            self._refuse(step, operands, verdict, typing)
        return verdict

    def _operate(self, step: Operate, operands: list[Entity], rule: Rule, typing: Typing) -> Entity:
        stretched: dict[Axis, Axis] = {}
        for pair in rule.equal:
            left, right = stretched.get(pair[0], pair[0]), pair[1]
            a = operands[left[0]].sizes[left[1]]
            b = operands[right[0]].sizes[right[1]]
            if rule.stretch and (_is_one(typing, a) or _is_one(typing, b)):
                stretched[pair[0]] = right if _is_one(typing, a) else left
                continue
            if not typing.sizes.unify(a, b):
                self._disagree(step, operands, (left, right), typing)
        sizes: list[int] = []
        for axis in rule.axes:
            if axis is None:
                stated = step.sizes[len(sizes)] if step.sizes else None
                sizes.append(typing.sizes.known(stated) if stated else typing.sizes.unknown())
            elif axis[0] < 0:
                sizes.append(sizes[axis[1]])
            else:
                operand, place = stretched.get(axis, axis)
                sizes.append(operands[operand].sizes[place])
        return Entity(rule.kind, tuple(sizes))

    def _refuse(
        self,
        step: Operate,
        operands: list[Entity],
        refusal: Refusal,
        typing: Typing,
    ) -> NoReturn:
        name_sizes(typing, self.code, self.taken)
        shapes = ", ".join(self._described(step, i, operands, typing) for i in range(len(operands)))
        message = f"{refusal.message}: {shapes}" if shapes else refusal.message
        raise ShapeError(message, Place(self.text, *step.at), refusal.hint)

    def _disagree(
        self,
        step: Operate,
        operands: list[Entity],
        axes: tuple[Axis, Axis],
        typing: Typing,
    ) -> NoReturn:
        name_sizes(typing, self.code, self.taken)
        place = Place(self.text, *step.at)
        what = _WORDS.get(step.symbol, step.symbol)
        if axes[0][0] == axes[1][0]:
            shape = self._described(step, axes[0][0], operands, typing)
            raise ShapeError(f"{what} needs a square matrix: {shape}", place)
        both = [self._described(step, operand, operands, typing) for operand, _ in axes]
        wanted = []
        for operand, axis in axes:
            size = typing.sizes.value(operands[operand].sizes[axis])
            part = _axis_name(operands[operand].kind, axis)
            wanted.append(f"the {part} of {self._written(step, operand)} ({size})")
        message = (
            f"sizes disagree: {both[0]} and {both[1]}; "
            f"{what} needs {wanted[0]} to equal {wanted[1]}"
        )
        raise ShapeError(message, place)

    def _written(self, step: Operate, operand: int) -> str:
        start, stop = step.operands[operand]
        written = " ".join(self.text[start:stop].split())
        if len(written) <= 30:
            return written
        if step.count == 2 and step.symbol in _WORDS:
            return ("the left side", "the right side")[operand]
        return f"argument {operand + 1}"

    def _described(
        self, step: Operate, operand: int, operands: list[Entity], typing: Typing
    ) -> str:
        entity = operands[operand]
        sizes = [str(typing.sizes.value(index) or "?") for index in entity.sizes]
        return f"{self._written(step, operand)} is {oriented(entity.kind, sizes)}"


def _is_one(typing: Typing, index: int) -> bool:
    size = typing.sizes.value(index)
    return size is not None and size.constant == 1


def _axis_name(kind: Kind, axis: int) -> str:
    if kind <= k.MATRIX:
        return "columns" if kind == k.ROW or axis == 1 else "rows"
    return f"axis {axis + 1}"


def name_sizes(typing: Typing, code: Sequence[Instruction], taken: Collection[str]) -> None:
    """Gives every unknown size of a variable a name, operation by operation.

    So in ``V*sigmoid(U*x)`` the innermost product is named first: U is m×n, x has n entries,
    V is p×m.
    """
    names = SizeNames(taken)
    lines = {step.name for step in code if isinstance(step, Store)}
    variables = {name: e for name, e in typing.names.items() if name not in lines}

    def call(entity: Entity) -> None:
        for axis, index in enumerate(entity.sizes):
            if typing.sizes.value(index) is None:
                classes = {typing.sizes.root(other) for other in entity.sizes}
                rows = axis == 0 and len(classes) > 1
                typing.sizes.call(index, names.fresh(rows=rows))

    stack: list[str] = []  # the variable each value is, or nothing
    for step in code:
        if isinstance(step, Operate) and step.symbol != "'":
            operands = stack[len(stack) - step.count :]
            del stack[len(stack) - step.count :]
            entities = [variables[name] for name in operands if name in variables]
            for entity in sorted(entities, key=lambda entity: -k.order_of(entity.kind)):
                call(entity)
            stack.append("")
        elif isinstance(step, Store):
            stack.pop()
        elif not isinstance(step, Operate):
            stack.append(step.name if isinstance(step, Load) else "")
    for entity in variables.values():
        call(entity)


def _insist_on_sizes(typing: Typing, code: Sequence[Instruction], text: str) -> None:
    """An ``eye`` or ``vector(c)`` whose surroundings do not determine its size is an error."""
    for step, entity in zip(code, typing.values, strict=True):
        if any(typing.sizes.value(index) is None for index in entity.sizes):
            raise PullbackError(
                "nothing determines this size",
                Place(text, *step.span),
                "state it, as in eye(n), vector(1, n), matrix(0, m, n)",
            )
