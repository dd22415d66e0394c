"""What operations of NumPy make of operands of certain kinds: axes aligned at the right.

Kinds are orders here: a vector has one axis and is neither a column nor a row.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from pullback.errors import PullbackError
from pullback.expressions import Node
from pullback.expressions import constructors as make
from pullback.language import kinds as k
from pullback.language.kinds import Axis, Kind, Refusal, Rule, Verdict

NodeBuild = Callable[..., Node]


def kind_text(kind: Kind) -> str:
    return "a vector" if k.order_of(kind) == 1 else k.kind_text(kind)


@cache
def broadcast(kinds: tuple[Kind, ...], free: int = 99) -> Verdict:
    """Entry by entry; missing axes in front, and axes of size 1, are repeated."""
    order = max(map(k.order_of, kinds))
    if not order:
        return Rule(k.scalar_kind(kinds))
    axes: list[Axis] = []
    equal: list[tuple[Axis, Axis]] = []
    for place in range(order):
        at = [(i, place - order + k.order_of(kind)) for i, kind in enumerate(kinds)]
        there = [axis for axis in at if axis[1] >= 0]
        axes.append(there[0])
        equal += [(there[0], other) for other in there[1:]]
    repeated = [i for i, kind in enumerate(kinds) if k.order_of(kind) < order and kind != k.NUMBER]
    count = sum(i < free for i in repeated)
    return Rule(k.kind_of_order(order), tuple(axes), tuple(equal), count, stretch=True)


@cache
def labelled(inputs: tuple[str, ...], output: str, kinds: tuple[Kind, ...], name: str) -> Verdict:
    """The rule that a letter for each axis describes, as in einsum."""
    first: dict[str, Axis] = {}
    equal: list[tuple[Axis, Axis]] = []
    for i, (letters, kind) in enumerate(zip(inputs, kinds, strict=True)):
        if k.order_of(kind) != len(letters):
            return Refusal(
                f"{name} takes {len(letters)} axes for operand {i + 1}, not {kind_text(kind)}"
            )
        for axis, letter in enumerate(letters):
            if first.setdefault(letter, (i, axis)) != (i, axis):
                equal.append((first[letter], (i, axis)))
    if not output:
        return Rule(k.scalar_kind(kinds), (), tuple(equal))
    axes = tuple(first[letter] for letter in output)
    return Rule(k.kind_of_order(len(output)), axes, tuple(equal))


@cache
def matmul(kinds: tuple[Kind, ...], name: str = "@") -> Verdict:
    """The last axis with the last but one; axes before these are a batch."""
    left, right = map(k.order_of, kinds)
    if not left or not right:
        if name == "dot":
            return broadcast(kinds)
        return Refusal(f"{name} multiplies vectors and matrices, not a scalar", "write *")
    if left <= 2 and right <= 2:
        inputs = ("ij"[2 - left :], "jk"[:right])
        return labelled(inputs, "i"[2 - left :] + "k"[: right - 1], kinds, name)
    batch = max(left, right) - 2
    letters = "abcdefgh"[:batch]
    first = letters[batch - max(0, left - 2) :] + ("ij" if left > 1 else "j")
    second = letters[batch - max(0, right - 2) :] + ("jk" if right > 1 else "j")
    output = letters + ("i" if left > 1 else "") + ("k" if right > 1 else "")
    return labelled((first, second), output, kinds, name)


def _inner(kinds: tuple[Kind, ...]) -> Verdict:
    left, right = map(k.order_of, kinds)
    if not left or not right:
        return broadcast(kinds)
    rows, columns = "abcd"[: left - 1], "efgh"[: right - 1]
    return labelled((rows + "i", columns + "i"), rows + columns, kinds, "inner")


def _solve(kinds: tuple[Kind, ...]) -> Verdict:
    right = "ij"[: k.order_of(kinds[1])] or "i"
    return labelled(("ii", right), right, kinds, "solve")


def _outer(kinds: tuple[Kind, ...]) -> Verdict:
    return labelled(("i", "j"), "ij", kinds, "outer")


def _vdot(kinds: tuple[Kind, ...]) -> Verdict:
    letters = "abcdefgh"[: k.order_of(kinds[0])]
    return labelled((letters, letters), "", kinds, "vdot")


BINARY: dict[str, Callable[[tuple[Kind, ...]], Verdict]] = {
    "matmul": lambda kinds: matmul(kinds, "matmul"),
    "linalg.matmul": lambda kinds: matmul(kinds, "matmul"),
    "dot": lambda kinds: matmul(kinds, "dot"),
    "outer": _outer,
    "linalg.outer": _outer,
    "vdot": _vdot,
    "inner": _inner,
    "linalg.solve": _solve,
}


def transpose(kinds: tuple[Kind, ...]) -> Verdict:
    order = k.order_of(kinds[0])
    return Rule(kinds[0], tuple((0, axis) for axis in reversed(range(order))))


def probed(build: NodeBuild, kinds: tuple[Kind, ...]) -> Verdict:
    """The rule of a function of one operand, found by trying it on a variable of this kind."""
    (kind,) = kinds
    order = k.order_of(kind)
    refusal = Refusal(f"this does not take {kind_text(kind)}")
    for names in ([f"x{axis}" for axis in range(order)], ["x"] * order):
        probe = make.variable("x", names)
        try:
            result = build(probe)
        except PullbackError as error:
            refusal = Refusal(error.message, error.hint)
            continue
        axes: list[Axis | None] = []
        for size in result.shape:
            known = probe.shape.index(size) if size in probe.shape else None
            axes.append(None if known is None else (0, known))
        equal = [((0, 0), (0, axis)) for axis in range(1, order)] if len(set(names)) < order else []
        made = k.kind_of_order(result.order) if result.order else k.scalar_kind(kinds)
        return Rule(made, tuple(axes), tuple(equal))
    return refusal
