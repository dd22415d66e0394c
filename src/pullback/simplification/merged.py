"""Rows about merged axes and blocks: functions of A ⊗ B, of vec X and of [A, 0; 0, B]."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from pullback.expressions import constructors as make
from pullback.expressions import placement
from pullback.expressions.nodes import Apply, Contraction, Indicator, Node, Sum, Variable
from pullback.expressions.relations import ZERO, Relation, mixed_radix, relation_of
from pullback.expressions.sizes import Size
from pullback.functions.catalogue import primitive
from pullback.simplification.factors import on_the_diagonal
from pullback.simplification.products import Factor, Label, Opened, hanging_together

Digits = tuple[Label, ...]  # the fastest first


def _numbering(
    node: Node, labels: Sequence[Label], sizes: Mapping[Label, Size]
) -> tuple[Label, Digits] | None:
    """The label that numbers the others of an indicator, and these, its digits."""
    if not isinstance(node, Indicator):
        return None
    relation = relation_of(node, labels)
    lengths: dict[Hashable, Size] = dict(sizes.items())
    for number in labels:
        value = relation.solved_for(number)
        if value is None or value.offset != ZERO:
            continue
        found = mixed_radix(dict(value.coefficients), lengths, exactly=sizes[number])
        if found and len(found) > 1:
            return number, tuple([x for x in found if isinstance(x, int)])
    return None


# ⊗


@dataclass(frozen=True)
class _Kronecker:
    """Square matrices joined by ⊗, each with its labels, and what merges these."""

    matrices: list[Factor]
    merging: list[Factor]
    whole: Contraction

    def of(self, function: Callable[[Node], Node]) -> Node:
        """The same product of other matrices."""
        made = [(function(matrix), ends) for matrix, ends in self.matrices]
        return make.contract([*made, *self.merging], self.whole.output)


def _kronecker(node: Node) -> _Kronecker | None:
    """A square matrix as A ⊗ B ⊗ … for square ones, if it is written so."""
    if not isinstance(node, Contraction) or node.order != 2:
        return None
    node = on_the_diagonal(node)
    factors, sizes = Opened(node).flat()
    found = [(f, _numbering(*f, sizes)) for f in factors]
    merging = {n[0]: (f, n[1]) for f, n in found if n and n[0] in node.output}
    others = [f for f, n in found if not (n and n[0] in node.output)]
    if len(factors) != len(others) + 2 or {*merging} != {*node.output}:
        return None
    pairs = [*zip(*(merging[label][1] for label in node.output), strict=False)]
    parts = [hanging_together(others, pair) for pair in pairs]
    once = len({x for pair in pairs for x in pair}) == sum(len({*pair}) for pair in pairs)
    square = all(sizes[row] == sizes[column] for row, column in pairs)
    whole = all(len(merging[label][1]) == len(pairs) for label in node.output)
    apart = sorted(others, key=id) == sorted((f for part in parts for f in part), key=id)
    if not (once and square and whole and apart):
        return None
    matrices = []
    for part, ends in zip(parts, pairs, strict=True):
        held = {*ends, *(x for _, labels in part for x in labels)}
        matrices.append((make.contract(part, ends, {x: sizes[x] for x in held}), ends))
    return _Kronecker(matrices, [merging[label][0] for label in node.output], node)


def of_kronecker(node: Node) -> Node | None:
    """(A ⊗ B)⁻¹ = A⁻¹ ⊗ B⁻¹, and log|det| of it by n log|det A| + m log|det B|."""
    if not isinstance(node, Apply) or node.function not in ("inv", "logdet", "logabsdet"):
        return None
    found = _kronecker(node.arguments[0])
    if found is None:
        return None
    if node.function == "inv":
        return found.of(lambda matrix: _of(node, matrix))
    matrices = [matrix for matrix, _ in found.matrices]
    if node.function == "logdet" and not all(map(_posdef, matrices)):
        return None
    terms = []
    for k, matrix in enumerate(matrices):
        others = [make.size_value(m.shape[0]) for m in (*matrices[:k], *matrices[k + 1 :])]
        terms.append((1, make.multiply(*others, _of(node, matrix))))
    return make.add(terms)


def _of(node: Apply, matrix: Node) -> Node:
    """The function of ``node`` of another matrix; of the identity it is known."""
    if isinstance(matrix, Contraction) and not matrix.operands and make.has_delta(matrix):
        known = {"inv": matrix, "det": make.ones(())}
        return known.get(node.function, make.zeros(()))
    return make.apply(node.function, (matrix,), matrix.shape[: node.order])


def _posdef(node: Node) -> bool:
    return isinstance(node, Variable) and "posdef" in node.assumptions


# blocks on a diagonal


def of_blocks(node: Node) -> Node | None:
    """[A, 0; 0, B]⁻¹ = [A⁻¹, 0; 0, B⁻¹], and det [A, 0; 0, B] = det A det B."""
    if not isinstance(node, Apply) or node.function not in _JOINED or node.arguments[0].order != 2:
        return None
    total = node.arguments[0]
    if not isinstance(total, Sum) or len(total.terms) < 2:
        return None
    blocks = []
    for c, term in total.terms:
        found = _block(term)
        if found is None:
            return None
        blocks.append((found[0], make.scale(c, found[1])))
    at, ordered = ZERO, []
    while blocks:
        first = next((b for b in blocks if b[0] == at), None)
        if first is None:
            return None
        blocks.remove(first)
        ordered.append(first)
        at = at + first[1].shape[0]
    if at != total.shape[0]:
        return None
    return _JOINED[node.function](
        [(start, _of(node, block)) for start, block in ordered], total.shape[0]
    )


def _block(term: Node) -> tuple[Size, Node] | None:
    """A square block on the diagonal among zeros: where it begins, and the block."""
    if not isinstance(term, Contraction) or term.order != 2:
        return None
    opened = Opened(term)
    factors, sizes = opened.flat()
    others = [f for f in factors if not isinstance(f[0], Indicator)]
    moved: dict[Label, Relation] = {}
    for place, labels in factors:
        if not isinstance(place, Indicator) or place.order != 2:
            continue
        for out in {*labels} & {*opened.output}:
            value = relation_of(place, labels).solved_for(out)
            if value is not None and len(value.labels) == 1:
                moved[out] = value
    if len(moved) != 2 or len(factors) != len(others) + 2:
        return None
    values = [moved[label] for label in opened.output]
    ends = [x for value in values for x in value.labels if isinstance(x, int)]
    if values[0].offset != values[1].offset or sizes[ends[0]] != sizes[ends[1]]:
        return None
    if any(value.coefficient(x) != Size.of(1) for value, x in zip(values, ends, strict=True)):
        return None
    inner = {x: size for x, size in sizes.items() if x not in opened.output}
    return values[0].offset, make.contract(others, ends, inner)


Blocks = Sequence[tuple[Size, Node]]


def _diagonal_blocks(blocks: Blocks, size: Size) -> Node:
    embedded = []
    for start, block in blocks:
        rows = placement.placed(block, 0, start, size)
        embedded.append((1, placement.placed(rows, 1, start, size)))
    return make.add(embedded)


_JOINED: dict[str, Callable[[Blocks, Size], Node]] = {
    "inv": _diagonal_blocks,
    "det": lambda blocks, _: make.multiply(*[value for _, value in blocks]),
    "logabsdet": lambda blocks, _: make.add([(1, value) for _, value in blocks]),
}


# vec


def of_every_entry(node: Node) -> Node | None:
    """f(vec X) = vec f(X) and back: what merges or splits axes keeps every entry."""
    if not isinstance(node, Apply) or not primitive(node).elementwise:
        return None
    values = [make.constant_value(a) for a in node.arguments]
    if values.count(None) != 1:
        return None
    whole = node.arguments[values.index(None)]
    if not isinstance(whole, Contraction) or make.has_delta(whole):
        return None
    inner = [(n, labels) for n, labels in whole.operands if not isinstance(n, Indicator)]
    if len(inner) != 1 or len(whole.operands) == 1:
        return None
    (core, labels) = inner[0]
    sizes = dict(enumerate(whole.sizes))
    ends = {*whole.output}
    for place, own in whole.operands:
        if place is core:
            continue
        found = _numbering(place, own, sizes)
        if found is None:
            return None
        number, digits = found
        if number in ends and not ends & {*digits}:
            ends = (ends - {number}) | {*digits}
        elif ends >= {*digits} and number not in ends:
            ends = (ends - {*digits}) | {number}
        else:
            return None
    if ends != {*labels} or len(labels) != len(ends):
        return None
    arguments = [core if v is None else make.constant(v, core.shape) for v in values]
    moved = make.apply(node.function, arguments, core.shape)
    factors = [(moved if n is core else n, ls) for n, ls in whole.operands]
    return make.contract(factors, whole.output, sizes)
