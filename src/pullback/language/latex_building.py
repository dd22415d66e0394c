"""From what the grammar of LaTeX finds to the syntax tree of the default language."""

from __future__ import annotations

import re
from collections.abc import Collection
from fractions import Fraction
from typing import Any

from pullback.expressions import constructors as make
from pullback.language.building import Builder, at_places, beside, exact, product_of, span_of
from pullback.language.faults import Fault
from pullback.language.latex import EULER, function_of
from pullback.language.latex_names import name_in
from pullback.language.syntax import (
    Block,
    Call,
    Index,
    Line,
    Literal,
    Name,
    Power,
    Product,
    Source,
    Syntax,
    Transposed,
    places_of,
    syntax_of,
)

_NORMS = {
    "": "norm",
    "2": "norm",
    "1": "norm1",
    "F": "normF",
    "Fro": "normF",
    "F2": "normF",
    "*": "nuclear_norm",
    "\\infty": "norm_inf",
}


_LOGS = {"det": "logdet", "|": "log|"}  # the logarithm of these as one function


_BOLD = re.compile(r"\\(?:mathbf|boldsymbol|bm|vec)")  # small letters in such a face are vectors


def named(source: Source, known: Collection[str]) -> None:
    """Names as they are declared; one letter in two faces would be two things of one name."""
    faces: dict[str, str] = {}
    for item in [part for whole in syntax_of(source) for part in (whole, *places_of(whole))]:
        if isinstance(item, Name):
            written = re.sub(r"\s", "", item.name)
            item.name = name_in(item.name, known)
            styled = "".join(re.findall(r"\\(?:mathbf|boldsymbol|bm|mathcal|vec)", written))
            if styled and _BOLD.search(styled) and item.name[:1].islower():
                source.vectors.add(item.name)
            if faces.setdefault(item.name, styled) != styled:
                hint = "write both in one way, or mark one of them, as in x_1"
                message = f"'{item.name}' is written in two faces: are they two variables?"
                raise Fault(message, item.start, item.stop, hint)
    for line in source.lines:
        if line.name:
            line.name = name_in(line.name, known)


class LatexBuilder(Builder):
    """Makes the tree; names keep what LaTeX wrote until :func:`named` knows what is declared."""

    @staticmethod
    def assignment(items: list[Any]) -> Line:
        token, expression = items
        return Line(*span_of(token), str(token), expression)

    @staticmethod
    def name(items: list[Any]) -> Syntax:
        return Name(*span_of(items[0]), str(items[0]))

    @staticmethod
    def product(items: list[Any]) -> Syntax:
        left: Syntax = items[0]
        previous: Any = left
        pending: Any = None
        for item in items[1:]:
            if not isinstance(item, Syntax):
                pending = item
                continue
            operator = "" if pending is None else str(pending)
            if operator in ("", "/") and isinstance(previous, Call) and previous.bare:
                hint = f"put the argument of {previous.function} in parentheses"
                raise Fault("where this argument ends is open", item.start, item.stop, hint)
            if pending is None:
                left = beside(left, item)
            else:
                left = product_of(left, operator, span_of(pending), item)
            previous, pending = item, None
        return left

    @staticmethod
    def beside(items: list[Any]) -> Syntax:
        return items[0]  # type: ignore[no-any-return]

    @staticmethod
    def power(items: list[Any]) -> Syntax:
        base: Syntax = items[0]
        raised = False
        for suffix in items[1:]:
            base, raised = _raised(base, suffix, raised)
        return base

    besides = power
    argument = power

    @staticmethod
    def group(items: list[Any]) -> Syntax:
        return Builder.group(items)

    braced = group

    @staticmethod
    def norm(items: list[Any]) -> Syntax:
        _, inner, close = items
        raised, _, mark = str(close)[1:].rpartition("_")
        mark = re.sub(r"[\s{}]|\\text|\\mathrm", "", mark)
        start, stop = items[0].start_pos, close.end_pos
        power = re.sub(r"[\s^{}]", "", raised)
        if mark in _NORMS:
            norm: Syntax = Call(start, stop, _NORMS[mark], [inner])
        elif mark.isdecimal() or re.fullmatch("[a-z]", mark):
            order = (
                Literal(*span_of(close), int(mark))
                if mark.isdecimal()
                else Name(*span_of(close), mark)
            )
            norm = Call(start, stop, "norm", [inner, order])
        else:
            hint = r"\|x\|, \|x\|_1, \|x\|_2, \|x\|_p, \|x\|_\infty, \|A\|_F and \|A\|_* are"
            raise Fault("this norm is not read", *span_of(close), hint)
        if power:  # \|x\|^2_2
            exponent = Literal(*span_of(close), int(power))
            norm = Power(start, stop, "^", norm, exponent, span_of(close))
        return norm

    @staticmethod
    def modulus(items: list[Any]) -> Syntax:
        return Call(items[0].start_pos, items[2].end_pos, "|", [items[1]])

    @staticmethod
    def inner(items: list[Any]) -> Syntax:
        return Call(items[0].start_pos, items[-1].end_pos, "⟨", [items[1], items[2]])

    @staticmethod
    def fraction(items: list[Any]) -> Syntax:
        if len(items) == 1:  # \frac12, \frac1n
            start, stop = span_of(items[0])
            above, below = re.findall(r"[0-9A-Za-z](?=\s*[0-9A-Za-z]?$)", str(items[0]))
            over = Literal(start, stop, exact(above, start, stop))
            under: Syntax = Name(start, stop, below)
            if below.isdigit():
                under = Literal(start, stop, exact(below, start, stop))
            return Product(start, stop, "/", over, under, (start, stop), closed=True)
        token, over, under = items
        at = span_of(token)
        return Product(at[0], under.stop, "/", over, under, at, closed=True)

    @staticmethod
    def root(items: list[Any]) -> Syntax:
        start, inner = items[0].start_pos, items[-1]
        if len(items) == 2:
            return Call(start, inner.stop, "sqrt", [inner])
        at = span_of(items[2])
        if not items[2].isdecimal() or int(items[2]) == 0 or len(items[2]) > 3:
            raise Fault("this root is not read", *at)
        exponent = Literal(*at, make.exact_number(Fraction(1, int(items[2]))))
        return Power(start, inner.stop, ".^", inner, exponent, at)

    @staticmethod
    def ones(items: list[Any]) -> Syntax:
        span = span_of(items[0])
        _, _, mark = re.sub(r"[\s{}]", "", str(items[0])).partition("_")
        sizes: list[Syntax] = []
        if mark:
            sizes = [Literal(*span, int(mark)) if mark.isdecimal() else Name(*span, mark)]
        return Call(*span, "vector", [Literal(*span, 1), *sizes])

    @staticmethod
    def zeros(items: list[Any]) -> Syntax:
        return Literal(*span_of(items[0]), 0)

    @staticmethod
    def euler(items: list[Any]) -> Syntax:
        return Name(*span_of(items[0]), EULER)

    @staticmethod
    def block(items: list[Any]) -> Syntax:
        rows: list[list[Syntax]] = [item for item in items if isinstance(item, list)]
        start, stop = items[0].start_pos, items[-1].end_pos
        made = Block(start, stop, rows)
        return Call(start, stop, "det", [made]) if items[0].type == "LDET" else made

    @staticmethod
    def entrywise(items: list[Any]) -> Syntax:
        """As in the default language; ``A : B`` is the inner product of two matrices."""
        colons = [item for item in items[1::2] if item == ":"]
        if not colons:
            return Builder.entrywise(items)
        if len(colons) > 1 or items[-2] != ":":
            at = span_of(colons[0])
            raise Fault("two readings: what : takes first", *at, r"write parentheses around A : B")
        left = Builder.entrywise(items[:-2])
        return Call(left.start, items[-1].stop, "⟨", [left, items[-1]])

    @staticmethod
    def call(items: list[Any]) -> Syntax:
        token, close = items[0], items[-1]
        arguments = [item for item in items[1:-1] if isinstance(item, Syntax)]
        made = Call(token.start_pos, close.end_pos, function_of(str(token)), arguments)
        return _of_function(made, [item for item in items[1:] if isinstance(item, list)])

    @staticmethod
    def applied(items: list[Any]) -> Syntax:
        token, argument = items[0], items[-1]
        function = function_of(str(token))
        span = (token.start_pos, argument.stop)
        if function == "log" and isinstance(argument, Call) and argument.function in _LOGS:
            return Call(*span, _LOGS[argument.function], argument.arguments, bare=argument.bare)
        made = _of_function(
            Call(*span, function, [argument]),
            [item for item in items[1:] if isinstance(item, list)],
        )
        if isinstance(made, Call):
            made.bare = not _closed(argument)
        return made


def _closed(argument: Syntax) -> bool:
    """Whether it is plain where an argument without parentheses ends."""
    if isinstance(argument, Call):
        return not argument.bare
    return isinstance(argument, Product) and argument.closed


def _of_function(call: Call, powers: list[list[Any]]) -> Syntax:
    r"""A function to a power, ``\sin^2 x``; −1 might be the inverse function."""
    made: Syntax = call
    for suffix in powers:
        made, _ = _raised(made, suffix, False)
        exponent = made.exponent if isinstance(made, Power) else None
        if not isinstance(exponent, Literal) or not isinstance(exponent.value, int):
            at = span_of(suffix[0])
            raise Fault("this power of a function has two readings", *at, "put it at the end")
    return made


def _raised(base: Syntax, suffix: list[Any], raised: bool) -> tuple[Syntax, bool]:
    if isinstance(suffix[0], Index):
        return at_places(base, suffix[0], raised=raised), False
    token = suffix[0]
    at = span_of(token)
    if raised:
        hint = "write {(a^b)}^c or a^{b^c}; (x^2)^T"
        raise Fault("a power followed by another needs parentheses", *at, hint)
    if token.type == "TRANSPOSE":
        lettered = "T" in token and "\\" not in token
        return Transposed(base.start, at[1], base, at, lettered=lettered), False
    if token.type == "PSEUDOINVERSE":
        return Call(base.start, at[1], "pinv", [base], suffixed=True), False
    if token.type == "INVERSE_TRANSPOSE":
        base = Power(base.start, at[1], "^", base, Literal(*at, -1), at)
        return Transposed(base.start, at[1], base, at), True
    exponent: Syntax
    if token.type == "RAISED":
        written = str(token)[1:].strip()
        exponent = Name(*at, written)
        if written.isdigit():
            exponent = Literal(*at, int(written))
        if isinstance(base, Name) and base.name == EULER:
            return Call(base.start, at[1], "ℯ^", [exponent]), True
        return Power(base.start, at[1], "^", base, exponent, at), True
    exponent, close = suffix[1], suffix[2]
    if isinstance(base, Name) and base.name == EULER:
        return Call(base.start, close.end_pos, "ℯ^", [exponent]), True
    operator = ".^" if token.type == "ENTRY_RAISED" else "^"
    return Power(base.start, close.end_pos, operator, base, exponent, at), True
