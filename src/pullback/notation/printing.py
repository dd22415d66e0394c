"""From a formula to text: one recursive descent, with parentheses where binding asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from pullback.expressions.sizes import Size
from pullback.notation.algebra import negate, product
from pullback.notation.names import Name
from pullback.notation.styles import (
    ATOM,
    COMPOUND,
    POSTFIX,
    PRODUCT,
    SUM,
    WEAK,
    Style,
)
from pullback.notation.subscripts import Subscripts, Written
from pullback.notation.tree import ONE, Formula, is_negative

_DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_RAISED = str.maketrans("0123456789-", _DIGITS + "⁻")


def _tall(latex: str) -> bool:
    """Whether what encloses a formula has to grow with it."""
    return any(command in latex for command in (r"\frac", r"\sum", r"\left"))


_LINES = {1: "columns", 2: "rows"}  # what a function of vectors maps in a matrix, along each axis


def written(formula: Formula, style: Style) -> str:
    """The formula in a style."""
    return Printer(style).write(formula)[0]


class Printer(Subscripts):
    """Writes formulas in one style; ``write`` returns the text and how tightly it binds."""

    def write(self, f: Formula) -> Written:
        return getattr(self, "_" + f.op)(f)  # type: ignore[no-any-return]  # one method per op

    def at(self, f: Formula, level: int) -> str:
        """The formula, in parentheses if it binds more loosely than ``level``."""
        text, own = self.write(f)
        return text if own >= level else self._parentheses(text)

    def _parentheses(self, text: str) -> str:
        return rf"\left({text}\right)" if self.latex and _tall(text) else f"({text})"

    # leaves

    def _number(self, f: Formula) -> Written:
        value: Fraction = f.data
        if value < 0:
            return self.style.minus + self._number(Formula("number", data=-value))[0], SUM
        if value.denominator == 1:
            return str(value.numerator), ATOM
        if value == Fraction(repr(float(value))) and value.denominator > 9:
            text = repr(float(value))
            if "e" in text:
                base, _, exponent = text.partition("e")
                if self.latex:
                    return rf"{base} \cdot 10^{{{int(exponent)}}}", PRODUCT
                return f"{base}e{int(exponent)}", ATOM
            return text, ATOM
        above, below = str(value.numerator), str(value.denominator)
        return self.style.over.format(above, below), POSTFIX if self.latex else PRODUCT

    def _name(self, name: Name) -> str:
        if self.latex:
            return name.latex
        return name.text if self.unicode else name.ascii

    def _atom(self, f: Formula) -> Written:
        compound = f.data.compound and (self.unicode or self.latex)
        return self._name(f.data), COMPOUND if compound else ATOM

    def _ones(self, f: Formula) -> Written:
        return self.style.ones.format(self._size(f.data)), ATOM

    def _identity(self, f: Formula) -> Written:
        size, sized = f.data
        if not sized:
            return self.style.identity.format(self._size(size)), ATOM
        called = self.style.sized_identity.endswith(")")
        text = self._size(size) if called else self._marks([size])
        return self.style.sized_identity.format(text), ATOM

    def _commutation(self, f: Formula) -> Written:
        return self._swap(f.data)

    def _swap(self, sizes: Sequence[Size]) -> Written:
        if self.style.commutation.endswith(")"):
            text = ", ".join(map(self._size, sizes))
        else:
            text = self._marks(sizes)
        return self.style.commutation.format(text), ATOM

    # sums and products

    def _sum(self, f: Formula) -> Written:
        text = ""
        for k, part in enumerate(f.parts):
            negative = is_negative(part)
            term = self.at(negate(part) if negative else part, WEAK)
            sign = self.style.minus if negative else "+"
            text += f" {sign} {term}" if k else (sign if negative else "") + term
        return text, SUM

    def _product(self, f: Formula) -> Written:
        if is_negative(f):
            text, level = self.write(negate(f))
            return self.style.minus + (text if level >= WEAK else self._parentheses(text)), SUM
        *scalars, last = f.parts
        if last.op in ("hadamard", "division", "kron") and all(p.kind == "scalar" for p in scalars):
            text, level = self.write(last)
            if level == WEAK:  # 2 a ⊙ b needs no parentheses
                return self._joined([*map(self._factor, scalars), text]), WEAK
        factors = [self._factor(p) for p in f.parts]
        if last.op == "sigma":
            factors[-1] = self.write(last)[0]
        return self._joined(factors), PRODUCT

    def _factor(self, f: Formula) -> str:
        return self.at(f, COMPOUND)

    def _joined(self, factors: Sequence[str]) -> str:
        text = factors[0]
        for before, factor in pairwise(factors):
            opens = factor.startswith(("(", r"\left("))
            closed = before.startswith(("(", r"\left(")) and before.endswith(")")
            tight = opens and (closed or before.endswith((self.style.transpose, *_DIGITS)))
            between = self.style.close if tight else self.style.times
            words = self.latex and r"\mathrm" in text[text.rfind(" ") + 1 :] + factor[:7]
            if factor[0] in "0123456789" and self.style.times == " ":
                between = r" \cdot " if self.latex else " · "  # log(2) 2^s would read as one number
            text += (r" \, " if words else between) + factor
        return text

    def _quotient(self, f: Formula) -> Written:
        above, below = f.parts
        if is_negative(above):
            text, _ = self._quotient(f.like([negate(above), below]))
            return self.style.minus + text, SUM
        if not self.latex:
            return self.style.over.format(self.at(above, PRODUCT), self.at(below, POSTFIX)), PRODUCT
        below_text = self.write(below)[0]
        if above.size <= 8 or above.kind == "scalar":
            return self.style.over.format(self.write(above)[0], below_text), POSTFIX
        number, rest = (
            (above.parts[0], product(above.parts[1:]))
            if (above.op == "product" and above.parts[0].op == "number")
            else (ONE, above)
        )
        front = self.style.over.format(self.write(number)[0], below_text)
        return self._joined([front, self.at(rest, PRODUCT)]), PRODUCT

    def _weak(self, parts: Sequence[Formula], operator: str, first: int, others: int) -> Written:
        texts = [self.at(p, others if k else first) for k, p in enumerate(parts)]
        return operator.join(texts), WEAK

    def _hadamard(self, f: Formula) -> Written:
        others = COMPOUND if self.style.weak_binds_alike else PRODUCT
        return self._weak(f.parts, self.style.hadamard, PRODUCT, others)

    def _division(self, f: Formula) -> Written:
        if is_negative(f):
            return self.style.minus + self._division(negate(f))[0], SUM
        above = WEAK if f.parts[0].op == "hadamard" else PRODUCT
        return self._weak(f.parts, self.style.division, above, COMPOUND)

    def _kron(self, f: Formula) -> Written:
        if not self.style.kron.endswith("("):
            return self._weak(f.parts, self.style.kron, PRODUCT, PRODUCT)
        text = self.write(f.parts[-1])[0]
        for part in reversed(f.parts[:-1]):
            text = f"{self.style.kron}{self.write(part)[0]}, {text})"
        return text, ATOM

    # postfixes

    def _transpose(self, f: Formula) -> Written:
        inner = f.parts[0]
        if inner.op == "commutation":  # K_mnᵀ = K_nm
            return self._swap(inner.data[::-1])
        if inner.op == "power" and inner.data == -1 and not self.style.weak_binds_alike:
            base = self.at(inner.parts[0], ATOM)
            return (base + r"^{-\top}" if self.latex else base + "⁻ᵀ"), POSTFIX
        return self.at(inner, ATOM) + self.style.transpose, POSTFIX

    def _power(self, f: Formula) -> Written:
        base = f.parts[0]
        if len(f.parts) == 2:
            over = self.write(f.parts[1])[0] if self.latex else self._exponent(f.parts[1])
            return self._raised(base, over, "^"), POSTFIX
        exponent: Fraction = f.data
        if exponent == -1 and not (self.unicode or self.latex):
            return f"inv({self.write(base)[0]})", ATOM
        if self.unicode and exponent.denominator == 1:
            return self.at(base, ATOM) + str(exponent.numerator).translate(_RAISED), POSTFIX
        text = str(exponent)
        if not self.latex and (exponent < 0 or exponent.denominator > 1):
            text = f"({text})"
        return self._raised(base, text, "^"), POSTFIX

    def _entrypower(self, f: Formula) -> Written:
        base = f.parts[0]
        operator = "^⊙" if self.unicode else ".^"
        if len(f.parts) == 2:
            return self._raised(base, self._exponent(f.parts[1]), operator), POSTFIX
        if f.data == Fraction(1, 2):
            return self._function_of("sqrt", r"\sqrt{{{0}}}", [base]), ATOM
        text = str(f.data) if f.data.denominator == 1 else f"({f.data})"
        return self._raised(base, text, operator), POSTFIX

    def _exponent(self, f: Formula) -> str:
        """An exponent that is a formula; the name T in parentheses, for X^T is a transpose."""
        text = self.at(f, ATOM)
        return "(T)" if text == "T" and not self.latex else text

    def _raised(self, base: Formula, exponent: str, operator: str) -> str:
        if self.latex:
            dot = "" if operator == "^" else r"\odot "
            return f"{self.at(base, ATOM)}^{{{dot}{exponent}}}"
        return self.at(base, ATOM) + operator + exponent

    def _root(self, f: Formula) -> Written:
        if self.unicode:
            return "√" + self.at(f.parts[0], ATOM), POSTFIX
        return self.style.root.format(self.write(f.parts[0])[0]), ATOM

    # functions

    def _function_of(self, name: str, template: str, arguments: Sequence[Formula]) -> str:
        texts = [self.write(a)[0] for a in arguments]
        template = template if self.latex else name
        if "{0}" in template:
            if template.startswith("{0}"):
                texts = [self.at(a, ATOM) for a in arguments]
            return template.format(*texts)
        listed = ", ".join(texts)
        return template + (self._parentheses(listed) if self.latex else f"({listed})")

    def _function(self, f: Formula) -> Written:
        name, along, _ = f.data
        latex = name.latex
        if latex in self.style.spelled:
            latex = rf"\operatorname{{{name.ascii}}}"
        if along:
            lines = rf"_{{\mathrm{{{_LINES[along]}}}}}"
            latex += lines.replace("{", "{{").replace("}", "}}") if "{0}" in latex else lines
        text = self._function_of(self._name(name), latex, f.parts)
        level = POSTFIX if (latex if self.latex else self._name(name)).startswith("{0}") else ATOM
        return text[:-1] + f", {along})" if along and not self.latex else text, level

    def _call(self, f: Formula, template: str) -> Written:
        inside = self.write(f.parts[0])[0]
        text = template.format(inside)
        if self.latex and _tall(inside):
            text = text.replace(f"({inside})", rf"\left({inside}\right)")
            text = text.replace(rf"\lVert {inside} \rVert", rf"\left\lVert {inside} \right\rVert")
        return text, ATOM

    def _trace(self, f: Formula) -> Written:
        return self._call(f, self.style.trace)

    def _diag(self, f: Formula) -> Written:
        return self._call(f, self.style.diag)

    def _total(self, f: Formula) -> Written:
        return self._call(f, self.style.total)

    def _vec(self, f: Formula) -> Written:
        return self._call(f, self.style.vec)

    def _norm(self, f: Formula) -> Written:
        text, level = self._call(f, self.style.norm)
        if self.latex and f.parts[0].kind == "matrix":
            text += "_F"
        return text, level

    def _derivative(self, f: Formula) -> Written:
        """∂f/∂x, the parts as they stand."""
        above, *below = (self.write(part)[0] for part in f.parts)
        count = len(below)
        same = count > 1 and f.parts[1].op == "atom" and len(set(below)) == 1
        if self.latex:
            order = f"^{{{count}}}" if count > 1 else ""
            under = [rf"\partial {t}" for t in below]
            text = f"{under[0]}{order}" if same else r" \, ".join(under)
            return rf"\frac{{\partial{order} {above}}}{{{text}}}", POSTFIX
        if self.unicode:
            order = str(count).translate(_RAISED) if count > 1 else ""
            text = f"∂{below[0]}{order}" if same else "".join(f"∂{t}" for t in below)
            return f"∂{order}{above}/{text}", COMPOUND
        order = str(count) if count > 1 else ""
        text = f"d{below[0]}{count}" if same else " ".join(f"d{t}" for t in below)
        return f"d{order}{above}/{text}", COMPOUND
