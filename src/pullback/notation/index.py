"""Index notation: one entry of a tensor of any order, sums written out with Σ and δ.

The recursion goes down the printed formula only, whose depth :mod:`~pullback.notation.shortening`
bounds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import count

from pullback.expressions.nodes import Apply, Contraction, Indicator, Node, SizeValue, Sum
from pullback.expressions.relations import Relation, relation_of
from pullback.expressions.sizes import Size
from pullback.functions.catalogue import primitive
from pullback.notation import algebra, entrywise, sums, wholes
from pullback.notation.applied import applied, size_formula
from pullback.notation.chains import (
    ALONE,
    COUNTING,
    Contents,
    Letters,
    Place,
    connected,
    counting_order,
)
from pullback.notation.matrix import MatrixForms
from pullback.notation.names import Name, Names
from pullback.notation.orders import Tie, reading_key
from pullback.notation.printing import written
from pullback.notation.products import Label, Product, constant_of, opened
from pullback.notation.readings import visible
from pullback.notation.relations import (
    index_formula,
    letter_of,
    letters_of,
    plain,
    put_in,
    relation_formula,
)
from pullback.notation.solving import Entry, solved
from pullback.notation.styles import ASCII, LATEX, UNICODE, Style
from pullback.notation.tree import LAST, Formula, atom, indexed, number, sigma, sigma_to

Indices = tuple[Relation, ...]  # linear forms in letters


class IndexForms:
    """Entries of nodes under one table of names; ``roots`` say which sizes are in use."""

    def __init__(self, names: Names, *roots: Node) -> None:
        self.names = names
        self.matrices = MatrixForms(names)
        self.defined: Node | None = None  # the node whose formula is being written
        self.extent: dict[str, Size] = {}  # how far each letter runs
        self.standing: set[str] = set()  # letters that are the whole index of such an axis
        self.shorter: set[str] = set()  # letters that are the whole index of a longer axis
        self.contents = Contents(names)
        self.sum = "∑" if "Σ" in names.taken else "Σ"
        self.delta = "I" if {"δ", "delta"} & names.taken else "δ"
        self.reserved = {
            name
            for root in roots
            for node in visible(root, names)
            for size in node.shape
            for name in size.names
        } | _tails(names.taken)

    def letters(self, used: Iterable[str] = ()) -> Iterator[str]:
        """Index letters that name nothing else and are not in use."""
        used = set(used)
        for k in count():
            marked = [f"{letter}{k}" if k else letter for letter in COUNTING]
            yield from (m for m in self.names.free(marked) if m not in self.reserved | used)

    def free(self, order: int) -> Letters:
        """The letters of the axes of a whole formula, in order."""
        letters = self.letters()
        return tuple(next(letters) for _ in range(order))

    def of(self, root: Node, letters: Letters) -> Formula:
        """The entry of a node at these letters, not by its own name."""
        self.defined = root
        self.matrices = MatrixForms(self.names, root)
        self.extent = dict(zip(letters, root.shape, strict=True))
        self.standing, self.shorter = set(), set()
        return self._entry(root, tuple(map(plain, letters)), frozenset(letters))

    def _entry(self, node: Node, at: Indices, scope: frozenset[str]) -> Formula:
        named = self._by_name(node, at)
        if named is not None:
            return named
        value = constant_of(node)
        if value is not None:
            return number(value)
        if isinstance(node, SizeValue):
            return size_formula(node.size)
        if isinstance(node, Indicator):
            labels = range(node.order)
            return relation_formula(
                put_in(relation_of(node, labels), dict(zip(labels, at, strict=True))), self.delta
            )
        if isinstance(node, Sum):
            terms = [(c, self._entry(n, at, scope)) for c, n in node.terms]
            return sums.add([algebra.product([number(Fraction(c)), f]) for c, f in terms])
        if isinstance(node, Contraction):
            return self._product(opened(node, self.names, self.defined), at, scope)
        assert isinstance(node, Apply)
        if primitive(node).elementwise:
            arguments = [self._entry(n, at, scope) for n in node.arguments]
            return applied(node, arguments, "scalar")
        return self._function(node, at, scope)

    def _at(self, formula: Formula, node: Node, at: Indices, skip: int = 0) -> Formula:
        """The entry of a formula of a whole node, but for its first axes."""
        for index, size in zip(at, node.shape, strict=True):
            letter = letter_of(index)
            if letter is not None:
                (self.standing if self.extent.get(letter) == size else self.shorter).add(letter)
        return indexed(formula, [index_formula(index) for index in at[skip:]])

    def _by_name(self, node: Node, at: Indices) -> Formula | None:
        if node is self.defined and node.children:
            return None
        name = self.names.name(node)
        if name is not None:
            return self._at(atom(name, "matrix" if at else "scalar"), node, at)
        found = self.names.through(node)
        if found is None or found[1] is self.defined:
            return None
        coefficient, core, axes = found
        entry = self._by_name(core, tuple([at[axes.index(k)] for k in range(core.order)]))
        return entry and algebra.product([number(Fraction(coefficient)), entry])

    def _function(self, node: Apply, at: Indices, scope: frozenset[str]) -> Formula:
        """An entry of a function of whole vectors or matrices: softmax(h)_i, [X⁻¹]_ij."""
        record = primitive(node)
        whole = self.matrices.of(node)
        if whole is not None:
            return self._at(wholes.fewest_transposes(whole), node, at)
        batch = at[: node.order - len(record.signature.result)]
        fresh = self.letters(scope)
        arguments = []
        bound: list[str] = []
        for argument, core in zip(node.arguments, record.signature.arguments, strict=True):
            own = [self._letter(fresh, size) for size in argument.shape[len(batch) :]]
            bound += own
            indices = (*batch, *map(plain, own[: len(core)]))
            arguments.append(self._entry(argument, indices, scope | set(own)))
        symbol = "" if "{0}" in record.symbol else record.symbol
        named = record.latex if record.latex and "{0}" not in record.latex else ""
        named = f"{{{named}}}" if "_" in named else named  # it takes one subscript
        name = Name(
            (symbol or record.name) + self._along(bound, UNICODE),
            (named or rf"\operatorname{{{record.name}}}") + self._along(bound, LATEX),
            record.name + self._along(bound, ASCII),
        )
        whole = entrywise.function(name, arguments, "scalar")
        return self._at(whole, node, at, skip=len(batch))

    def _along(self, letters: Sequence[str], style: Style) -> str:
        """The letters over which a function takes its argument, with their ranges if need be."""
        if (self.standing - self.shorter).issuperset(letters):
            marks = "".join(letters)
            return f"_{{{marks}}}" if style is LATEX else f"_{marks}"
        last = {k: written(size_formula(self.extent[k]), style) for k in letters}
        return "".join(f"_{{{k}=1}}^{{{last[k]}}}" for k in letters)

    def _letter(self, free: Iterator[str], size: Size) -> str:
        """The next free letter, for a range."""
        letter = next(free)
        self.extent[letter] = size
        self.standing.discard(letter)
        self.shorter.discard(letter)
        return letter

    def _product(self, product: Product, indices: Indices, scope: frozenset[str]) -> Formula:
        at: dict[Label, Relation] = {}
        deltas = []
        for label, index in sorted(zip(product.output, indices, strict=True), key=_by_letters):
            if at.setdefault(label, index) != index:
                difference = put_in(_MINUS, {0: at[label], 1: index})
                deltas.append(relation_formula(difference, self.delta))
        found = solved(product)
        if found is None:
            return number(0)
        alone = [size_formula(product.sizes[k]) for k in product.counts]
        groups = connected(found, at, self.contents)
        free = self.letters(scope)
        touching = [e for place, es in groups if place != ALONE for e in es]
        bound = self._bind(at, touching, product, free)
        opens: list[tuple[tuple[object, ...], list[Formula]]] = []
        for place, factors in groups:
            inside = scope | frozenset(bound)
            if place == ALONE:  # a factor by itself: its letters can be used again
                own = dict(at)
                own_bound = self._bind(own, factors, product, self.letters(inside))
                entries = self._entries(factors, own, inside | set(own_bound))
                alone.append(self._summed(own_bound, entries))
                continue
            entries = self._entries(factors, at, inside)
            key = reading_key(entries[0])[:2] if len(entries) == 1 else (1, -LAST)
            opens.append(((place, *key, min(e.rank for e in entries)), entries))
        opens.sort(key=lambda group: group[0])
        entries = [e for _, es in opens for e in es]
        entries.sort(key=lambda e: e.op not in ("bracket", "delta"))
        closed = sorted(filter(_is_sum, alone), key=_scalar_order)
        scalars = [f for f in alone if f not in closed]
        scalars = [number(product.value), *sorted(scalars, key=_scalar_order)]
        if len(closed) == 1 and not bound:
            return algebra.product([*scalars, *deltas, *entries, *closed])
        return algebra.product([*scalars, *closed, *deltas, self._summed(bound, entries)])

    def _bind(
        self,
        at: dict[Label, Relation],
        factors: Iterable[Entry],
        product: Product,
        free: Iterator[str],
    ) -> list[str]:
        """Letters for the labels that have none yet, in the order in which they appear.

        The axes of a sum may run either way, so they follow those of the other factors.
        """
        bound = []
        settled = sorted(factors, key=lambda f: isinstance(f.node, Sum))
        for label in [k for f in settled for k in f.labels]:
            if label not in at:
                bound.append(self._letter(free, product.sizes[label]))
                at[label] = plain(bound[-1])
        return bound

    def _entries(
        self, factors: Sequence[Entry], at: dict[Label, Relation], scope: frozenset[str]
    ) -> list[Formula]:
        conditions, entries = [], []
        for f in factors:
            indices = tuple([put_in(index, at) for index in f.indices])
            if f.node is None:
                conditions.append(relation_formula(indices[0], self.delta))
            else:
                entries.append(self._entry(f.node, indices, scope))
        chained = any(len(f.labels) > 1 for f in factors)
        return [*conditions, *(entries if chained else sorted(entries, key=reading_key))]

    def _summed(self, bound: Sequence[str], entries: Sequence[Formula]) -> Formula:
        """Σ over the bound letters of the product of the entries, a number taken out.

        A letter that the product does not hold multiplies it by its range.
        """
        body = algebra.product(entries)
        if not bound:
            return body
        held = letters_of(body)
        ranges = [size_formula(self.extent[k]) for k in bound if k not in held]
        value, rest = sums.split_number(body)
        evident = self.standing - self.shorter  # letters whose range is plain to see
        for letter in reversed(bound):
            if letter in held - evident:
                rest = sigma_to(letter, size_formula(self.extent[letter]), rest, self.sum)
        total = sigma([k for k in bound if k in held & evident], rest, self.sum)
        return algebra.product([number(value), *ranges, total])


_MINUS = Relation.of([(0, Size.of(1)), (1, Size.of(-1))], Size.of(0), equality=True)


def _is_sum(f: Formula) -> bool:
    """Whether it is Σ, or a power or product of such."""
    parts = f.parts if f.op in ("power", "root", "product", "quotient") else ()
    return f.op == "sigma" or any(map(_is_sum, parts))


def _scalar_order(f: Formula) -> tuple[object, ...]:
    """1 − g after g; beyond that by what is read."""
    broken = f.op == "sum" and any(part.op == "number" for part in f.parts)
    return broken, sorted(f.reading), f.size, f.letters, Tie(f)


def _by_letters(pair: tuple[Label, Relation]) -> list[Place]:
    return sorted(counting_order(str(x)) for x in pair[1].labels)


def _tails(names: Collection[str]) -> set[str]:
    """The letters of x_i where that is a name beside x: entries of x have others."""
    parts = [name.rpartition("_") for name in names]
    return {letter for head, _, tail in parts if head in names for letter in tail}
