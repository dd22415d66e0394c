"""C's words: numbers, sizes, and what each elementwise function is and where it leaves the reals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from pullback.compilation.ir import Instruction, Literal, Register
from pullback.compilation.native.signs import ABOVE, NOT_BELOW, UNKNOWN
from pullback.compilation.targets.numpy import ATOM, INFIX, PRODUCT, SUM, UNARY, Text, bracketed
from pullback.errors import PullbackError
from pullback.expressions.nodes import Number
from pullback.expressions.sizes import Size

CONDITION = 6  # binds least

# NumPy's name → C with {0}, {1}, … for the operands, and the functions that it calls
WORDS = {
    "abs": "fabs({0})",
    "arccos": "acos({0})",
    "arccosh": "acosh({0})",
    "arcsin": "asin({0})",
    "arcsinh": "asinh({0})",
    "arctan": "atan({0})",
    "arctan2": "atan2({0}, {1})",
    "arctanh": "atanh({0})",
    "cbrt": "cbrt({0})",
    "ceil": "ceil({0})",
    "cos": "cos({0})",
    "cosh": "cosh_of({0})",
    "exp": "exp_of({0})",
    "exp2": "exp2({0})",
    "expm1": "expm1_of({0})",
    "floor": "floor({0})",
    "hypot": "hypot({0}, {1})",
    "log": "log_of({0})",
    "log10": "log10({0})",
    "log1p": "log1p_of({0})",
    "log2": "log2({0})",
    "logaddexp": "logaddexp_of({0}, {1})",
    "maximum": "maximum_of({0}, {1})",
    "minimum": "minimum_of({0}, {1})",
    "power": "pow({0}, {1})",
    "sign": "sign_of({0})",
    "sin": "sin({0})",
    "sinh": "sinh_of({0})",
    "special.erf": "erf({0})",
    "special.erfc": "erfc({0})",
    "special.gamma": "tgamma({0})",
    "special.gammaln": "lgamma({0})",
    "sqrt": "sqrt({0})",
    "tan": "tan({0})",
    "tanh": "tanh_of({0})",
}
# where a finite operand has no finite real value
OUTSIDE = {
    "arccos": "fabs({0}) > 1",
    "arccosh": "{0} < 1",
    "arcsin": "fabs({0}) > 1",
    "arctanh": "fabs({0}) >= 1",
    "divide": "{1} == 0",
    "log": "{0} <= 0",
    "log10": "{0} <= 0",
    "log1p": "{0} <= -1",
    "log2": "{0} <= 0",
    "reciprocal": "{0} == 0",
    "special.gamma": "({0} <= 0) & (floor({0}) == {0})",
    "special.gammaln": "({0} <= 0) & (floor({0}) == {0})",
    "sqrt": "{0} < 0",
}


# the operand that, with this sign, keeps the function among the reals
SAFE = {
    "divide": (1, ABOVE),
    "log": (0, ABOVE),
    "log10": (0, ABOVE),
    "log1p": (0, NOT_BELOW),
    "log2": (0, ABOVE),
    "reciprocal": (0, ABOVE),
    "sqrt": (0, NOT_BELOW),
}


def number(value: Number, *, beside_real: bool = False) -> Text:
    """A number as C writes it; with a type of its own unless what it meets has one.

    >>> number(2), number(2, beside_real=True), number(Fraction(1, 3))
    (('(real)2', 2), ('2', 0), ('(real)0.3333333333333333', 2))
    """
    if isinstance(value, int) and abs(value) < 2**31:
        if beside_real:
            return str(value), (UNARY if value < 0 else ATOM)
        return f"(real){value}", UNARY
    try:
        return f"(real){float(value)!r}", UNARY
    except OverflowError:
        raise PullbackError("a number in the expression is too large for floating point") from None


def size(value: Size, names: dict[str, str]) -> Text:
    """A size as C arithmetic over the names of sizes.

    >>> size(Size.of("m") * Size.of("n") - 1, {"m": "m", "n": "n"})
    ('m * n - 1', 4)
    """
    parts: list[str] = []
    for monomial, factor in sorted(value.terms, key=lambda term: (-len(term[0]), term)):
        words = [names[name] for name in monomial]
        if abs(factor) != 1 or not words:
            words.insert(0, str(abs(factor)))
        sign = "-" if factor < 0 else "+"
        text = " * ".join(words)
        parts.append(f"{sign} {text}" if parts else ("-" * (factor < 0)) + text)
    text = " ".join(parts) or "0"
    level = SUM if len(parts) > 1 else PRODUCT if " " in text else UNARY if text[0] == "-" else ATOM
    return text, level


def mapped(i: Instruction, operands: Sequence[Text]) -> Text:
    """An elementwise function of operands."""
    if i.name in INFIX:
        sign, level = INFIX[i.name]
        left, right = operands
        return f"{bracketed(left, level)} {sign} {bracketed(right, level - 1)}", level
    if i.name == "negative" and operands[0][0].startswith("1 / "):
        return f"-{operands[0][0]}", PRODUCT
    if i.name == "negative":
        return f"-{bracketed(operands[0], ATOM)}", UNARY
    if i.name == "reciprocal":
        return f"1 / {bracketed(operands[0], UNARY)}", PRODUCT
    if i.name == "square":
        inner = bracketed(operands[0], ATOM)
        return f"{inner} * {inner}", PRODUCT
    if i.name == "where":
        condition, yes, no = (bracketed(part, UNARY) for part in operands)
        return f"{condition} ? {yes} : {no}", CONDITION
    if i.name not in WORDS:
        raise Unspoken(i.name)
    return WORDS[i.name].format(*[text for text, _ in operands]), ATOM


def outside(i: Instruction, signs: Mapping[Register, int]) -> str | None:
    """The test that the function leaves the real numbers at finite operands; None: it never does.

    The test has places for the operands, and one for the result where it looks at that.
    """
    if i.name == "power":
        exponent = i.operands[1].source
        if not isinstance(exponent, Literal) or Fraction(exponent.value).denominator != 1:
            return "({0} <= 0) & ({result} - {result} != 0)"
        return "{0} == 0" if exponent.value < 0 else None
    if i.name in SAFE:
        at, sign = SAFE[i.name]
        source = i.operands[at].source
        known = ABOVE if isinstance(source, Literal) and source.value > 0 else UNKNOWN
        if (signs.get(source, known) if isinstance(source, Register) else known) >= sign:
            return None
    return OUTSIDE.get(i.name)


class Unspoken(PullbackError):
    """What has no word in the C that is generated."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is no {name.rpartition('.')[2]} in the C code of target 'native'",
            hint="compile for NumPy, or with target='auto'",
        )
