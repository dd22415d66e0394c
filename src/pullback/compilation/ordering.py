"""In which order the factors of a product are best contracted, by counted cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import combinations

from pullback.expressions.sizes import Size

Pairs = tuple[tuple[int, int], ...]  # positions; the result of a step is appended at the end
Measure = Callable[[Size], int]  # a number for a size

NOMINAL = 64  # what a named size counts for while it has no number
EXHAUSTIVE = 6  # up to so many factors every order is tried
MATRIX_PRODUCT = 0.25  # cost of a multiply-add inside a matrix product, against one on its own
LOOP = 20  # cost of starting an innermost loop of an elementwise product


@lru_cache(maxsize=4096)
def nominal(size: Size) -> int:
    """A number for a size: its own, or one that makes every named size alike."""
    return max(1, size.evaluate(dict.fromkeys(size.names, NOMINAL)))


class Sizes:
    """The numbers of named sizes, those at hand for a call; a :data:`Measure`."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        self.numbers = dict(numbers)

    def __call__(self, size: Size) -> int:
        known = {name: self.numbers.get(name, NOMINAL) for name in size.names}
        return max(1, size.evaluate(known))


def best_order(
    factors: Sequence[Sequence[int]],
    output: Sequence[int],
    sizes: Mapping[int, Size],
    measure: Measure = nominal,
) -> tuple[float, Pairs]:
    """The cost and the pairs of the cheapest order of contraction.

    >>> n = Size.of("n")
    >>> best_order([(0, 1), (1, 2), (2,)], (0,), {0: n, 1: n, 2: n})[1]
    ((1, 2), (0, 3))
    """
    ends = list(dict.fromkeys(output))
    # numbered as the axes of the results lie in memory: the output's in its order, then the others
    used = [*ends, *sorted({label for labels in factors for label in labels} - set(ends))]
    number = {label: k for k, label in enumerate(used)}
    return _best(
        tuple([frozenset([number[x] for x in labels]) for labels in factors]),
        frozenset(range(len(ends))),
        tuple([measure(sizes[label]) for label in used]),
    )


@lru_cache(maxsize=4096)
def _best(
    factors: tuple[frozenset[int], ...], output: frozenset[int], dims: tuple[int, ...]
) -> tuple[float, Pairs]:
    if len(factors) < 2:
        return 0.0, ()
    if len(factors) <= EXHAUSTIVE:
        return _exhaustive(factors, output, dims)
    return _greedy(factors, output, dims)


def _volume(labels: frozenset[int], dims: tuple[int, ...]) -> float:
    volume = 1.0
    for label in labels:
        volume *= dims[label]
    return volume


def _pair_cost(
    left: frozenset[int], right: frozenset[int], kept: frozenset[int], dims: tuple[int, ...]
) -> float:
    both = left | right
    volume = _volume(both, dims)
    if (left & right) - kept:
        each = MATRIX_PRODUCT if left - right and right - left else 1.0
    else:
        each = 1 + LOOP / _run(left, right, dims)
    # ten for the operation itself: fewer, larger operations win a tie
    return each * volume + _volume(both & kept, dims) + 10


def _run(left: frozenset[int], right: frozenset[int], dims: tuple[int, ...]) -> int:
    """How long the innermost loops of an elementwise product are: the last axes seen alike."""
    run = 1
    first: tuple[bool, bool] | None = None
    for x in sorted(left | right, reverse=True):
        shown = x in left, x in right
        first = first or shown
        if shown != first:
            break
        run *= dims[x]
    return run


def _exhaustive(
    factors: tuple[frozenset[int], ...], output: frozenset[int], dims: tuple[int, ...]
) -> tuple[float, Pairs]:
    """Dynamic programming over the subsets of the factors."""
    n = len(factors)
    everything = (1 << n) - 1
    labels: dict[int, frozenset[int]] = {}
    best: dict[int, tuple[float, int]] = {}  # subset → cost, one half of its last step
    for subset in range(1, everything + 1):
        members = [k for k in range(n) if subset >> k & 1]
        outside = output.union(*[factors[k] for k in range(n) if not subset >> k & 1])
        labels[subset] = frozenset().union(*[factors[k] for k in members]) & outside
        if len(members) == 1:
            best[subset] = 0.0, 0
            continue
        lowest = subset & -subset
        half = (subset - 1) & subset
        found: tuple[float, int] | None = None
        while half:
            if half & lowest:
                rest = subset ^ half
                cost = best[half][0] + best[rest][0]
                cost += _pair_cost(
                    _open(half, labels, factors), _open(rest, labels, factors), labels[subset], dims
                )
                if found is None or cost < found[0]:
                    found = cost, half
            half = (half - 1) & subset
        assert found is not None
        best[subset] = found

    pairs: list[tuple[int, int]] = []
    position = {1 << k: k for k in range(n)}
    stack = [(everything, False)]
    while stack:
        subset, ready = stack.pop()
        if subset in position:
            continue
        half = best[subset][1]
        if ready:
            pairs.append((position[half], position[subset ^ half]))
            position[subset] = n + len(pairs) - 1
        else:
            stack += [(subset, True), (subset ^ half, False), (half, False)]
    return best[everything][0], tuple(pairs)


def _open(
    subset: int, labels: Mapping[int, frozenset[int]], factors: tuple[frozenset[int], ...]
) -> frozenset[int]:
    """The labels of an operand: all of a single factor's, what is left of a product's."""
    if subset & (subset - 1):
        return labels[subset]
    return factors[subset.bit_length() - 1]


def _greedy(
    factors: tuple[frozenset[int], ...], output: frozenset[int], dims: tuple[int, ...]
) -> tuple[float, Pairs]:
    """Always the cheapest next pair."""
    left = dict(enumerate(factors))
    pairs: list[tuple[int, int]] = []
    total = 0.0
    while len(left) > 1:
        options = []
        for (i, a), (j, b) in combinations(left.items(), 2):
            kept = output.union(*[f for k, f in left.items() if k not in (i, j)]) & (a | b)
            options.append((_pair_cost(a, b, kept, dims), i, j, kept))
        cost, i, j, kept = min(options, key=lambda option: option[:3])
        total += cost
        pairs.append((i, j))
        left.pop(i)
        left.pop(j)
        left[len(factors) + len(pairs) - 1] = kept
    return total, tuple(pairs)
