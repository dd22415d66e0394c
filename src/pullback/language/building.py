"""From what the grammar finds to the syntax tree."""

from __future__ import annotations

from fractions import Fraction
from typing import Any
from unicodedata import normalize

from pullback.expressions import Number, Size
from pullback.expressions import constructors as make
from pullback.language.faults import Fault
from pullback.language.syntax import (
    Addition,
    Block,
    Call,
    Declaration,
    Index,
    Line,
    Literal,
    Name,
    Power,
    Product,
    Range,
    Static,
    Syntax,
    Transposed,
)

_NORMS = {"1": "norm1", "₁": "norm1", "2": "norm", "₂": "norm", "*": "nuclear_norm"}
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
BESIDE = ""  # the operator of factors that stand side by side
_COMPARISONS = {
    "<": "less",
    "<=": "less_equal",
    "≤": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "≥": "greater_equal",
    "==": "equal",
    "!=": "not_equal",
    "~=": "not_equal",
    "≠": "not_equal",
}
_OPERATORS = {"⊙": ".*", "⊘": "./", "^⊙": ".^"}


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


def span_of(token: Any) -> tuple[int, int]:
    return token.start_pos, token.end_pos


def product_of(left: Syntax, operator: str, at: tuple[int, int], right: Syntax) -> Syntax:
    """Two factors with an operator between; ``A \\ b`` solves A x = b, as in MATLAB."""
    if operator == "\\":
        return Call(left.start, right.stop, "solve", [left, right])
    return Product(left.start, right.stop, operator, left, right, at)


def beside(left: Syntax, right: Syntax) -> Product:
    """Two factors side by side; a quotient on the left would leave open what it divides."""
    if isinstance(left, Product) and left.operator in ("/", "./") and not left.closed:
        hint = "write (a/b)*c or a/(b*c)"
        raise Fault("a/b c has two readings", right.start, right.stop, hint)
    return Product(left.start, right.stop, BESIDE, left, right, (right.start, right.start + 1))


def negated(signs: list[Any], operand: Syntax) -> Syntax:
    """The operand under the signs in front of it."""
    if len([sign for sign in signs if sign.type == "MINUS"]) % 2 == 0:
        return operand
    first = span_of(signs[0])
    return Addition(first[0], operand.stop, [(-1, operand)], [first])


def _after_minus(item: Syntax) -> Syntax:
    """The T of −T; anything else as it is."""
    if isinstance(item, Addition) and len(item.terms) == 1 and item.terms[0][0] == -1:
        return item.terms[0][1]
    return item


class Builder:
    """Makes the tree while the parser reduces, so that no second walk is needed."""

    @staticmethod
    def start(items: list[Any]) -> list[Any]:
        """Lines and declarations in the order in which they are read: ``where`` comes first."""
        lines: list[Any] = []
        held: list[Any] = []  # the formula that abbreviations follow
        for item in items:
            if isinstance(item, Line) and item.abbreviates and not held:
                if not lines or not isinstance(lines[-1], Line):
                    raise Fault("'where' follows a formula", item.start, item.stop)
                held = [lines.pop()]
            lines.append(item)
        return lines + held

    @staticmethod
    def assignment(items: list[Any]) -> Line:
        token, expression = items
        return Line(*span_of(token), name_of(token), expression)

    @staticmethod
    def formula(items: list[Any]) -> Line:
        return Line(items[0].start, items[0].stop, "", items[0])

    @staticmethod
    def gradient(items: list[Any]) -> Line:
        """A derivative with its left-hand side, which says nothing that is needed."""
        return Line(items[1].start, items[1].stop, "", items[1])

    @staticmethod
    def abbreviations(items: list[Any]) -> Line:
        line: Line = items[1]
        line.abbreviates = True
        return line

    @staticmethod
    def declaration(items: list[Any]) -> Declaration:
        token = items[0]
        sizes = [item for item in items[2:] if isinstance(item, Size)]
        words = [str(item) for item in items[2:] if not isinstance(item, Size)]
        return Declaration(*span_of(token), name_of(token), sizes, words)

    @staticmethod
    def size(items: list[Any]) -> Size:
        total: Size = items[0]
        for sign, term in zip(items[1::2], items[2::2], strict=True):
            total = total + (term if sign == "+" else -1 * term)
        return total

    @staticmethod
    def monomial(items: list[Any]) -> Size:
        product = Size.of(1)
        for token in items:
            if token.type == "NUMBER":
                if not token.isdecimal() or len(token) > 18:
                    raise Fault("a size is a whole number", *span_of(token))
                product = product * int(token)
            else:
                product = product * name_of(token)
        return product

    @staticmethod
    def comparison(items: list[Any]) -> Syntax:
        left, token, right = items
        return Call(left.start, right.stop, _COMPARISONS[str(token)], [left, right])

    @staticmethod
    def sum(items: list[Any]) -> Syntax:
        if len(items) == 1:
            return items[0]  # type: ignore[no-any-return]
        terms = [(1, items[0])]
        at = [(items[0].start, items[0].stop)]
        for sign, term in zip(items[1::2], items[2::2], strict=True):
            terms.append((1 if sign == "+" else -1, term))
            at.append(span_of(sign))
        return Addition(items[0].start, items[-1].stop, terms, at)

    @staticmethod
    def entrywise(items: list[Any]) -> Syntax:
        left: Syntax = items[0]
        for operator, right in zip(items[1::2], items[2::2], strict=True):
            if operator == "⊗":
                left = Call(left.start, right.stop, "kron", [left, right])
            else:
                left = product_of(left, _OPERATORS[operator], span_of(operator), right)
        return left

    @staticmethod
    def product(items: list[Any]) -> Syntax:
        left: Syntax = items[0]
        pending: Any = None
        for item in items[1:]:
            if not isinstance(item, Syntax):
                pending = item
            elif pending is None:
                left = beside(left, item)
            else:
                left = product_of(left, str(pending).replace("⋅", "·"), span_of(pending), item)
                pending = None
        return left

    @staticmethod
    def signed(items: list[Any]) -> Syntax:
        return negated(items[:-1], items[-1])

    exponent = signed

    @staticmethod
    def beside(items: list[Any]) -> Syntax:
        return items[0]  # type: ignore[no-any-return]

    @staticmethod
    def suffix(items: list[Any]) -> list[Any]:
        return items

    @staticmethod
    def power(items: list[Any]) -> Syntax:
        base: Syntax = items[0]
        raised = False
        for suffix in items[1:]:
            if isinstance(suffix[0], Index):
                base = at_places(base, suffix[0], raised=raised)
                continue
            token = suffix[0]
            at = span_of(token)
            if raised:
                what = "transpose" if token.type == "TRANSPOSE" else "power"
                hint = "write (a^b)^c or a^(b^c); (x^2)' or (x')^2"
                raise Fault(f"a power followed by a {what} needs parentheses", *at, hint)
            if isinstance(base, Call):
                base.suffixed = True
            if token.type == "TRANSPOSE":
                base = Transposed(base.start, at[1], base, at)
                continue
            raised = True
            exponent: Syntax
            if token.type == "INVERSE_TRANSPOSE":
                base = Power(base.start, at[1], "^", base, Literal(*at, -1), at)
                base = Transposed(base.start, at[1], base, at)
                continue
            if token.type == "SUPERSCRIPT":
                if str(token) == "⁺":
                    base = Call(base.start, at[1], "pinv", [base], suffixed=True)
                    continue
                digits = token.translate(SUPERSCRIPTS)
                if digits == "-" or len(digits) > 18:
                    raise Fault("this exponent is no whole number", *at)
                exponent = Literal(*at, int(digits))
                base = Power(base.start, at[1], "^", base, exponent, at)
                continue
            exponent = suffix[1]
            letter = _after_minus(exponent)
            bare = isinstance(letter, Name) and letter.name == "T"
            if bare and letter.stop - letter.start == 1 and str(token) == "^":
                if letter is not exponent:  # X^-T
                    base = Power(base.start, exponent.stop, "^", base, Literal(*at, -1), at)
                base = Transposed(base.start, exponent.stop, base, at, lettered=True)
            else:
                operator = _OPERATORS.get(token, str(token))
                base = Power(base.start, exponent.stop, operator, base, exponent, at)
        return base

    besides = power

    @staticmethod
    def root(items: list[Any]) -> Syntax:
        token, operand = items
        return Call(token.start_pos, operand.stop, "sqrt", [operand])

    @staticmethod
    def number(items: list[Any]) -> Syntax:
        span = span_of(items[0])
        return Literal(*span, exact(str(items[0]), *span))

    @staticmethod
    def name(items: list[Any]) -> Syntax:
        return Name(*span_of(items[0]), name_of(items[0]))

    sized = name  # I_{m+n}: what is in the braces is read once names are known

    @staticmethod
    def ones(items: list[Any]) -> Syntax:
        span = span_of(items[0])
        return Call(*span, "vector", [Literal(*span, 1)])

    @staticmethod
    def call(items: list[Any]) -> Syntax:
        token, close = items[0], items[-1]
        return Call(token.start_pos, close.end_pos, name_of(token), items[2:-1])

    @staticmethod
    def text(items: list[Any]) -> Syntax:
        return Static(*span_of(items[0]), str(items[0])[1:-1])

    @staticmethod
    def places(items: list[Any]) -> Index:
        """The places alone; what they are taken of comes with :meth:`power`."""
        start, stop = items[0].start_pos, items[-1].end_pos
        return Index(start, stop, items[1], items[1:-1], (start, stop))

    @staticmethod
    def range(items: list[Any]) -> Range:
        parts = [item for item in items if isinstance(item, Syntax)]
        if not parts:
            return Range(*span_of(items[0]), None, None, None)
        step = parts[1] if len(parts) == 3 else None
        return Range(parts[0].start, parts[-1].stop, parts[0], step, parts[-1])

    @staticmethod
    def row(items: list[Any]) -> list[Syntax]:
        return items

    @staticmethod
    def block(items: list[Any]) -> Syntax:
        rows: list[list[Syntax]] = [item for item in items if isinstance(item, list)]
        start, stop = items[0].start_pos, items[-1].end_pos
        if not rows:
            return Static(start, stop, [])
        nested = [item for item in rows[0] if isinstance(item, Block)]
        if len(rows) == 1 and len(nested) == len(rows[0]) > 1:
            hint = "write [a, b; c, d] for two rows, [a, b, c, d] for one"
            raise Fault("[[a, b], [c, d]] is one row in MATLAB, two in NumPy", start, stop, hint)
        return Block(start, stop, rows)

    @staticmethod
    def norm(items: list[Any]) -> Syntax:
        _, inner, close = items
        name = _NORMS.get(close[-1], "norm2")
        return Call(items[0].start_pos, close.end_pos, name, [inner])

    @staticmethod
    def group(items: list[Any]) -> Syntax:
        open_, inner, close = items
        inner.start, inner.stop = open_.start_pos, close.end_pos
        if isinstance(inner, Product):
            inner.closed = True
        return inner  # type: ignore[no-any-return]


def at_places(operand: Syntax, index: Index, *, raised: bool) -> Index:
    if raised:
        hint = "write (x^2)(1:3) with the power in parentheses, or x(1:3)^2"
        raise Fault("a power followed by an index needs parentheses", *index.at, hint)
    index.start, index.operand = operand.start, operand
    return index
