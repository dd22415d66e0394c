"""A node as a formula: what other floors call for an expression.

Forms: ``matrix`` (products, transposes, ⊙, diag, …), ``index`` (entries, Σ, δ) and ``vec``
(⊗ and vec, columns stacked). Styles: ``text`` (Unicode, or ASCII that the language reads back)
and ``latex``. An expression without a matrix or vec form is written in index form.

Conventions. Vectors are columns unless the program writes them as rows. A number added to a
vector or matrix is added to every entry, and so is a scalar where all is entry by entry.
Elementwise powers are ``x^⊙2`` (ASCII ``x.^2``), elementwise quotients ``x ⊘ y`` (``x ./ y``); a
product binds tighter than ⊙. ``softmax`` and
``logsumexp`` of a matrix act on each row (ASCII says ``softmax(H, 2)``). 𝟏 is a column of ones and
I the identity, of the size that fits. ``sum`` is the sum of all entries, ‖A‖ the Frobenius norm.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Literal

from pullback.expressions.nodes import Node
from pullback.expressions.sizes import Shape
from pullback.expressions.walks import at_most
from pullback.notation import algebra
from pullback.notation.abbreviating import Draft, abbreviated
from pullback.notation.chains import Letters
from pullback.notation.index import IndexForms
from pullback.notation.matrix import KINDS, MatrixForms
from pullback.notation.names import Names
from pullback.notation.printing import written
from pullback.notation.readings import textbook_form
from pullback.notation.recognition import recognised
from pullback.notation.shortening import shortened
from pullback.notation.styles import ASCII, LATEX, UNICODE, Style, told_apart
from pullback.notation.tree import Formula, atom, indexed, number
from pullback.notation.vec import vec_form

Form = Literal["matrix", "index", "vec"]
MOST_DEFINITIONS = 20
MOST_OPERATIONS = 200  # of a line that is looked for inside products
MOST_LINES = 40  # of a program; with more, names are not looked for inside products
ANY_ORDER = 10**6


class Writing:
    """One formula in one form: its tree, the form it really has, and its abbreviations."""

    def __init__(
        self,
        node: Node,
        names: Names,
        form: str,
        groups: tuple[int, ...] = (),
        row: bool = False,
        abbreviate: bool = False,
    ) -> None:
        read = textbook_form(node, names)
        self.row = row and node.order == 1
        self.shape = node.shape
        self.letters: Letters = ()
        self.form = form
        self.groups = groups or (0, node.order)
        draft = None
        self.definitions: Sequence[Node] = ()
        if form != "index" and (form == "vec" or node.order <= 2):
            known, self.definitions = shortened(read, names, order=2)
            draft = self._draft(read, known)
            if draft is not None and abbreviate and not self.definitions:
                draft = abbreviated(read, draft, lambda more: self._draft(read, more))
                self.definitions = draft.definitions
        if draft is not None:
            self.names, self.matrices, self.tree = draft.names, draft.matrices, draft.tree
            self.entries = IndexForms(self.names, read)
        else:
            self.form = "index"
            self.names, self.definitions = shortened(read, names, order=ANY_ORDER)
            self.entries = IndexForms(self.names, read)
            self.letters = self.entries.free(node.order)
            self.tree = self.entries.of(read, self.letters)

    def _draft(self, root: Node, names: Names) -> Draft | None:
        """The matrix or vec form in certain names, if there is one."""
        matrices = MatrixForms(names, root)
        if self.form == "vec":
            tree = vec_form(root, matrices, self.groups)
        else:
            tree = self._recognised(matrices, root)
        if tree is None:
            return None
        return Draft(names, matrices, algebra.transpose(tree) if self.row else tree)

    @staticmethod
    def _recognised(matrices: MatrixForms, root: Node) -> Formula | None:
        """The formula with the names of the program's lines inside its products."""
        tree = matrices.of(root)
        lines = matrices.names.lines(root) if tree is not None else []
        if tree is None or not 0 < len(lines) <= MOST_LINES:
            return tree
        forms = [
            (atom(name, KINDS[node.order]), matrices.of(node))
            for node, name in lines
            if at_most(MOST_OPERATIONS, node)  # a longer one is no part of a product
        ]
        return recognised(tree, [(name, form) for name, form in forms if form is not None])

    def of(self, tree: Formula, definitions: Sequence[Node], shape: Shape) -> Writing:
        """Another formula in the same names, made of such formulas."""
        made = copy(self)
        made.tree, made.definitions, made.shape, made.letters = tree, [*definitions], shape, ()
        return made

    def text(self, style: Style) -> str:
        return self.formula(style) + self.where(style)

    def formula(self, style: Style) -> str:
        """The formula without its abbreviations; in ASCII a zero says its shape."""
        style = told_apart(style, self.names.taken)
        if (
            style.name == "ascii"
            and self.tree == number(0)
            and self.form == "matrix"
            and self.shape
        ):
            name = "vector" if len(self.shape) == 1 else "matrix"
            turned = "'" if self.row else ""
            return f"{name}(0, {', '.join(map(str, self.shape))}){turned}"
        return written(self.tree, style)

    def where(self, style: Style) -> str:
        """The abbreviations defined, as many as anyone would read."""
        if not self.definitions:
            return ""
        style = told_apart(style, self.names.taken)
        lines = [self._definition(node, style) for node in self.definitions[:MOST_DEFINITIONS]]
        rest = len(self.definitions) - len(lines)
        if rest:
            lines.append(f"… and {rest} more" if style.name == "text" else f"... and {rest} more")
        if style.name == "latex":
            lines = [rf"\text{{{line}}}" if line.startswith("...") else line for line in lines]
            return r" \quad \text{where} \quad " + r", \quad ".join(lines)
        return "\nwhere " + "\n      ".join(lines)

    def _definition(self, node: Node, style: Style) -> str:
        name = self.names.table[node]
        entry = None
        if self.form != "index":
            left = atom(name, "scalar")
            entry = self.matrices.of(node)
            if entry is not None and name.row:
                entry = algebra.transpose(entry)
        if entry is None:
            letters = self.entries.free(node.order)
            left = indexed(atom(name, "matrix" if letters else "scalar"), letters)
            entry = self.entries.of(node, letters)
        return f"{written(left, style)} = {written(entry, style)}"


def write(
    node: Node,
    names: Names,
    form: Form = "matrix",
    style: str = "text",
    ascii: bool = False,
    groups: tuple[int, ...] | None = None,
    row: bool | None = None,
) -> str:
    """The formula of a node, down to the names in ``names``; never by the node's own name.

    ``groups`` (for the vec form) says how many axes belong to the function and to each variable.
    ``row`` writes a vector as a row; by default it is one if its name is that of a row.

    >>> from pullback.expressions import constructors as make
    >>> A, x = make.variable("A", ["m", "n"]), make.variable("x", ["n"])
    >>> y = make.einsum("ij,j->i", A, x)
    >>> write(make.einsum("i,i->", y, y), Names({})), write(y, Names({}), form="index")
    ('‖A x‖²', 'Σ_j A_ij x_j')
    """
    if row is None:
        own = names.name(node)
        row = own is not None and own.row
    return Writing(node, names, form, groups or (), row).text(style_of(style, ascii))


def has_matrix_form(node: Node, names: Names | None = None) -> bool:
    """Whether the expression can be written in matrix notation."""
    return Writing(node, names or Names({}), "matrix").form == "matrix"


def style_of(style: str, ascii: bool) -> Style:
    """The operator table of a style."""
    if style == "latex":
        return LATEX
    return ASCII if ascii else UNICODE
