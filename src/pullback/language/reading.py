"""Text to syntax tree, and every way a text can fail to be one."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from typing import Any, NoReturn
from unicodedata import normalize

from pullback.errors import Place, PullbackError
from pullback.expressions import Number, Size
from pullback.expressions import constructors as make
from pullback.language.dialects import refuse_other_dialects
from pullback.language.syntax import (
    Addition,
    Call,
    Declaration,
    Line,
    Literal,
    Name,
    Power,
    Product,
    Source,
    Syntax,
    Transposed,
)

LONGEST = 5_000_000  # characters of a text
DEEPEST = 200  # parentheses inside each other
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")

_MARKS = re.compile(r"[#%][^\n]*|\.\.\.[^\n]*\n|[()\n]")


class Fault(Exception):
    """A fault at a place that only the reader of the whole text can complete."""

    def __init__(self, message: str, start: int, stop: int, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.start, self.stop, self.hint = message, start, stop, hint


def read(text: str) -> Source:
    """The syntax tree of a text; PullbackError with a caret where it is none.

    >>> [line.name for line in read("f = U*x\\nsum(f)").lines]
    ['f', '']
    """
    if not isinstance(text, str):
        raise PullbackError(f"a program is text, not {type(text).__name__}")
    if len(text) > LONGEST:
        raise PullbackError(f"the text has {len(text)} characters, more than {LONGEST}")
    try:
        plain = _blank(text)
        refuse_other_dialects(text, plain)
        items = _parse(plain)
    except Fault as fault:
        place = Place(text, fault.start, fault.stop)
        raise PullbackError(fault.message, place, fault.hint) from None
    source = Source(text)
    for item in items:
        if isinstance(item, Line):
            source.lines.append(item)
        else:
            source.declarations.append(item)
    return source


def _blank(text: str) -> str:
    """The text with comments, and line breaks inside parentheses, turned into spaces.

    Every other character keeps its position, so that carets fall in the user's own text.
    """
    parts: list[str] = []
    opened: list[int] = []
    last = 0
    for match in _MARKS.finditer(text):
        mark = match.group()
        if mark == "(":
            opened.append(match.start())
            if len(opened) > DEEPEST:
                raise Fault(
                    f"more than {DEEPEST} parentheses inside each other",
                    *match.span(),
                    "name a part of the expression on a line of its own",
                )
        elif mark == ")":
            if not opened:
                raise Fault("this ) closes nothing", *match.span())
            opened.pop()
        elif mark != "\n" or opened:
            parts += [text[last : match.start()], " " * len(mark)]
            last = match.end()
    if opened:
        raise Fault("this ( is never closed", opened[-1], opened[-1] + 1)
    return "".join(parts) + text[last:]


def _parse(plain: str) -> list[Line | Declaration]:
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken  # noqa: PLC0415

    try:
        items: list[Line | Declaration] = _parser().parse(plain)
    except UnexpectedCharacters as error:
        at = error.pos_in_stream or 0
        raise Fault(*_unknown_character(plain, at)) from None
    except UnexpectedToken as error:
        _refuse_token(plain, error)
    return items


@cache
def _parser() -> Any:
    """The parser, built on the first use: lark is not loaded before."""
    from lark import Lark  # noqa: PLC0415

    options: dict[str, Any] = {"parser": "lalr", "maybe_placeholders": False}
    return Lark.open("grammar.lark", rel_to=__file__, transformer=_Builder(), **options)


def _unknown_character(plain: str, at: int) -> tuple[str, int, int, str]:
    character = plain[at]
    hint = ""
    if character in "[]{}":
        hint = "matrices are not written out; name them, or use matrix(c, m, n), eye(n)"
    elif character in "<>!&|~?":
        hint = "comparisons and logic are not part of the language; step(x), relu(x), abs(x) are"
    elif character in '"`':
        hint = "there are no strings; ' is the transpose"
    elif character == ".":
        hint = "a dot only stands in a number or in .* ./ .^ .'"
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    return f"'{shown}' has no meaning here", at, at + 1, hint


def _refuse_token(plain: str, error: Any) -> NoReturn:
    """What is wrong at the token the grammar did not expect."""
    token, kind = error.token, error.token.type
    expected: set[str] = set(error.expected or ())
    start = token.start_pos
    if kind == "$END" or start is None:
        start = stop = len(plain.rstrip())
    else:
        stop = token.end_pos
    shown = str(token)
    if kind in ("$END", "_SEP"):
        begin = max(0, start - 1)
        while begin > 0 and plain[begin].isspace():
            begin -= 1
        raise Fault("the line ends where a value is expected", begin, begin + 1)
    if kind in ("NAME", "NUMBER", "LPAR", "ASSUMPTION") and "PRODUCT" in expected:
        number = (
            kind == "NAME" and start and (plain[start - 1].isdigit() or plain[start - 1] == ".")
        )
        hint = "write 2*x, not 2x" if number else "write * between factors"
        raise Fault(f"an operator is missing before '{shown}'", start, stop, hint)
    if shown == "=":
        hint = "a line is  name = expression ; equations are not solved here"
        raise Fault("'=' stands only after the name at the start of a line", start, stop, hint)
    if shown == ":":
        hint = "a declaration is  name: size size , on a line of its own"
        raise Fault(
            "':' stands only after the name at the start of a declaration", start, stop, hint
        )
    if shown == ",":
        raise Fault("',' stands only between the arguments of a function", start, stop)
    if shown == ")":
        raise Fault("a value is missing before ')'", start, stop)
    if expected & {"NAME", "NUMBER"} and "PRODUCT" not in expected:
        raise Fault(f"a value is expected before '{shown}'", start, stop)
    raise Fault(f"'{shown}' is not expected here", start, stop)


def exact(digits: str, start: int, stop: int) -> Number:
    """A decimal as the exact rational it is; refused where a float64 would not hold it."""
    mantissa, _, exponent = digits.lower().partition("e")
    if len(mantissa) > 400 or len(exponent) > 4 or abs(int(exponent or 0)) > 300:
        raise Fault("this number is too large, too small or too long", start, stop)
    value = Fraction(digits)
    if value > 10**308:
        raise Fault("this number is too large", start, stop)
    return make.exact_number(value)


def name_of(token: Any) -> str:
    """The name in one spelling, however its accents are composed."""
    return str(token) if token.isascii() else normalize("NFC", token).replace("µ", "μ")


class _Builder:
    """Makes the tree while the parser reduces, so that no second walk is needed."""

    @staticmethod
    def start(items: list[Any]) -> list[Any]:
        return items

    @staticmethod
    def assignment(items: list[Any]) -> Line:
        token, expression = items
        return Line(token.start_pos, token.end_pos, name_of(token), expression)

    @staticmethod
    def formula(items: list[Any]) -> Line:
        return Line(items[0].start, items[0].stop, "", items[0])

    @staticmethod
    def declaration(items: list[Any]) -> Declaration:
        token = items[0]
        sizes = [item for item in items[1:] if isinstance(item, Size)]
        words = [str(item) for item in items[1:] if not isinstance(item, Size)]
        return Declaration(token.start_pos, token.end_pos, name_of(token), sizes, words)

    @staticmethod
    def size(items: list[Any]) -> Size:
        total: Size = items[0]
        for sign, term in zip(items[1::2], items[2::2], strict=True):
            total = total + (term if sign == "+" else -1 * term)
        return total

    @staticmethod
    def monomial(items: list[Any]) -> Size:
        product = Size.of(1)
        end = -1
        for token in items:
            if token.type == "NUMBER":
                if not token.isdecimal() or len(token) > 18:
                    raise Fault("a size is a whole number", token.start_pos, token.end_pos)
                product = product * int(token)
            else:
                product = product * name_of(token)
            end = token.end_pos
        assert end >= 0
        return product

    @staticmethod
    def sum(items: list[Any]) -> Syntax:
        if len(items) == 1:
            return items[0]  # type: ignore[no-any-return]
        terms = [(1, items[0])]
        at = [(items[0].start, items[0].stop)]
        for sign, term in zip(items[1::2], items[2::2], strict=True):
            terms.append((1 if sign == "+" else -1, term))
            at.append((sign.start_pos, sign.end_pos))
        return Addition(items[0].start, items[-1].stop, terms, at)

    @staticmethod
    def product(items: list[Any]) -> Syntax:
        left: Syntax = items[0]
        for operator, right in zip(items[1::2], items[2::2], strict=True):
            at = (operator.start_pos, operator.end_pos)
            if operator == "⊗":
                hint = "of two vectors, write outer(a, b)"
                raise Fault("the Kronecker product ⊗ can be printed, not yet typed", *at, hint)
            symbol = ".*" if operator == "⊙" else str(operator)
            left = Product(left.start, right.stop, symbol, left, right, at)
        return left

    @staticmethod
    def signed(items: list[Any]) -> Syntax:
        operand: Syntax = items[-1]
        signs = items[:-1]
        if sum_of_minus(signs) % 2 == 0:
            return operand
        first = signs[0]
        at = [(first.start_pos, first.end_pos)]
        return Addition(first.start_pos, operand.stop, [(-1, operand)], at)

    exponent = signed

    @staticmethod
    def suffix(items: list[Any]) -> list[Any]:
        return items

    @staticmethod
    def power(items: list[Any]) -> Syntax:
        base: Syntax = items[0]
        raised = False
        for suffix in items[1:]:
            token = suffix[0]
            at = (token.start_pos, token.end_pos)
            if raised:
                what = "transpose" if token.type == "TRANSPOSE" else "power"
                hint = "write (a^b)^c or a^(b^c); (x^2)' or (x')^2"
                raise Fault(f"a power followed by a {what} needs parentheses", *at, hint)
            if token.type == "TRANSPOSE":
                base = Transposed(base.start, at[1], base, at)
                continue
            raised = True
            exponent: Syntax
            if token.type == "SUPERSCRIPT":
                digits = token.translate(SUPERSCRIPTS)
                if digits == "-" or len(digits) > 18:
                    raise Fault("this exponent is no whole number", *at)
                exponent = Literal(*at, int(digits))
                base = Power(base.start, at[1], "^", base, exponent, at)
                continue
            exponent = suffix[1]
            bare = isinstance(exponent, Name) and exponent.name == "T"
            if bare and exponent.stop - exponent.start == 1 and str(token) == "^":
                base = Transposed(base.start, exponent.stop, base, at, lettered=True)
            else:
                base = Power(base.start, exponent.stop, str(token), base, exponent, at)
        return base

    @staticmethod
    def number(items: list[Any]) -> Syntax:
        token = items[0]
        span = (token.start_pos, token.end_pos)
        return Literal(*span, exact(str(token), *span))

    @staticmethod
    def name(items: list[Any]) -> Syntax:
        token = items[0]
        return Name(token.start_pos, token.end_pos, name_of(token))

    @staticmethod
    def call(items: list[Any]) -> Syntax:
        token, close = items[0], items[-1]
        return Call(token.start_pos, close.end_pos, name_of(token), items[2:-1])

    @staticmethod
    def group(items: list[Any]) -> Syntax:
        open_, inner, close = items
        inner.start, inner.stop = open_.start_pos, close.end_pos
        return inner  # type: ignore[no-any-return]


def sum_of_minus(signs: list[Any]) -> int:
    return len([sign for sign in signs if sign.type == "MINUS"])
