"""Shapes by unification on the syntax, before any node is made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NoReturn

from pullback.errors import Place, PullbackError
from pullback.expressions import Shape
from pullback.language import kinds as k
from pullback.language.code import Instruction, Load, Operate, Store
from pullback.language.declarations import EVERY_KIND, Declared, oriented
from pullback.language.kinds import Kind
from pullback.language.readings import Cost, Reading, default_kind, every, search
from pullback.language.settling import Settling, Typing, Undetermined, insist_on_sizes

_Value = tuple[frozenset[str], int]


def infer(
    code: Sequence[Instruction],
    declared: Mapping[str, Declared],
    text: str,
    taken: Collection[str],
    result: Shape | None = None,
    kinds: Sequence[Kind] = EVERY_KIND,
    vectors: Collection[str] = (),
) -> tuple[Typing, tuple[str, ...]]:
    """The typing of a program, and the sentences that say what was assumed.

    ``taken`` are the names that no size may get, ``result`` is the shape that is asked for,
    ``kinds`` those that a name can have, ``vectors`` are plainly columns or rows. Raises ShapeError where sizes disagree, and
    PullbackError where two readings are equally good.
    """
    lines = {step.name for step in code if isinstance(step, Store)}
    tensors = _tensors(code)
    fixed = {name: d.kind for name, d in declared.items() if d.kind is not None}
    possible: dict[str, Sequence[Kind]] = {}
    for step in code:
        if isinstance(step, Load) and step.name not in fixed and step.name not in lines:
            known = declared[step.name].kinds() if step.name in declared else kinds
            shared = [kind for kind in known if kind in kinds]
            if step.name in vectors:
                shared = [kind for kind in shared if k.order_of(kind) == 1] or shared
            possible[step.name] = [*shared, *sorted(tensors.get(step.name, ()))]
    settle = Settling(code, declared, text, taken, result)
    typing = settle(fixed) if not possible else _choose(settle, fixed, possible)
    settle.name_sizes(typing)
    insist_on_sizes(typing, code, text)
    for name in possible:
        if any(size.constant == 1 for size in typing.shape(typing.names[name])):
            raise PullbackError(f"'{name}' would need an axis of size 1", None, "declare its shape")
    _insist_on_powers(code, possible, typing, text)
    assumed = tuple(_sentence(name, typing) for name in possible)
    return typing, assumed


def _insist_on_powers(
    code: Sequence[Instruction], possible: Mapping[str, Sequence[Kind]], typing: Typing, text: str
) -> None:
    """No small letter is a square matrix only for a power to have a meaning: ``sum((x - y)^2)``."""
    small = [n for n in possible if default_kind(n, (k.SCALAR, k.COLUMN, k.MATRIX)) != k.MATRIX]
    wrong = {name for name in small if typing.names[name].kind == k.MATRIX}
    stack: list[set[str]] = []  # the names of those inside each value
    for step in code if wrong else ():
        if isinstance(step, Operate):
            operands = stack[len(stack) - step.count :]
            del stack[len(stack) - step.count :]
            if step.symbol == "^" and operands[0]:
                shown, name = text[slice(*step.operands[0])], min(operands[0])
                raise PullbackError(
                    "this is the power of a number or of a square matrix",
                    Place(text, *step.span),
                    f"write {shown}.^ for the power of each entry, or declare {name}: n n",
                )
            stack.append(set().union(*operands))
        elif isinstance(step, Store):
            stack.pop()
        else:
            stack.append(wrong & {step.name} if isinstance(step, Load) else set())


def _tensors(code: Sequence[Instruction]) -> dict[str, set[Kind]]:
    """The names that may be tensors, and of which orders.

    They are what some operation takes as a tensor of an order it states; capital ones also stand
    inside of that, or beside its result.
    """
    found: dict[str, set[Kind]] = {}
    operations = [step for step in code if isinstance(step, Operate)]
    if not any(order > 2 for step in operations for order in (*step.orders, step.gives)):
        return found
    lines: dict[str, _Value] = {}
    stack: list[_Value] = []  # the names inside each value, and how many axes it may have
    for step in code:
        if isinstance(step, Operate):
            operands = stack[len(stack) - step.count :]
            del stack[len(stack) - step.count :]
            orders = step.orders or (max([order for _, order in operands]),) * len(operands)
            for (names, _), order in zip(operands, orders, strict=False):
                if order > 2:
                    alone = bool(step.orders) and len(names) == 1
                    for name in [n for n in names if alone or n.lstrip("_")[:1].isupper()]:
                        found.setdefault(name, set()).add(k.kind_of_order(order))
            own = step.gives if step.orders else max([*orders, 0])
            stack.append((frozenset().union(*[names for names, _ in operands]), own))
        elif isinstance(step, Store):
            lines[step.name] = stack.pop()
        elif isinstance(step, Load):
            stack.append(lines.get(step.name, (frozenset([step.name]), 0)))
        else:
            stack.append((frozenset(), 0))
    return found


def _choose(
    settle: Settling, fixed: Mapping[str, Kind], possible: Mapping[str, Sequence[Kind]]
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
            except Undetermined:
                raise
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


def _failure(settle: Settling, reading: Reading) -> PullbackError | None:
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
    if entity.kind >= k.MATRIX:
        what = "matrix" if entity.kind == k.MATRIX else "tensor"
        return f"{name} is a {what} {oriented(entity.kind, sizes)}"
    if not sizes:
        return f"{name} is a scalar"
    return f"{name} is {k.kind_text(entity.kind)} of size {sizes[0]}"
