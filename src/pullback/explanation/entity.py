"""A derivative as an entity: what it is, where each of its axes comes from, what is in it.

∂V/∂W of a vector V by a matrix W is a tensor of order 3: an axis for the entries of V, and two for
the rows and columns of W. All of it is read off the derivation.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cached_property
from html import escape
from typing import Any, get_args

from pullback.compilation.compile import compile_nodes
from pullback.derivation.factoring import factored
from pullback.derivation.result import Derivation
from pullback.derivation.sparsity import Count, Pattern, pattern
from pullback.drawing.picture import Picture
from pullback.explanation import blocks
from pullback.explanation.anatomy import (
    Axis,
    LayoutChoice,
    axes_of,
    conditions,
    function_of,
    insist_on_numbers,
    kind_of,
    layouts_of,
    name_of_derivative,
    times,
)
from pullback.explanation.steps import Formula, plain
from pullback.expressions.sizes import Size, shape_text
from pullback.notation.equations import Equation, equation_of
from pullback.notation.mathml import math as mathml
from pullback.notation.styles import LATEX, UNICODE
from pullback.notation.write import Form

SCHEMA_VERSION = 1


class Entity:
    """What a derivative is. ``sizes`` gives numbers to its named sizes.

    >>> from pullback.derivation.derive import derive
    >>> from pullback.expressions import constructors as make
    >>> from pullback.expressions.program import Program
    >>> W, x = make.variable("W", ["m", "n"]), make.variable("x", ["n"])
    >>> V = make.einsum("ij,j->i", W, x)
    >>> e = Entity(derive(Program(V, {"W": W, "x": x}, result_name="V"), ["W"]))
    >>> e.order, [axis.text for axis in e.axes], e.nonzeros
    (3, ['output i of V', 'row j of W', 'column k of W'], 'm·n')
    """

    def __init__(self, derivation: Derivation, sizes: Mapping[str, int] | None = None) -> None:
        self.derivation = derivation
        self.sizes = dict(sizes or {})
        self.insist_on(self.sizes)

    def insist_on(self, sizes: Mapping[str, int]) -> None:
        """PullbackError for a size that does not occur, or that is no size."""
        shapes = [v.shape for v in self.derivation.program.variables.values()]
        known = self.size_names.union(*(size.names for shape in shapes for size in shape))
        insist_on_numbers(sizes, known)

    # What it is

    @property
    def name(self) -> Formula:
        """∂f/∂W."""
        return name_of_derivative(self.function, self.derivation)

    @cached_property
    def function(self) -> str:
        """What the function is called, as in the equation of its derivative."""
        return function_of(self.derivation.program)

    @property
    def order(self) -> int:
        """How many axes it has."""
        return self.derivation.node.order

    @property
    def kind(self) -> str:
        """In words: ``tensor of order 3, a vector by a matrix``."""
        parts = [kind_of(k) for k in self.derivation.groups]
        by = " and ".join(f"a {part}" for part in parts[1:])
        return f"{kind_of(self.order)}, the derivative of a {parts[0]} by {by}"

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The axes of the function, then those of each variable."""
        return axes_of(self.derivation, self.function, self._index.writing.letters)

    # How much it is

    @cached_property
    def pattern(self) -> Pattern:
        """Where it can differ from zero."""
        return pattern(self.derivation.node)

    @property
    def entries(self) -> str:
        """How many entries it has, such as ``m·m·n``."""
        return times(self.derivation.shape)

    @cached_property
    def _count(self) -> Count:
        return self.pattern.count()

    @property
    def nonzeros(self) -> str:
        """How many entries can differ from zero, whatever the variables hold."""
        if self.pattern.full:
            return self.entries
        return str(self._count).replace("*", "·")

    @cached_property
    def stored(self) -> Size:
        """How many numbers it is made of, as a sum of products that are not multiplied out."""
        return factored(self.derivation.node).stored

    def counted(self, what: str) -> int | None:
        """``entries``, ``nonzeros`` or ``stored`` as a number, if all sizes are given."""
        if not self.size_names <= set(self.sizes):
            return None
        if what == "stored":
            return self.stored.evaluate(self.sizes)
        shape = [size.evaluate(self.sizes) for size in self.derivation.shape]
        if what == "entries" or self.pattern.full:
            return math.prod(shape)
        if not self._count.exact and math.prod(shape) <= blocks.MOST_ENTRIES:
            return int(self.pattern.mask(self.sizes).sum())
        return self._count.evaluate(self.sizes)

    @cached_property
    def size_names(self) -> frozenset[str]:
        """The named sizes of its axes and of what it is made of."""
        sizes = [*self.derivation.shape, self.stored]
        return frozenset(name for size in sizes for name in size.names)

    # Its structure and its layouts

    @cached_property
    def zeros(self) -> tuple[str, ...]:
        """Conditions on indices: where none of them holds, an entry is zero whatever the numbers.

        Empty where every entry can differ from zero.
        """
        return conditions(self.pattern, [axis.letter for axis in self.axes])

    @property
    def structure(self) -> str:
        """Which of its entries can differ from zero, as a sentence."""
        if self.pattern.full:
            return "every entry can differ from zero"
        if not self.zeros:
            return "every entry is zero"
        return f"zero but where {', or where '.join(self.zeros)}"

    @cached_property
    def _index(self) -> Equation:
        return equation_of(self.derivation, "index")

    @cached_property
    def forms(self) -> dict[str, Formula]:
        """The equation in index, matrix and vec notation, as far as it has these forms."""
        found: dict[str, Formula] = {}
        for form in get_args(Form):
            written = equation_of(self.derivation, form)
            if written.writing.form == form:
                found[form] = Formula(written.text(UNICODE), written.text(LATEX), form)
        return found

    @cached_property
    def layouts(self) -> tuple[LayoutChoice, ...]:
        """How its entries may lie: as the array that is computed, transposed, or flattened."""
        return layouts_of(self.derivation, self.function)

    # Its numbers

    def values(self, **given: Any) -> Any:
        """Its entries at given values of the variables, as an array.

        Raises PullbackError for a value that is missing or does not fit.
        """
        d = self.derivation
        return compile_nodes({"result": d.node}, d.program)(**given)

    def picture(
        self,
        values: Mapping[str, Any] | None = None,
        sizes: Mapping[str, int] | None = None,
        theme: str = "auto",
    ) -> Picture:
        """A heat map, or a grid of blocks labelled by the axes; structural zeros are hatched.

        ``values`` are the variables, by name: the derivative is compiled and evaluated at them.
        Without them the picture is of the structure alone, at given or small ``sizes``. What is
        too large to be drawn is summarised: entries share a cell, or the structure is shown at
        small sizes instead, and the picture says so.
        """
        return Picture(blocks.scene(self, values, {**self.sizes, **(sizes or {})}), theme)

    def plot(self, ax: Any = None, values: Mapping[str, Any] | None = None, **sizes: int) -> Any:
        """The picture on matplotlib axes, new ones unless given; returns the axes."""
        return self.picture(values, sizes).plot(ax, "light")

    # How it shows

    @property
    def rows(self) -> list[tuple[str, str]]:
        """What there is to say of it, as pairs of a heading and a line."""
        said: list[tuple[str, str]] = [("order", str(self.order))]
        width = max((len(a.text) for a in self.axes), default=0)
        for axis in self.axes:
            size = self._with_number(axis.size, self._number(axis.size))
            said.append(("axes", f"{axis.text:<{width}}  {size}"))
        said.append(("entries", self._with_number(self.entries, self.counted("entries"))))
        said.append(("structure", self.structure))
        if not self.pattern.full:
            count = self._with_number(self.nonzeros, self.counted("nonzeros"))
            said.append(("non-zeros", f"{count} can differ from zero"))
        stored = str(self.stored).replace("*", "·")
        said.append(("made of", f"{self._with_number(stored, self.counted('stored'))} numbers"))
        said += [(form, formula.text) for form, formula in self.forms.items()]
        for choice in self.layouts:
            note = ", as computed" if choice.computed else ""
            said.append(("layouts", f"{choice.name}: {choice.shape}, {choice.reads}{note}"))
        return said

    def _number(self, size: str) -> int | None:
        found = next(s for s in self.derivation.shape if str(s) == size)
        return found.evaluate(self.sizes) if set(found.names) <= set(self.sizes) else None

    @staticmethod
    def _with_number(text: str, number: int | None) -> str:
        return text if number is None or text == str(number) else f"{text} = {number:,}"

    def text(self) -> str:
        """What there is to say of it, a line each."""
        lines = [f"{self.name.text}: a {self.kind}"]
        before = ""
        for heading, line in self.rows:
            shown = "" if heading == before else heading
            first, *rest = line.split("\n")
            lines.append(f"  {shown:<10} {first}")
            lines += [" " * 13 + more for more in rest]
            before = heading
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """All of it as data; ``schema_version`` changes when a field changes its meaning."""
        return {
            "schema_version": SCHEMA_VERSION,
            "name": plain(self.name),
            "kind": self.kind,
            "order": self.order,
            "axes": plain(self.axes),
            "sizes": self.sizes,
            "entries": {"text": self.entries, "number": self.counted("entries")},
            "nonzeros": {
                "text": self.nonzeros,
                "exact": self._count.exact,
                "number": self.counted("nonzeros"),
            },
            "stored": {"text": str(self.stored), "number": self.counted("stored")},
            "structure": {"text": self.structure, "where": list(self.zeros)},
            "forms": {form: plain(formula) for form, formula in self.forms.items()},
            "layouts": plain(self.layouts),
        }

    def json(self) -> str:
        """The same as JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1)

    def html(self) -> str:
        """A table, with the formulas in MathML, and the picture of its structure."""
        rows = []
        before = ""
        for heading, line in self.rows:
            cell = mathml(self.forms[heading].latex) if heading in self.forms else escape(line)
            shown = "" if heading == before else escape(heading)
            rows.append(f"<tr><th>{shown}</th><td>{cell}</td></tr>")
            before = heading
        title = f"{mathml(self.name.latex)}: a {escape(self.kind)}"
        return f"<p>{title}</p><table>{''.join(rows)}</table>{self.picture().svg()}"

    def latex(self) -> str:
        """The equation, without dollar signs."""
        return next(iter(self.forms.values())).latex

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<Entity {self.name.text}: {self.kind}, {shape_text(self.derivation.shape)}>"

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"
