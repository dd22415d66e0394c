"""Index notation: one entry of a tensor of any order, sums written out with Σ and δ.

The recursion goes down the printed formula only, whose depth :mod:`~pullback.notation.shortening`
bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import count

from pullback.expressions.nodes import Apply, Contraction, Indicator, Node, SizeValue, Sum
from pullback.functions.catalogue import primitive
from pullback.notation import algebra, entrywise, sums
from pullback.notation.applied import applied, size_formula
from pullback.notation.graph import reading_key
from pullback.notation.matrix import MatrixForms
from pullback.notation.names import Name, Names
from pullback.notation.products import Factor, Label, Product, constant_of, opened
from pullback.notation.readings import visible
from pullback.notation.relations import letters_of, relation_formula
from pullback.notation.tree import LAST, Formula, atom, delta, indexed, number, sigma

Letters = tuple[str, ...]
LETTERS = "ijklmnpqrstuvwabcfgh"


class IndexForms:
    """Entries of nodes under one table of names; ``roots`` say which sizes are in use."""

    def __init__(self, names: Names, *roots: Node) -> None:
        self.names = names
        self.matrices = MatrixForms(names)
        self.defined: Node | None = None  # the node whose formula is being written
        self.sizes = {
            name
            for root in roots
            for node in visible(root, names)
            for size in node.shape
            for name in size.names
        }

    def letters(self, used: Iterable[str] = ()) -> Iterator[str]:
        """Index letters that name nothing else and are not in use."""
        used = set(used)
        for k in count():
            marked = [f"{letter}{k}" if k else letter for letter in LETTERS]
            yield from (m for m in self.names.free(marked) if m not in self.sizes | used)

    def free(self, order: int) -> Letters:
        """The letters of the axes of a whole formula, in order."""
        letters = self.letters()
        return tuple(next(letters) for _ in range(order))

    def of(self, root: Node, letters: Letters) -> Formula:
        """The entry of a node at these letters, not by its own name."""
        self.defined = root
        self.matrices = MatrixForms(self.names, root)
        return self._entry(root, letters, frozenset(letters))

    def _entry(self, node: Node, letters: Letters, scope: frozenset[str]) -> Formula:
        named = self._by_name(node, letters)
        if named is not None:
            return named
        value = constant_of(node)
        if value is not None:
            return number(value)
        if isinstance(node, SizeValue):
            return size_formula(node.size)
        if isinstance(node, Indicator):
            return relation_formula(node, letters)
        if isinstance(node, Sum):
            terms = [(c, self._entry(n, letters, scope)) for c, n in node.terms]
            return sums.add([algebra.product([number(Fraction(c)), f]) for c, f in terms])
        if isinstance(node, Contraction):
            return self._product(opened(node, self.names, self.defined), letters, scope)
        assert isinstance(node, Apply)
        if primitive(node).elementwise:
            arguments = [self._entry(n, letters, scope) for n in node.arguments]
            return applied(node, arguments, "scalar")
        return self._function(node, letters, scope)

    def _by_name(self, node: Node, letters: Letters) -> Formula | None:
        if node is self.defined and node.children:
            return None
        name = self.names.name(node)
        if name is not None:
            return indexed(atom(name, "matrix" if letters else "scalar"), letters)
        found = self.names.through(node)
        if found is None or found[1] is self.defined:
            return None
        coefficient, core, axes = found
        entry = self._by_name(core, tuple([letters[axes.index(k)] for k in range(core.order)]))
        return entry and algebra.product([number(Fraction(coefficient)), entry])

    def _function(self, node: Apply, letters: Letters, scope: frozenset[str]) -> Formula:
        """An entry of a function of whole vectors or matrices: softmax(h)_i, [X⁻¹]_ij."""
        record = primitive(node)
        whole = self.matrices.of(node)
        if whole is not None:
            return indexed(algebra.fewest_transposes(whole), letters)
        batch = letters[: node.order - len(record.signature.result)]
        fresh = self.letters(scope)
        arguments = []
        bound: list[str] = []
        for argument, core in zip(node.arguments, record.signature.arguments, strict=True):
            own = [next(fresh) for _ in core]
            bound += own
            arguments.append(self._entry(argument, (*batch, *own), scope | set(own)))
        marks = "".join(bound)
        text, latex = record.symbol or record.name, record.latex
        if "{0}" in latex or not latex:
            latex = rf"\operatorname{{{record.name}}}"
        name = Name(f"{text}_{marks}", f"{latex}_{{{marks}}}", f"{record.name}_{marks}")
        return indexed(entrywise.function(name, arguments, "scalar"), letters[len(batch) :])

    def _product(self, product: Product, letters: Letters, scope: frozenset[str]) -> Formula:
        at: dict[Label, str] = {}
        deltas = []
        for label, letter in zip(product.output, letters, strict=True):
            if at.setdefault(label, letter) != letter:
                deltas.append(delta(at[label], letter))
        scalars: list[Formula] = [number(product.value)]
        scalars += [size_formula(product.sizes[k]) for k in product.counts]
        closed: list[Formula] = []
        groups = connected(product)
        free = self.letters(scope)
        bound = self._bind(
            at, [f for place, fs in groups if place < len(letters) for f in fs], free
        )
        opens: list[tuple[tuple[int, ...], list[Formula]]] = []
        for place, factors in groups:
            inside = scope | frozenset(bound)
            own = dict(at)
            if place == len(letters):  # a factor by itself: its letters can be used again
                own_bound = self._bind(own, factors, self.letters(inside))
                entries = self._entries(factors, own, inside | set(own_bound))
                form = _summed(own_bound, entries, own, product)
                (closed if form.op != "number" and own_bound else scalars).append(form)
                continue
            entries = self._entries(factors, own, inside)
            key = reading_key(entries[0])[:2] if len(entries) == 1 else (1, -LAST)
            opens.append(((place, *key, min(e.rank for e in entries)), entries))
        opens.sort(key=lambda group: group[0])
        entries = [e for _, es in opens for e in es]
        if len(closed) == 1 and not bound:
            return algebra.product([*scalars, *deltas, *entries, *closed])
        return algebra.product([*scalars, *closed, *deltas, _summed(bound, entries, at, product)])

    def _bind(
        self, at: dict[Label, str], factors: Iterable[Factor], free: Iterator[str]
    ) -> list[str]:
        """Letters for the labels that have none yet, in the order in which they appear."""
        bound = []
        for label in [k for f in factors for k in f.labels]:
            if label not in at:
                at[label] = next(free)
                bound.append(at[label])
        return bound

    def _entries(
        self, factors: Sequence[Factor], at: dict[Label, str], scope: frozenset[str]
    ) -> list[Formula]:
        entries = [self._entry(f.node, tuple([at[k] for k in f.labels]), scope) for f in factors]
        chained = any(len(f.labels) > 1 for f in factors)
        return entries if chained else sorted(entries, key=reading_key)


def held_letters(entries: Iterable[Formula]) -> set[str]:
    """The index letters that appear in formulas, bound ones included."""
    found: set[str] = set()
    pending = list(entries)
    while pending:
        formula = pending.pop()
        pending.extend(formula.parts)
        if formula.op in ("indexed", "delta"):
            found.update(formula.data)
        elif formula.op == "bracket":
            found.update(letters_of(formula))
    return found


def _summed(
    bound: Sequence[str], entries: Sequence[Formula], at: dict[Label, str], product: Product
) -> Formula:
    """Σ over the bound letters of the product of the entries, a number taken out.

    A letter that the product does not hold multiplies it by its range.
    """
    body = algebra.product(entries)
    if not bound:
        return body
    held = held_letters([body])
    label_of = {letter: label for label, letter in at.items()}
    ranges = [size_formula(product.sizes[label_of[k]]) for k in bound if k not in held]
    value, rest = sums.split_number(body)
    return algebra.product([number(value), *ranges, sigma([k for k in bound if k in held], rest)])


def connected(product: Product) -> list[tuple[int, list[Factor]]]:
    """The factors in groups that share summed labels, each in order along its chain.

    With each group comes the first output axis it touches, or the number of axes if none. A
    group starts with a factor on that axis and goes on along shared labels.
    """
    position: dict[Label, int] = {}
    for k, label in enumerate(product.output):
        position.setdefault(label, k)
    end = len(product.output)
    by_label: dict[Label, list[int]] = {}
    for k, factor in enumerate(product.factors):
        for label in set(factor.labels) - set(position):
            by_label.setdefault(label, []).append(k)
    places = [
        (min([position.get(label, end) for label in f.labels], default=end), *_simple(f), k)
        for k, f in enumerate(product.factors)
    ]
    groups: list[tuple[int, list[Factor]]] = []
    done: set[int] = set()
    for place, *_, start in sorted(places):
        if start in done:
            continue
        done.add(start)
        chain, k = [start], 0
        while k < len(chain):
            for label in product.factors[chain[k]].labels:
                near = [i for i in by_label.get(label, ()) if i not in done]
                chain += sorted(near, key=lambda i: _simple(product.factors[i]))
                done.update(near)
            k += 1
        groups.append((place, [product.factors[i] for i in chain]))
    return groups


def _simple(factor: Factor) -> tuple[int, bool]:
    """Vectors before matrices, and 1 − g after g."""
    node = factor.node
    broken = isinstance(node, Sum) and any(constant_of(n) is not None for _, n in node.terms)
    return len(factor.labels), broken
