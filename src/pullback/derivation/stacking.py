"""Derivatives over vec'd axes: the axes of each matrix as one, columns one below the other.

The function and each variable have one axis then, as in ∂vec F/∂vec(X)ᵀ (J. R. Magnus, H. Neudecker,
Matrix Differential Calculus (3rd edition, 2019), chapter 5).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from pullback.expressions.constructors import add, contract, delta, exact_number
from pullback.expressions.nodes import Contraction, Indicator, Node, Number, Sum
from pullback.expressions.placement import merge, split
from pullback.expressions.sizes import Shape, Size
from pullback.expressions.walks import depending_on, post_order

Factor = tuple[Node, tuple[Hashable, ...]]
Term = tuple[Number, list[Factor], dict[Hashable, Size]]  # a number, factors, sizes of labels
MOST_TERMS = 64  # beyond that, sums stay as they are


def _spans(groups: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where the axes of each group begin and end."""
    at = 0
    for order in groups:
        if order:
            yield at, at + order
        at += order


def stacked_shape(shape: Shape, groups: Sequence[int]) -> Shape:
    """The sizes once each group of axes is one."""
    sizes = []
    for start, stop in _spans(groups):
        size = Size.of(1)
        for part in shape[start:stop]:
            size = size * part
        sizes.append(size)
    return tuple(sizes)


def stacked(node: Node, groups: Sequence[int]) -> Node:
    """The tensor with each group of axes as one, of which the first varies fastest.

    >>> from pullback.expressions.constructors import variable
    >>> stacked(variable("T", ["p", "m", "n"]), (1, 2)).shape
    (Size(p), Size(m*n))
    """
    for start, stop in reversed(list(_spans(groups))):
        if stop - start > 1:
            node = merge(node, range(start, stop), first_fastest=True)
    return node


def unstacked(node: Node, shape: Shape, groups: Sequence[int]) -> Node:
    """The tensor of this shape whose :func:`stacked` is ``node``."""
    for at, (start, stop) in reversed(list(enumerate(_spans(groups)))):
        if stop - start > 1:
            node = split(node, at, shape[start:stop], first_fastest=True)
    return in_one_product(node)


def in_one_product(root: Node) -> Node:
    """The node with its indicators in one product, where what was merged meets what splits it.

    Products are opened, and sums multiplied out, only on the way to indicators.
    """
    indicators = [n for n in post_order(root) if isinstance(n, Indicator)]
    holding = depending_on(root, indicators) - set(indicators)
    whole: Term = (1, [(root, tuple(range(root.order)))], dict(enumerate(root.shape)))
    done: list[tuple[Number, Node]] = []
    pending = [whole]
    while pending:
        coefficient, factors, sizes = pending.pop()
        few = len(done) + len(pending) < MOST_TERMS
        at = next((k for k, (n, _) in enumerate(factors) if n in holding), None) if few else None
        if at is None:
            done.append((coefficient, contract(factors, range(root.order), sizes)))
            continue
        (node, labels), rest = factors[at], factors[:at] + factors[at + 1 :]
        if isinstance(node, Sum):
            for c, term in node.terms:
                pending.append((exact_number(coefficient * c), [*rest, (term, labels)], sizes))
        elif isinstance(node, Contraction):
            sizes = dict(sizes)
            pending.append((coefficient, [*rest, *_opened(node, labels, sizes)], sizes))
        else:  # a function of what holds an indicator
            holding.discard(node)
            pending.append((coefficient, factors, sizes))
    return add(done, root.shape)


def _opened(
    node: Contraction, labels: Sequence[Hashable], sizes: dict[Hashable, Size]
) -> list[Factor]:
    """The factors of a product that stands at ``labels``, its summed labels as new ones."""
    outer: dict[int, Hashable] = {}
    factors: list[Factor] = []
    for own, label in zip(node.output, labels, strict=True):
        if outer.setdefault(own, label) != label:
            factors.append((delta(node.sizes[own]), (outer[own], label)))
    for own in node.summed:
        outer[own] = ("summed", len(sizes))
        sizes[outer[own]] = node.sizes[own]
    return factors + [(n, tuple([outer[k] for k in ls])) for n, ls in node.operands]
