"""Values of expressions in high precision, by the plainest means there are.

Nothing here is shared with differentiation, compilation or the code text of the records: a
function is evaluated by its record's ``exact``, a contraction by multiplying and summing along
its labels. Tensors are NumPy arrays of mpmath numbers. What leaves the real numbers raises.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from pullback.errors import DomainError
from pullback.expressions import (
    Apply,
    Contraction,
    Indicator,
    Labels,
    Node,
    SizeValue,
    Sum,
    Variable,
)
from pullback.functions.catalogue import primitive
from pullback.functions.record import Function

Array = Any  # a NumPy array of mpmath numbers
LARGEST = 4000  # binary digits before the point; powers of more take very long


def real_context(digits: int) -> Any:
    """An mpmath context of its own, so that no precision set elsewhere matters."""
    import mpmath  # noqa: PLC0415  # only what is certified pays for its import

    mp = mpmath.mp.clone()
    mp.dps = digits
    return mp


@dataclass
class Values:
    """What an evaluation found: the value of every node, and on which side of each kink it lay.

    Two points with equal ``sides`` lie on one smooth piece of the function.
    """

    mp: Any
    sizes: Mapping[str, int]
    of: dict[Node, Array] = field(default_factory=dict)
    sides: list[Hashable] = field(default_factory=list)
    choosing: bool = False  # some function leaves arguments out, which then need no value
    lost: DomainError | None = None  # why an entry has no value and is a NaN

    def __getitem__(self, node: Node) -> Array:
        return self.of[node]


def evaluate(
    roots: Sequence[Node], given: Mapping[Node, Array], sizes: Mapping[str, int], mp: Any
) -> Values:
    """The values of the roots, and of all below them, where the given nodes have given values.

    ``given`` holds an array for each variable; any other node may have one too and is then held
    free. Raises DomainError, naming the function, where a value is not a real number and no
    choice leaves it out.

    >>> from pullback.expressions import constructors as make
    >>> x, mp = make.variable("x", [2]), real_context(30)
    >>> squared = make.contract([(x, "i"), (x, "i")], "")
    >>> str(evaluate([squared], {x: array([3, 4], mp)}, {}, mp)[squared])
    '25.0'
    """
    held = {node: np.asarray(value, dtype=object) for node, value in given.items()}
    values = Values(mp, sizes, held)
    unknown = unknown_below(roots, given)
    values.choosing = any(isinstance(n, Apply) and primitive(n).selects for n in unknown)
    for node in unknown:
        values.of[node] = _value(node, values)
    if values.lost and any(mp.isnan(v) for root in roots for v in values[root].flat):
        raise values.lost
    return values


def unknown_below(roots: Iterable[Node], known: Mapping[Node, Any]) -> list[Node]:
    """The nodes to evaluate, children first; what lies only below known nodes is left out."""
    order: list[Node] = []
    seen = set(known)
    stack = [(root, False) for root in roots]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((child, False) for child in node.children)
    return order


def array(entries: Any, mp: Any) -> Array:
    """Numbers, in lists or arrays of any depth, as an array of mpmath numbers."""
    plain = np.asarray(entries, dtype=object)
    converted = np.empty(plain.shape, dtype=object)
    for index in np.ndindex(plain.shape):
        converted[index] = number(plain[index], mp)
    return converted


def number(value: Any, mp: Any) -> Any:
    """A number as the context has it, rounded to its digits."""
    if isinstance(value, Fraction):
        return mp.mpf(value.numerator) / value.denominator
    return +mp.mpf(value)


def _value(node: Node, values: Values) -> Array:
    mp = values.mp
    if isinstance(node, Variable):
        raise KeyError(f"no value was given for {node.name}")
    if isinstance(node, SizeValue):
        return array(node.size.evaluate(values.sizes), mp)
    if isinstance(node, Sum):
        shape = tuple(size.evaluate(values.sizes) for size in node.shape)
        total = _filled(shape, mp.zero)
        for coefficient, term in node.terms:
            total = total + _plain(coefficient, mp) * values[term]
        return np.asarray(total, dtype=object)
    if isinstance(node, Contraction):
        return _contraction(node, values)
    if isinstance(node, Indicator):
        return _indicator(node, values)
    assert isinstance(node, Apply)
    return _application(primitive(node), [values[a] for a in node.arguments], values)


def _plain(coefficient: int | Fraction, mp: Any) -> Any:
    return coefficient if isinstance(coefficient, int) else number(coefficient, mp)


def _filled(shape: tuple[int, ...], value: Any) -> Array:
    filled = np.empty(shape, dtype=object)
    filled[...] = value
    return filled


def _indicator(node: Indicator, values: Values) -> Array:
    """The relation put to every index."""
    shape = tuple(size.evaluate(values.sizes) for size in node.shape)
    coefficients = [c.evaluate(values.sizes) for c in node.coefficients]
    offset = node.offset.evaluate(values.sizes)
    entries = _filled(shape, values.mp.zero)
    for index in np.ndindex(shape):
        form = sum((c * i for c, i in zip(coefficients, index, strict=True)), offset)
        if form == 0 or (form > 0 and not node.equality):
            entries[index] = values.mp.one
    return entries


# Contractions: every array below carries its labels, each once, one per axis.


def _contraction(node: Contraction, values: Values) -> Array:
    sizes = [size.evaluate(values.sizes) for size in node.sizes]
    parts = [_distinct(values[operand], labels) for operand, labels in node.operands]
    while len(parts) > 1:
        left, right = _cheapest_pair(parts, sizes)
        others = [p for k, p in enumerate(parts) if k not in (left, right)]
        needed = set(node.output).union(*(labels for _, labels in others))
        parts = [*others, _product(parts[left], parts[right], needed)]
    one = (_filled((), values.mp.one), ())
    factor, labels = _product(parts[0] if parts else one, one, set(node.output))
    distinct = tuple(dict.fromkeys(node.output))
    factor = np.broadcast_to(_aligned(factor, labels, distinct), [sizes[i] for i in distinct])
    if len(distinct) == len(node.output):
        return np.asarray(factor, dtype=object)
    tied = _filled(tuple(sizes[i] for i in node.output), values.mp.zero)  # δ: zero elsewhere
    grids: dict[int, Any] = dict(zip(distinct, np.indices(factor.shape, sparse=True), strict=True))
    tied[tuple(grids[i] for i in node.output)] = factor
    return tied


def _distinct(operand: Array, labels: Labels) -> tuple[Array, Labels]:
    """The diagonal where an operand has a label twice."""
    axes = list(labels)
    while len(set(axes)) < len(axes):
        label = next(i for i in axes if axes.count(i) > 1)
        first = axes.index(label)
        second = axes.index(label, first + 1)
        operand = np.diagonal(operand, axis1=first, axis2=second)  # the diagonal comes last
        axes = [i for k, i in enumerate(axes) if k not in (first, second)] + [label]
    return np.asarray(operand, dtype=object), tuple(axes)


def _cheapest_pair(parts: Sequence[tuple[Array, Labels]], sizes: Sequence[int]) -> tuple[int, int]:
    """Which two factors to multiply next; the first two where there are very many."""
    if not 2 < len(parts) <= 12:
        return 0, 1

    def entries(pair: tuple[int, int]) -> int:
        labels = set(parts[pair[0]][1]) | set(parts[pair[1]][1])
        return int(np.prod([sizes[i] for i in labels], dtype=object))

    return min(itertools.combinations(range(len(parts)), 2), key=entries)


def _product(
    left: tuple[Array, Labels], right: tuple[Array, Labels], needed: set[int]
) -> tuple[Array, Labels]:
    """The product along common labels, summed over those not needed any more."""
    labels = tuple(dict.fromkeys(left[1] + right[1]))
    product = _aligned(*left, labels) * _aligned(*right, labels)
    product = np.asarray(product, dtype=object)
    gone = tuple(k for k, label in enumerate(labels) if label not in needed)
    if gone:
        product = np.asarray(product.sum(axis=gone), dtype=object)
    return product, tuple(label for label in labels if label in needed)


def _aligned(operand: Array, labels: Labels, wanted: Labels) -> Array:
    """The axes in the order wanted, with an axis of length 1 for each label it lacks."""
    present = [label for label in wanted if label in labels]
    operand = operand.transpose([labels.index(label) for label in present])
    return operand[tuple(slice(None) if label in labels else None for label in wanted)]


# Functions


def _application(record: Function, arguments: list[Array], values: Values) -> Array:
    """The record's exact value for each batch index."""
    mp = values.mp
    cores = [len(core) for core in record.signature.arguments]
    leads = [a.shape[: a.ndim - c] for a, c in zip(arguments, cores, strict=True)]
    batch: tuple[int, ...] = max(leads, key=len, default=())
    results: Array = np.empty(batch, dtype=object)
    for index in np.ndindex(batch):
        plain = [_entry(a, index, c) for a, c in zip(arguments, cores, strict=True)]
        try:
            results[index] = _exact(record, plain, values)
        except DomainError as error:
            if not values.choosing or record.signature.result:
                raise
            values.lost = values.lost or error
            results[index] = mp.nan
    if not record.signature.result:
        return results
    shape = np.shape(np.asarray(results.flat[0].value, dtype=object))
    stacked: Array = np.empty((*batch, *shape), dtype=object)
    for index in np.ndindex(batch):
        entries = np.asarray(results[index].value, dtype=object)
        for place in np.ndindex(shape):
            stacked[index + place] = _real(record, entries[place], mp)
    return stacked


def _exact(record: Function, arguments: list[Any], values: Values) -> Any:
    """One value; DomainError where there is none."""
    mp = values.mp
    if values.choosing:
        used = arguments[:1] if record.selects else arguments
        if any(mp.isnan(v) for v in np.asarray(used, dtype=object).flat):
            raise DomainError(f"{record.name} of what has no value")
    _refuse_outside(record, arguments, mp)
    _note_side(record, arguments, values)
    try:
        value = record.exact(mp, *arguments)
    except (ZeroDivisionError, ValueError, OverflowError) as error:
        raise DomainError(f"{record.name} is not defined at this point") from error
    return _Box(value) if isinstance(value, list) else _real(record, value, mp)


@dataclass
class _Box:
    """Keeps NumPy from taking a list for axes."""

    value: list[Any]


def _entry(argument: Array, index: tuple[int, ...], core: int) -> Any:
    entry = argument[index[len(index) - (argument.ndim - core) :]]
    return entry.tolist() if core else entry


def _real(record: Function, value: Any, mp: Any) -> Any:
    if not isinstance(value, mp.mpf):
        value = mp.convert(value)
    if not isinstance(value, mp.mpf) or not mp.isfinite(value):
        raise DomainError(f"{record.name} is not a real number at this point")
    if value and mp.mag(value) > LARGEST:
        raise DomainError(f"{record.name} is too large at this point")
    return value


def _refuse_outside(record: Function, arguments: list[Any], mp: Any) -> None:
    for domain, argument in zip(record.domain, arguments, strict=False):
        if not isinstance(argument, list) and not domain.contains(argument):
            at = mp.nstr(argument, 6)
            raise DomainError(f"{record.name} is defined for {domain.name}, not for {at}")
        if domain.matrix is not None and not domain.matrix(mp, argument):
            raise DomainError(f"{record.name} needs {domain.name}")


def _note_side(record: Function, arguments: list[Any], values: Values) -> None:
    """Which smooth piece a value lies on: below, at or above each kink.

    A kink that depends on a second argument lies, for every function here, where the two are
    equal up to sign; saying more pieces than there are only costs another point.
    """
    if record.piece is not None:
        values.sides.append((record.name, record.piece(*arguments)))
        return
    if record.analytic or not record.elementwise:
        return
    first, rest = arguments[0], arguments[1:]
    places = [*record.kinks, *rest, *(-other for other in rest)]
    side = tuple((first > place) - (first < place) for place in places)
    values.sides.append((record.name, side))
