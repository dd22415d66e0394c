"""From an expression to matrix notation, where it has one.

Vectors are columns; a node whose name is written as a row enters as the transpose of that row.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from pullback.expressions.nodes import (
    Apply,
    Contraction,
    Indicator,
    Node,
    SizeValue,
    Sum,
    Variable,
)
from pullback.functions.catalogue import primitive
from pullback.notation import algebra, entrywise, sums, wholes
from pullback.notation.applied import applied, size_formula
from pullback.notation.graph import Graph, assembled
from pullback.notation.kronecker import reduced
from pullback.notation.merging import indicator_form, put_indicator
from pullback.notation.names import Names
from pullback.notation.orders import scalar_order
from pullback.notation.products import Product, constant_of, distributed, opened
from pullback.notation.tree import ONE, Formula, Kind, atom, number, ones

KINDS: dict[int, Kind] = {0: "scalar", 1: "column", 2: "matrix"}
MOST_FACTORS = 400  # a product of more has no matrix form that anyone would read


class MatrixForms:
    """Matrix forms of nodes under one table of names, each found once."""

    def __init__(self, names: Names, defined: Node | None = None) -> None:
        self.defined = defined  # the node whose definition is written: never by its own name
        self.names = names.of_matrices()
        self._known: dict[Node, Formula | None] = {}
        self._products: dict[Node, list[Product]] = {}

    def of(self, root: Node) -> Formula | None:
        """The formula of ``root``, not by its own name; None if it has no matrix form."""
        if root in self.names and root is not self.defined:
            return MatrixForms(self.names, root).of(root)
        return self._settle(root, named=False)

    def known(self) -> Iterable[tuple[Node, Formula | None]]:
        """The nodes whose forms were found so far."""
        return self._known.items()

    def _settle(self, root: Node, named: bool) -> Formula | None:
        if named and root in self._known:
            return self._known[root]
        stack = [root]
        while stack:
            node = stack[-1]
            if node in self._known and node is not root:
                stack.pop()
                continue
            leaf = isinstance(node, Variable)
            by_name = self._by_name(node) if node is not root or named or leaf else None
            if by_name is not None or leaf or node.order > 2:
                self._known[node] = by_name
                stack.pop()
                continue
            missing = [n for n in self._needs(node) if n not in self._known and n is not root]
            if missing:
                stack.extend(missing)
                continue
            form = self._form(node)
            stack.pop()
            if node is root:
                if named or self._by_name(root) is None:
                    self._known[root] = form
                return form
            self._known[node] = form
        return self._known[root]

    def _by_name(self, node: Node) -> Formula | None:
        if node is self.defined and node.children:
            return None
        name = self.names.name(node)
        if name is not None and node.order <= 2:
            if name.row:
                return algebra.transpose(atom(name, "row", node.shape))
            return atom(name, KINDS[node.order], node.shape)
        found = self.names.through(node)
        if found is None or found[1] is self.defined:
            return None
        coefficient, named, axes = found
        form = self._by_name(named)
        if form is None:
            return None
        turned = form if axes == tuple(range(node.order)) else algebra.transpose(form)
        return algebra.product([number(Fraction(coefficient)), turned])

    def _needs(self, node: Node) -> Iterable[Node]:
        """The nodes whose forms the form of this node is made of."""
        if isinstance(node, Sum):
            return [n for _, n in node.terms if constant_of(n) is None]
        if isinstance(node, Contraction):
            return [f.node for product in self.products(node) for f in product.factors]
        return [n for n in node.children if constant_of(n) is None]

    def products(self, node: Node) -> list[Product]:
        """The products whose sum is this contraction; more than one only for tensors."""
        if node not in self._products:
            self._products[node] = distributed(
                opened(node, self.names, self.defined), self.names, self.defined
            )
        return self._products[node]

    def graph(self, product: Product) -> Graph | None:
        """The product as a graph of formulas, summed down to its output labels."""
        if len(product.factors) > MOST_FACTORS:
            return None
        graph = Graph(dict(product.sizes), product.output)
        graph.scalars = [number(product.value)]
        graph.scalars += [size_formula(product.sizes[k]) for k in product.counts]
        for factor in product.factors:
            if isinstance(factor.node, Indicator):
                if not put_indicator(graph, factor.node, factor.labels):
                    return None
                continue
            form = self._settle(factor.node, named=True)
            if form is None:
                return None
            if form == number(0):
                graph.scalars.append(form)
            else:
                graph.put(form, factor.labels)
        return graph if reduced(graph) else None

    def _form(self, node: Node) -> Formula | None:
        if isinstance(node, SizeValue):
            return size_formula(node.size)
        if isinstance(node, Indicator):
            return indicator_form(node)
        if isinstance(node, Sum):
            return self._sum(node)
        if isinstance(node, Contraction):
            terms = [self._contraction(product) for product in self.products(node)]
            return None if None in terms else sums.add([t for t in terms if t is not None])
        assert isinstance(node, Apply)
        values = [constant_of(n) for n in node.arguments]
        if primitive(node).elementwise and None not in values:
            numbers = [number(v) for v in values if v is not None]
            return self._spread(applied(node, numbers, "scalar"), node)
        arguments = [self._argument(node, n) for n in node.arguments]
        if any(a is None for a in arguments):
            return None
        return applied(node, [a for a in arguments if a is not None], KINDS[node.order])

    def _argument(self, node: Apply, argument: Node) -> Formula | None:
        """A constant among the arguments of an elementwise function is the number itself."""
        value = constant_of(argument)
        if value is None:
            return self._known[argument]
        if primitive(node).elementwise or not argument.order:
            return number(value)
        if value:
            return self._constant(argument, value)
        zero = self._spread(ONE, argument)
        return Formula("product", (number(0), zero), zero.kind)

    def _spread(self, scalar: Formula, node: Node) -> Formula:
        """A scalar in every entry of a tensor of the shape of ``node``."""
        columns = [ones(size) for size in node.shape]
        if len(columns) == 2:
            columns[1] = algebra.transpose(columns[1])
        return algebra.product([scalar, *columns])

    def _constant(self, node: Node, value: Fraction) -> Formula:
        """A tensor with one number in every entry."""
        return self._spread(number(value), node)

    def _sum(self, node: Sum) -> Formula | None:
        if not node.terms:
            return number(0)
        value = constant_of(node)
        if value is not None:
            return self._constant(node, value)
        terms: list[Formula] = []
        constants: list[tuple[Fraction, Node]] = []
        for coefficient, core in node.terms:
            constant = constant_of(core)
            if constant is not None:
                constants.append((constant * coefficient, core))
                continue
            form = self._known[core]
            if form is None:
                return None
            terms.append(algebra.product([number(Fraction(coefficient)), form]))
        vector = node.order < 2 or all(map(entrywise.is_entrywise, terms))
        for value, core in constants:
            terms.append(number(value) if vector else self._constant(core, value))
        total = sums.add(terms)
        return self._spread(total, node) if total.op == "number" and total.data else total

    def _contraction(self, product: Product) -> Formula | None:
        graph = self.graph(product)
        if graph is None:
            return None
        factors = [*scalar_order(graph.scalars), *assembled(graph, product.output)]
        return wholes.pulled_out(wholes.sandwiched(algebra.product(factors)))
