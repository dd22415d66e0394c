"""The syntax tree: what was written and where, before anything is known of shapes."""

from __future__ import annotations

from dataclasses import dataclass, field

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
    """``operator`` is one of ``* .* / ./ ·``."""

    operator: str
    left: Syntax
    right: Syntax
    at: tuple[int, int]


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
class Call(Syntax):
    function: str
    arguments: list[Syntax]


@dataclass(slots=True, eq=False)
class Line(Syntax):
    """``name = expression``, or an expression alone (an empty name). The span is the name's."""

    name: str
    expression: Syntax


@dataclass(slots=True, eq=False)
class Declaration(Syntax):
    name: str
    sizes: list[Size]
    assumptions: list[str]


@dataclass(slots=True, eq=False)
class Source:
    """A text as read: its lines and declarations in order."""

    text: str
    lines: list[Line] = field(default_factory=list)
    declarations: list[Declaration] = field(default_factory=list)
