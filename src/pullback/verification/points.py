"""Random sizes and points to test at, drawn from a seed, that honour what is assumed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from pullback.errors import PullbackError
from pullback.expressions import (
    Apply,
    Contraction,
    Indicator,
    Node,
    Number,
    Size,
    SizeValue,
    Sum,
    Variable,
)
from pullback.expressions.walks import post_order
from pullback.functions.catalogue import primitive
from pullback.verification.exact import Array, array

Sizes = dict[str, int]


class NotTestable(PullbackError):
    """No point could be drawn, or one evaluation would take too long; says which."""


def seed_of(*roots: Node) -> int:
    """A seed that belongs to the expression and is the same in every run."""
    digest = blake2b(b"".join(root.digest for root in roots), digest_size=4).digest()
    return int.from_bytes(digest, "big")


# Sizes


def size_names(nodes: Iterable[Node]) -> list[str]:
    """The named sizes that occur, in the order of first appearance."""
    found: dict[str, None] = {}
    for node in nodes:
        for size in _sizes_of(node):
            found.update(dict.fromkeys(size.names))
    return list(found)


def _sizes_of(node: Node) -> tuple[Size, ...]:
    if isinstance(node, Contraction):
        return node.sizes
    if isinstance(node, SizeValue):
        return (node.size,)
    if isinstance(node, Indicator):
        return (*node.shape, *node.coefficients, node.offset, *node.granted)
    return node.shape


def draw_sizes(nodes: Sequence[Node], generator: random.Random, limit: int) -> Sizes:
    """Distinct small numbers for distinct names, smaller ones where the work would pass ``limit``.

    A mistaken transpose then has the wrong shape or the wrong value. Fixed sizes are what they
    are: raises NotTestable when they alone are too large.
    """
    names = size_names(nodes)
    granted = {s for node in nodes if isinstance(node, Indicator) for s in node.granted}
    least = {name: _least(name, granted) for name in names}
    last = 60 if granted else 20
    for attempt in range(last + 5):
        low = 2 if attempt < 15 else 1  # a size such as n − 3 may need another choice
        high = max(5, len(names) + 1) if attempt in (0, 1, 2) else len(names) + low + attempt // 5
        if attempt >= last:  # the smallest that differ
            low, high = 1, len(names)
        chosen = generator.sample(range(low, high + 1), len(names))
        sizes = {name: k + max(0, least[name] - low) for name, k in zip(names, chosen, strict=True)}
        if min((s.evaluate(sizes) for n in nodes for s in n.shape), default=1) < 1:
            continue
        if min((s.evaluate(sizes) for s in granted), default=0) < 0:
            continue
        if work(nodes, sizes) <= limit:
            return sizes
    if all(s.constant is not None or s.evaluate(sizes) > 0 for n in nodes for s in n.shape):
        fixed = any((s.constant or 0) > 5 for n in nodes for s in n.shape)
        hint = "; declare sizes by name to test it" if fixed else ""
        raise NotTestable("too large to be evaluated exactly" + hint)
    raise NotTestable("no sizes were found for which every axis has a length")


def _least(name: str, granted: Iterable[Size]) -> int:
    """The smallest value of a size for which what is granted of it alone is not negative."""
    alone = [dict(size.terms) for size in granted if size.names == (name,)]
    return max((-(t.get((), 0) // t[(name,)]) for t in alone if t.get((name,), 0) > 0), default=1)


def work(nodes: Iterable[Node], sizes: Mapping[str, int]) -> int:
    """About how many multiplications one evaluation takes."""
    total = 0
    for node in nodes:
        entries = _count(node.shape, sizes)
        if isinstance(node, Contraction):
            total += 10 + _contraction_work(node, sizes)
        elif isinstance(node, Apply):
            most = max([entries, *(_count(a.shape, sizes) for a in node.arguments)])
            total += 10 + primitive(node).effort * most
        elif isinstance(node, Sum):
            total += 5 + entries * len(node.terms)
    return total


def _contraction_work(node: Contraction, sizes: Mapping[str, int]) -> int:
    """The largest product of two factors bounds every step of multiplying them in pairs."""
    label_sizes = [size.evaluate(sizes) for size in node.sizes]
    output = set(node.output)
    total = _count(node.shape, sizes)
    held: set[int] = set()
    for _, labels in node.operands:
        held |= set(labels)
        count = 1
        for label in held:
            count *= label_sizes[label]
        total += count
        later = {i for _, other in node.operands for i in other} if len(node.operands) > 2 else ()
        held &= output | set(later)
    return total


def _count(shape: Iterable[Size], sizes: Mapping[str, int]) -> int:
    count = 1
    for size in shape:
        count *= size.evaluate(sizes)
    return count


# Values

Draw = Callable[[random.Random], float]


def _positive(g: random.Random) -> float:
    return g.uniform(0.2, 2.0)


def _unit(g: random.Random) -> float:
    return g.uniform(0.05, 0.95)


DRAWS: tuple[Draw, ...] = (
    lambda g: g.gauss(0, 1),
    _positive,
    _unit,
    lambda g: g.gauss(0, 0.2),
    lambda g: -_positive(g),
    lambda g: g.uniform(2.0, 6.0),
)
NEAR_IDENTITY = (DRAWS[1], DRAWS[3])  # square matrices then get a positive determinant


WIDE: tuple[Draw, ...] = (
    lambda g: g.choice((-1, 1)) * 10 ** g.uniform(-1, 4),
    lambda g: g.choice((-1, 1)) * 10 ** g.uniform(-6, 0),
)


HUGE = 10**300


def landmarks(roots: Iterable[Node]) -> tuple[Draw, ...]:
    """Numbers near those that an expression adds to something, or of the scale it multiplies by.

    A logarithm of x − 50, or what a relu does beyond 100, is not found by chance.
    """
    added: set[Number] = set()
    scales: set[Number] = set()
    for node in post_order(*roots):
        for coefficient, term in node.terms if isinstance(node, Sum) else ():
            alone = isinstance(term, Contraction) and not term.operands
            (added if alone else scales).add(max(coefficient, -coefficient))
    near = [
        _beside(sign * float(c), side)
        for sign in (1, -1)
        for side in (1, -1)
        for c in sorted(added)[-3:]
        if 2 < c < HUGE
    ]
    near += [_scaled(c) for c in sorted(scales)[-3:] if 20 < c < HUGE]
    return tuple(near)


def _beside(number: float, side: int) -> Draw:
    return lambda g: number + side * g.uniform(0, 2)


def _scaled(number: Number) -> Draw:
    return lambda g: g.gauss(0, 1) / float(number)


def draws(
    generator: random.Random, count: int, near: Sequence[Draw] = (), elsewhere: int = 0
) -> Iterator[tuple[Draw, ...]]:
    """Which kind of numbers each of ``count`` variables takes, try after try.

    At first all are normal, then all are ``near`` some numbers, then all positive, …; then every
    variable has a kind of its own. Where normal ones were tried before, ``elsewhere`` counts from 1
    with which of the others to begin.
    """
    others = [*near, *DRAWS[1:], *WIDE]
    alike = others[elsewhere - 1 :] if elsewhere else (DRAWS[0], DRAWS[0], *near, *DRAWS)
    for draw in (*alike, DRAWS[1], DRAWS[2]):
        yield (draw,) * count
    for _ in range(54):
        yield tuple(generator.choice(DRAWS) for _ in range(count))
    for _ in range(30):
        yield tuple(generator.choice((*DRAWS, *near, *WIDE)) for _ in range(count))


def draw_value(
    variable: Variable, sizes: Mapping[str, int], draw: Draw, generator: random.Random, mp: Any
) -> Array:
    """A value of the variable for which its assumptions hold."""
    shape = tuple(size.evaluate(sizes) for size in variable.shape)
    numbers = [draw(generator) for _ in range(int(np.prod(shape, dtype=int)))]
    value = array(np.array(numbers, dtype=object).reshape(shape), mp)
    assumed = variable.assumptions
    if len(shape) >= 2 and shape[-1] == shape[-2] and draw in NEAR_IDENTITY:
        value = value / (2 * shape[-1]) + _identity(shape, mp)
    unknown = sorted(assumed - set(ASSUMPTIONS))
    if unknown:
        raise NotTestable(f"there is no rule to draw a point that is '{unknown[0]}'")
    for name, impose in ASSUMPTIONS.items():
        if name in assumed:
            value = impose(value, assumed, generator, mp)
    return value


@dataclass(frozen=True)
class Matrices:
    """A change of each matrix in the last two axes."""

    change: Callable[[Array, Any], Array]

    def __call__(self, value: Array, _assumed: frozenset[str], _g: random.Random, mp: Any) -> Array:
        changed = np.empty(value.shape, dtype=object)
        for index in np.ndindex(value.shape[:-2]):
            changed[index] = self.change(value[index], mp)
        return changed


def _mask(keep: Callable[[int, int], bool]) -> Matrices:
    def change(m: Array, mp: Any) -> Array:
        masked = m.copy()
        for i, j in np.ndindex(m.shape):
            if not keep(i, j):
                masked[i, j] = mp.zero
        return masked

    return Matrices(change)


def _positive_definite(m: Array, mp: Any) -> Array:
    return m @ m.T + _identity(m.shape, mp) / 2


def _orthogonal(m: Array, mp: Any) -> Array:
    """Columns made orthonormal one after the other."""
    columns: list[Array] = []
    for k in range(m.shape[1]):
        column = m[:, k]
        for _ in range(2):
            for other in columns:
                column = column - other * (other @ column)
        columns.append(column / mp.sqrt(column @ column))
    return np.array(columns, dtype=object).T


def _identity(shape: tuple[int, ...], mp: Any) -> Array:
    return np.broadcast_to(array(np.eye(shape[-2], shape[-1], dtype=int), mp), shape)


def _absolute(value: Array, _assumed: frozenset[str], _g: random.Random, mp: Any) -> Array:
    return np.asarray(abs(value) + mp.mpf("0.1"), dtype=object)


def _posdef(value: Array, assumed: frozenset[str], g: random.Random, mp: Any) -> Array:
    if "diagonal" in assumed:
        return np.asarray(abs(value) + _identity(value.shape, mp) / 10, dtype=object)
    return Matrices(_positive_definite)(value, assumed, g, mp)


def _sign(value: Array, _assumed: frozenset[str], g: random.Random, mp: Any) -> Array:
    return array(np.vectorize(lambda v: g.choice((-1, 1)), otypes=[object])(value), mp)


def _binary(value: Array, assumed: frozenset[str], g: random.Random, mp: Any) -> Array:
    chosen = array(np.vectorize(lambda v: g.choice((0, 1)), otypes=[object])(value), mp)
    if "unit-sum" in assumed:  # one 1 in each row
        chosen[...] = mp.zero
        for index in np.ndindex(chosen.shape[:-1]):
            chosen[(*index, g.randrange(chosen.shape[-1]))] = mp.one
    return chosen


def _unit_sum(value: Array, assumed: frozenset[str], _g: random.Random, mp: Any) -> Array:
    if "binary" in assumed:
        return value
    if "positive" in assumed:
        return np.asarray(value / value.sum(axis=-1, keepdims=True), dtype=object)
    excess = (value.sum(axis=-1, keepdims=True) - mp.one) / value.shape[-1]
    return np.asarray(value - excess, dtype=object)


ASSUMPTIONS: Mapping[str, Callable[[Array, frozenset[str], random.Random, Any], Array]] = {
    "positive": _absolute,
    "nonnegative": _absolute,
    "symmetric": Matrices(lambda m, mp: (m + m.T) / 2),
    "skew": Matrices(lambda m, mp: (m - m.T) / 2),
    "lower": _mask(lambda i, j: i >= j),
    "upper": _mask(lambda i, j: i <= j),
    "diagonal": _mask(lambda i, j: i == j),
    "orthogonal": Matrices(_orthogonal),
    "posdef": _posdef,
    "sign": _sign,
    "binary": _binary,
    "unit-sum": _unit_sum,
}
