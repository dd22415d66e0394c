"""Rows about sums of quotients: over one denominator, where numerators then collect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from pullback.expressions import constructors as make
from pullback.expressions.nodes import Node, Number, SizeValue, Sum
from pullback.simplification.factors import base_and_exponent, like_factors
from pullback.simplification.measure import measure
from pullback.simplification.products import Factor, Label, Opened, tags
from pullback.simplification.terms import like_terms

MOST_TERMS, MOST_EXPANDED = 6, 24
HIGHEST = 3  # the power of a denominator that is multiplied out
Base = tuple[Node, tuple[int, ...]]  # with its axes, as places among those of the sum
Term = tuple[Number, Node]


def one_denominator(node: Node) -> Node | None:
    """a/d² − b/d = (a − b d)/d², entry by entry, where a − b d multiplied out is shorter.

    Several denominators at once are preferred: (1 − y)/(1 − p) − y/p = (p − y)/(p (1 − p)).
    """
    if not isinstance(node, Sum) or not 2 <= len(node.terms) <= MOST_TERMS:
        return None
    if not any("divided" in tags(term) for _, term in node.terms):
        return None
    fractions = [_Fraction(c, term) for c, term in node.terms]
    below = [*dict.fromkeys(b for f in fractions for b, e in f.exponents.items() if e < 0)]
    choices = [[base] for base in below if _opens(base[0])]
    if len(below) > 1 and choices:
        choices.insert(0, below)
    best: Node | None = None
    for bases in choices:
        for all_sums in (False, True):
            found = _over(bases, fractions, node, all_sums)
            if found is not None:
                break
        if found is not None and (best is None or measure(found)[:2] < measure(best)[:2]):
            best = found
    return best


def reciprocal_of_quotients(node: Node) -> Node | None:
    """(a + b/c)⁻¹ = c (a c + b)⁻¹, and so for other whole negative powers, entry by entry."""
    base, exponent = base_and_exponent(node)
    if base is node or not isinstance(base, Sum) or not isinstance(exponent, int) or exponent > 0:
        return None
    if not 2 <= len(base.terms) <= MOST_TERMS:
        return None
    fractions = [_Fraction(c, term) for c, term in base.terms]
    least: dict[Base, Fraction] = {}
    for f in fractions:
        for key, e in f.exponents.items():
            if e < 0 and not _opens(key[0]) and not isinstance(key[0], SizeValue):
                least[key] = min(e, least.get(key, e))
    if not least:
        return None
    terms: list[Term] = []
    for f in fractions:
        powers = [f.exponents.get(b, Fraction(0)) - e for b, e in least.items()]
        terms += f.times([*least], powers, all_sums=False)
    axes = tuple(range(node.order))
    factors: list[Factor] = [(make.power(make.add(terms, base.shape), exponent), axes)]
    for (below, places), e in least.items():
        factors.append((make.power(below, make.exact_number(e * exponent)), places))
    return make.contract(factors, axes)


def _opens(node: Node) -> bool:
    return isinstance(node, Sum) and len(node.terms) > 1


class _Fraction:
    """A term of the sum, with those of its factors that stand on axes of the whole."""

    def __init__(self, coefficient: Number, term: Node) -> None:
        self.coefficient = coefficient
        self.opened = Opened(term)
        self.exponents: dict[Base, Fraction] = {}
        self.at: dict[Base, list[int]] = {}
        for k in self.opened.leaves():
            part = self.opened.parts[k]
            base, exponent = base_and_exponent(part.node)
            if {*part.labels} <= {*self.opened.output}:
                key = base, tuple([self.opened.output.index(x) for x in part.labels])
                self.exponents[key] = self.exponents.get(key, Fraction(0)) + Fraction(exponent)
                self.at.setdefault(key, []).append(k)

    def times(
        self, bases: Sequence[Base], powers: Sequence[Fraction], all_sums: bool
    ) -> Iterator[Term]:
        """The term without some bases, times powers of them multiplied out, and perhaps its sums."""
        opened, output = self.opened, {*self.opened.output}
        without = tuple([k for base in bases for k in self.at.get(base, ())])
        factors = opened.others(without)
        opens = {n for n, labels in factors if all_sums and {*labels} <= output and _opens(n)}
        for (base, places), power in zip(bases, powers, strict=True):
            labels = tuple([opened.output[place] for place in places])
            if _opens(base):
                opens.add(base)
                factors += [(base, labels)] * int(power)
            elif power:
                factors.append((make.power(base, make.exact_number(power)), labels))
        sizes = opened.sizes_above(without)
        products: list[tuple[Number, list[Factor]]] = [(self.coefficient, [])]
        for node, own in factors:
            terms = node.terms if node in opens and isinstance(node, Sum) else ((1, node),)
            products = [(c * k, [*held, (t, own)]) for c, held in products for k, t in terms]
            if len(products) > MOST_EXPANDED:
                return
        for c, held in products:
            inner, core = make.split_coefficient(make.contract(held, opened.output, sizes))
            yield c * inner, like_factors(core) or core


def _over(
    bases: Sequence[Base], fractions: Sequence[_Fraction], node: Sum, all_sums: bool
) -> Node | None:
    """The sum over the highest powers of its denominators, if its numerators then collect."""
    lowest = [min(f.exponents.get(base, Fraction(0)) for f in fractions) for base in bases]
    terms: list[Term] = []
    for f in fractions:
        powers = [f.exponents.get(b, Fraction(0)) - e for b, e in zip(bases, lowest, strict=True)]
        if any(
            _opens(b) and (p.denominator > 1 or p > HIGHEST)
            for (b, _), p in zip(bases, powers, strict=True)
        ):
            return None
        added = list(f.times(bases, powers, all_sums))
        if not added or len(terms) + len(added) > MOST_EXPANDED:
            return None
        terms += added
    above = make.add(terms, node.shape)
    above = like_terms(above) or above
    if isinstance(above, Sum) and len(above.terms) >= len(terms):
        return None
    axes: tuple[Label, ...] = tuple(range(node.order))
    below = [
        (make.power(base, make.exact_number(e)), places)
        for (base, places), e in zip(bases, lowest, strict=True)
    ]
    return make.contract([*below, (above, axes)], axes)
