"""The lines of a program as instructions for a stack, so that no pass recurses into the text.

An operand is pushed, an operation takes its operands from the top and pushes its result, a line
pops its value and names it. Sums come as a chain of binary additions, of which the last knows all
terms.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from pullback.errors import Place, PullbackError
from pullback.expressions import Node, Size
from pullback.expressions import constructors as make
from pullback.language import kinds as k
from pullback.language.callee import Callee
from pullback.language.calls import CONSTANTS, first_size, is_function, resolve
from pullback.language.joining import block
from pullback.language.kinds import Build, Kind, Rule, Verdict
from pullback.language.slicing import indexed
from pullback.language.syntax import (
    Addition,
    Block,
    Call,
    Index,
    Line,
    Literal,
    Name,
    Power,
    Product,
    Static,
    Syntax,
    Transposed,
)

RuleOf = Callable[[tuple[Kind, ...]], Verdict]


@dataclass(slots=True, eq=False)
class Instruction:
    """One step. ``at`` is where a caret goes, ``span`` the whole sub-expression."""

    span: tuple[int, int]
    at: tuple[int, int]


@dataclass(slots=True, eq=False)
class Push(Instruction):
    """A literal or a size as a number."""

    node: Node


@dataclass(slots=True, eq=False)
class Load(Instruction):
    """A variable or a named line."""

    name: str


@dataclass(slots=True, eq=False)
class Store(Instruction):
    """The end of a line: its value gets the name, empty for the last line."""

    name: str


@dataclass(slots=True, eq=False)
class Operate(Instruction):
    """An operation on the topmost ``count`` values.

    ``symbol`` is the operator, or the name of the function. ``bare_name`` is a name that stands
    right of a product, or is transposed: there a scalar is possible and unlikely.
    """

    symbol: str
    count: int
    rule: RuleOf
    build: Build | None = None
    sizes: tuple[Size, ...] = ()
    signs: tuple[int, ...] = ()  # of a sum, at its last addition
    bare_name: str = ""
    operands: tuple[tuple[int, int], ...] = ()  # their spans
    orders: tuple[int, ...] = ()  # the numbers of axes that the operands must have, if it says so
    gives: int = 0  # that of the result, if it says so


class Meaning(Protocol):
    """What operators, the transpose and calls mean: a rule, and a node if the rule is not all."""

    def operator(self, symbol: str) -> tuple[RuleOf, Build | None]: ...

    def transposed(self) -> tuple[RuleOf, Build | None]: ...

    def resolve(self, call: Call, text: str, names: Collection[str]) -> Callee: ...

    def indexed(self, item: Index, text: str) -> Callee: ...

    def first_size(self, call: Call) -> int: ...


@dataclass(frozen=True, slots=True)
class Mathematics:
    """The meaning of the default language."""

    def operator(self, symbol: str) -> tuple[RuleOf, Build | None]:
        return _BINARY[symbol], None

    def transposed(self) -> tuple[RuleOf, Build | None]:
        return _transposed, None

    def resolve(self, call: Call, text: str, names: Collection[str]) -> Callee:
        return resolve(call, text, names)

    def indexed(self, item: Index, text: str) -> Callee:
        return indexed(item, text)

    def first_size(self, call: Call) -> int:
        return first_size(call)


def compile_line(
    line: Line,
    text: str,
    sizes: Collection[str],
    names: Collection[str],
    meaning: Meaning,
) -> list[Instruction]:
    """The instructions of one line, in order of evaluation.

    ``sizes`` are names that stand for sizes, ``names`` those of variables and lines.
    ``meaning`` is that of operators and calls in the dialect.
    """
    code: list[Instruction] = []
    # syntax still to be compiled, or an instruction whose operands are compiled before it
    stack: list[Syntax | Instruction] = [
        Store(_span(line.expression), (line.start, line.stop), line.name)
    ]
    stack.append(line.expression)
    while stack:
        item = stack.pop()
        spans: tuple[tuple[int, int], ...]
        if isinstance(item, Instruction):
            code.append(item)
        elif isinstance(item, Literal):
            code.append(Push(_span(item), _span(item), make.constant(item.value)))
        elif isinstance(item, Name):
            if item.name == "eye":  # alone it takes its size from its surroundings
                stack.append(Call(item.start, item.stop, "eye", []))
            else:
                code.append(_load(item, text, sizes, names))
        elif isinstance(item, Addition):
            stack.extend(reversed(_addition(item, meaning)))
        elif isinstance(item, Product):
            symbol = item.operator or "*"
            bare = item.right.name if isinstance(item.right, Name) and symbol == "*" else ""
            spans = (_span(item.left), _span(item.right))
            rule, build = meaning.operator(symbol)
            stack.append(
                Operate(
                    _span(item), item.at, symbol, 2, rule, build, bare_name=bare, operands=spans
                )
            )
            stack += [item.right, item.left]
        elif isinstance(item, Power):
            spans = (_span(item.base), _span(item.exponent))
            rule, build = meaning.operator(item.operator)
            stack.append(
                Operate(_span(item), item.at, item.operator, 2, rule, build, operands=spans)
            )
            stack += [item.exponent, item.base]
        elif isinstance(item, Transposed):
            if item.lettered and "T" in names:
                raise PullbackError(
                    "X^T is the transpose, but T is a name here",
                    Place(text, *item.at),
                    "write X' for the transpose, X^(T) for the power",
                )
            bare = item.operand.name if isinstance(item.operand, Name) else ""
            spans = (_span(item.operand),)
            rule, build = meaning.transposed()
            stack.append(
                Operate(_span(item), item.at, "'", 1, rule, build, bare_name=bare, operands=spans)
            )
            stack.append(item.operand)
        elif isinstance(item, Call):
            callee = meaning.resolve(item, text, names)
            stack += _applied(callee, item.function, _span(item), _span(item))
        elif isinstance(item, Index):
            stack += _applied(meaning.indexed(item, text), "the index", _span(item), item.at)
        elif isinstance(item, Block):
            stack += _applied(block(item), "a block matrix", _span(item), _span(item))
        elif isinstance(item, Static):
            raise PullbackError("this is no value", Place(text, *_span(item)))
    return code


def _applied(
    callee: Callee, symbol: str, span: tuple[int, int], at: tuple[int, int]
) -> list[Syntax | Instruction]:
    """The operation of a callee, and what is to be compiled before it, last first."""
    arguments = callee.arguments
    spans = tuple(_span(argument) for argument in arguments)
    step = Operate(span, at, symbol, len(arguments), callee.rule, callee.build, operands=spans)
    step.sizes, step.orders, step.gives = callee.sizes, callee.orders, callee.gives
    return [step, *reversed(arguments)]


def _span(syntax: Syntax) -> tuple[int, int]:
    return (syntax.start, syntax.stop)


def _load(item: Name, text: str, sizes: Collection[str], names: Collection[str]) -> Instruction:
    if item.name in sizes:
        return Push(_span(item), _span(item), make.size_value(item.name))
    if item.name in CONSTANTS and item.name not in names:
        return Push(_span(item), _span(item), CONSTANTS[item.name].apply([]))
    if is_function(item.name):
        hint = f"write {item.name}(…), or choose another name for the variable"
        raise PullbackError(f"'{item.name}' is a function", Place(text, *_span(item)), hint)
    return Load(_span(item), _span(item), item.name)


def _addition(item: Addition, meaning: Meaning) -> list[Syntax | Instruction]:
    if len(item.terms) == 1:
        operand = item.terms[0][1]
        return [
            operand,
            Operate(
                _span(item), item.at[0], "-", 1, _same, signs=(-1,), operands=(_span(operand),)
            ),
        ]
    steps: list[Syntax | Instruction] = [item.terms[0][1]]
    signs = tuple(sign for sign, _ in item.terms)
    start = item.start
    for i, (_, term) in enumerate(item.terms[1:], 1):
        before = (start, item.terms[i - 1][1].stop)
        last = i == len(item.terms) - 1
        span = _span(item) if last else (start, term.stop)
        symbol = "+" if signs[i] > 0 else "-"
        steps += [
            term,
            Operate(
                span,
                item.at[i],
                symbol,
                2,
                meaning.operator("+")[0],
                signs=signs if last else (),
                operands=(before, _span(term)),
            ),
        ]
    return steps


def _transposed(kinds: tuple[Kind, ...]) -> Verdict:
    return k.transpose(kinds[0])


def _same(kinds: tuple[Kind, ...]) -> Verdict:
    return Rule(kinds[0], k.axes_of(0, kinds[0]))


def _call_binary(operator: str, kinds: tuple[Kind, ...]) -> Verdict:
    return k.OPERATORS[operator](kinds[0], kinds[1])


_BINARY = {operator: partial(_call_binary, operator) for operator in k.OPERATORS}
