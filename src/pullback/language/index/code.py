"""A formula in indices as instructions for a stack, so that no pass recurses into the text.

A letter is a number here: two letters of one name in two scopes are two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pullback.expressions import Node, Size

Ids = tuple[int, ...]


@dataclass(frozen=True)
class Linear:
    """A sum of letters, each times a size, and of a size; letters count from 1."""

    terms: Mapping[int, Size]
    constant: Size

    def plus(self, other: Linear) -> Linear:
        terms = dict(self.terms)
        for letter, c in other.terms.items():
            terms[letter] = terms.get(letter, Size.of(0)) + c
        return Linear(terms, self.constant + other.constant)

    def times(self, size: Size) -> Linear:
        return Linear({x: c * size for x, c in self.terms.items()}, self.constant * size)


@dataclass(frozen=True)
class Moved:
    """An index that is no letter, such as i + 1, under the conditions that stand before it."""

    form: Linear
    guards: tuple[Relate, ...]
    span: tuple[int, int]


At = int | Moved  # where on an axis an entry stands


@dataclass(slots=True, eq=False)
class Instruction:
    """One step; ``span`` is the stretch of text it stands for."""

    span: tuple[int, int]


@dataclass(slots=True, eq=False)
class Push(Instruction):
    """A literal, a constant or a size as a number."""

    node: Node


@dataclass(slots=True, eq=False)
class Take(Instruction):
    """An entry of a variable or a line."""

    name: str
    at: tuple[At, ...]


@dataclass(slots=True, eq=False)
class TakeOf(Instruction):
    """An entry of an expression that is written without indices, once that could be read."""

    at: tuple[At, ...]
    node: Node | None = None


@dataclass(slots=True, eq=False)
class Tie(Instruction):
    """δ of two letters."""

    letters: Ids


@dataclass(slots=True, eq=False)
class Relate(Instruction):
    """1 where a form is 0 (or not negative), else 0."""

    form: Linear
    equality: bool


@dataclass(slots=True, eq=False)
class Multiply(Instruction):
    """The product of the topmost values, −1 where one divides."""

    signs: tuple[int, ...]


@dataclass(slots=True, eq=False)
class Add(Instruction):
    signs: tuple[int, ...]


@dataclass(slots=True, eq=False)
class Raise(Instruction):
    """A power; the exponent is on top."""


@dataclass(slots=True, eq=False)
class Apply(Instruction):
    """A function entry by entry."""

    function: str
    count: int


@dataclass(slots=True, eq=False)
class Gather(Instruction):
    """A function of whole arrays; ``own`` are the letters of each argument that it takes up.

    ``picked`` are the letters of the result's entry.
    """

    function: str
    own: tuple[Ids, ...]
    picked: tuple[At, ...]


@dataclass(slots=True, eq=False)
class Total(Instruction):
    """The sum over letters."""

    letters: Ids
