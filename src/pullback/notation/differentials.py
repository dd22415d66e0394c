"""Differentials: dL = tr(Gᵀ dX), df = J dx, d(A B) = dA B + A dB.

The differential of a scalar is its gradient paired with dX, that of a vector its Jacobian times
dx, so that gradient and Jacobian can be read off (the identification theorem of J. R. Magnus and
H. Neudecker, Matrix Differential Calculus, 3rd edition, 2019, chapter 5). What has no such form is
derived in forward order, each variable moving along its differential.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from pullback.derivation.result import Derivation, Wrt
from pullback.differentiation.forward import forward
from pullback.errors import PullbackError
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Node
from pullback.expressions.walks import depending_on
from pullback.functions.catalogue import CATALOGUE
from pullback.notation import algebra, sums
from pullback.notation.equations import Equation
from pullback.notation.matrix import KINDS
from pullback.notation.names import Name, Names, ascii_name, latex_name
from pullback.notation.tree import Formula, atom, indexed, number, sigma, vec
from pullback.notation.write import Form, Writing
from pullback.simplification.simplify import simplify

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class _Moving:
    """A variable, its derivative, and the variable that is its differential."""

    derivation: Derivation
    target: Wrt
    tangent: Node
    name: Name

    def formula(self) -> Formula:
        """dX, a vector as a column."""
        if self.name.row:
            return algebra.transpose(atom(self.name, "row"))
        return atom(self.name, KINDS.get(self.tangent.order, "matrix"))


def differential_of(
    derivations: Sequence[Derivation], form: Form = "matrix", named: bool = False
) -> Equation:
    """The differential of the function whose derivatives, by one variable each, these are.

    A derivative of order k by one variable gives the differential of that order. Raises
    PullbackError for variables of which one is made of another, for several variables at a
    higher order, and for partials by the free entries of a structured variable.
    """
    insist_on_one_differential(derivations)
    program, order = derivations[0].program, len(derivations[0].wrt)
    names = Names.of(program, named)
    for d in derivations:
        if d.wrt[0].node not in names:
            w = d.wrt[0]
            names = names.plus(w.node, w.name, row=w.name in program.rows)
    names, moving = _moving(derivations, names)
    row = program.result_name in program.rows and program.result.order == 1
    left = _differential_name(derivations[0], names)
    kind = "row" if row else KINDS.get(program.result.order, "matrix")
    writing = _read_off(moving, names, form, row)
    if writing is None:
        node = program.result
        for _ in range(order):
            node = simplify(forward(node, {m.target.node: m.tangent for m in moving}))
        writing = Writing(node, names, form, (), row)
    left_side = indexed(atom(left, kind), writing.letters)
    if writing.form == "vec" and program.result.order == 2:
        left_side = vec(left_side)
    return Equation(left_side, writing, along=derivations[0].along)


def insist_on_one_differential(derivations: Sequence[Derivation]) -> None:
    """Refuses derivatives that do not belong to one differential."""
    targets = [d.wrt[0] for d in derivations]
    for d in derivations:
        if d.structured == "free":
            raise PullbackError("partials by free entries are not what dX is paired with")
        if len(d.wrt) > 1 and len({w.node for w in (*targets, *d.wrt)}) > 1:
            raise PullbackError("a differential of higher order is by one variable")
    for w in targets:
        for other in targets:
            if other is not w and w.node in depending_on(w.node, [other.node]):
                raise PullbackError(
                    f"{w.name} is made of {other.name}, and so is its differential",
                    hint=f"ask for the differential by {w.name} or by {other.name}",
                )


def _moving(derivations: Sequence[Derivation], names: Names) -> tuple[Names, list[_Moving]]:
    """The differentials of the variables, each just before its variable in the order of reading."""
    table = {node: replace(name, rank=2 * name.rank + 1) for node, name in names.table.items()}
    ranks = {text: 2 * rank + 1 for text, rank in names.ranks.items()}
    moving = []
    for d in derivations:
        w, own = d.wrt[0], table[d.wrt[0].node]
        free = names.free((f"d{w.name}", f"d_{w.name}", f"differential_of_{w.name}"))
        text = next(t for t in free if t not in CATALOGUE and t != "diag")
        latex = rf"\mathrm{{d}}{latex_name(w.name)}"
        name = replace(own, text=text, latex=latex, ascii=ascii_name(text), rank=own.rank - 1)
        tangent = make.variable(text, w.node.shape)
        table[tangent] = replace(name, symmetric=False)
        moving.append(_Moving(d, w, tangent, table[tangent]))
    return Names(table, ranks, names.known, names.taken), moving


def _differential_name(d: Derivation, names: Names) -> Name:
    """What the differential of the function is called: dL, d²L."""
    function = d.program.result_name or next(names.free(("f", "F", "y", "z", "result")), "f")
    order = "" if len(d.wrt) == 1 else str(len(d.wrt))
    raised = f"^{order}" if order else ""
    return Name(
        f"d{order.translate(_RAISED)}{function}",
        rf"\mathrm{{d}}{raised}{latex_name(function)}",
        f"d{order}{ascii_name(function)}",
    )


# Reading off: the derivative, paired with the differentials


def _read_off(moving: Sequence[_Moving], names: Names, form: Form, row: bool) -> Writing | None:
    """Derivatives paired with differentials and added up, where all have a form for that."""
    terms: list[Formula] = []
    definitions: list[Node] = []
    for m in moving:
        d = m.derivation
        if not _has_pairing(d, form):
            return None
        writing = Writing(d.node, names, form, d.groups)
        if writing.form != form:  # none in matrices, but always one in indices
            return _read_off(moving, names, "index", row)
        definitions += writing.definitions
        names = names.extended({n: writing.names.table[n] for n in writing.definitions})
        terms.append(_pairing(writing, m))
    left = [t for t in terms if t != number(0)]
    total = left[0] if len(left) == 1 else Formula("sum", left, left[0].kind) if left else number(0)
    return writing.of(
        algebra.transpose(total) if row else total, definitions, d.program.result.shape
    )


def _has_pairing(d: Derivation, form: Form) -> bool:
    function, *variables = d.groups
    if form == "index":
        return not function and len(variables) == 1
    if not any(variables):
        return function <= 2
    if len(variables) == 1:
        flat = form == "vec" and max(d.groups) <= 2
        return not function or flat or d.groups == (1, 1)
    return d.groups == (0, 1, 1)


def _pairing(writing: Writing, m: _Moving) -> Formula:
    """The derivative as ``writing`` has it, times the differential of its variable."""
    function, *variables = m.derivation.groups
    tree, moved = writing.tree, m.formula()
    if writing.form == "index":
        value, rest = sums.split_number(tree)
        entry = indexed(moved, writing.letters)
        body = algebra.product([rest, entry]) if writing.letters else _before(rest, entry)
        return algebra.product([number(value), sigma(writing.letters, body)])
    if not any(variables):
        return _before(tree, algebra.power(moved, Fraction(len(variables))))
    if len(variables) == 2:
        return algebra.product([algebra.transpose(moved), tree, moved])
    if writing.form == "vec" and variables[0] == 2:
        moved = vec(moved)
    if function:
        return algebra.product([tree, moved])
    if moved.kind == "column":
        return algebra.product([algebra.transpose(tree), moved])
    return _trace(tree, moved)


def _before(tree: Formula, moved: Formula) -> Formula:
    """A formula with a scalar differential after it, where a reader looks for it."""
    if tree == number(1):
        return moved
    if tree.op == "quotient":
        return tree.like([_before(tree.parts[0], moved), tree.parts[1]])
    if tree.op == "number" and not tree.data:
        return tree
    parts = tree.parts if tree.op == "product" else (tree,)
    return Formula("product", (*parts, moved), tree.kind)


def _trace(gradient: Formula, moved: Formula) -> Formula:
    """tr(Gᵀ dX), the numbers in front; for G = u vᵀ it is uᵀ dX v."""
    if gradient.op == "quotient":
        above, below = gradient.parts
        return algebra.product([_trace(above, moved), algebra.reciprocal(below)])
    turned = algebra.transpose(gradient)
    parts = turned.parts if turned.op == "product" else (turned,)
    scalars = [p for p in parts if p.kind == "scalar"]
    chain = [*(p for p in parts if p.kind != "scalar"), moved]
    for k, (left, right) in enumerate(pairwise(chain)):
        if left.kind == "column" and right.kind == "row":
            return algebra.product([*scalars, *chain[k + 1 :], *chain[: k + 1]])
    if turned == number(0):
        return turned
    return algebra.product([*scalars, Formula("trace", (algebra.product(chain),))])
