"""Functions of the catalogue as formulas: powers, inverses and roots have a notation of their own."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from pullback.expressions.nodes import Apply
from pullback.expressions.sizes import Size
from pullback.functions.catalogue import primitive
from pullback.functions.record import Function
from pullback.notation import algebra, entrywise, sums, wholes
from pullback.notation.names import Name, latex_name
from pullback.notation.tree import Formula, Kind, atom, number

_POWERS = {"inv": Fraction(-1), "sqrtm": Fraction(1, 2)}  # of whole matrices


def applied(node: Apply, arguments: Sequence[Formula], kind: Kind) -> Formula:
    """The function of ``node`` of these arguments."""
    if primitive(node).elementwise:
        arguments = entrywise.side_by_side(arguments)
    if node.function == "power":
        base, exponent = arguments
        if exponent.op == "number":
            return entrywise.entry_power(base, exponent.data)
        return entrywise.entry_power(base, exponent)
    if node.function in _POWERS:
        return algebra.power(arguments[0], _POWERS[node.function])
    record = primitive(node)
    if not node.arguments:
        return atom(Name(record.symbol or record.name, record.latex, record.name), "scalar")
    by_rows = not record.elementwise and bool(node.order - len(record.signature.result))
    along = 2 if by_rows else 0
    latex = record.latex or rf"\operatorname{{{record.name}}}"
    name = Name(record.symbol or record.name, latex, record.name)
    if kind == "scalar" and not record.elementwise:
        arguments = [wholes.fewest_transposes(a) for a in arguments]
    turns = not _of_matrices(record) or (record.turns and kind == "matrix")
    return entrywise.function(name, arguments, kind, along, turns)


def _of_matrices(record: Function) -> bool:
    return any(len(core) > 1 for core in record.signature.arguments)


def size_formula(size: Size) -> Formula:
    """A size as a scalar formula."""
    terms = []
    for monomial, coefficient in size.terms:
        names = [atom(Name(n, latex_name(n), n, counts=True), "scalar") for n in monomial]
        terms.append(algebra.product([number(coefficient), *names]))
    return sums.add(terms)
