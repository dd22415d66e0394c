"""What each value and each gradient is called in an explanation, and its formula in those names.

A gradient that was handed on is an abbreviation from then on: a variable of its own stands for
it, so that every formula is as long as one operation, however deep the network is.
"""

from __future__ import annotations

from collections.abc import Iterable

from pullback.explanation.steps import Formula, Quantity
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Variable
from pullback.expressions.program import Program
from pullback.expressions.walks import post_order
from pullback.notation.names import Name, Names, ascii_name, latex_name
from pullback.notation.readings import used_by_readings
from pullback.notation.styles import LATEX, UNICODE, told_apart
from pullback.notation.write import Form, Writing

LONG = 8  # values joined in a formula; a longer intermediate gets a name of its own
READABLE = 40  # values joined in a closed form that is still written out


class Wording:
    """Names of all nodes of a program, of the gradients handed on, and formulas in them."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.root = self.program.result
        self._base = Names.of(self.program, named=True)
        self._table: dict[Node, Name] = dict(self._base.table)
        self._rows = {node for node, name in self._table.items() if name.row}
        self._roots = [*self.program.lines.values(), self.root]
        self._taken = {name.text for name in self._table.values()} | set(self._base.taken)
        self._styles = told_apart(UNICODE, self._taken), told_apart(LATEX, self._taken)
        self._displayed: dict[Node, Formula] = {}
        self._gradients: dict[Node, Node] = {}
        self._written: dict[tuple[Node, Form, bool], Formula] = {}
        self._same_gradient: dict[Node, Node] = {}
        self.result = self._name_result()
        self.intermediates = self._name_long_values()
        self._cores = self._find_cores()

    # Names

    @property
    def known(self) -> frozenset[Node]:
        """The values that the reader has seen in the forward pass."""
        return self._base.known

    def display(self, node: Node) -> Formula:
        """What a value is called: its name, or its formula if that is short."""
        found = self._displayed.get(node)
        if found is None:
            name = self._table.get(node)
            found = self.plainly(node)
            if name is None and not _simple(found.text):
                found = Formula(f"({found.text})", rf"\left({found.latex}\right)", found.form)
            self._displayed[node] = found
        return found

    def plainly(self, node: Node) -> Formula:
        """The same without the parentheses that a fraction needs."""
        name = self._table.get(node)
        if name is not None:
            return Formula(name.text, name.latex)
        return self.formula(node, row=self.is_row(node))

    def named(self, name: str) -> Formula:
        """A name of the user's as a formula."""
        return Formula(name, latex_name(name))

    def fresh(self, candidates: Iterable[str]) -> str:
        """The first of the candidates that names nothing."""
        return next(c for c in candidates if c not in self._taken)

    def gradient_name(self, node: Node) -> Formula:
        """∂L/∂node."""
        below = self.display(node)
        return Formula(
            f"∂{self.result.text}/∂{below.text}",
            rf"\frac{{\partial {self.result.latex}}}{{\partial {below.latex}}}",
        )

    def gradient(self, node: Node, handed: Node) -> Node:
        """The variable that stands for ∂L/∂node; a constant gradient stands for itself."""
        if _is_constant(handed):
            return handed
        node = self._same_gradient.get(node, node)
        found = self._gradients.get(node)
        if found is None:
            title = self.gradient_name(node)
            found = make.variable(title.text, handed.shape)
            row = self.is_row(node) and handed.order == 1
            self._table[found] = Name(title.text, title.latex, ascii_name(title.text), -1, row)
            self._gradients[node] = found
        return found

    def share_gradient(self, value: Node, operand: Node) -> None:
        """Says that an unnamed operand is handed exactly what ``value`` was handed."""
        if operand not in self._table and self.is_row(value) == self.is_row(operand):
            self._same_gradient[operand] = self._same_gradient.get(value, value)

    def handed_name(self, node: Node) -> Formula:
        """The name under which what a value was handed stands in formulas."""
        return self.gradient_name(self._same_gradient.get(node, node))

    def is_named(self, node: Node) -> bool:
        return node in self._table

    def is_row(self, node: Node) -> bool:
        """Whether an order-1 value is written as a row: it is named so, or its operands are."""
        if node.order != 1:
            return False
        name = self._table.get(node)
        if name is not None:
            return name.row
        while not isinstance(node, Variable):
            same = [n for n in node.children if n.shape == node.shape]
            if isinstance(node, Contraction):
                same = [n for n, labels in node.operands if labels == node.output]
            if not same or (isinstance(node, Apply) and len(same) < len(node.children)):
                return False
            if any(n in self._rows for n in same):
                return True
            if any(n in self._table for n in same):
                return False
            node = same[0]
        return node in self._rows

    # Formulas

    def formula(
        self,
        node: Node,
        form: Form = "matrix",
        *,
        row: bool = False,
    ) -> Formula:
        """A node in the names known so far; its own name is used only where it has no formula.

        ``row`` asks for an order-1 value as a row.
        """
        name = self._table.get(node)
        if name is not None and isinstance(node, Variable) and form == "matrix":
            return self._as_written(name, row != name.row)
        key = (node, form, row)
        if key not in self._written:
            self._written[key] = self._write(node, form, row)
        return self._written[key]

    def _write(self, node: Node, form: Form, row: bool) -> Formula:
        names = self._local(node)
        flat = row and form == "matrix"
        writing = Writing(node, names, form, (), flat)
        text, latex = map(writing.text, self._styles)
        return Formula(text, latex, writing.form)

    def told(self, node: Node, *, row: bool = False) -> Formula:
        """The name of a node, or its formula if it has none."""
        name = self._table.get(node)
        return self._as_written(name, row != name.row) if name else self.formula(node, row=row)

    def _as_written(self, name: Name, turned: bool) -> Formula:
        """A name, with a transpose where a row is wanted as a column or a column as a row."""
        if not turned:
            return Formula(name.text, name.latex)
        if name.compound:
            return Formula(f"({name.text})ᵀ", rf"\left({name.latex}\right)^\top")
        return Formula(f"{name.text}ᵀ", rf"{name.latex}^\top")

    def short(self, node: Node, limit: int = READABLE, *, row: bool = False) -> Formula | None:
        """The formula of a node in names of values alone, or None if it is long."""
        return self.told(node, row=row) if self.weight(node, limit) <= limit else None

    def weight(self, node: Node, limit: int) -> int:
        """How many values are joined in the formula of a node, counted up to ``limit``."""
        count, stack = 0, [node]
        while stack and count <= limit:
            part = stack.pop()
            count += 1
            if part not in self._table and part not in self._cores:
                stack.extend(dict.fromkeys(part.children))
        return count

    def quantity(
        self, node: Node, name: Formula, equals: Iterable[Formula] = (), *, row: bool = False
    ) -> Quantity:
        """A quantity whose readings are all different from its name and from each other."""
        seen = {name.text}
        kept = []
        for formula in equals:
            if formula.text not in seen:
                seen.add(formula.text)
                kept.append(formula)
        return Quantity(name, tuple(kept), tuple(map(str, node.shape)), row, node)

    def value(self, node: Node) -> Quantity:
        """A value of the forward pass with its definition."""
        row = self.is_row(node)
        own = () if isinstance(node, Variable) else (self.formula(node, row=row),)
        return self.quantity(node, self.plainly(node), own, row=row)

    def _local(self, root: Node) -> Names:
        """A table of only the names that the formula of a node needs."""
        table: dict[Node, Name] = {}
        seen = {root}
        stack = [root]
        while stack:
            node = stack.pop()
            named = node if node in self._table else self._cores.get(node)
            if named is not None and node is not root and named is not root:
                table[named] = self._table[named]
                continue
            read = (n for n in used_by_readings(node) if n in self._table and n is not root)
            table.update({n: self._table[n] for n in read})
            for child in node.children:
                if child not in seen:
                    seen.add(child)
                    stack.append(child)
        ranks = {name.text: name.rank for name in table.values()}
        return Names(table, ranks, self._base.known)

    # Construction

    def _name_result(self) -> Formula:
        name = self._table.get(self.root)
        if name is None:
            text = self.program.result_name or self.fresh(
                ["L" if not self.root.order else "F", "f", "result"]
            )
            row = self.program.result_name in self.program.rows and self.root.order == 1
            self._table[self.root] = name = Name(text, latex_name(text), ascii_name(text), 0, row)
            self._taken.add(text)
        return Formula(name.text, name.latex)

    def _name_long_values(self) -> list[Node]:
        """Names t1, t2, … for the intermediates whose formula would be long, in forward order."""
        weight: dict[Node, int] = {}
        named: list[Node] = []
        for node in post_order(*self._roots):
            if node in self._table or not node.children or make.constant_value(node) is not None:
                weight[node] = 1
                continue
            weight[node] = 1 + sum(weight[child] for child in dict.fromkeys(node.children))
            if weight[node] > LONG:
                text = self.fresh(f"t{k}" for k in range(len(named) + 1, len(weight) + 99))
                row = self.is_row(node)
                self._table[node] = Name(
                    text, latex_name(text), ascii_name(text), len(self._table), row
                )
                self._taken.add(text)
                named.append(node)
                weight[node] = 1
        return named

    def _find_cores(self) -> dict[Node, Node]:
        """What a named value is a multiple of: products see through the number in front."""
        cores: dict[Node, Node] = {}
        for node in self._table:
            _, core = make.split_coefficient(node)
            if core is not node and core not in self._table and not isinstance(core, Variable):
                cores[core] = node
        return cores


def _is_constant(node: Node) -> bool:
    """A number, a tensor of one number, or δs."""
    _, core = make.split_coefficient(node)
    return make.is_zero(core) or (isinstance(core, Contraction) and not core.operands)


def _simple(text: str) -> bool:
    """Whether a formula needs no parentheses under a fraction stroke: a name, or a call."""
    depth = 0
    for k, c in enumerate(text):
        depth += (c in "([‖") - (c in ")]‖")
        if (depth == 0 and c in " +−-⊙·/^√ᵀ⁻⁰¹²³⁴⁵⁶⁷⁸⁹") or (k and depth == 0 and c == "("):
            return False
    return True
