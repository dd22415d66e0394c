"""One reading of a program, run over kinds and classes of sizes instead of values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from pullback.errors import Place, PullbackError, ShapeError
from pullback.expressions import Shape, Size
from pullback.expressions.sizes import shape_text
from pullback.language import kinds as k
from pullback.language.code import Instruction, Load, Operate, Store
from pullback.language.declarations import SQUARE, Declared, oriented
from pullback.language.kinds import Axis, Extent, Kind, Refusal, Rule
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


class Undetermined(ShapeError):
    """Sizes that would have to be guessed."""


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
    fresh: SizeNames = field(default_factory=SizeNames)  # for sizes that have no name yet

    def shape(self, entity: Entity) -> Shape:
        shape = []
        for index in entity.sizes:
            size = self.sizes.value(index)
            assert size is not None
            shape.append(size)
        return tuple(shape)


@dataclass(frozen=True, slots=True)
class _Asked:
    """An operation that asked for a size to follow from those of its operands."""

    step: Operate
    operands: list[Entity]
    rule: Rule


@dataclass
class Settling:
    """Runs the program over kinds and sizes under a given reading."""

    code: Sequence[Instruction]
    declared: Mapping[str, Declared]
    text: str
    taken: Collection[str]
    result: Shape | None = None

    def __call__(self, reading: Mapping[str, Kind]) -> Typing:
        typing = Typing(fresh=SizeNames(self.taken))
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
        self._settle(typing)
        if typing.sizes.waiting:
            self.name_sizes(typing)
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
        asked = _Asked(step, operands, rule)
        for left, right in rule.equal:
            if isinstance(left, Extent) or isinstance(right, Extent):
                a, b = (self._class(side, asked, typing) for side in (left, right))
                self._settle(typing)
                if not typing.sizes.unify(a, b):
                    self._differ(asked, typing.sizes.value(a), typing.sizes.value(b), typing)
                continue
            first = stretched.get(left, left)
            a, b = (operands[operand].sizes[axis] for operand, axis in (first, right))
            if rule.stretch and (_is_one(typing, a) or _is_one(typing, b)):
                stretched[left] = right if _is_one(typing, a) else first
                continue
            if not typing.sizes.unify(a, b):
                self._disagree(step, operands, (first, right), typing)
        sizes: list[int] = []
        for axis in rule.axes:
            if axis is None:
                stated = step.sizes[len(sizes)] if step.sizes else None
                sizes.append(typing.sizes.known(stated) if stated else typing.sizes.unknown())
            elif isinstance(axis, Extent):
                sizes.append(self._class(axis, asked, typing))
            elif axis[0] < 0:
                sizes.append(sizes[axis[1]])
            else:
                operand, place = stretched.get(axis, axis)
                sizes.append(operands[operand].sizes[place])
        self._settle(typing)
        return Entity(rule.kind, tuple(sizes))

    def _class(self, side: Axis | Extent, asked: _Asked, typing: Typing) -> int:
        """The class of an operand's axis, or of a size that follows from some."""
        if not isinstance(side, Extent):
            return asked.operands[side[0]].sizes[side[1]]
        classes = {
            f"{operand}.{axis}": asked.operands[operand].sizes[axis] for operand, axis in side.axes
        }
        return typing.sizes.follow(side, classes, asked)

    def _settle(self, typing: Typing, *, named: bool = False) -> None:
        """Works out the sizes that follow; ShapeError where one contradicts what is known.

        What contradicts sizes that have just been ``named`` is not known well enough.
        """
        following = typing.sizes.settle() if typing.sizes.waiting else None
        if following is None:
            return
        self.name_sizes(typing, complete=False)
        values = {name: typing.sizes.value(i) for name, i in following.classes.items()}
        known = {name: value for name, value in values.items() if value is not None}
        self._differ(
            following.origin,
            following.extent.value(known),
            None if named else typing.sizes.value(following.index),
            typing,
            smaller=following.extent.smaller,
        )

    def _differ(
        self,
        asked: _Asked,
        found: Size | None,
        wanted: Size | None,
        typing: Typing,
        *,
        smaller: bool = False,
    ) -> NoReturn:
        """Raises ShapeError for a size that follows from operands and is another than is wanted."""
        step, operands = asked.step, asked.operands
        self.name_sizes(typing, complete=False)
        place = Place(self.text, *step.at)
        written = self._shown(*step.span)
        shapes = ", ".join(self._described(step, i, operands, typing) for i in range(len(operands)))
        if found is not None and found.constant is not None and found.constant < 1:
            raise ShapeError(f"{written} has no entries: {shapes}", place)
        if found is None:
            names = [name for name in typing.names if name in written] or ["x"]
            hint = f"declare a size that can be divided so, as in  {names[0]}: 2*k"
            if smaller:
                hint = f"say which is the smaller, as in  {names[0]}: n n  or  {names[0]}: n+k n"
            raise Undetermined(f"the size of {written} cannot be told: {shapes}", place, hint)
        if wanted is None or "." in "".join(found.names):
            message = f"the size of {written} does not tell those of its parts: {shapes}"
            raise Undetermined(message, place, "declare the shapes")
        raise ShapeError(
            f"sizes disagree: {written} has size {found} where {wanted} is needed; {shapes}", place
        )

    def _refuse(
        self,
        step: Operate,
        operands: list[Entity],
        refusal: Refusal,
        typing: Typing,
    ) -> NoReturn:
        self.name_sizes(typing, complete=False)
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
        self.name_sizes(typing, complete=False)
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
        written = self._shown(*step.operands[operand])
        if len(written) <= 30:
            return written
        if step.count == 2 and step.symbol in _WORDS:
            return ("the left side", "the right side")[operand]
        return f"argument {operand + 1}"

    def _shown(self, start: int, stop: int) -> str:
        return " ".join(self.text[start:stop].split())

    def _described(
        self, step: Operate, operand: int, operands: list[Entity], typing: Typing
    ) -> str:
        entity = operands[operand]
        sizes = [str(typing.sizes.value(index) or "?") for index in entity.sizes]
        return f"{self._written(step, operand)} is {oriented(entity.kind, sizes)}"

    def name_sizes(self, typing: Typing, *, complete: bool = True) -> None:
        """Gives every unknown size of a variable a name, operation by operation.

        So in ``V*sigmoid(U*x)`` the innermost product is named first: U is m×n, x has n entries,
        V is p×m. A size that follows from others gets none. Where this is not to be ``complete``
        (for a message that shows what is known so far) nothing is worked out from the names.
        """
        lines = {step.name for step in self.code if isinstance(step, Store)}
        variables = {name: e for name, e in typing.names.items() if name not in lines}

        def call(entity: Entity) -> None:
            for axis, index in enumerate(entity.sizes):
                if typing.sizes.value(index) is None:
                    root = typing.sizes.root(index)
                    if typing.sizes.waiting and root in typing.sizes.dependent():
                        continue
                    if typing.sizes.waiting and complete:
                        typing.sizes.align()
                    classes = {typing.sizes.root(other) for other in entity.sizes}
                    rows = axis == 0 and len(classes) > 1
                    typing.sizes.call(index, Size.of(typing.fresh.next(rows=rows)))
                    if complete:
                        self._settle(typing, named=True)

        stack: list[str] = []  # the variable each value is, or nothing
        for step in self.code:
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
        if complete and typing.sizes.waiting:
            self._insist(typing)

    def _insist(self, typing: Typing) -> None:
        """What still waits depends on itself, or on a size that nothing determines."""
        insist_on_sizes(typing, self.code, self.text)
        following = typing.sizes.settle()
        assert following is not None
        self._differ(following.origin, Size.of("?.?"), None, typing)


def _is_one(typing: Typing, index: int) -> bool:
    size = typing.sizes.value(index)
    return size is not None and size.constant == 1


def _axis_name(kind: Kind, axis: int) -> str:
    if kind <= k.MATRIX:
        return "columns" if kind == k.ROW or axis == 1 else "rows"
    return f"axis {axis + 1}"


def insist_on_sizes(typing: Typing, code: Sequence[Instruction], text: str) -> None:
    """An ``eye`` or ``vector(c)`` whose surroundings do not determine its size is an error."""
    for step, entity in zip(code, typing.values, strict=True):
        if any(typing.sizes.value(index) is None for index in entity.sizes):
            raise PullbackError(
                "nothing determines this size",
                Place(text, *step.span),
                "state it, as in eye(n), vector(1, n), matrix(0, m, n)",
            )
