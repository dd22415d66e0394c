"""What a name in front of parentheses means: a function, entries of a value, or a factor.

``f(x)`` is a call of a function. Where the name is a value, ``A(1, 2)`` and ``x(end)`` are entries,
as in MATLAB, and in formulas with factors side by side ``A(x − b)`` is a product. ``A(n)`` with a
size could be either, and is refused.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches

from pullback.language.building import BESIDE
from pullback.language.faults import Fault
from pullback.language.sized import placed, sized
from pullback.language.syntax import (
    Block,
    Call,
    Index,
    Literal,
    Name,
    Product,
    Source,
    Syntax,
    parts_of,
    replace_parts,
    syntax_of,
)

END = "end"  # in places, the last one of the axis


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of the names beside a text.

    ``known`` are declared, ``sizes`` are named as sizes. ``shared`` are functions that are meant
    only where no value has their name. ``beside``: factors may stand side by side. ``stated``: the
    text is printed by us, where a product with a size puts the size first.
    """

    known: Collection[str] = ()
    sizes: Collection[str] = ()
    functions: Collection[str] = ()
    shared: Collection[str] = ()
    beside: bool = False
    stated: bool = False


def settle(source: Source, context: Context) -> None:
    """Decides for every name in front of parentheses; where they are printed, I is the identity.

    A name that appears only in front of parentheses stays a call, of a function that nobody knows,
    unless places stand between them: ``x(1)*x(2)``.
    """
    values = {*context.known, *(line.name for line in source.lines)}
    values |= {item.name for item in source.declarations}
    declared = frozenset(values)
    identity = context.beside and "I" not in values
    values |= {item.name for item in syntax_of(source) if isinstance(item, Name)}
    values |= {
        item.function
        for item in syntax_of(source)
        if isinstance(item, Call) and _can_only_be_entries(item, context)
    }
    if identity:
        values.discard("I")

    called = values - (set(context.functions) - set(context.shared))

    def replaced(item: Syntax) -> Syntax:
        if isinstance(item, Name) and item.name == "I" and identity:
            return Call(item.start, item.stop, "eye", [])
        if isinstance(item, Name | Index) and context.beside:
            found = sized(item, declared, context.sizes) if isinstance(item, Name) else None
            return found or placed(item, declared, context.sizes) or item
        if isinstance(item, Call) and item.function in called:
            return _of_value(item, context)
        return item

    for line in source.lines:
        line.expression = replaced(line.expression)
    for item in syntax_of(source):
        replace_parts(item, replaced)
        if isinstance(item, Name) and item.name == END:
            hint = "it stands between the parentheses of an index, as in x(2:end)"
            raise Fault("'end' is the last place of an axis", item.start, item.stop, hint)


def _can_only_be_entries(call: Call, context: Context) -> bool:
    """``x(end)``; and ``x(1)``, as long as x is not rather a function misspelt."""
    if any(map(_holds_end, call.arguments)):
        return True
    places = bool(call.arguments) and all(map(_is_place, call.arguments))
    return places and not get_close_matches(call.function, context.functions, n=1)


def _of_value(call: Call, context: Context) -> Syntax:
    """A value in front of parentheses: its entries, a product, or still a call."""
    name = Name(call.start, call.start + len(call.function), call.function)
    at = (name.stop, call.stop)
    entries = Index(call.start, call.stop, name, call.arguments, at)
    if len(call.arguments) > 1 or any(map(_is_place, call.arguments)):
        return entries
    if not call.arguments:
        return call
    (inner,) = call.arguments
    if _made_of(inner, context.sizes):
        if context.stated:
            return entries
        raise Fault(
            f"{call.function}(…) has two readings: an entry, or a product",
            call.start,
            call.stop,
            f"write {call.function}(n:n) for the entry at place n, {call.function}*n for the product",
        )
    if not context.beside:
        return call
    if call.suffixed:
        hint = f"write {call.function} (…) with a space, or ({call.function}*(…))"
        raise Fault(f"'{call.function}(…)' has two readings here", call.start, call.stop, hint)
    return Product(call.start, call.stop, BESIDE, name, inner, (inner.start, inner.start + 1))


def _is_place(item: Syntax) -> bool:
    """Whether it can only be a place: a whole number, a list of them, or a distance from the end."""
    if isinstance(item, Literal):
        return isinstance(item.value, int)
    if isinstance(item, Block):
        return all(_is_place(part) for part in parts_of(item))
    return _holds_end(item)


def _holds_end(item: Syntax) -> bool:
    if isinstance(item, Block):
        return any(map(_holds_end, parts_of(item)))
    names, others = _leaves(item)
    return END in names and not others


def _made_of(item: Syntax, sizes: Collection[str]) -> bool:
    names, others = _leaves(item)
    return bool(names) and names <= set(sizes) and not others


def _leaves(item: Syntax) -> tuple[set[str], list[Syntax]]:
    """The names in a sum or product, and what in it is neither name nor number."""
    names: set[str] = set()
    others: list[Syntax] = []
    stack = [item]
    while stack:
        part = stack.pop()
        below = [] if isinstance(part, Call | Block | Index) else parts_of(part)
        stack += below
        if isinstance(part, Name):
            names.add(part.name)
        elif not below and not isinstance(part, Literal):
            others.append(part)
    return names, others
