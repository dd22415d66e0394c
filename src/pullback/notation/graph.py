"""A product over labels, reduced to products of matrices.

Labels are the vertices of a graph: a vector is a weight on a label, a matrix an edge between two.
Summing a label with at most two edges leaves a smaller graph: a vector that a matrix was applied
to, or an edge that is a product of matrices. What cannot be reduced so has no matrix form.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from pullback.expressions.sizes import Size
from pullback.notation import algebra, entrywise, wholes
from pullback.notation.algebra import product, transpose
from pullback.notation.orders import reading_order
from pullback.notation.tree import Formula, identity, ones

Label = int


@dataclass(frozen=True)
class Edge:
    """A matrix with its row label and its column label."""

    row: Label
    column: Label
    matrix: Formula

    def seen_from(self, label: Label) -> Formula:
        """The matrix with ``label`` as its row label."""
        return self.matrix if self.row == label else transpose(self.matrix)

    def other(self, label: Label) -> Label:
        return self.column if self.row == label else self.row


@dataclass(frozen=True)
class Numbering:
    """A label that numbers the indices of others, its digits, of which the first varies fastest."""

    number: Label
    digits: tuple[Label, ...]


class Graph:
    """Scalars, vectors by label, and edges; ``kept`` labels are not summed."""

    def __init__(self, sizes: dict[Label, Size], kept: Iterable[Label]) -> None:
        self.sizes = sizes
        self.kept = list(dict.fromkeys(kept))
        self.scalars: list[Formula] = []
        self.vectors: dict[Label, list[Formula]] = {label: [] for label in self.kept}
        self.edges: dict[Label, list[Edge]] = {label: [] for label in self.kept}
        self.waiting: list[Label] = []  # labels still to be summed
        self.numberings: list[Numbering] = []  # labels that number several others

    def put(self, formula: Formula, labels: tuple[Label, ...]) -> None:
        """One factor: a scalar, a column on a label, or a matrix between two."""
        if not labels:
            self.scalars.append(formula)
            return
        for label in labels:
            self.vectors.setdefault(label, [])
            self.edges.setdefault(label, [])
        if len(labels) == 1:
            self.vectors[labels[0]].append(formula)
        elif labels[0] == labels[1]:
            self.edges[labels[0]].append(Edge(labels[0], labels[1], formula))
        else:
            self._connect(Edge(labels[0], labels[1], formula))

    def _connect(self, edge: Edge) -> None:
        self.edges[edge.row].append(edge)
        self.edges[edge.column].append(edge)

    def merge(self, numbering: Numbering) -> None:
        """Tie a label to the labels that it numbers."""
        for label in (numbering.number, *numbering.digits):
            self.vectors.setdefault(label, [])
            self.edges.setdefault(label, [])
        self.numberings.append(numbering)

    def remove(self, edge: Edge) -> None:
        self.edges[edge.row].remove(edge)
        if edge.column != edge.row:
            self.edges[edge.column].remove(edge)

    def separate(self, some: Iterable[Label], others: Iterable[Label]) -> bool:
        """Whether no edge and no shared label ties two groups of kept labels."""
        some, others = set(some), set(others)
        return not some & others and not any(
            e.other(label) in others for label in some for e in self.edges[label]
        )

    def reduce(self) -> bool:
        """Sum all labels but the kept ones; False if some label has too many edges.

        Labels that are merged into one, or made of one, wait until :mod:`.kronecker` parts them.
        """
        tied = {x for n in self.numberings for x in (n.number, *n.digits)}.union(self.kept)
        self.waiting = [label for label in self.vectors if label not in tied]
        while self.waiting:
            # short ends first, those that carry a vector before bare ones
            self.waiting.sort(key=lambda v: (len(self.edges[v]), not self.vectors[v], v))
            for label in self.waiting:
                if self._sum(label):
                    self._forget(label)
                    break
            else:
                return False
        if self.numberings:
            return False
        for label in self.kept:
            self._loops(label)
            self._merge(label)
        return True

    def _sum(self, label: Label) -> bool:
        edges = self.edges[label]
        loops = [e for e in edges if e.row == e.column]
        if loops and len(edges) == 1 and not self.vectors[label]:
            self.remove(loops[0])
            self.scalars.append(wholes.trace(loops[0].matrix))
            return True
        self._loops(label)
        if self._trace(label) or self._diagonal(label):
            return True
        self._merge(label)
        edges = self.edges[label]
        if len(edges) > 2:
            return False
        vectors = self.vectors.pop(label)
        if not edges:
            self.scalars.append(dot(vectors, self.sizes[label]))
        elif len(edges) == 1:
            (edge,) = edges
            self.remove(edge)
            weight = column(vectors, self.sizes[label])
            self.vectors[edge.other(label)].append(
                product([transpose(edge.seen_from(label)), weight])
            )
        else:
            first, second = edges
            self.remove(first)
            self.remove(second)
            before, after = first.seen_from(label), second.seen_from(label)
            chain = wholes.around(
                before, column(vectors, self.sizes[label]) if vectors else None, after
            )
            self._connect(Edge(first.other(label), second.other(label), product(chain)))
        return True

    def _loops(self, label: Label) -> None:
        """Edges from a label to itself are the diagonals of their matrices."""
        for edge in [e for e in self.edges[label] if e.row == e.column]:
            self.edges[label].remove(edge)
            self.vectors[label].append(wholes.diag(edge.matrix))

    def _merge(self, label: Label) -> None:
        """Parallel edges as one elementwise product."""
        groups: dict[Label, list[Edge]] = {}
        for edge in self.edges[label]:
            groups.setdefault(edge.other(label), []).append(edge)
        for other, edges in groups.items():
            if len(edges) > 1:
                for edge in edges:
                    self.remove(edge)
                plain = entrywise.hadamard(reading_order(e.seen_from(label) for e in edges))
                self._connect(Edge(label, other, plain))

    def _trace(self, label: Label) -> bool:
        """A closed pair of matrices with nothing else on its two labels: tr(Aᵀ B) or ‖A‖²."""
        edges = self.edges[label]
        if len(edges) < 2 or len({e.other(label) for e in edges}) > 1 or self.vectors[label]:
            return False
        other = edges[0].other(label)
        if other in self.kept or self.vectors[other] or len(self.edges[other]) != len(edges):
            return False
        first, *rest = reading_order(e.seen_from(label) for e in edges)
        second = rest[0] if len(rest) == 1 else entrywise.hadamard(rest)
        self.scalars.append(_frobenius(first, second))
        self._forget(other)  # both labels are summed now
        return True

    def _diagonal(self, label: Label) -> bool:
        """A pair of matrices to one other label: the diagonal of Mᵀ N where that is shorter."""
        if len(self.edges[label]) != 2:
            return False
        first, second = self.edges[label]
        other = first.other(label)
        if label == other or second.other(label) != other:
            return False
        weight = column(self.vectors[label], self.sizes[label])
        plain = entrywise.hadamard(reading_order(e.seen_from(other) for e in (first, second)))
        middle = [wholes.diag(weight)] if self.vectors[label] else []
        found = wholes.diag(product([first.seen_from(other), *middle, second.seen_from(label)]))
        if found.size >= product([plain, weight]).size:
            return False
        self.remove(first)
        self.remove(second)
        self.vectors.pop(label)
        self.vectors[other].append(found)
        return True

    def _forget(self, label: Label) -> None:
        self.waiting.remove(label)
        self.vectors.pop(label, None)
        self.edges.pop(label, None)


def _frobenius(a: Formula, b: Formula) -> Formula:
    if a == b:
        return algebra.power(algebra.norm(a), Fraction(2))
    candidates = [
        product([transpose(a), b]),
        product([transpose(b), a]),
        product([a, transpose(b)]),
    ]
    return wholes.trace(min(candidates, key=lambda f: f.transposes))


def dot(vectors: list[Formula], size: Size) -> Formula:
    """The sum of the entries of the elementwise product of columns."""
    ordered = reading_order(vectors)
    if not ordered:
        return product([transpose(ones(size)), ones(size)])
    if len(ordered) == 1:
        return product([transpose(ones(size)), ordered[0]])
    if (absolute := entrywise.absolute_power(ordered)) is not None:
        return algebra.total(absolute, [size])
    divisors = [v for v in ordered if v.op == "division"]
    plain = [v for v in ordered if v.op != "division"]
    if len(plain) == 1 and divisors:
        return algebra.total(entrywise.hadamard([*plain, *divisors]), [size])
    if not plain:
        return algebra.total(entrywise.hadamard(divisors), [size])
    # the simplest factor on one side: xᵀ(…)
    first = min(plain, key=lambda v: (v.op != "atom", v.size, v.reading))
    rest = [v for k, v in enumerate(ordered) if k != ordered.index(first)]
    second = rest[0] if len(rest) == 1 else entrywise.hadamard(rest)
    left, right = product([transpose(first), second]), product([transpose(second), first])
    return min(left, right, key=lambda f: (f.transposes, f.reading))


def column(vectors: list[Formula], size: Size) -> Formula:
    """The elementwise product of the vectors on a label; the column of ones for none."""
    if not vectors:
        return ones(size)
    return entrywise.hadamard(reading_order(vectors))


def assembled(graph: Graph, kept: tuple[int, ...]) -> list[Formula]:
    """The factors of a reduced graph with its one or two output axes."""
    if not kept:
        return []
    if len(kept) == 1:
        return [column(graph.vectors[kept[0]], graph.sizes[kept[0]])]
    row, col = kept
    if row == col:
        vectors = graph.vectors[row]
        if not vectors:
            return [identity(graph.sizes[row])]
        whole = column(vectors, graph.sizes[row])
        if whole.op == "diag":  # of a matrix: what stands beside its diagonal becomes zero
            return [entrywise.hadamard([*whole.parts, identity(graph.sizes[row])])]
        return [wholes.diag(whole)]
    left, right = graph.vectors[row], graph.vectors[col]
    if not graph.edges[row]:
        return [
            column(left, graph.sizes[row]),
            algebra.transpose(column(right, graph.sizes[col])),
        ]
    (edge,) = graph.edges[row]
    matrix = edge.seen_from(row)
    entrywise_ = matrix.op in ("atom", "function", "hadamard", "entrypower", "division")
    if (left and right and entrywise_) or ((left or right) and entrywise.is_mask(matrix)):
        # diag(a) B diag(b) is B ⊙ a bᵀ
        outer = algebra.product(
            [column(left, graph.sizes[row]), algebra.transpose(column(right, graph.sizes[col]))]
        )
        return [entrywise.hadamard([matrix, outer])]
    after = [wholes.diag(column(right, graph.sizes[col]))] if right else []
    if after and not left and (spread := wholes.weighted(matrix, after[0])) is not None:
        return [spread]
    if not left:
        return [matrix, *after]
    weight = column(left, graph.sizes[row])
    return [*(wholes.covariance(weight, matrix) or [wholes.diag(weight), matrix]), *after]
