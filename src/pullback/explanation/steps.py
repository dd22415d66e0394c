"""The explanation as plain data: what the forward pass makes and what the backward pass hands on.

Formulas are kept as text and as LaTeX; shapes as the sizes of the axes. Nothing here computes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar, overload

from pullback.expressions.nodes import Node

T = TypeVar("T")


class Lazy(Sequence[T]):
    """A sequence whose items are made when they are first asked for.

    >>> Lazy([lambda: 1, lambda: 2])[1]
    2
    """

    def __init__(self, makers: Sequence[Callable[[], T]]) -> None:
        self._makers = makers
        self._made: dict[int, T] = {}

    def __len__(self) -> int:
        return len(self._makers)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        if place not in self._made:
            self._made[place] = self._makers[place]()
        return self._made[place]

    def __repr__(self) -> str:
        return f"<{len(self)} steps>"


@dataclass(frozen=True)
class Formula:
    """One formula in the two styles; ``form`` is the notation it is written in."""

    text: str
    latex: str
    form: str = "matrix"


@dataclass(frozen=True)
class Quantity:
    """A value or gradient: its name, what it equals, its axes.

    ``equals`` lists readings of the same value, each simpler than the last; ``row`` says that
    the user writes it as a row. ``node`` is the expression itself.
    """

    name: Formula
    equals: tuple[Formula, ...]
    shape: tuple[str, ...]
    row: bool = False
    node: Node | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class ForwardStep:
    """One value of the forward pass: an input, a parameter or what a line computes."""

    kind: str  # "input", "parameter", "line" or "intermediate"
    value: Quantity
    operation: str
    note: str = ""
    typed: str = ""  # the line as the user typed it


@dataclass(frozen=True)
class Factor:
    """One factor of a gradient and its role: signal path, activation or cost."""

    role: str
    detail: str
    value: Quantity


@dataclass(frozen=True)
class HandOn:
    """What an operation hands on to one operand, and how that came about."""

    operand: Formula
    gradient: Quantity
    local: Quantity  # the local derivative ∂operation/∂operand
    structure: str  # what kind of entity the local derivative is
    joined: str  # the operation between what was handed and the local derivative
    rule: str
    law: str
    role: str
    detail: str
    factors: tuple[Factor, ...]
    transpose: str  # why a transpose appears, or empty
    share: tuple[int, int]  # this is the first of two contributions: (1, 2)
    laws: tuple[str, ...] = ()  # of the rewrites used in ``gradient.equals``
    note: str = ""


@dataclass(frozen=True)
class BackwardStep:
    """One operation of the backward pass."""

    number: int
    value: Quantity
    operation: str
    handed: Quantity
    hands_on: tuple[HandOn, ...]
    layer: bool = False
    laws: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """The derivative by one variable: closed form, factors in the order of the chain, update."""

    wrt: Formula
    gradient: Quantity
    factors: tuple[Factor, ...]
    update: Formula | None  # of gradient descent; None where the result is no scalar
    laws: tuple[str, ...] = ()
    more: tuple[Formula, ...] = ()  # the same in other forms
    note: str = ""


@dataclass(frozen=True)
class Activation:
    """A function above a layer: its name, its derivative, and where that is evaluated."""

    name: str
    derivative: Formula
    evaluated_at: Formula


@dataclass(frozen=True)
class LayerRow:
    """A row of the table that says which derivative is used where."""

    layer: Formula
    weights: tuple[Formula, ...]
    activations: tuple[Activation, ...]  # the functions between this layer and the next
    cost: Formula | None  # ∂L/∂layer where the layer is the network's output
    merged: str  # the output activation merged with the cost, or empty
    handed: Formula | None  # name of the gradient that reaches the layer


@dataclass(frozen=True)
class RewriteStep:
    """A simplification that was used: a law and both sides, where they are short enough."""

    law: str
    before: Formula | None
    after: Formula | None


def plain(value: Any) -> Any:
    """A step as dictionaries, lists, strings and numbers; nodes are left out.

    >>> plain(Formula("U x", "U x"))
    {'text': 'U x', 'latex': 'U x', 'form': 'matrix'}
    """
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value) if f.name != "node"}
    if isinstance(value, tuple | list | Lazy):
        return [plain(part) for part in value]
    return value
