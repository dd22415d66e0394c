"""Which entries of a derivative can differ from zero, whatever the variables hold.

Read off the δs, the slices and triangles of a result and the assumptions on its variables: an
entry outside the pattern is a structural zero; one inside may still be 0 at some point.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain, combinations, product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.derivation.factored import Term
from pullback.derivation.factoring import factored
from pullback.expressions.nodes import Contraction, Indicator, Node, Sum, Variable
from pullback.expressions.relations import Relation, relation_of, surely
from pullback.expressions.sizes import Shape, Size

MOST_PARTS = 6  # patterns whose overlaps are still counted
DEEPEST = 4  # factors within factors that are looked into
ONE = Size.of(1)


@dataclass(frozen=True)
class Count:
    """A number of entries, a polynomial of sizes ``over`` a number; not ``exact``: at most that.

    >>> n = Size.of("n")
    >>> str(Count(n * n + n, 2)), str(Count(2 * n, 2)), str(Count(n, exact=False))
    ('(n*n + n)/2', 'n', 'at most n')
    """

    total: Size
    over: int = 1
    exact: bool = True

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        return self.total.evaluate(sizes) // self.over

    def __add__(self, other: Count) -> Count:
        total = other.over * self.total + self.over * other.total
        return Count(total, self.over * other.over, self.exact and other.exact)

    def __neg__(self) -> Count:
        return Count(-self.total, self.over, self.exact)

    def __str__(self) -> str:
        total, over = self.total, self.over
        while over % 2 == 0 and (half := total.divided(2)) is not None:
            total, over = half, over // 2
        text = str(total) if over == 1 else f"({total})/{over}"
        return text if self.exact else f"at most {text}"


@dataclass(frozen=True)
class Part:
    """The pattern of one term: axes with one label are equal, and the relations hold."""

    labels: tuple[int, ...]
    relations: tuple[Relation, ...] = ()
    granted: frozenset[Size] = frozenset()  # sizes that the statement says are not negative

    def sizes(self, shape: Shape) -> tuple[dict[Hashable, Size], bool]:
        """The size of each label, and whether it is certain: of equal axes the shortest counts."""
        sizes: dict[Hashable, Size] = {}
        certain = True
        for label, size in zip(self.labels, shape, strict=True):
            known = sizes.setdefault(label, size)
            if surely(known - size, self.granted):
                sizes[label] = size
            elif not surely(size - known, self.granted):
                certain = False
        return sizes, certain

    def holds(self, other: Part) -> bool:
        """Whether the other pattern lies inside this one."""
        image = dict[Hashable, Hashable]()
        for mine, its in zip(self.labels, other.labels, strict=True):
            if image.setdefault(mine, its) != its:
                return False
        known = {r.meaning for r in other.relations}
        return all(r.renamed(image).meaning in known for r in self.relations)

    def meet(self, other: Part) -> Part:
        """The entries that are in both."""
        name: dict[Hashable, int] = {k: k for k in range(len(self.labels))}
        for labels in (self.labels, other.labels):
            for k, label in enumerate(labels):
                first, second = name[labels.index(label)], name[k]
                name = {x: first if y == second else y for x, y in name.items()}
        relations = [
            r.renamed({x: name[part.labels.index(x)] for x in part.labels})
            for part in (self, other)
            for r in part.relations
        ]
        kept = {r.meaning: r for r in relations}
        return Part(tuple(name.values()), tuple(kept.values()), self.granted | other.granted)

    def count(self, shape: Shape) -> Count:
        """How many entries it has."""
        sizes, exact = self.sizes(shape)
        free = dict(sizes)
        open_ = list(self.relations)
        triangles, over = ONE, 1
        while open_:
            relation = open_.pop()
            always = relation.always(sizes)
            if always is False:
                return Count(Size.of(0))
            if always:
                continue
            settled = _determined(relation, free)
            if settled is not None:
                label, value = settled
                del free[label]
                open_ = [r.with_label(label, value) for r in open_]
                continue
            twice = _triangle(relation, free)
            if twice is None or any(set(r.labels) & set(relation.labels) for r in open_):
                exact = False
                continue
            triangles, over = triangles * twice, 2 * over
            for label in relation.labels:
                del free[label]
        return Count(_product([triangles, *free.values()]), over, exact)

    def mask(self, sizes: Sequence[int], names: Mapping[str, int]) -> NDArray[np.bool_]:
        """True where an entry can differ from zero."""
        places: list[Any] = list(np.ogrid[tuple(slice(n) for n in sizes)]) if sizes else []
        first = [self.labels.index(label) for label in self.labels]
        mask = np.ones(tuple(sizes), dtype=bool)
        for k, f in enumerate(first):
            if f != k:
                mask &= places[k] == places[f]
        for relation in self.relations:
            value = relation.offset.evaluate(names) + sum(
                (
                    c.evaluate(names) * places[self.labels.index(x)]
                    for x, c in relation.coefficients
                ),
                start=np.zeros(1, dtype=int).reshape((1,) * len(sizes)),
            )
            mask &= value == 0 if relation.equality else value >= 0
        return mask


def _determined(
    relation: Relation, free: Mapping[Hashable, Size]
) -> tuple[Hashable, Relation] | None:
    """A label that the others determine, always within its axis."""
    for label in relation.labels:
        value = relation.solved_for(label)
        if value is None or label not in free or not set(value.labels) <= set(free):
            continue
        if value.within(free[label], free):
            return label, value
    return None


def _triangle(relation: Relation, free: Mapping[Hashable, Size]) -> Size | None:
    """Twice the number of index pairs of [i ≥ j] or [i > j] over one size."""
    if relation.equality or len(relation.coefficients) != 2:
        return None
    (a, c), (b, d) = relation.coefficients
    same = a in free and b in free and free[a] == free[b]
    if not same or {str(c), str(d)} != {"1", "-1"} or relation.offset.constant not in (0, -1):
        return None
    n = free[a]
    return n * n + n if relation.offset.constant == 0 else n * n - n


@dataclass(frozen=True)
class Pattern:
    """The entries that can differ from zero: those of any of the parts."""

    shape: Shape
    parts: tuple[Part, ...]

    @property
    def full(self) -> bool:
        """Whether nothing is known to be zero."""
        return any(len(set(p.labels)) == len(p.labels) and not p.relations for p in self.parts)

    def count(self) -> Count:
        """How many there are, by inclusion and exclusion; an upper bound where that is unknown."""
        if not self.parts:
            return Count(Size.of(0))
        if self.full or len(self.parts) > MOST_PARTS:
            return Count(_product(self.shape), exact=self.full)
        total = Count(Size.of(0))
        for many in range(1, len(self.parts) + 1):
            for chosen in combinations(self.parts, many):
                met = reduce(Part.meet, chosen).count(self.shape)
                total = total + (met if many % 2 else -met)
        if total.exact or len(self.parts) == 1:
            return total
        deltas = [replace(part, relations=()) for part in self.parts]  # the rest only takes away
        return replace(_of(self.shape, deltas).count(), exact=False)

    def mask(self, names: Mapping[str, int]) -> NDArray[np.bool_]:
        """True where an entry can differ from zero, for given sizes."""
        sizes = [size.evaluate(names) for size in self.shape]
        masks = [part.mask(sizes, names) for part in self.parts]
        return np.logical_or.reduce(masks) if masks else np.zeros(tuple(sizes), dtype=bool)


def pattern(node: Node, deepest: int = DEEPEST) -> Pattern:
    """Where a tensor can differ from zero, read off its formula.

    >>> from pullback.expressions import constructors as make
    >>> x = make.variable("x", ["n"])
    >>> jacobian = make.einsum("k->iik", x, sizes={"i": "m"})  # ∂(W x)_i/∂W_jk = δ_ij x_k
    >>> found = pattern(jacobian)
    >>> str(found.count()), found.mask({"m": 2, "n": 1})[..., 0].tolist()
    ('m*n', [[True, False], [False, True]])
    """
    summands = [n for _, n in node.terms] if isinstance(node, Sum) else [node]
    terms = [term for summand in summands for term in factored(summand).terms]
    return _of(node.shape, [part for term in terms for part in _parts(term, deepest)])


def _of(shape: Shape, given: Iterable[Part]) -> Pattern:
    """The pattern of these parts, those inside others left out."""
    parts: list[Part] = []
    for part in given:
        if not any(known.holds(part) for known in parts):
            parts = [known for known in parts if not part.holds(known)] + [part]
    return Pattern(shape, tuple(parts))


def _parts(term: Term, deepest: int) -> list[Part]:
    """What the δs, indicators, sums and declared shapes among the factors of one term say."""
    choices = _ways([_said(node, labels, deepest) for node, labels in term.factors])
    return [_joined(term.output, relations) for relations in choices]


Choices = list[list[Relation]]  # one of these lists of relations holds where an entry is not zero


def _said(node: Node, labels: Sequence[Hashable], deepest: int) -> Choices:
    """What a factor under labels says of where it is not zero."""
    if isinstance(node, Indicator):
        return [[relation_of(node, labels)]]
    if isinstance(node, Variable) and node.order == 2:
        return [_declared(node.assumptions, *labels)]
    if isinstance(node, Sum) and node.terms and deepest:
        return [
            [*_ties(part.labels, labels), *_renamed(part, labels)]
            for part in pattern(node, deepest - 1).parts
        ]
    if isinstance(node, Contraction) and deepest:
        scope = object()  # a summed label is nobody else's
        inner: dict[int, Hashable] = {k: (scope, k) for k in node.summed}
        for k, label in zip(node.output, labels, strict=True):
            inner.setdefault(k, label)
        said = [_said(n, [inner[k] for k in ls], deepest - 1) for n, ls in node.operands]
        own = {inner[k] for k in node.output}
        seen = [[r for r in one if own.issuperset(r.labels)] for one in _ways(said)]
        return [[*_ties(node.output, labels), *one] for one in seen]
    return [[]]


def _ways(choices: Sequence[Choices]) -> Choices:
    """Every choice of one from each; none of them where these are too many."""
    if prod(map(len, choices)) > MOST_PARTS:
        return [[]]
    return [list(chain.from_iterable(one)) for one in product(*choices)]


def _ties(inner: Sequence[int], labels: Sequence[Hashable]) -> list[Relation]:
    """The δs of a factor: its equal axes under other labels."""
    first = [inner.index(label) for label in inner]
    return [_equality(labels[f], labels[k]) for k, f in enumerate(first) if f != k]


def _renamed(part: Part, labels: Sequence[Hashable]) -> list[Relation]:
    """The relations of a factor under the labels it stands under."""
    own: dict[Hashable, Hashable] = {
        label: labels[part.labels.index(label)] for label in part.labels
    }
    return [r.renamed(own) for r in part.relations]


def _joined(output: Sequence[int], relations: Iterable[Relation]) -> Part:
    """The output under these relations, equal labels made one."""
    name: dict[Hashable, int] = {label: label for label in output}
    rest, granted = [], frozenset[Size]()
    for relation in relations:
        granted |= relation.granted
        pair = _equal(relation)
        if pair is None:
            rest.append(relation)
            continue
        kept, gone = name[pair[0]], name[pair[1]]
        name = {x: kept if y == gone else y for x, y in name.items()}
    own: dict[Hashable, Hashable] = {**name}
    renamed = {r.meaning: r for r in (r.renamed(own) for r in rest) if r.coefficients}
    return Part(tuple([name[x] for x in output]), tuple(renamed.values()), granted)


def _equality(one: Hashable, other: Hashable) -> Relation:
    return Relation.of([(one, ONE), (other, -ONE)], Size.of(0), equality=True)


def _product(sizes: Iterable[Size]) -> Size:
    return reduce(lambda a, b: a * b, sizes, ONE)


def _declared(words: Iterable[str], row: Hashable, column: Hashable) -> list[Relation]:
    zero, found = Size.of(0), []
    if "diagonal" in words:
        found.append(_equality(row, column))
    if "lower" in words:
        found.append(Relation.of([(row, ONE), (column, -ONE)], zero, equality=False))
    if "upper" in words:
        found.append(Relation.of([(row, -ONE), (column, ONE)], zero, equality=False))
    return found


def _equal(relation: Relation) -> tuple[int, int] | None:
    """The two labels that a relation says are equal."""
    if not relation.equality or relation.offset != Size.of(0) or len(relation.coefficients) != 2:
        return None
    (a, c), (b, d) = relation.coefficients
    return (a, b) if c == -d and c.constant in (1, -1) else None  # type: ignore[return-value]  # labels are numbers here
