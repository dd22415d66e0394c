"""A linear program as one straight-line function, as readable as if a person had written it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from pullback.compilation.ir import VIEWS, Instruction, LinearProgram, Literal, Register
from pullback.compilation.memory import Footprint
from pullback.compilation.naming import Namer
from pullback.compilation.targets.numpy import (
    ATOM,
    STATEMENTS,
    Speller,
    Text,
    literal,
)
from pullback.expressions.nodes import Node
from pullback.expressions.sizes import Size, shape_text

LINE = 92  # an expression longer than this gets lines of its own
INLINE = 56  # and a part longer than this


@dataclass
class Source:
    """Generated code: its lines, the function's name, and how arguments reach its parameters."""

    imports: list[str]
    helpers: list[str]
    definition: list[str]
    function: str
    parameters: dict[str, str]  # variable → parameter, in order
    outputs: tuple[str, ...]
    sizes: dict[str, str] = field(default_factory=dict)  # size name → keyword parameter
    dtype: bool = False  # whether it takes a dtype
    footprint: Footprint = field(default_factory=Footprint)

    @property
    def text(self) -> str:
        """The module."""
        return "\n".join([*self.imports, "", "", *self.helpers, *self.definition]) + "\n"


def plain_source(
    program: LinearProgram,
    function: str = "compute",
    describe: Callable[[Node], str | None] = lambda node: None,
    order: list[str] | None = None,
    spelling: type[Speller] = Speller,
) -> Source:
    """The program as one straight-line function; a value used once is written where it is used."""
    return _Plain(program, function, describe, order or list(program.inputs), spelling).write()


class _Plain:
    def __init__(
        self,
        program: LinearProgram,
        function: str,
        describe: Callable[[Node], str | None],
        order: list[str],
        spelling: type[Speller],
    ) -> None:
        self.program = program
        self.describe = describe
        self.namer = Namer()
        self.function = self.namer.name(function)
        self.parameters = {name: self.namer.name(name) for name in order}
        wanted = {
            s for i in program.instructions for size in spelling.spelled(i) for s in size.names
        }
        self.sizes = {name: self.namer.name(name) for name in sorted(wanted)}
        self.texts: dict[Register, Text] = {}
        self.pending: dict[Register, Instruction] = {}  # written where they are used
        self.uses = program.use_counts()
        self.speller = spelling(self.sizes, self._text)
        self.lines: list[str] = []
        self.lasting: list[Register] = []
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
        typed, first = self.speller.typed(self.program, list(self.parameters.values()))
        keywords = [self.sizes[name] for name in given] + typed
        signature = ", ".join([*self.parameters.values(), *(["*"] if keywords else []), *keywords])
        body = [*first, *header, *self.lines, self._return()]
        return Source(
            self.speller.imports(self.program),
            self.speller.helpers(self.program),
            [
                f"def {self.function}({signature}):",
                *self._docstring(),
                *[f"    {line}" for line in body],
            ],
            self.function,
            self.parameters,
            tuple(self.program.outputs),
            {name: self.sizes[name] for name in given},
            bool(typed),
            Footprint.of(self.program, self.lasting),
        )

    def _instruction(self, i: Instruction, safe: dict[Register, str]) -> None:
        name = safe.get(i.result)
        if i.op in STATEMENTS:
            self._flush(i, shortest=0)  # the text of an operand may stand in two lines
            name = name or self.namer.temporary()
            owned = False
            if i.op == "place":
                base = i.operands[0].source
                assert isinstance(base, Register)
                owned = self.uses[base] == 1 and self.made[base].op not in (
                    "input",
                    "einsum",
                    *VIEWS,
                )
            self._comment(i)
            self.lines += self.speller.statements(i, name, owned=owned)
            self.texts[i.result] = name, ATOM
            self.lasting.append(i.result)
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
        self.lasting.append(i.result)

    def _flush(self, i: Instruction, shortest: int = 17) -> None:
        """Give the parts of a long line lines of their own."""
        for source in i.sources:
            part = self.pending.pop(source, None)
            if part is not None and len(self.texts[source][0]) >= shortest:
                name = self.namer.temporary()
                self.lines.append(f"{name} = {self.texts[source][0]}")
                self.texts[source] = name, ATOM
                self.lasting.append(source)

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
            f"    {self.parameters[name]}: {shape_text(self.program.inputs[name].shape)}"
            for name in self.parameters
        ]
        returned = [
            f"    {name}: {shape_text(node.shape)}" for name, node in self.program.roots.items()
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
        pairs = ", ".join(f"{quoted(name)}: {text}" for name, text in texts.items())
        if len(pairs) < LINE - 10:
            return f"return {{{pairs}}}"
        rows = "".join(f"        {quoted(name)}: {text},\n" for name, text in texts.items())
        return f"return {{\n{rows}    }}"


def quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def size_place(size: str, program: LinearProgram) -> tuple[str, int] | None:
    """An argument and an axis whose length is this size."""
    wanted = Size.of(size)
    for name, register in program.inputs.items():
        for axis, length in enumerate(register.shape):
            if length == wanted:
                return name, axis
    return None
