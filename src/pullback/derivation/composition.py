"""What a result is made of: numbers that are stored, and where it can differ from zero."""

from __future__ import annotations

from functools import cached_property

from pullback.derivation.factored import Factored, Term
from pullback.derivation.factoring import factored
from pullback.derivation.sparsity import Count, pattern
from pullback.expressions.nodes import Node


class Composition(Factored):
    """A tensor as a sum of products of smaller tensors and δs.

    ``entries`` is what the full array would hold, ``stored`` the numbers that the factors hold,
    ``nonzeros`` the entries that can differ from zero for some values of the factors.

    >>> from pullback.expressions import constructors as make
    >>> V = make.variable("V", ["m", "k"])
    >>> print(Composition.of(make.einsum("qj,qp->ijip", V, V, sizes={"i": "n"})))
    δ_ik ⊗ core_jl: k*k*n*n entries, k*k stored, k*k*n can be non-zero
    """

    @classmethod
    def of(cls, node: Node) -> Composition:
        tensor = factored(node)
        return cls(tensor.shape, tensor.terms)

    @cached_property
    def nonzeros(self) -> Count:
        """Entries that can be non-zero, those that several terms share counted once."""
        return pattern(self.node()).count()

    def __str__(self) -> str:
        formula = " + ".join(_written(term) for term in self.terms) or "0"
        return (
            f"{formula}: {self.entries} entries, {self.stored} stored, "
            f"{self.nonzeros} can be non-zero"
        )


_LETTERS = "ijklpqrsabcdefgh"


def _written(term: Term) -> str:
    letters = _LETTERS if len(term.output) <= len(_LETTERS) else None
    if letters is None:
        return f"a product of {len(term.factors)} tensors"
    first = [term.output.index(label) for label in term.output]
    deltas = [f"δ_{letters[a]}{letters[k]}" for k, a in enumerate(first) if a != k]
    cores = []
    for node, labels in term.factors:
        axes = "".join([letters[term.output.index(x)] for x in labels])
        cores.append(f"core_{axes}" if node.order else "core")
    return " ⊗ ".join([*deltas, *cores]) or "1"
