"""NumPy's spelling: each instruction as an expression or a few statements."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from pullback.compilation.contraction import LETTERS
from pullback.compilation.ir import (
    Instruction,
    LinearProgram,
    Literal,
    Register,
    Stretch,
    View,
    is_weak,
)
from pullback.compilation.targets import factors
from pullback.compilation.targets.matrices import as_matrices, matrix_product
from pullback.compilation.targets.numpy_indexing import relation_text, sizes_spelled, subscript
from pullback.errors import PullbackError
from pullback.expressions.nodes import Number
from pullback.expressions.sizes import Shape, Size
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import Function

ATOM, POWER, UNARY, PRODUCT, SUM, COMPARISON = range(6)  # binding, strongest first
Text = tuple[str, int]

INFIX = {
    "add": ("+", SUM),
    "subtract": ("-", SUM),
    "multiply": ("*", PRODUCT),
    "divide": ("/", PRODUCT),
    "less": ("<", COMPARISON),
    "less_equal": ("<=", COMPARISON),
    "greater": (">", COMPARISON),
    "greater_equal": (">=", COMPARISON),
    "equal": ("==", COMPARISON),
    "not_equal": ("!=", COMPARISON),
}


def literal(value: Number) -> Text:
    """A number as Python writes it.

    >>> literal(2), literal(Fraction(1, 2)), literal(Fraction(1, 3))
    (('2', 0), ('0.5', 0), ('1 / 3', 3))
    """
    if isinstance(value, int):
        if abs(value) < 2**53:
            return str(value), (UNARY if value < 0 else ATOM)
        return _float(value)
    written = repr(float(value))
    if Fraction(written) == value or max(value.numerator, value.denominator) >= 2**53:
        return _float(value)
    return f"{value.numerator} / {value.denominator}", PRODUCT


def _float(value: Number) -> Text:
    try:
        return repr(float(value)), (UNARY if value < 0 else ATOM)
    except OverflowError:
        raise PullbackError("a number in the expression is too large for floating point") from None


def bracketed(text: Text, limit: int) -> str:
    return text[0] if text[1] <= limit else f"({text[0]})"


def size_text(size: Size, names: dict[str, str]) -> Text:
    """A size as Python arithmetic over the names of sizes."""
    if size.constant is not None:
        return literal(size.constant)
    if len(size.terms) == 1 and size.terms[0][1] == 1 and len(size.terms[0][0]) == 1:
        return names[size.names[0]], ATOM
    text = re.sub(r"[^\W\d]\w*", lambda m: names[m.group()], str(size))
    return text, SUM


def shape_tuple(shape: Shape, names: dict[str, str]) -> str:
    parts = [size_text(size, names)[0] for size in shape]
    return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"


def viewed(text: Text, view: View, *, aligned: bool = False, permute: str = "transpose") -> Text:
    """A source's text seen along the axes of a view; ``aligned`` drops leading broadcast axes."""
    if not isinstance(view.source, Register):
        return text
    order = len(view.source.shape)
    axes = list(view.axes)
    while aligned and axes and axes[0] is None:
        axes.pop(0)
    kept = [a for a in axes if a is not None]
    result = text
    if kept != list(range(order)):
        inner = bracketed(text, ATOM)
        if kept == [1, 0]:
            result = f"{inner}.T", ATOM
        else:
            result = f"{inner}.{permute}({', '.join(map(str, kept))})", ATOM
    if None in axes:
        while axes[-1] is not None:
            axes.pop()
        index = ", ".join("None" if a is None else ":" for a in axes)
        result = f"{bracketed(result, ATOM)}[{index}]", ATOM
    return result


class Speller:
    """Instructions as NumPy expressions; ``text`` says how a source is written.

    Other libraries spell a few of them in another way: they override those methods.
    """

    module = "np"
    permute = "transpose"

    @classmethod
    def typed(
        cls, program: LinearProgram, parameters: Sequence[str]
    ) -> tuple[list[str], list[str]]:
        """Keyword parameters and first lines that give a dtype to what has none of its own."""
        del parameters
        needed = any(needs_dtype(i) for i in program.instructions)
        return (["dtype=np.float64"] if needed else []), []

    @classmethod
    def spelled(cls, i: Instruction) -> Shape:
        """The sizes that the text of an instruction may name."""
        return sizes_spelled(i)

    @classmethod
    def imports(cls, program: LinearProgram) -> list[str]:
        return imports(program)

    @classmethod
    def helpers(cls, program: LinearProgram) -> list[str]:
        return [*factors.helpers(program.instructions, factors.NUMPY), *helpers(program)]

    def __init__(self, sizes: dict[str, str], text: Callable[[Literal | Register], Text]) -> None:
        self.sizes = sizes
        self.text = text

    def operand(self, view: View, *, aligned: bool = True) -> Text:
        return viewed(self.text(view.source), view, aligned=aligned, permute=self.permute)

    def expression(self, i: Instruction) -> Text:
        if i.op == "map":
            return self._map(i)
        arguments = [self.operand(v, aligned=False) for v in i.operands]
        plain = [a[0] for a in arguments]
        match i.op:
            case "size":
                return size_text(i.detail[0], self.sizes)
            case "reduce":
                return self.reduced(i, bracketed(arguments[0], ATOM)), ATOM
            case "matmul":
                left, right = bracketed(arguments[0], ATOM), bracketed(arguments[1], ATOM)
                return f"{left} @ {right}", PRODUCT
            case "vecdot" | "vdot":
                return self.inner(i, plain), ATOM
            case "tensordot" if as_matrices(i):
                atoms = [bracketed(a, ATOM) for a in arguments]
                text, called = matrix_product(i, atoms, lambda s: shape_tuple(s, self.sizes))
                return text, ATOM if called else PRODUCT
            case "tensordot":
                a, b = (list(axes) if len(axes) != 1 else axes[0] for axes in i.detail)
                return f"{self.module}.tensordot({plain[0]}, {plain[1]}, {self.axes((a, b))})", ATOM
            case "einsum":
                if i.name == "ii->":
                    return f"{self.module}.trace({plain[0]})", ATOM
                if i.name == "ii->i":
                    return f"{self.module}.diagonal({plain[0]})", ATOM
                return f"{self.module}.einsum({i.name!r}, {', '.join(plain)})", ATOM
            case "fill":
                return self.filled(i), ATOM
            case "copy":
                return self.copied(arguments[0], i.result.shape), ATOM
            case "call":
                return f"{self.function(i.name)}({', '.join(plain)})", ATOM
            case "item":
                return f"{bracketed(arguments[0], ATOM)}[{i.detail[0]}]", ATOM
            case "indicator":
                return self.relation(i), ATOM
            case "slice":
                return self.sliced(i, bracketed(arguments[0], ATOM)), ATOM
            case "reshape":
                shape = shape_tuple(i.result.shape, self.sizes)
                return f"{bracketed(arguments[0], ATOM)}.reshape({shape})", ATOM
            case "concatenate":
                return f"{self.module}.concatenate(({', '.join(plain)}), axis={i.detail[0]})", ATOM
            case "helper":
                return f"_{i.name}({', '.join(plain)})", ATOM
            case "factor" | "solve" | "inverse" | "determinant":
                return self.factorised(i, plain), ATOM
        raise AssertionError(i.op)

    def _map(self, i: Instruction) -> Text:
        arguments = [self.operand(v) for v in i.operands]
        if i.name in INFIX:
            sign, level = INFIX[i.name]
            left, right = arguments
            tight = i.name == "multiply" and self._is_matmul(i.operands[0]) and left[1] == PRODUCT
            first = f"({left[0]})" if tight else bracketed(left, level)
            return f"{first} {sign} {bracketed(right, level - 1)}", level
        if i.name == "negative":
            return f"-{bracketed(arguments[0], UNARY)}", UNARY
        if i.name == "reciprocal":
            return f"1 / {bracketed(arguments[0], UNARY)}", PRODUCT
        if i.name == "power":
            return f"{bracketed(arguments[0], ATOM)} ** {bracketed(arguments[1], ATOM)}", POWER
        if numbers_of_condition(i):
            arguments[1] = self.number(arguments[1][0]), ATOM
        return self.mapped(i, [a[0] for a in arguments]), ATOM

    # what libraries spell each in its own way

    def function(self, name: str) -> str:
        """A function with the module that it is in."""
        return library(name)

    def number(self, text: str) -> str:
        """A number with a dtype."""
        return f"{self.module}.asarray({text}, dtype)"

    def mapped(self, i: Instruction, arguments: list[str]) -> str:
        call = f"{self.function(i.name)}({', '.join(arguments)})"
        return f"float({call})" if i.result.weak else call

    def axes(self, pair: tuple[Any, Any]) -> str:
        return f"axes={pair}"

    def reduced(self, i: Instruction, operand: str) -> str:
        whole_array = len(i.detail) == len(i.operands[0].axes)
        axes = i.detail[0] if len(i.detail) == 1 else i.detail
        return f"{operand}.{i.name}({'' if whole_array else f'axis={axes}'})"

    def inner(self, i: Instruction, operands: list[str]) -> str:
        return f"{self.module}.{i.op}({', '.join(operands)})"

    def filled(self, i: Instruction) -> str:
        dtype = ", dtype" if is_weak(i.operands[0].source) else ""
        shape = shape_tuple(i.result.shape, self.sizes)
        suffix = "" if i.result.shape else "[()]"
        return f"{self.module}.full({shape}, {self.operand(i.operands[0])[0]}{dtype}){suffix}"

    def copied(self, operand: Text, shape: Shape) -> str:
        if not shape:
            return f"{self.module}.copy({operand[0]})[()]"
        return f"{bracketed(operand, ATOM)}.copy()"

    def factorised(self, i: Instruction, operands: list[str]) -> str:
        return factors.spelled(i, operands, self.module)

    def relation(self, i: Instruction) -> str:
        return relation_text(i, self.spell)

    def sliced(self, i: Instruction, operand: str) -> str:
        source = i.operands[0].source
        assert isinstance(source, Register)
        return operand + subscript(dict(i.detail), source.shape, self.spell)

    def spell(self, size: Size) -> str:
        return size_text(size, self.sizes)[0]

    def forwards(self, i: Instruction, value: str, flip: str) -> tuple[Instruction, str]:
        """A store backwards as one forwards of what is flipped, for libraries that need it so."""
        axis, stretch = i.detail
        if stretch.count is None or stretch.step > 0:
            return i, value
        turned = Stretch(stretch.last, stretch.count, -stretch.step)
        return replace(i, detail=(axis, turned)), flip.format(value, axis)

    def stored_part(self, i: Instruction, name: str) -> str:
        """The part of a named array that a store writes; always an array, even of one entry."""
        axis, stretch = i.detail
        text = subscript({axis: stretch}, i.result.shape, self.spell)
        return name + (f"{text[:-1]}, ...]" if stretch.count is None else text)

    def dtype_of(self, view: View) -> str:
        if is_weak(view.source):
            return "dtype"
        return f"{bracketed(self.text(view.source), ATOM)}.dtype"

    def diagonal_index(self, i: Instruction) -> str:
        """Index ranges for the axes of a result, equal where a δ ties them."""
        distinct = list(dict.fromkeys(i.detail))
        ranges = []
        for label in i.detail:
            size = self.spell(i.result.shape[i.detail.index(label)])
            after = len(distinct) - 1 - distinct.index(label)
            index = f"[:{', None' * after}]" if after else ""
            ranges.append(f"{self.module}.arange({size}){index}")
        return ", ".join(ranges)

    def _is_matmul(self, view: View) -> bool:
        return "@" in self.text(view.source)[0]

    def statements(self, i: Instruction, name: str, *, owned: bool) -> list[str]:
        """The lines of an instruction that is no expression; ``owned``: operand 0 may change."""
        if i.op == "store":
            target = self.stored_part(i, name)
        else:
            subscripts = "".join(LETTERS[k] for k in i.detail)
            kept = "".join(dict.fromkeys(subscripts))
            target = f"np.einsum('{subscripts}->{kept}', {name})[...]"
        if i.op in ("scatter", "store"):
            core = i.operands[0]
            shape = shape_tuple(i.result.shape, self.sizes)
            zeros = f"{name} = np.zeros({shape}, {self.dtype_of(core)})"
            return [zeros, f"{target} = {self.operand(core)[0]}"]
        base, core = i.operands
        first = self.operand(base)
        copied = first[0] if owned and base.plain else f"{bracketed(first, ATOM)}.copy()"
        return [f"{name} = {copied}", f"{target} += {self.operand(core)[0]}"]


STATEMENTS = frozenset({"scatter", "place", "store"})


def numbers_of_condition(i: Instruction) -> bool:
    """Whether a ``where`` chooses between numbers alone, which have no dtype of their own."""
    return i.op == "map" and i.name == "where" and all(is_weak(v.source) for v in i.operands[1:])


def needs_dtype(i: Instruction) -> bool:
    return (
        numbers_of_condition(i)
        or i.op == "indicator"
        or (i.op in ("fill", "scatter", "store") and is_weak(i.operands[0].source))
    )


SCIPY = {"special": "special", "sl": "linalg"}  # names before a dot, and the modules they mean
MARKS = {"sp": "special", "sl": "linalg"}  # as the text of records writes them


def imports(program: LinearProgram) -> list[str]:
    """The import lines of the code; SciPy only where a function of it is used."""
    modules = scipy_modules(program.instructions)
    return ["import numpy as np", *([f"from scipy import {', '.join(modules)}"] if modules else [])]


def scipy_modules(instructions: Iterable[Instruction]) -> list[str]:
    """The modules of SciPy that instructions call."""
    used: set[str] = set()
    for i in instructions:
        if i.op == "helper":
            used.update(
                module for m, module in MARKS.items() if re.search(rf"\b{m}\.", i.detail[0])
            )
        elif factors.uses_scipy(i):
            used.add("linalg")
        else:
            used.add(SCIPY.get(i.name.partition(".")[0], ""))
    return sorted(used - {""})


def linalg_functions(program: LinearProgram) -> set[str]:
    """The functions of SciPy's linalg that the code calls."""
    texts = [i.detail[0] if i.op == "helper" else i.name for i in program.instructions]
    return {name for text in texts for name in re.findall(r"\bsl\.(\w+)", text)}


def library(name: str) -> str:
    """A function with the module that it is in.

    >>> library("exp"), library("linalg.inv"), library("special.erf"), library("sl.expm")
    ('np.exp', 'np.linalg.inv', 'special.erf', 'linalg.expm')
    """
    module, dot, rest = name.partition(".")
    return f"{SCIPY[module]}{dot}{rest}" if module in SCIPY else f"np.{name}"


def helpers(program: LinearProgram) -> list[str]:
    """Catalogue functions whose text has no instructions of its own, as local functions."""
    lines: list[str] = []
    for name in sorted({i.name for i in program.instructions if i.op == "helper"}):
        record = CATALOGUE[name]
        assert isinstance(record, Function)
        arguments = [f"a{k}" for k in range(len(record.signature.arguments))]
        code = re.sub(r"\bxp\.", "np.", record.code.format(*arguments))
        for mark, module in MARKS.items():
            code = re.sub(rf"\b{mark}\.", f"{module}.", code)
        body = code.split("\n")
        lines += [f"def _{name}({', '.join(arguments)}):"]
        lines += [f"    {line}" for line in body[:-1]]
        lines += [f"    return {body[-1]}", "", ""]
    return lines
