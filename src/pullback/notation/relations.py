"""Indices and the relations between them in index notation, where indices count from 1.

An index is a linear form in letters: a letter by itself, or i + 1, n − i + 1, i + m (j − 1). Such
forms and the relations between them are kept as in :mod:`pullback.expressions.relations`, where
letters count from 0; here they become formulas. What is printed:

- an index that is no single letter or number stands in braces, and then commas part the indices:
  ``x_{i+1}``, ``A_{1,j}`` (ASCII ``x[i+1]``, ``A[1,j]``);
- a relation stands in brackets, ``[i ≥ 2]``, ``[k = 2 i]`` (ASCII ``[i >= 2]``, ``[k == 2*i]``), and is
  1 or 0; where it is 0 its product is 0, even if an index in it points nowhere; ``i = j`` is ``δ_ij``;
- a sum says the range of its letter if that is nowhere the whole index of an axis that has this
  range, or is that of a longer one:
  ``Σ_{i=1}^{n−1} tanh(x_{i+1})`` (ASCII ``sum_{i=1}^{n-1}(tanh(x[i+1]))``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pullback.expressions.relations import ONE, ZERO, Label, Relation
from pullback.expressions.sizes import Size
from pullback.notation import algebra, sums
from pullback.notation.applied import size_formula
from pullback.notation.names import Name
from pullback.notation.tree import Formula, Index, atom, bracket, delta

INDEX = -(10**6)  # the rank of an index letter: it stands before every size


def plain(label: Label) -> Relation:
    """The index that is one label."""
    return Relation(((label, ONE),), ZERO, equality=True)


def letter_of(index: Relation) -> str | None:
    """The letter that an index is, if it is one."""
    if index.offset != ZERO or len(index.coefficients) != 1:
        return None
    ((letter, c),) = index.coefficients
    return str(letter) if c == ONE else None


def put_in(form: Relation, values: Mapping[Any, Relation]) -> Relation:
    """A linear form with linear forms in place of its labels."""
    terms, offset = [], form.offset
    for label, c in form.coefficients:
        value = values[label]
        terms += [(x, c * d) for x, d in value.coefficients]
        offset = offset + c * value.offset
    return Relation.of(terms, offset, form.equality)


def index_formula(index: Relation) -> Index:
    """An index as it stands in a subscript: a letter, or a formula that counts from 1."""
    letter = letter_of(index)
    if letter is not None:
        return letter
    plus, minus, rest = _terms(index)
    return sums.add([*plus, *map(algebra.negate, minus), size_formula(rest + 1)])


def relation_formula(relation: Relation, sign: str = "δ") -> Formula:
    """A relation between letters: a bracket, or δ where it says that two letters are equal.

    ``sign`` is how δ is written.
    """
    letters = sorted(map(str, relation.labels))
    signs = {c for _, c in relation.coefficients}
    if relation.equality and relation.offset == ZERO and signs == {ONE, -ONE} and len(letters) == 2:
        return delta(letters[0], letters[1], sign)
    left, right, rest = _terms(relation)
    compared = "=" if relation.equality else "≥" if left else "≤"
    if left and right:
        for monomial, count in rest.terms:
            (right if count < 0 else left).append(size_formula(Size([(monomial, abs(count))])))
    elif left:
        right = [size_formula(-rest)]
    else:
        left, right = right, [size_formula(rest)]
    if relation.equality and len(left) > len(right) > 1:
        left, right = right, left
    return bracket(sums.add(left), compared, sums.add(right))


def _terms(form: Relation) -> tuple[list[Formula], list[Formula], Size]:
    """The terms with letters, positive ones and negative ones, and what is left for letters from 1.

    A digit that counts from 0 appears as i − 1 where its place value is a size: m (j − 1) + i.
    """
    sides: tuple[list[Formula], list[Formula]] = ([], [])
    rest = form.offset
    for letter, c in form.coefficients:
        negative = (-c).at_least(1)
        size = -c if negative else c
        index = atom(Name(str(letter), str(letter), str(letter), INDEX), "scalar")
        if size.constant is None:
            index = sums.add([index, size_formula(Size.of(-1))])
        else:
            rest = rest - c
        sides[negative].append(algebra.product([size_formula(size), index]))
    return (*sides, rest)


def letters_of(formula: Formula) -> set[str]:
    """The index letters in the brackets and subscripts of a formula."""
    found: set[str] = set()
    pending = [formula]
    while pending:
        part = pending.pop()
        pending.extend(part.parts)
        if part.op == "atom" and part.data.rank == INDEX:
            found.add(part.data.text)
        elif part.op == "delta":
            found.update(part.data[:2])
        elif part.op == "indexed":
            found.update(index for index in part.data if isinstance(index, str))
            pending.extend(index for index in part.data if isinstance(index, Formula))
    return found
