"""NumPy's spelling: each instruction as an expression, and a whole program as a function."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from pullback.compilation.contraction import LETTERS
from pullback.compilation.ir import Instruction, LinearProgram, Literal, Register, View, is_weak
from pullback.compilation.naming import Namer
from pullback.errors import PullbackError
from pullback.expressions.nodes import Node, Number
from pullback.expressions.sizes import Shape, Size, shape_text
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
LINE = 92  # an expression longer than this gets lines of its own
INLINE = 56  # and a part longer than this


@dataclass
class Source:
    """Generated code: its text, the function's name, and how arguments reach its parameters."""

    text: str
    function: str
    parameters: dict[str, str]  # variable → parameter, in order
    sizes: dict[str, str] = field(default_factory=dict)  # size name → keyword parameter
    dtype: bool = False  # whether it takes a dtype


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


def viewed(text: Text, view: View, *, aligned: bool = False) -> Text:
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
            result = f"{inner}.transpose({', '.join(map(str, kept))})", ATOM
    if None in axes:
        while axes[-1] is not None:
            axes.pop()
        index = ", ".join("None" if a is None else ":" for a in axes)
        result = f"{bracketed(result, ATOM)}[{index}]", ATOM
    return result


class Speller:
    """Instructions as NumPy expressions; ``text`` says how a source is written."""

    def __init__(self, sizes: dict[str, str], text: Callable[[Literal | Register], Text]) -> None:
        self.sizes = sizes
        self.text = text

    def operand(self, view: View, *, aligned: bool = True) -> Text:
        return viewed(self.text(view.source), view, aligned=aligned)

    def expression(self, i: Instruction) -> Text:
        if i.op == "map":
            return self._map(i)
        arguments = [self.operand(v, aligned=False) for v in i.operands]
        plain = [a[0] for a in arguments]
        match i.op:
            case "size":
                return size_text(i.detail[0], self.sizes)
            case "reduce":
                whole_array = len(i.detail) == len(i.operands[0].axes)
                axes = i.detail[0] if len(i.detail) == 1 else i.detail
                axis = "" if whole_array else f"axis={axes}"
                return f"{bracketed(arguments[0], ATOM)}.{i.name}({axis})", ATOM
            case "matmul":
                left, right = bracketed(arguments[0], ATOM), bracketed(arguments[1], ATOM)
                return f"{left} @ {right}", PRODUCT
            case "vecdot" | "vdot":
                return f"np.{i.op}({plain[0]}, {plain[1]})", ATOM
            case "tensordot":
                a, b = ("(" + ", ".join(map(str, axes)) + ")" for axes in i.detail)
                axes_ = (
                    f"({list(i.detail[0])}, {list(i.detail[1])})"
                    if len(i.detail[0]) != 1
                    else f"({i.detail[0][0]}, {i.detail[1][0]})"
                )
                del a, b
                return f"np.tensordot({plain[0]}, {plain[1]}, axes={axes_})", ATOM
            case "einsum":
                if i.name == "ii->":
                    return f"np.trace({plain[0]})", ATOM
                if i.name == "ii->i":
                    return f"np.diagonal({plain[0]})", ATOM
                return f"np.einsum({i.name!r}, {', '.join(plain)})", ATOM
            case "fill":
                weak = is_weak(i.operands[0].source)
                dtype = ", dtype" if weak else ""
                shape = shape_tuple(i.result.shape, self.sizes)
                suffix = "" if i.result.shape else "[()]"
                value = self.operand(i.operands[0])[0]
                return f"np.full({shape}, {value}{dtype}){suffix}", ATOM
            case "copy":
                if not i.result.shape:
                    return f"np.copy({plain[0]})[()]", ATOM
                return f"{bracketed(arguments[0], ATOM)}.copy()", ATOM
            case "call":
                return f"np.{i.name}({', '.join(plain)})", ATOM
            case "item":
                return f"{bracketed(arguments[0], ATOM)}[{i.detail[0]}]", ATOM
            case "helper":
                return f"_{i.name}({', '.join(plain)})", ATOM
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
        call = f"np.{i.name}({', '.join(a[0] for a in arguments)})"
        return (f"float({call})" if i.result.weak else call), ATOM

    def _is_matmul(self, view: View) -> bool:
        return "@" in self.text(view.source)[0]

    def statements(self, i: Instruction, name: str, *, owned: bool) -> list[str]:
        """The lines of an instruction that is no expression; ``owned``: operand 0 may change."""
        subscripts = "".join(LETTERS[k] for k in i.detail)
        target = "".join(dict.fromkeys(subscripts))
        diagonal = f"np.einsum('{subscripts}->{target}', {name})[...]"
        if i.op == "scatter":
            core = i.operands[0]
            dtype = (
                "dtype"
                if is_weak(core.source)
                else f"{bracketed(self.text(core.source), ATOM)}.dtype"
            )
            zeros = f"{name} = np.zeros({shape_tuple(i.result.shape, self.sizes)}, {dtype})"
            return [zeros, f"{diagonal} = {self.operand(core)[0]}"]
        base, core = i.operands
        first = self.operand(base)
        copied = first[0] if owned and base.plain else f"{bracketed(first, ATOM)}.copy()"
        return [f"{name} = {copied}", f"{diagonal} += {self.operand(core)[0]}"]


STATEMENTS = frozenset({"scatter", "place"})


def needs_dtype(i: Instruction) -> bool:
    return i.op in ("fill", "scatter") and is_weak(i.operands[0].source)


def used_sizes(program: LinearProgram) -> list[str]:
    """The named sizes that the code itself computes with."""
    names: set[str] = set()
    for i in program.instructions:
        if i.op == "size":
            names.update(i.detail[0].names)
        elif i.op in ("fill", "scatter"):
            names.update(name for size in i.result.shape for name in size.names)
    return sorted(names)


def helpers(program: LinearProgram) -> list[str]:
    """Catalogue functions whose text has no instructions of its own, as local functions."""
    lines: list[str] = []
    for name in sorted({i.name for i in program.instructions if i.op == "helper"}):
        record = CATALOGUE[name]
        assert isinstance(record, Function)
        arguments = [f"a{k}" for k in range(len(record.signature.arguments))]
        body = record.code.format(*arguments).replace("xp.", "np.").split("\n")
        lines += [f"def _{name}({', '.join(arguments)}):"]
        lines += [f"    {line}" for line in body[:-1]]
        lines += [f"    return {body[-1]}", "", ""]
    return lines


def shape_note(shape: Shape) -> str:
    return shape_text(shape)


def plain_source(
    program: LinearProgram,
    function: str = "compute",
    describe: Callable[[Node], str | None] = lambda node: None,
    order: list[str] | None = None,
) -> Source:
    """The program as one straight-line function; a value used once is written where it is used."""
    return _Plain(program, function, describe, order or list(program.inputs)).write()


class _Plain:
    def __init__(
        self,
        program: LinearProgram,
        function: str,
        describe: Callable[[Node], str | None],
        order: list[str],
    ) -> None:
        self.program = program
        self.describe = describe
        self.namer = Namer()
        self.function = self.namer.name(function)
        self.parameters = {name: self.namer.name(name) for name in order}
        wanted = used_sizes(program)
        self.sizes = {name: self.namer.name(name) for name in wanted}
        self.texts: dict[Register, Text] = {}
        self.pending: dict[Register, Instruction] = {}  # written where they are used
        self.uses = program.use_counts()
        self.speller = Speller(self.sizes, self._text)
        self.lines: list[str] = []
        self.made = {i.result: i for i in program.instructions}
        self.results = {v.source for v in program.outputs.values()}

    def _text(self, source: Literal | Register) -> Text:
        if isinstance(source, Literal):
            return literal(source.value)
        return self.texts[source]

    def write(self) -> Source:
        for name, register in self.program.inputs.items():
            self.texts[register] = self.parameters[name], ATOM
        safe = {r: self.namer.name(n) for r, n in self.program.names.items()}
        for i in self.program.instructions:
            if i.op != "input":
                self._instruction(i, safe)
        given, header = self._size_lines()
        dtype = any(needs_dtype(i) for i in self.program.instructions)
        keywords = [self.sizes[name] for name in given]
        keywords += ["dtype=np.float64"] if dtype else []
        signature = ", ".join([*self.parameters.values(), *(["*"] if keywords else []), *keywords])
        text = ["import numpy as np", "", "", *helpers(self.program)]
        text += [f"def {self.function}({signature}):", *self._docstring()]
        text += [f"    {line}" for line in [*header, *self.lines, self._return()]]
        return Source(
            "\n".join(text) + "\n",
            self.function,
            self.parameters,
            {name: self.sizes[name] for name in given},
            dtype,
        )

    def _instruction(self, i: Instruction, safe: dict[Register, str]) -> None:
        name = safe.get(i.result)
        if i.op in STATEMENTS:
            self._flush(i)
            name = name or self.namer.temporary()
            owned = False
            if i.op == "place":
                base = i.operands[0].source
                assert isinstance(base, Register)
                owned = self.uses[base] == 1 and self.made[base].op not in ("input", "einsum")
            self._comment(i)
            self.lines += self.speller.statements(i, name, owned=owned)
            self.texts[i.result] = name, ATOM
            return
        text = self.speller.expression(i)
        if len(text[0]) > LINE:
            self._flush(i)
            text = self.speller.expression(i)
        for source in i.sources:
            self.pending.pop(source, None)
        self.texts[i.result] = text
        if i.op == "size":
            return
        if (
            name is None
            and i.result.kind != "tuple"
            and self.uses[i.result] == 1
            and len(text[0]) <= INLINE
        ):
            self.pending[i.result] = i
            return
        name = name or self.namer.temporary()
        self._comment(i)
        self.lines.append(f"{name} = {text[0]}")
        self.texts[i.result] = name, ATOM

    def _flush(self, i: Instruction) -> None:
        """Give the parts of a long line lines of their own."""
        for source in i.sources:
            part = self.pending.pop(source, None)
            if part is not None and len(self.texts[source][0]) > 16:
                name = self.namer.temporary()
                self.lines.append(f"{name} = {self.texts[source][0]}")
                self.texts[source] = name, ATOM

    def _comment(self, i: Instruction) -> None:
        node = self.program.lines.get(i.result)
        said = self.describe(node) if node is not None else None
        if said:
            self.lines.append(f"# {said}")

    def _size_lines(self) -> tuple[list[str], list[str]]:
        """The sizes no argument shows, and the lines that read the others off."""
        given, header = [], []
        for size, name in self.sizes.items():
            place = size_place(size, self.program)
            if place is None:
                given.append(size)
            else:
                variable, axis = place
                header.append(f"{name} = {self.parameters[variable]}.shape[{axis}]")
        return given, header

    def _docstring(self) -> list[str]:
        shapes = [
            f"    {self.parameters[name]}: {shape_note(self.program.inputs[name].shape)}"
            for name in self.parameters
        ]
        returned = [
            f"    {name}: {shape_note(node.shape)}" for name, node in self.program.roots.items()
        ]
        takes = ["    Takes", *[f"    {s}" for s in shapes]] if shapes else []
        return [
            f'    """{", ".join(self.program.roots)}.',
            "",
            *takes,
            "    Returns",
            *[f"    {r}" for r in returned],
            '    """',
        ]

    def _return(self) -> str:
        texts = {
            name: self.texts[view.source][0]
            for name, view in self.program.outputs.items()
            if isinstance(view.source, Register)
        }
        if len(texts) == 1:
            return f"return {next(iter(texts.values()))}"
        pairs = ", ".join(f"{name!r}: {text}" for name, text in texts.items())
        if len(pairs) < LINE - 10:
            return f"return {{{pairs}}}"
        rows = "".join(f"        {name!r}: {text},\n" for name, text in texts.items())
        return f"return {{\n{rows}    }}"


def size_place(size: str, program: LinearProgram) -> tuple[str, int] | None:
    """An argument and an axis whose length is this size."""
    wanted = Size.of(size)
    for name, register in program.inputs.items():
        for axis, length in enumerate(register.shape):
            if length == wanted:
                return name, axis
    return None
