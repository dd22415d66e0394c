"""Functions on nodes, and how those of the catalogue are applied to nodes as NumPy broadcasts them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any

from pullback.errors import PullbackError
from pullback.expressions import Node, Size
from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import Definition
from pullback.language import broadcasting as numpy_axes
from pullback.language.broadcasting import Axes, axes_of, broadcast_to

NodeFunction = Callable[..., Node]


@dataclass(frozen=True, slots=True)
class ArrayFunction:
    """A function of NumPy on nodes: its first arguments are values, the others are stated.

    ``values`` counts them; ALL for every one, LIST for one list of them, TEXT for all after a text.
    """

    call: NodeFunction
    values: int = 1

    def __call__(self, *arguments: Any, **options: Any) -> Node:
        return self.call(*arguments, **options)


ALL, LIST, TEXT = 99, -1, -2


def apply_record(name: str, *nodes: Node, axis: int | None = None) -> Node:
    """A function of the catalogue; one of a vector goes along ``axis``, the last if not given."""
    record = CATALOGUE[name]
    if isinstance(record, Definition):
        if axis is not None:
            raise PullbackError(f"{name} takes no axis")
        return record.apply(_of_one_shape(nodes) if record.result == "same" else nodes)
    if record.elementwise:
        if axis is not None:
            raise PullbackError(f"{name} goes entry by entry and takes no axis")
        return record.apply(_of_one_shape(nodes))
    if not record.takes_axis:
        if axis is not None:
            raise PullbackError(f"{name} takes no axis")
        return record.apply(nodes)
    if axis is None:
        return record.apply(nodes)
    return record.along(nodes[0], axes_of(nodes[0], axis))


def _of_one_shape(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """The arguments repeated along the axes that NumPy repeats them along, where they differ."""
    if len({node.shape for node in nodes if node.order}) < 2:
        return nodes
    common = numpy_axes.broadcast_shapes(*[node.shape for node in nodes])
    return tuple(broadcast_to(node, common) for node in nodes)


def reduce_over(name: str, node: Node, axis: Axes = None, keepdims: bool = False) -> Node:
    """A reduction of the catalogue over some axes, all of them for None."""
    axes = axes_of(node, axis)
    result = CATALOGUE[name].along(node, axes)
    if not keepdims:
        return result
    left = [a for a in range(node.order) if a not in axes]
    kept: list[Hashable] = [("one", a) if a in axes else a for a in range(node.order)]
    return make.contract([(result, left)], kept, {("one", a): Size.of(1) for a in axes})


REDUCTIONS: dict[str, NodeFunction] = {
    name: partial(reduce_over, name) for name, record in CATALOGUE.items() if record.reduction
}


def of_record(name: str) -> NodeFunction:
    """A function of the catalogue as one of nodes."""
    return partial(apply_record, name)
