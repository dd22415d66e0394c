"""Where a result can differ from zero, and how many numbers it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import combinations

from pullback.derivation.factored import Factored, Term
from pullback.expressions.sizes import Shape, Size

MOST_PATTERNS = 10  # different sets of δs that are counted exactly

Pattern = tuple[int, ...]  # for each axis the first axis that it equals


@dataclass(frozen=True)
class Structure:
    """A tensor as a sum of products of smaller tensors and δs: what is stored, what can be non-zero.

    ``entries`` is what the full array would hold, ``stored`` the numbers that the factors hold,
    ``nonzeros`` the entries that can differ from zero for some values of the factors.

    >>> from pullback.derivation.factored import factored
    >>> from pullback.expressions import constructors as make
    >>> V = make.variable("V", ["m", "k"])
    >>> s = Structure.of(factored(make.einsum("qj,qp->ijip", V, V, sizes={"i": "n"})))
    >>> print(s)
    δ_ik ⊗ core_jl: k*k*n*n entries, k*k stored, k*k*n can be non-zero
    """

    factored: Factored

    @classmethod
    def of(cls, factored: Factored) -> Structure:
        return cls(factored)

    @property
    def shape(self) -> Shape:
        return self.factored.shape

    @property
    def entries(self) -> Size:
        return self.factored.entries

    @property
    def stored(self) -> Size:
        return self.factored.stored

    @property
    def dense(self) -> bool:
        """Whether the full array is the shortest way to hold it."""
        return self.factored.dense

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """Which axes must be equal for an entry to be non-zero, once for each set of δs."""
        found = [pattern_of(term) for term in self.factored.terms]
        return tuple(dict.fromkeys(p for p in found if not _within_another(p, found)))

    @property
    def nonzeros(self) -> Size:
        """Entries where one of the terms can be non-zero, those that several share counted once."""
        patterns, shape = self.patterns, self.shape
        if len(patterns) > MOST_PATTERNS:
            return self.entries
        total = Size.of(0)
        for count in range(1, len(patterns) + 1):
            for chosen in combinations(patterns, count):
                volume = _volume(reduce(_both, chosen), shape)
                total = total + volume if count % 2 else total - volume
        return total

    def __str__(self) -> str:
        formula = " + ".join(_written(term) for term in self.factored.terms) or "0"
        return (
            f"{formula}: {self.entries} entries, {self.stored} stored, "
            f"{self.nonzeros} can be non-zero"
        )


def pattern_of(term: Term) -> Pattern:
    """For each axis the first one that a δ makes equal to it."""
    return tuple([term.output.index(label) for label in term.output])


def _within_another(pattern: Pattern, others: list[Pattern]) -> bool:
    """Whether every entry of the pattern is one of another pattern that has more."""
    return any(other != pattern and _both(pattern, other) == pattern for other in others)


def _both(one: Pattern, other: Pattern) -> Pattern:
    """The equalities of two patterns together."""
    root = list(range(len(one)))
    for pattern in (one, other):
        for axis, first in enumerate(pattern):
            low, high = sorted((root[axis], root[first]))
            root = [low if r == high else r for r in root]
    return tuple(root)


def _volume(pattern: Pattern, shape: Shape) -> Size:
    distinct = sorted(set(pattern))
    return reduce(lambda total, axis: total * shape[axis], distinct, Size.of(1))


_LETTERS = "ijklpqrsabcdefgh"


def _written(term: Term) -> str:
    letters = _LETTERS if len(term.output) <= len(_LETTERS) else None
    if letters is None:
        return f"a product of {len(term.factors)} tensors"
    first = pattern_of(term)
    deltas = [f"δ_{letters[a]}{letters[k]}" for k, a in enumerate(first) if a != k]
    cores = []
    for node, labels in term.factors:
        axes = "".join([letters[term.output.index(x)] for x in labels])
        cores.append(f"core_{axes}" if node.order else "core")
    return " ⊗ ".join([*deltas, *cores]) or "1"
