"""Indicators as slices, reshapes and stores, so that no 0/1 array is ever multiplied by.

A relation [x = s y + a] over a summed x takes entries s y + a of whatever has the label x; over an
x of the output it stores the result at these places. [x = m y + z] splits or merges an axis. What
is neither (a triangle, a band) stays a factor, and is materialised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pullback.compilation.arrays import Arrays
from pullback.compilation.ir import Literal, Register, Stretch, View, whole
from pullback.expressions.nodes import Contraction, Indicator, Node, Number
from pullback.expressions.relations import Label, Relation, indicator_of, mixed_radix, relation_of
from pullback.expressions.sizes import Shape, Size

Operand = tuple[View, list[Label]]


@dataclass(frozen=True, slots=True)
class _Move:
    """How an axis with label x is made of others: a stretch along y, or the digits of a number."""

    label: Label
    stretch: Stretch | None
    others: tuple[Label, ...]  # y, or the digits, slowest first


@dataclass
class Placed:
    """A contraction whose operands are sliced already, and what is to be done with its result."""

    operands: list[Operand]
    output: list[Label]
    sizes: dict[Label, Size]  # of the labels that are left
    lengths: Shape  # of the axes that the stores make
    stores: list[tuple[int, _Move]]  # with the axis of the output, last store first


def has_indicator(node: Node) -> bool:
    return isinstance(node, Contraction) and any(isinstance(n, Indicator) for n in node.children)


def place(arrays: Arrays, node: Contraction, view: Callable[[Node], View]) -> Placed:
    """The operands with their slices taken; relations that are left are among them."""
    sizes: dict[Label, Size] = dict(enumerate(node.sizes))
    relations = [relation_of(n, ls) for n, ls in node.operands if isinstance(n, Indicator)]
    operands: list[Operand] = [
        (view(n), list(ls)) for n, ls in node.operands if not isinstance(n, Indicator)
    ]
    output: list[Label] = list(node.output)
    gone: set[Label] = set()
    while (turn := _turn(relations, operands, output, sizes)) is not None:
        relation, before, after = turn
        relations.remove(relation)
        gone.update(before)
        operands = [_turned(arrays, operand, before, after, sizes) for operand in operands]
    made: set[Label] = set()  # axes of slices: what is equal to one is sliced like it, not it again
    while (found := _taking(relations, operands, output, sizes, made)) is not None:
        relation, move = found
        relations.remove(relation)
        gone.add(move.label)
        made.update(move.others)
        operands = [_taken(arrays, operand, move, sizes) for operand in operands]
    stores: list[tuple[int, _Move]] = []
    while (found := _storing(relations, operands, output, sizes)) is not None:
        relation, move = found
        relations.remove(relation)
        gone.add(move.label)
        axis = output.index(move.label)
        output[axis : axis + 1] = move.others
        stores.insert(0, (axis, move))
    for relation in relations:
        node_, labels = indicator_of(relation, sizes)
        operands.append((view(node_), labels))
    left = {x: size for x, size in sizes.items() if x not in gone}
    return Placed(operands, output, left, tuple([sizes[m.label] for _, m in stores]), stores)


# which relations are moves


def _taking(
    relations: Sequence[Relation],
    operands: Sequence[Operand],
    output: Sequence[Label],
    sizes: dict[Label, Size],
    made: set[Label],
) -> tuple[Relation, _Move] | None:
    held = {label for _, labels in operands for label in labels}
    for relation in relations:
        elsewhere = {x for r in relations if r is not relation for x in r.labels}
        for label in sorted(relation.labels, key=lambda label: label in made):
            if label in held and label not in output and label not in elsewhere:
                move = _move(relation, label, sizes)
                if move is not None:
                    return relation, move
    return None


def _storing(
    relations: Sequence[Relation],
    operands: Sequence[Operand],
    output: Sequence[Label],
    sizes: dict[Label, Size],
) -> tuple[Relation, _Move] | None:
    held = {label for _, labels in operands for label in labels}
    for relation in relations:
        elsewhere = {x for r in relations if r is not relation for x in r.labels}
        for label in relation.labels:
            if label in held or label in elsewhere or output.count(label) != 1:
                continue
            move = _move(relation, label, sizes)
            if move is not None and not set(move.others) & elsewhere:
                return relation, move  # an index that the output has already becomes a δ
    return None


def _move(relation: Relation, label: Label, sizes: dict[Label, Size]) -> _Move | None:
    """The relation as ``label = s y + a`` or ``label = Σ digits``, None if it is neither."""
    form = relation.solved_for(label)
    if form is None:
        return None
    others = tuple(form.labels)
    if form.within(sizes[label], sizes):
        if not others:
            return _Move(label, Stretch(form.offset, None), ())
        if len(others) == 1 and (step := form.coefficient(others[0]).constant) is not None:
            return _Move(label, Stretch(form.offset, sizes[others[0]], step), others)
    if form.offset.constant != 0:
        return None
    digits = mixed_radix(dict(form.coefficients), sizes, exactly=sizes[label])
    return None if digits is None else _Move(label, None, tuple(reversed(digits)))


Turn = tuple[Relation, Sequence[Label], Sequence[Label]]


def _turn(
    relations: Sequence[Relation],
    operands: Sequence[Operand],
    output: Sequence[Label],
    sizes: dict[Label, Size],
) -> Turn | None:
    """A relation Σ digits = Σ other digits: summed axes, slowest first, that become others."""
    for relation in relations:
        if not relation.equality or relation.offset.constant != 0:
            continue
        elsewhere = {x for r in relations if r is not relation for x in r.labels}
        for way in (relation, relation.negated()):
            sides = [
                {x: c for x, c in side.coefficients if c.at_least(1)}
                for side in (way, way.negated())
            ]
            if min(map(len, sides)) < 2 or sum(map(len, sides)) < len(relation.coefficients):
                continue
            number = Size.of(1)
            for label in sides[0]:
                number = number * sizes[label]
            orders = [mixed_radix(side, sizes, exactly=number) for side in sides]
            summed = sides[0].keys().isdisjoint([*output, *elsewhere])
            if None in orders or not summed:
                continue
            before, after = ([*reversed(order or [])] for order in orders)
            if all(_whole_or_none(labels, before) for _, labels in operands):
                return relation, before, after
    return None


def _whole_or_none(labels: Sequence[Label], group: Sequence[Label]) -> bool:
    counts = {labels.count(x) for x in group}
    return counts in ({0}, {1})


# what a move does to an operand, and to a result


def _taken(arrays: Arrays, operand: Operand, move: _Move, sizes: dict[Label, Size]) -> Operand:
    view, labels = operand
    if move.label not in labels:
        return operand
    if view.has_delta:
        view = arrays.dense(view, tuple([sizes[x] for x in labels]))
    if move.stretch is None:
        return _split(arrays, view, labels, move, sizes)
    source, axes = view.source, list(view.axes)
    gone = {axes[k] for k, x in enumerate(labels) if x == move.label and axes[k] is not None}
    if isinstance(source, Register) and gone:
        source = arrays.slice(source, {a: move.stretch for a in gone if a is not None})
    if move.stretch.count is not None:
        (y,) = move.others
        return View(source, tuple(axes)), [y if x == move.label else x for x in labels]
    left = sorted({a for a in axes if a is not None} - gone)
    kept = [k for k, x in enumerate(labels) if x != move.label]
    shown = tuple([None if (a := axes[k]) is None else left.index(a) for k in kept])
    return View(source, shown), [labels[k] for k in kept]


def _split(
    arrays: Arrays, view: View, labels: Sequence[Label], move: _Move, sizes: dict[Label, Size]
) -> Operand:
    """Each axis with the label as several, one for each digit."""
    after: list[Label] = []
    axes: list[int | None] = []
    shape: list[Size] = []
    for axis, label in zip(view.axes, labels, strict=True):
        new = move.others if label == move.label else (label,)
        after += new
        for part in new:
            axes.append(None if axis is None else len(shape))
            if axis is not None:
                shape.append(sizes[part])
    if not isinstance(view.source, Register) or not shape:
        return View(view.source, tuple(axes)), after
    real = View(view.source, tuple([a for a in view.axes if a is not None]))
    return View(arrays.reshape(real, tuple(shape)), tuple(axes)), after


def _turned(
    arrays: Arrays,
    operand: Operand,
    before: Sequence[Label],
    after: Sequence[Label],
    sizes: dict[Label, Size],
) -> Operand:
    """An operand with these axes, taken as one number's digits, as the digits of another radix."""
    view, labels = operand
    if before[0] not in labels:
        return operand
    view = arrays.full(view, tuple([sizes[x] for x in labels]))
    rest = [k for k, x in enumerate(labels) if x not in before]
    order = [*rest, *[labels.index(x) for x in before]]
    turned = View(view.source, tuple([view.axes[k] for k in order]))
    now = [*[labels[k] for k in rest], *after]
    return whole(arrays.reshape(turned, tuple([sizes[x] for x in now]))), now


def stored(arrays: Arrays, placed: Placed, value: View) -> View:
    """The result with its axes merged, or put in their places among zeros."""
    shape = [placed.sizes[x] for x in placed.output]
    for (axis, move), size in zip(placed.stores, placed.lengths, strict=True):
        end = axis + len(move.others)
        before = tuple(shape)
        shape[axis:end] = [size]
        if move.stretch is None:
            value = whole(arrays.reshape(arrays.full(value, before), tuple(shape)))
        else:
            core = arrays.dense(value, before)
            value = whole(arrays.store(core, tuple(shape), axis, move.stretch))
    return value


def joined(arrays: Arrays, terms: Sequence[tuple[Number, View]], shape: Shape) -> View | None:
    """A sum of arrays stored one behind another along an axis, as their concatenation."""
    parts = []
    for _, view in terms:
        made = arrays.definition(view, "store", "")
        if made is None or not view.plain:
            return None
        axis, stretch = made.detail
        if stretch.step != 1 or stretch.count is None:
            return None
        parts.append((axis, stretch, made.operands[0]))
    axis = parts[0][0]
    ordered: list[View] = []
    at = Size.of(0)
    while len(ordered) < len(parts):
        following = [
            (k, part) for k, part in enumerate(parts) if part[0] == axis and part[1].start == at
        ]
        if len(following) != 1:
            return None
        k, (_, stretch, core) = following[0]
        inner = tuple([stretch.count if j == axis else size for j, size in enumerate(shape)])
        padded = replace(core, axes=(None,) * (len(shape) - len(core.axes)) + core.axes)
        ordered.append(arrays.full(arrays.scale(terms[k][0], padded), inner))
        at = at + stretch.count
    if at != shape[axis]:
        return None
    real = [view for view in ordered if not isinstance(view.source, Literal)]
    return whole(arrays.emit("concatenate", "", ordered, shape, (axis,))) if real else None
