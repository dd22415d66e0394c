"""What stands in a formula in indices, beside what every formula has."""

from __future__ import annotations

from dataclasses import dataclass

from pullback.language.syntax import Syntax
from pullback.language.syntax import parts_of as parts_of_any


@dataclass(frozen=True, slots=True)
class Letter:
    """An index letter and where it stands; ``apart`` in braces, where it may be a size instead."""

    name: str
    start: int
    stop: int
    apart: bool = False


Letters = tuple[Letter, ...]
Indices = tuple[Letter | Syntax, ...]  # a letter, or a form such as i + 1


@dataclass(frozen=True, slots=True)
class Range:
    """Letters of a sum; with ``first`` and ``last`` it is one, and they say how far it runs."""

    letters: Letters
    first: Syntax | None = None
    last: Syntax | None = None


@dataclass(slots=True, eq=False)
class Entry(Syntax):
    """``A_ij``: a word that holds a name and may hold letters; ``indices`` where they are apart."""

    word: str
    indices: Indices | None = None


@dataclass(slots=True, eq=False)
class Whole(Syntax):
    """An entry of what is written without indices; ``start`` finds its text."""

    indices: Indices = ()


@dataclass(slots=True, eq=False)
class Sigma(Syntax):
    range: Range
    body: Syntax


@dataclass(slots=True, eq=False)
class Along(Syntax):
    """``softmax_k(…)_i``: a function of whole vectors or matrices, its argument over letters."""

    function: str
    ranges: tuple[Range, ...]
    arguments: list[Syntax]
    picked: Indices = ()


@dataclass(slots=True, eq=False)
class Bracket(Syntax):
    """``[k = m (j − 1) + i]``: 1 where it holds, else 0; ``relation`` is ``=``, ``≥``, ``≤``, …"""

    left: Syntax
    relation: str
    right: Syntax


def parts_of(item: Syntax) -> list[Syntax]:
    """The parts of an expression, those of indices included."""
    if isinstance(item, Sigma):
        return [item.body]
    return item.arguments if isinstance(item, Along) else parts_of_any(item)
