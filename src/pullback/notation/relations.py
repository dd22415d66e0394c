"""Indicators in index notation: [k = m (j − 1) + i], with indices that count from 1."""

from __future__ import annotations

from collections.abc import Sequence

from pullback.expressions.nodes import Indicator
from pullback.expressions.sizes import Size
from pullback.notation import algebra, sums
from pullback.notation.applied import size_formula
from pullback.notation.names import Name
from pullback.notation.tree import Formula, atom, bracket

INDEX = -(10**6)  # the rank of an index letter: it stands before every size


def relation_formula(node: Indicator, letters: Sequence[str]) -> Formula:
    """The relation an indicator states of these index letters, negative terms on the other side.

    A digit that counts from 0 appears as i − 1 where its place value is a size: m (j − 1) + i.
    """
    sides: tuple[list[Formula], list[Formula]] = ([], [])
    offset = node.offset
    for letter, c in zip(letters, node.coefficients, strict=True):
        negative = (-c).at_least(1)
        size = -c if negative else c
        index = atom(Name(letter, letter, letter, INDEX), "scalar")
        if size.constant is None:
            index = sums.add([index, size_formula(Size.of(-1))])
        else:
            offset = offset - c
        sides[negative].append(algebra.product([size_formula(size), index]))
    left, right = sides
    for monomial, count in offset.terms:
        part = Size([(monomial, abs(count))])
        sides[count < 0].append(size_formula(part))
    relation = "=" if node.equality else "≥"
    if node.equality and len(left) > len(right):
        left, right = right, left
    return bracket(sums.add(left), relation, sums.add(right))


def letters_of(formula: Formula) -> set[str]:
    """The index letters in the brackets of a formula."""
    found: set[str] = set()
    pending = [formula]
    while pending:
        part = pending.pop()
        pending.extend(part.parts)
        if part.op == "atom" and part.data.rank == INDEX:
            found.add(part.data.text)
    return found
