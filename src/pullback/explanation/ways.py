"""One derivative three ways: entry by entry, flattened with Jacobians, and as matrices.

The formulas are equal; what differs is what one would write down on the way. Flattened, each
operation has a Jacobian with a row for each entry of what it makes and a column for each entry of
what it takes. As matrices, each operation is handed a gradient in the shape of what it makes, and
no Jacobian is ever there. All of it is read from the links of the derivation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial, reduce
from html import escape
from typing import Any

from pullback.derivation.derive import derive_each
from pullback.derivation.factoring import factored
from pullback.derivation.sparsity import pattern
from pullback.explanation.anatomy import function_of, insist_on_numbers, times
from pullback.explanation.reading import Reader
from pullback.explanation.reasons import local_derivative
from pullback.explanation.steps import Formula, plain
from pullback.expressions.nodes import Node
from pullback.expressions.program import Program
from pullback.expressions.sizes import Shape, Size
from pullback.notation.equations import equation_of
from pullback.notation.mathml import math
from pullback.notation.styles import LATEX, UNICODE
from pullback.notation.write import Form

SCHEMA_VERSION = 1
SHOWN = 8  # stored arrays listed at either end of a long chain


@dataclass(frozen=True)
class Stored:
    """An array that a way writes down: its name, its shape, its entries, as a number if known."""

    name: Formula
    shape: str
    entries: str
    number: int | None
    note: str = ""


@dataclass(frozen=True)
class Way:
    """One way to the derivative: its formula, None if it has none, and what it stores."""

    name: str
    formula: Formula | None
    does: str
    stored: tuple[Stored, ...]
    hidden: int  # arrays between the first and the last of many that are not listed
    total: str
    number: int | None


class Ways:
    """The three ways to one derivative, side by side. ``sizes`` gives numbers to named sizes."""

    def __init__(self, reader: Reader, node: Node, sizes: Mapping[str, int] | None = None) -> None:
        self.reader = reader
        self.target = node
        self.derivation = reader.derivations[reader.targets[node]]
        self.sizes = dict(sizes or {})
        if self.sizes:
            self._check(self.sizes)

    def _check(self, sizes: Mapping[str, int]) -> None:
        """PullbackError for a size that does not occur, or that is no size."""
        given = self.reader.program.variables.values()
        shapes = [node.shape for node in (*self._path, *given)]
        known = {name for shape in shapes for size in shape for name in size.names}
        insist_on_numbers(sizes, known)

    @property
    def name(self) -> Formula:
        """∂L/∂W."""
        return self.reader.words.gradient_name(self.target)

    @cached_property
    def _path(self) -> list[Node]:
        """The operations between the variable and the result, from the result back."""
        on_the_way = {self.target}
        for node in reversed(self.reader.operations):
            if any(child in on_the_way for child in self.reader.links[node]):
                on_the_way.add(node)
        return [node for node in self.reader.operations if node in on_the_way]

    @cached_property
    def _steps(self) -> list[tuple[Node, Node]]:
        """Each operation of the way with each operand on the way."""
        near = {*self._path, self.target}
        return [(n, child) for n in self._path for child in self.reader.links[n] if child in near]

    @cached_property
    def ways(self) -> tuple[Way, Way, Way]:
        """Entry by entry, flattened, and as matrices."""
        return self._entries(), self._flattened(), self._matrix()

    def _entries(self) -> Way:
        does = "a formula for one entry, worked out again for each of them"
        return self._way("entry by entry", "index", does, [self._result])

    def _flattened(self) -> Way:
        does = "the Jacobian of each operation, multiplied one after the other"
        made = [partial(self._jacobian, *step) for step in self._steps]
        return self._way("flattened", "vec", does, made)

    def _matrix(self) -> Way:
        does = "the gradient that each operation is handed, in the shape of what it makes"
        nodes = [n for n in self._path if n is not self.reader.program.result]
        made = [partial(self._handed, node) for node in nodes]
        return self._way("matrices", "matrix", does, [*made, partial(self._handed, self.target)])

    def _way(
        self, name: str, form: Form, does: str, made: Sequence[Callable[[], tuple[Stored, Size]]]
    ) -> Way:
        written = equation_of(self.derivation, form, named=True)
        formula = None
        if written.writing.form == form:
            formula = Formula(written.text(UNICODE), written.text(LATEX), form)
        hidden = max(0, len(made) - 2 * SHOWN) if len(made) > 2 * SHOWN + 1 else 0
        shown = [*made[:SHOWN], *made[-SHOWN:]] if hidden else made
        stored = tuple([make()[0] for make in shown])
        if hidden:
            return Way(name, formula, does, stored, hidden, "", None)
        total = sum((make()[1] for make in made), Size.of(0))
        return Way(name, formula, does, stored, 0, _text(total), self._number(total))

    def _result(self) -> tuple[Stored, Size]:
        return self._array(self.name, self.derivation.shape)

    def _jacobian(self, operation: Node, operand: Node) -> tuple[Stored, Size]:
        sides = operation.shape, operand.shape
        shape = "×".join(f"({times(s)})" if len(s) > 1 else times(s) for s in sides)
        name = self._jacobian_name(operation, operand)
        stored, size = self._array(name, (*sides[0], *sides[1]))
        notes = [self._zeros(operation, operand)]
        if len(self.reader.sources(operand)) > 1:
            notes.append("directly, all else held")
        return replace(stored, shape=shape, note="; ".join(filter(None, notes))), size

    def _handed(self, node: Node) -> tuple[Stored, Size]:
        """The gradient that a value is handed; that of a function that is no scalar as a product."""
        name = self.reader.words.gradient_name(node)
        cotangent = self.reader.trace.cotangents.get(node, self.derivation.node)
        if not self.reader.program.result.order:
            return self._array(name, cotangent.shape)
        kept = factored(self.reader.trace.simplified.get(cotangent, cotangent))
        stored, size = self._array(name, cotangent.shape)
        if kept.dense:
            return stored, size
        number, note = self._number(kept.stored), "as a product that is not multiplied out"
        return replace(stored, entries=_text(kept.stored), number=number, note=note), kept.stored

    def _array(self, name: Formula, shape: Shape) -> tuple[Stored, Size]:
        size = reduce(lambda a, b: a * b, shape, Size.of(1))
        written = times(shape).replace("·", "×")
        return Stored(name, written, times(shape), self._number(size)), size

    def _number(self, size: Size) -> int | None:
        return size.evaluate(self.sizes) if set(size.names) <= set(self.sizes) else None

    def _jacobian_name(self, operation: Node, operand: Node) -> Formula:
        """∂h/∂vec(V)ᵀ."""
        words = self.reader.words
        above, below = words.display(operation), words.display(operand)
        texts, tex = [], []
        for node, formula in ((operation, above), (operand, below)):
            flat = node.order > 1
            texts.append(f"vec({formula.text.strip('()')})" if flat else formula.text)
            tex.append(rf"\mathrm{{vec}}({formula.latex})" if flat else formula.latex)
        turned = operation.order and (operand.order > 1 or operation.order > 1)
        mark, latex = ("ᵀ", r"^\top") if turned else ("", "")
        return Formula(
            f"∂{texts[0]}/∂{texts[1]}{mark}",
            rf"\frac{{\partial {tex[0]}}}{{\partial {tex[1]}{latex}}}",
        )

    def _zeros(self, operation: Node, operand: Node) -> str:
        """How many entries of a Jacobian can differ from zero, where that are not all."""
        found = pattern(local_derivative(self.reader.links[operation][operand]))
        if found.full:
            return ""
        count = found.count()
        number = count.evaluate(self.sizes) if set(count.total.names) <= set(self.sizes) else None
        text = _text(count)
        return f"{text if number is None else f'{number:,}'} can differ from zero"

    # How it shows

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """The table: the way, what it stores, its shape, its entries, and what is said of it."""
        rows = []
        for way in self.ways:
            for place, stored in enumerate(way.stored):
                title = way.name if not place else ""
                if way.hidden and place == SHOWN:
                    rows.append(("", f"… {way.hidden} more …", "", "", ""))
                count = f"{stored.number:,}" if stored.number is not None else stored.entries
                rows.append((title, stored.name.text, stored.shape, count, stored.note))
            if way.total and len(way.stored) > 1:
                total = f"{way.number:,}" if way.number is not None else way.total
                rows.append(("", "together", "", total, ""))
        return rows

    def text(self) -> str:
        """The three formulas, and the table of what each way stores."""
        lines = [f"{self.name.text} three ways", ""]
        for way in self.ways:
            formula = way.formula.text if way.formula else self._without(way)
            first, *rest = formula.split("\n")
            lines.append(f"{way.name:<16}{first}")
            lines += [" " * 16 + line for line in rest]
            lines.append(" " * 16 + way.does)
        head = ("numbers stored", "", "shape", "entries", "")
        table = [head, *self.rows()]
        widths = [min(max(len(row[k]) for row in table), 44) for k in range(5)]
        lines.append("")
        for row in table:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            if row[3][:1].isdigit() and "·" not in row[3]:
                cells[3] = row[3].rjust(widths[3])
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)

    def _without(self, way: Way) -> str:
        form = "⊗ and vec" if way.name == "flattened" else "matrices"
        return f"none: a tensor of order {self.derivation.node.order} has no form in {form}"

    def to_dict(self) -> dict[str, Any]:
        """All of it as data; ``schema_version`` changes when a field changes its meaning."""
        return {
            "schema_version": SCHEMA_VERSION,
            "name": plain(self.name),
            "sizes": self.sizes,
            "ways": plain(self.ways),
        }

    def json(self) -> str:
        """The same as JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1)

    def html(self) -> str:
        """The formulas in MathML and the table."""
        parts = []
        for way in self.ways:
            formula = math(way.formula.latex) if way.formula else escape(self._without(way))
            parts.append(f"<li>{escape(way.name)}: {formula}<br/>{escape(way.does)}</li>")
        head = "".join(f"<th>{h}</th>" for h in ("way", "stores", "shape", "entries", ""))
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self.rows()
        )
        return f"<ul>{''.join(parts)}</ul><table><tr>{head}</tr>{body}</table>"

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<Ways to {self.name.text}>"

    def _repr_html_(self) -> str:
        return self.html()


def _text(size: object) -> str:
    return str(size).replace("*", "·")


def ways(program: Program, name: str, sizes: Mapping[str, int] | None = None) -> Ways:
    """The three ways to the derivative by a variable or a named line.

    >>> from pullback.expressions import constructors as make
    >>> A, x = make.variable("A", ["m", "n"]), make.variable("x", ["n"])
    >>> linear = Program(make.einsum("ij,j->i", A, x), {"A": A, "x": x})
    >>> [way.total for way in ways(linear, "x").ways]
    ['m·n', 'm·n', 'm·n']
    """
    named = program if program.result_name else replace(program, result_name=function_of(program))
    reader = Reader(derive_each(named, [name]))
    return Ways(reader, next(iter(reader.targets)), sizes)
