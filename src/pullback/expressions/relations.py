"""Relations between the indices of a product: what an Indicator says once it has labels.

A label that only relations hold is eliminated where the sum over it is known, so that a slice of
a slice is one slice, and an axis that is merged and split again is as it was. Each rule is an
equality of 0/1 tensors, stated beside it; none looks at the other factors of the product.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from pullback.expressions.nodes import Indicator, intern
from pullback.expressions.sizes import Size

Label = Hashable
ZERO, ONE = Size.of(0), Size.of(1)


@dataclass(frozen=True)
class Relation:
    """[Σ cₓ x + offset = 0], or [… ≥ 0], over labels x that count from 0.

    ``granted`` are sizes known to be at least 0, as those of an Indicator.
    """

    coefficients: tuple[tuple[Label, Size], ...]
    offset: Size
    equality: bool
    granted: frozenset[Size] = frozenset()

    @classmethod
    def of(
        cls,
        terms: Iterable[tuple[Label, Size]],
        offset: Size,
        equality: bool,
        granted: Iterable[Size] = (),
    ) -> Relation:
        """The relation with one coefficient for each label, none of them 0."""
        collected: dict[Label, Size] = {}
        for label, c in terms:
            collected[label] = collected.get(label, ZERO) + c
        kept = tuple([(x, c) for x, c in collected.items() if c != ZERO])
        return cls(kept, offset, equality, frozenset(granted))

    @property
    def labels(self) -> list[Label]:
        return [x for x, _ in self.coefficients]

    @property
    def meaning(self) -> frozenset[object]:
        """Equal for relations that say the same in the same numbers, whatever their order or sign."""
        ways = [self, self.negated()] if self.equality else [self]
        return frozenset([(frozenset(way.coefficients), way.offset) for way in ways])

    def coefficient(self, label: Label) -> Size:
        return dict(self.coefficients).get(label, ZERO)

    def renamed(self, name: Mapping[Label, Label]) -> Relation:
        terms = [(name.get(x, x), c) for x, c in self.coefficients]
        return Relation.of(terms, self.offset, self.equality, self.granted)

    def solved_for(self, label: Label) -> Relation | None:
        """The relation ``label = Σ …`` as its right-hand side, or None if it cannot be solved."""
        c = self.coefficient(label)
        if not self.equality or c not in (ONE, -ONE):
            return None
        rest = [(x, -(c * d)) for x, d in self.coefficients if x != label]
        return Relation.of(rest, -(c * self.offset), equality=True, granted=self.granted)

    def with_label(self, label: Label, value: Relation) -> Relation:
        """The relation with a linear form put in place of a label."""
        c = self.coefficient(label)
        rest = [(x, d) for x, d in self.coefficients if x != label]
        inner = [(x, c * d) for x, d in value.coefficients]
        offset, granted = self.offset + c * value.offset, self.granted | value.granted
        return Relation.of([*rest, *inner], offset, self.equality, granted)

    def least(self, sizes: Mapping[Label, Size]) -> Size | None:
        """A number that the linear form is never below; None where a sign is unknown."""
        total = self.offset
        for x, c in self.coefficients:
            if (-c).at_least(0):
                total = total + c * (sizes[x] - 1)
            elif not c.at_least(0):
                return None
        return total

    def greatest(self, sizes: Mapping[Label, Size]) -> Size | None:
        least = self.negated().least(sizes)
        return None if least is None else -least

    def negated(self) -> Relation:
        """The relation of the negated linear form."""
        terms = tuple([(x, -c) for x, c in self.coefficients])
        return Relation(terms, -self.offset, self.equality, self.granted)

    def always(self, sizes: Mapping[Label, Size]) -> bool | None:
        """True or False where the relation is the same for all indices, else None."""
        least, greatest = self.least(sizes), self.greatest(sizes)
        if greatest is not None and surely(-greatest - 1, self.granted):
            return False
        if self.equality:
            if least is not None and surely(least - 1, self.granted):
                return False
            return True if not self.coefficients and self.offset == ZERO else None
        return True if least is not None and surely(least, self.granted) else None

    def within(self, size: Size, sizes: Mapping[Label, Size]) -> bool:
        """Whether the linear form is an index of an axis of this size, whatever its own indices."""
        least, greatest = self.least(sizes), self.greatest(sizes)
        if least is None or greatest is None:
            return False
        return surely(least, self.granted) and surely(size - 1 - greatest, self.granted)


def surely(size: Size, granted: Iterable[Size]) -> bool:
    """Whether a size is at least 0 by itself, or as a sum of at most two that are granted."""
    if size.at_least(0):
        return True
    rests = [size - known for known in granted]
    return any(rest.at_least(0) for rest in rests) or any(
        (rest - known).at_least(0) for rest in rests for known in granted
    )


def relation_of(node: Indicator, labels: Sequence[Label]) -> Relation:
    """What an indicator says of these labels."""
    terms = zip(labels, node.coefficients, strict=True)
    return Relation.of(terms, node.offset, node.equality, node.granted)


def indicator_of(relation: Relation, sizes: Mapping[Label, Size]) -> tuple[Indicator, list[Label]]:
    """The node of a relation, its axes in canonical order, and the labels of these axes."""
    ways = [relation, relation.negated()] if relation.equality else [relation]
    keyed = []
    for way in ways:
        terms = sorted(way.coefficients, key=lambda term: (term[1].terms, sizes[term[0]].terms))
        keyed.append(([(c.terms, sizes[x].terms) for x, c in terms], way.offset.terms, terms, way))
    _, _, terms, way = min(keyed, key=lambda entry: entry[:2])
    labels = [x for x, _ in terms]
    node = intern(
        Indicator,
        tuple([sizes[x] for x in labels]),
        coefficients=tuple([c for _, c in terms]),
        offset=way.offset,
        equality=way.equality,
        granted=tuple(sorted(way.granted, key=lambda size: size.terms)),
    )
    return node, labels


@dataclass
class Settled:
    """Relations with nothing left to eliminate; None for a product that is 0."""

    relations: list[Relation] | None
    same: list[tuple[Label, Label]]  # pairs of labels that are equal: δs
    summed: set[Label]  # labels whose sum has been carried out


def settle(
    relations: Iterable[Relation], held: AbstractSet[Label], sizes: Mapping[Label, Size]
) -> Settled:
    """The relations of a product, reduced; ``held`` labels are in other factors or the output."""
    # the only index of an axis of size 1 is 0
    lone = Relation((), ZERO, equality=True)
    open_ = []
    for given in relations:
        relation = given
        for label in given.labels:
            if sizes[label].constant == 1:
                relation = relation.with_label(label, lone)
        open_.append(relation)
    same: list[tuple[Label, Label]] = []
    summed: set[Label] = set()
    held = set(held)
    while True:
        kept = []
        for relation in open_:
            known = relation.always(sizes)
            if known is False:
                return Settled(None, same, summed)
            if known is None:
                kept.append(relation)
        open_ = list({r.meaning: r for r in kept}.values())
        pairs = next((p for r in open_ if (p := _equal_labels(r, sizes))), None)
        if pairs is not None:
            name = {gone: kept_ for kept_, gone in pairs}
            same += pairs
            held = {name.get(x, x) for x in held}
            open_ = [r.renamed(name) for r in open_]
            continue
        after = _without_some_labels(open_, held, sizes)
        if after is None:
            return Settled(open_, same, summed)
        open_, gone = after
        summed |= gone


def _equal_labels(relation: Relation, sizes: Mapping[Label, Size]) -> list[tuple[Label, Label]]:
    """Σ cₓ x = Σ cₓ x′ says x = x′ for each pair, where Σ cₓ x tells all its indices apart."""
    if not relation.equality or relation.offset != ZERO:
        return []
    plus = [(x, c) for x, c in relation.coefficients if c.at_least(1)]
    minus = [(x, -c) for x, c in relation.coefficients if (-c).at_least(1)]
    if len(plus) != len(minus) or len(plus) + len(minus) != len(relation.coefficients):
        return []
    pairs = []
    for x, c in plus:
        partner = next((y for y, d in minus if d == c and sizes[y] == sizes[x]), None)
        if partner is None:
            return []
        minus.remove((partner, c))
        pairs.append((x, partner))
    return pairs if mixed_radix(dict(plus), sizes, exactly=None) is not None else []


def mixed_radix(
    terms: Mapping[Label, Size], sizes: Mapping[Label, Size], exactly: Size | None
) -> list[Label] | None:
    """The digits of Σ cₓ x, fastest first, where the sum differs for different indices; else None.

    With ``exactly`` the sum must take each of 0, …, exactly − 1.
    """
    rest = dict(terms)
    order: list[Label] = []
    below = ONE  # 1 + the largest number that the digits so far can make
    while rest:
        if exactly is None:
            least = (x for x, c in rest.items() if all(d.at_least(c) for d in rest.values()))
            digit = next((x for x in least if rest[x].at_least(below)), None)
        else:
            digit = next((x for x, c in rest.items() if c == below), None)
        if digit is None:
            return None
        order.append(digit)
        c = rest.pop(digit)
        below = below + c * (sizes[digit] - 1)
    return order if exactly is None or below == exactly else None


def _without_some_labels(
    relations: list[Relation], held: AbstractSet[Label], sizes: Mapping[Label, Size]
) -> tuple[list[Relation], set[Label]] | None:
    """The relations with the sum over one label, or over the digits of a number, carried out."""
    for label in dict.fromkeys(x for r in relations for x in r.labels):
        if label in held:
            continue
        # Σₓ [x = e] R(x) = R(e), where 0 ≤ e < size always holds
        for relation in relations:
            value = relation.solved_for(label)
            if value is not None and value.within(sizes[label], sizes):
                others = [r for r in relations if r is not relation]
                return [r.with_label(label, value) for r in others], {label}
    for relation in relations:
        # Σ over all digits of k: [k = Σ digits] R(Σ digits) = R(k), and alone it is 1
        number, digits = _number_and_digits(relation, held, sizes)
        if number is None:
            continue
        others = [r for r in relations if r is not relation]
        changed = [_with_number(r, relation, number, digits) for r in others]
        if None not in changed:
            return [r for r in changed if r is not None], digits
    return None


def _number_and_digits(
    relation: Relation, held: AbstractSet[Label], sizes: Mapping[Label, Size]
) -> tuple[Label | None, set[Label]]:
    """k and the labels of [k = Σ cₓ x], where these are free digits that make each k once."""
    if relation.offset != ZERO:
        return None, set()
    for number in relation.labels:
        value = relation.solved_for(number)
        if value is None or not value.coefficients or not held.isdisjoint(value.labels):
            continue
        if mixed_radix(dict(value.coefficients), sizes, exactly=sizes[number]) is not None:
            return number, set(value.labels)
    return None, set()


def _with_number(
    other: Relation, relation: Relation, number: Label, digits: set[Label]
) -> Relation | None:
    """``other`` with the number in place of its digits; None if it holds them in another way."""
    if digits.isdisjoint(other.labels):
        return other
    for sign in (ONE, -ONE):
        scaled = {x: -(sign * relation.coefficient(number) * c) for x, c in relation.coefficients}
        if all(other.coefficient(x) == scaled[x] for x in digits):
            rest = [(x, c) for x, c in other.coefficients if x not in digits]
            granted = other.granted | relation.granted
            return Relation.of([*rest, (number, sign)], other.offset, other.equality, granted)
    return None
