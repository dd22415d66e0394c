"""The rule of an operation, found by trying it on variables whose sizes are all different."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from pullback.errors import PullbackError
from pullback.expressions import Node, Size
from pullback.expressions import constructors as make
from pullback.language import kinds as k
from pullback.language.kinds import Axis, Extent, Kind, Refusal, Rule, length

Pattern = tuple[bool, frozenset[int]]  # counted from the last axis; which axes are shared


def _patterns(most: int) -> Iterator[Pattern]:
    """Which sizes are equal from operand to operand: ever more, counted from either end."""
    for count in range(most + 1):
        for chosen in combinations(range(most), count):
            yield from ((last, frozenset(chosen)) for last in ((True, False) if count else (True,)))


def _probe(operand: int, order: int, pattern: Pattern | None) -> Node:
    """A variable of this order; without a pattern all its sizes are one."""
    if pattern is None:
        return make.variable(f"x{operand}", ["n"] * order)
    last, shared = pattern
    places = [order - 1 - axis if last else axis for axis in range(order)]
    sizes = [f"{operand}.{a}" if p not in shared else f"shared{p}" for a, p in enumerate(places)]
    return make.variable(f"x{operand}", sizes)


def probed(
    build: Callable[[Sequence[Node]], Node],
    kinds: Sequence[Kind],
    name: str = "this",
) -> Rule | Refusal:
    """What ``build`` makes of operands of these kinds: the first pattern it accepts is its rule.

    The size of a new axis is read off as a polynomial in those of the operands. A result of the
    shape of an operand stands as that does.
    """
    refusal = Refusal(f"{name} does not take {', '.join(map(k.kind_text, kinds))}")
    orders = list(map(k.order_of, kinds))
    for pattern in [*_patterns(min(max(orders), 3) if len(orders) > 1 else 0), None]:
        probes = [_probe(i, order, pattern) for i, order in enumerate(orders)]
        try:
            result = build(probes)
        except PullbackError as error:
            refusal = Refusal(error.message, error.hint)
            continue
        first: dict[Size, Axis] = {}
        equal: list[tuple[Axis, Axis]] = []
        for i, probe in enumerate(probes):
            for axis, size in enumerate(probe.shape):
                if first.setdefault(size, (i, axis)) != (i, axis):
                    equal.append((first[size], (i, axis)))
        put = {str(size): length(*axis) for size, axis in first.items()}
        axes = tuple([first.get(size) or Extent(size.put(put)) for size in result.shape])
        alike = [kind for kind, p in zip(kinds, probes, strict=True) if p.shape == result.shape]
        kind = alike[0] if alike else k.kind_of_order(result.order)
        if not result.order:
            kind = k.scalar_kind(kinds)
        return Rule(kind, axes, tuple(equal))
    return refusal
