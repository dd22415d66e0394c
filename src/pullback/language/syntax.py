"""The syntax tree: what was written and where, before anything is known of shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pullback.expressions import Number, Size


@dataclass(slots=True, eq=False)
class Syntax:
    """A stretch of the text; parentheses around it belong to it."""

    start: int
    stop: int


@dataclass(slots=True, eq=False)
class Literal(Syntax):
    value: Number


@dataclass(slots=True, eq=False)
class Name(Syntax):
    name: str


@dataclass(slots=True, eq=False)
class Addition(Syntax):
    """Terms with their signs; one negative term is a negation. ``at`` places each sign."""

    terms: list[tuple[int, Syntax]]
    at: list[tuple[int, int]]


@dataclass(slots=True, eq=False)
class Product(Syntax):
    """``operator`` is one of ``* .* / ./ ·``, or empty where the factors stand side by side.

    ``closed`` where the product stands in parentheses. NumPy's ``@`` is one too.
    """

    operator: str
    left: Syntax
    right: Syntax
    at: tuple[int, int]
    closed: bool = False


@dataclass(slots=True, eq=False)
class Power(Syntax):
    """``operator`` is ``^`` or ``.^``."""

    operator: str
    base: Syntax
    exponent: Syntax
    at: tuple[int, int]


@dataclass(slots=True, eq=False)
class Transposed(Syntax):
    """``lettered`` where it was written ``X^T``, which must not be a power by a variable T."""

    operand: Syntax
    at: tuple[int, int]
    lettered: bool = False


@dataclass(slots=True, eq=False)
class Static(Syntax):
    """An argument that is no value: a text, a tuple of whole numbers, True, False or None."""

    value: Any


@dataclass(slots=True, eq=False)
class Call(Syntax):
    """``suffixed`` where a power or transpose follows, ``bare`` where no parentheses close it.

    ``options`` are keyword arguments.
    """

    function: str
    arguments: list[Syntax]
    suffixed: bool = False
    bare: bool = False
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Range(Syntax):
    """``first:last`` or ``first:step:last`` between the parentheses of an index, or ``:`` alone."""

    first: Syntax | None
    step: Syntax | None
    last: Syntax | None


@dataclass(slots=True, eq=False)
class Index(Syntax):
    """``x(2:n)``, ``A(:, 1)``: entries of a value at the places in parentheses, from 1 on."""

    operand: Syntax
    places: list[Syntax]
    at: tuple[int, int]


@dataclass(slots=True, eq=False)
class Block(Syntax):
    """``[A, B; C, D]``: a matrix of blocks, row by row."""

    rows: list[list[Syntax]]


@dataclass(slots=True, eq=False)
class Line(Syntax):
    """``name = expression``, or an expression alone (an empty name). The span is the name's.

    ``abbreviates`` where it follows ``where``: it stands for a part of the formula before it.
    """

    name: str
    expression: Syntax
    abbreviates: bool = False


@dataclass(slots=True, eq=False)
class Declaration(Syntax):
    name: str
    sizes: list[Size]
    assumptions: list[str]


@dataclass(slots=True, eq=False)
class Source:
    """A text as read in a dialect: its lines and declarations in order.

    ``mark`` places what the dialect was recognised by, if it was not stated.
    """

    text: str
    dialect: str = "matlab"
    mark: tuple[int, int] | None = None
    lines: list[Line] = field(default_factory=list)
    declarations: list[Declaration] = field(default_factory=list)
    vectors: set[str] = field(default_factory=set)  # names that are written as vectors


def parts_of(item: Syntax) -> list[Syntax]:
    """The values that an expression is made of; places of an index are none."""
    if isinstance(item, Addition):
        return [term for _, term in item.terms]
    if isinstance(item, Product):
        return [item.left, item.right]
    if isinstance(item, Power):
        return [item.base, item.exponent]
    if isinstance(item, Call):
        return list(item.arguments)
    if isinstance(item, Static):
        return item.value if isinstance(item.value, list) else []
    if isinstance(item, Block):
        return [part for row in item.rows for part in row]
    return [item.operand] if isinstance(item, Transposed | Index) else []


def places_of(item: Syntax) -> list[Syntax]:
    """What the places of an index are made of."""
    found: list[Syntax] = []
    stack: list[Syntax | None] = list(item.places) if isinstance(item, Index) else []
    while stack:
        part = stack.pop()
        if isinstance(part, Range):
            stack += [part.first, part.step, part.last]
        elif part is not None:
            found.append(part)
            stack += parts_of(part)
    return found


def replace_parts(item: Syntax, by: Callable[[Syntax], Syntax]) -> None:
    """Puts another expression in the place of each part."""
    if isinstance(item, Addition):
        item.terms = [(sign, by(term)) for sign, term in item.terms]
    elif isinstance(item, Product):
        item.left, item.right = by(item.left), by(item.right)
    elif isinstance(item, Power):
        item.base, item.exponent = by(item.base), by(item.exponent)
    elif isinstance(item, Call):
        item.arguments = [by(part) for part in item.arguments]
    elif isinstance(item, Block):
        item.rows = [[by(part) for part in row] for row in item.rows]
    elif isinstance(item, Transposed | Index):
        item.operand = by(item.operand)


def syntax_of(source: Source) -> Iterator[Syntax]:
    """Every part of the expressions of a text, each before its own parts."""
    stack: list[Syntax] = [line.expression for line in reversed(source.lines)]
    while stack:
        item = stack.pop()
        yield item
        stack += reversed(parts_of(item))
