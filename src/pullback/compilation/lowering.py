"""Expressions to a linear program: every shared node once, no dense identity on the way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from pullback.compilation.adding import added, magnitude
from pullback.compilation.arrays import Arrays
from pullback.compilation.components import condense, condensed
from pullback.compilation.contraction import Product, gather, multiply_out
from pullback.compilation.functions import lower_call
from pullback.compilation.ir import LinearProgram, Literal, Register, View, is_weak, live, whole
from pullback.compilation.ordering import EXHAUSTIVE, Measure, nominal
from pullback.compilation.placing import has_indicator, joined, place, stored
from pullback.expressions.constructors import split_coefficient
from pullback.expressions.nodes import (
    Apply,
    Contraction,
    Indicator,
    Labels,
    Node,
    Number,
    SizeValue,
    Sum,
    Variable,
)
from pullback.expressions.sizes import Shape, Size
from pullback.expressions.walks import post_order, use_counts
from pullback.functions.catalogue import primitive


def lower(
    outputs: Mapping[str, Node],
    names: Mapping[Node, str] | None = None,
    *,
    merge_named: bool = False,
    measure: Measure = nominal,
) -> LinearProgram:
    """The linear program of all outputs together.

    ``names`` gives the lines that keep their own instruction; with ``merge_named`` a product may
    be merged into another across such a line where that is cheaper. ``measure`` gives the numbers
    for which products are ordered.

    >>> from pullback.expressions import constructors as make
    >>> A, x = make.variable("A", ["m", "n"]), make.variable("x", ["n"])
    >>> program = lower({"y": make.einsum("ij,j->i", A, x)})
    >>> [i.op for i in program.instructions]
    ['input', 'input', 'matmul']
    """
    names = names or {}
    lowering = _Lowering(outputs, {} if merge_named else names, measure)
    # lines first and in their order, so that the code reads like the program
    order = [node for node in names if node in lowering.uses]
    for node in post_order(*order, *outputs.values()):
        if node in lowering.uses:
            lowering.visit(node)
            if node in lowering.multiples:
                lowering.visit_multiple(node)
    return lowering.finish(names)


class _Lowering:
    def __init__(
        self, outputs: Mapping[str, Node], lines: Collection[Node], measure: Measure
    ) -> None:
        self.outputs = outputs
        self.measure = measure
        self.arrays = Arrays()
        self.uses = use_counts(*outputs.values())
        self.fixed = {*lines, *outputs.values()}
        # lines such as ∂L/∂h = 2 (h − y), whose number the expressions have pulled out in front
        self.multiples: dict[Node, tuple[Number, Node]] = {}
        for line in lines:
            coefficient, core = split_coefficient(line)
            if coefficient != 1 and line not in self.uses and core in self.uses:
                self.multiples.setdefault(core, (coefficient, line))
        self.postponed: dict[Node, Product] = {}  # lowered only if not just their multiple is used
        self.views: dict[Node, View] = {}
        self.open: dict[Node, Product] = {}  # products that may merge into the one that uses them
        self.parent: dict[Node, Node] = {}
        for node in self.uses:
            for child in node.children:
                self.parent[child] = node

    # one method per kind of node

    def visit(self, node: Node) -> None:
        arrays = self.arrays
        arrays.node = node
        if isinstance(node, Contraction):
            self._contraction(node)
            return
        if isinstance(node, Variable):
            view = whole(arrays.emit("input", node.name, [], node.shape))
        elif isinstance(node, SizeValue):
            view = View(arrays.emit("size", "", [], (), (node.size,)))
        elif isinstance(node, Indicator):
            relation = (node.coefficients, node.offset)
            sign = "==" if node.equality else ">="
            view = whole(arrays.emit("indicator", sign, [], node.shape, relation))
        elif isinstance(node, Sum):
            if len(node.terms) == 1 and self._single(node.terms[0][1]):
                self._open_term(node)
                return
            view = self._sum(node)
        else:
            assert isinstance(node, Apply)
            arguments = [self.view(child) for child in node.arguments]
            view = lower_call(arrays, primitive(node), node, arguments)
        self.views[node] = view

    def view(self, node: Node) -> View:
        """What a node was lowered to; a product left open is multiplied out now."""
        if node in self.postponed:
            del self.postponed[node]
            coefficient, line = self.multiples[node]
            self.views[node] = self.arrays.scale(_divided(1, coefficient), self.views[line])
        if node not in self.views:
            outer = self.arrays.node
            self.arrays.node = node
            self.views[node] = multiply_out(self.arrays, self.open.pop(node))
            self.arrays.node = outer
        return self.views[node]

    def visit_multiple(self, core: Node) -> None:
        """The line that is a number times this node, ready for those who want it."""
        coefficient, line = self.multiples[core]
        self.arrays.node = line
        product = self.open.get(core) or self.postponed.get(core)
        if product is None:
            self.views[line] = self.arrays.scale(coefficient, self.view(core))
        else:
            scaled = replace(product, coefficient=product.coefficient * coefficient)
            self.views[line] = multiply_out(self.arrays, scaled)

    def _single(self, node: Node) -> bool:
        """Whether a product is used once, so that it may merge into its user."""
        return node in self.open

    def _contraction(self, node: Contraction) -> None:
        if has_indicator(node):
            self.views[node] = self._placed(node)
            return
        product = self._merged(node)
        if self.uses[node] == 1 and node not in self.fixed:
            self.open[node] = product
        elif node in self.multiples and node not in self.fixed:
            self.postponed[node] = product
        else:
            self.views[node] = multiply_out(self.arrays, product)

    def _placed(self, node: Contraction) -> View:
        """A product with indicators: its operands sliced, its result stored."""
        placed = place(self.arrays, node, self.view)
        labels = {x: k for k, x in enumerate(placed.sizes)}
        operands = [(v, tuple([labels[x] for x in ls])) for v, ls in placed.operands]
        output = tuple([labels[x] for x in placed.output])
        product = self._product(operands, output, list(placed.sizes.values()))
        return stored(self.arrays, placed, multiply_out(self.arrays, product))

    def _open_term(self, node: Sum) -> None:
        """A number times a product of single use: the number goes where the product is small."""
        coefficient, child = node.terms[0]
        product = self.open.pop(child)
        product.coefficient *= coefficient
        if self.uses[node] == 1 and node not in self.fixed:
            self.open[node] = product
        else:
            self.views[node] = multiply_out(self.arrays, product)

    def _merged(self, node: Contraction) -> Product:
        """The product of a contraction, open operands merged into it where that is cheaper."""
        children = [child for child, _ in node.operands]
        line = self._multiple_for(node)
        candidates = [child for child in children if child in self.open and child is not line]
        merged: set[Node] = set()
        known = self.arrays.nonnegative
        for child in candidates:
            inner = self.open[child]
            parts = {c: self._shape_only(c) for c in children if c in self.open}
            apart = self._gather(node, parts).cost(known)
            joined = self._gather(node, {**parts, child: inner})
            # an elementwise product never makes the sum below it cheaper
            above = not node.summed and isinstance(child, Contraction) and child.summed
            if above or len(joined.factors) > EXHAUSTIVE:
                if self._worth_condensing(node, parts, child, apart):
                    self.open[child] = condense(self.arrays, inner)
                    merged.add(child)
                continue
            # a scaling may be cheaper still where the product that it goes into is used
            scaling = node.summed and isinstance(child, Contraction) and not child.summed
            enough = 1.0 if scaling else 0.99
            if joined.cost(known) <= enough * (apart + inner.cost(known)) or not inner.factors:
                merged.add(child)
        parts_: dict[Node, View | Product] = {
            c: self.open.pop(c) if c in merged else self.view(c) for c in children if c is not line
        }
        if line is None:
            return self._gather(node, parts_)
        coefficient, multiple = self.multiples[line]
        product = self._gather(node, {**parts_, line: self.views[multiple]})
        product.coefficient = _divided(product.coefficient, coefficient)
        return product

    def _worth_condensing(
        self, node: Contraction, parts: Mapping[Node, View], child: Node, apart: float
    ) -> bool:
        """Whether a product, its sums carried out, merges as the outer product that is left."""
        left = condensed(self.open[child])
        joined = self._gather(node, {**parts, child: left})
        known = self.arrays.nonnegative
        few = len(left.factors) > 1 and len(joined.factors) <= EXHAUSTIVE
        return few and joined.cost(known) < 0.99 * (apart + left.cost(known))

    def _multiple_for(self, node: Contraction) -> Node | None:
        """An operand that a line is a multiple of, if that takes up the number in front."""
        front: Number = 1
        parent = self.parent.get(node)
        if node in self.multiples:
            front = self.multiples[node][0]
        elif self.uses[node] == 1 and isinstance(parent, Sum) and len(parent.terms) == 1:
            front = parent.terms[0][0]
        for child in node.children:
            taken = self.multiples[child][0] if child in self.multiples else 1
            if taken != 1 and front in (taken, -taken) and node.children.count(child) == 1:
                return child
        return None

    def _shape_only(self, node: Node) -> View:
        """A stand-in with the axes a node will have, to count what its use costs."""
        product = self.open[node]
        real = product.real
        kept = [x for x in dict.fromkeys(product.output) if x in real]
        shape = tuple([product.sizes[x] for x in kept])
        absent = [x for x in dict.fromkeys(product.output) if x not in kept]
        axes = [kept.index(x) if x in kept else -1 - absent.index(x) for x in product.output]
        return View(Register(-1, shape), tuple(axes))

    def _gather(self, node: Contraction, parts: Mapping[Node, View | Product]) -> Product:
        operands = [
            (parts[c] if c in parts else self.view(c), labels) for c, labels in node.operands
        ]
        return self._product(operands, node.output, node.sizes)

    def _product(
        self,
        operands: Sequence[tuple[View | Product, Labels]],
        output: Labels,
        sizes: Sequence[Size],
    ) -> Product:
        product, counted = gather(operands, output, sizes, self.measure)
        named = {size for size in product.sizes.values() if size.constant is None}
        self.arrays.flexible |= len(product.factors) > 2 and bool(named)
        for size in counted:
            self._count(product, size)
        return product

    def _count(self, product: Product, size: Size) -> None:
        """A sum over nothing multiplies by the size."""
        if size.constant is not None:
            product.coefficient *= size.constant
        else:
            product.scalars.append(self.arrays.emit("size", "", [], (), (size,)))

    def _sum(self, node: Sum) -> View:
        if not node.terms:
            return View(Literal(0), (None,) * node.order)
        shared = _common_factor([c for c, _ in node.terms])
        terms = []
        for coefficient, child in node.terms:
            rest = _divided(coefficient, shared)
            if abs(rest) != 1 and child in self.open and shared == 1:
                self.open[child].coefficient *= rest  # into the product, where it is small
                rest = 1
            terms.append((rest, self.view(child)))
        total = joined(self.arrays, terms, node.shape) or added(self.arrays, terms, node.shape)
        return total if shared == 1 else self.arrays.scale(shared, total)

    # the end

    def finish(self, names: Mapping[Node, str]) -> LinearProgram:
        arrays = self.arrays
        taken: set[Register] = set()
        results: dict[str, View] = {}
        for name, node in self.outputs.items():
            arrays.node = node
            view = self._fresh(arrays.full(self.view(node), node.shape), node.shape, taken)
            assert isinstance(view.source, Register)
            taken.update((view.source, arrays.owner(view.source)))
            results[name] = view
        kept = live(arrays.instructions, results.values())
        program = LinearProgram(
            kept,
            {i.name: i.result for i in kept if i.op == "input"},
            results,
            roots=dict(self.outputs),
            granted=granted_sizes(self.uses),
            flexible=arrays.flexible,
        )
        alive = {i.result for i in kept}
        for node, name in names.items():
            view_ = self.views.get(node)
            if view_ is None or not isinstance(view_.source, Register):
                continue
            register = view_.source
            made = arrays.defined[register].op not in ("input", "size")
            if made and register in alive and register not in program.names and view_.plain:
                program.names[register] = name
                program.lines[register] = node
        for name, view in results.items():
            assert isinstance(view.source, Register)
            program.names.setdefault(view.source, name)
            program.lines.setdefault(view.source, self.outputs[name])
        return program

    def _fresh(self, view: View, shape: Shape, taken: set[Register]) -> View:
        """The view as a whole array of its own, neither an input nor another output."""
        arrays = self.arrays
        source = view.source
        if is_weak(source) or isinstance(source, Literal):
            filled = whole(arrays.emit("fill", "", [view], shape))
            if filled.source not in taken:
                return filled
            return whole(arrays.emit("copy", str(len(taken)), [filled], shape))
        owner = arrays.owner(source)
        shared = arrays.defined[owner].op in (SHARED if shape else ("input",))
        if view.plain and not shared and taken.isdisjoint((source, owner)):
            return view
        return whole(arrays.emit("copy", str(len(taken)), [view], shape))


SHARED = ("input", "indicator", "einsum")  # what others hold too


def granted_sizes(nodes: Iterable[Node]) -> tuple[Size, ...]:
    """What the slices of a statement grant: sizes that are not negative."""
    slices = [node for node in nodes if isinstance(node, Indicator)]
    return tuple(dict.fromkeys(size for node in slices for size in node.granted))


def _common_factor(coefficients: list[Number]) -> Number:
    """What can be taken out of a sum so that only ±1 remains, as in 2 (h − y); else 1."""
    magnitudes = {magnitude(c) for c in coefficients}
    if len(magnitudes) == 1 and len(coefficients) > 1:
        (common,) = magnitudes
        return -common if all(c < 0 for c in coefficients) else common
    return 1


def _divided(coefficient: Number, by: Number) -> Number:
    if by == 1:
        return coefficient
    quotient = Fraction(coefficient) / Fraction(by)
    return quotient.numerator if quotient.denominator == 1 else quotient
