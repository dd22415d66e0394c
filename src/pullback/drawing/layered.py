"""Places for boxes joined by edges: layer below layer, so that no two labels meet.

The method of K. Sugiyama, S. Tagawa and M. Toda, "Methods for visual understanding of hierarchical
system structures", IEEE Trans. Syst. Man Cybern. 11 (1981): longest paths give the layers, medians
the order within them. Every edge has a place of its own in each layer that it passes and its label
one in a layer between the boxes, so what is drawn never overlaps by construction. Within a layer
the places are the least squares fit to their neighbours that keeps the order and the distances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

SWEEPS = 12
BESIDE, BETWEEN = 20.0, 13.0  # distances within a layer, and between layers
THIN = 10.0  # the room of an edge that passes


@dataclass(frozen=True)
class Join:
    """An edge from one box to another, and the size of its label."""

    source: int
    target: int
    width: float = 0.0
    height: float = 0.0


@dataclass
class Placed:
    """The middle of each box; of each edge its points and where its label starts."""

    width: float
    height: float
    boxes: list[tuple[float, float]]
    routes: list[list[tuple[float, float]]]
    labels: list[tuple[float, float]]


@dataclass
class _Item:
    """A box, or an edge in a layer that it passes, with what it is joined to above and below.

    ``left`` and ``right`` are the room it needs beside its place: a label stands to the right.
    """

    left: float
    right: float
    height: float
    layer: int
    passes: bool = False
    light: bool = False  # an input, or the edge of one: it moves to where it is used
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)
    at: float = 0.0


def placed(sizes: Sequence[tuple[float, float]], joins: Sequence[Join]) -> Placed:
    """Places for boxes of these sizes, edges going down; the joins have no cycle.

    >>> a, b = placed([(40, 20), (40, 20)], [Join(0, 1)]).boxes
    >>> a[0] == b[0], a[1] < b[1]
    (True, True)
    """
    ranks = ranks_of(len(sizes), joins)
    items = [_Item(w / 2, w / 2, h, 2 * ranks[k]) for k, (w, h) in enumerate(sizes)]
    entered = {join.target for join in joins}
    for k, item in enumerate(items):
        item.light = k not in entered
    ways: list[list[int]] = []
    for join in joins:
        way = [join.source]
        for layer in range(items[join.source].layer + 1, items[join.target].layer):
            labelled = layer == items[join.target].layer - 1 and join.width > 0
            right = join.width + 10 if labelled else THIN / 2
            tall = join.height if labelled else 0.0
            light = items[join.source].light
            items.append(_Item(THIN / 2, right, tall, layer, passes=True, light=light))
            way.append(len(items) - 1)
        way.append(join.target)
        for one, other in pairwise(way):
            items[one].below.append(other)
            items[other].above.append(one)
        ways.append(way)
    layers = _ordered(items)
    _aligned(items, layers)
    return _read(items, layers, len(sizes), joins, ways)


def ranks_of(count: int, joins: Sequence[Join]) -> list[int]:
    """Longest paths from above; what nothing is joined to stands just above its first use."""
    below: list[list[int]] = [[] for _ in range(count)]
    open_ = [0] * count
    for join in joins:
        below[join.source].append(join.target)
        open_[join.target] += 1
    given = [n for n in range(count) if not open_[n]]
    ready, ranks = list(given), [0] * count
    for node in ready:
        for other in below[node]:
            ranks[other] = max(ranks[other], ranks[node] + 1)
            open_[other] -= 1
            if not open_[other]:
                ready.append(other)
    for node in given:
        if below[node]:
            ranks[node] = min(ranks[other] for other in below[node]) - 1
    return ranks


def _ordered(items: list[_Item]) -> list[list[int]]:
    """The items of each layer in an order with few crossings."""
    layers: list[list[int]] = [[] for _ in range(max((i.layer for i in items), default=0) + 1)]
    for k in _depth_first(items):
        layers[items[k].layer].append(k)
    best, fewest = [list(layer) for layer in layers], _crossings(items, layers)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        place = {k: float(p) for layer in layers for p, k in enumerate(layer)}
        for layer in layers if down else reversed(layers):
            wish = {}
            for k in layer:
                near = sorted(place[n] for n in (items[k].above if down else items[k].below))
                middle = len(near) // 2
                wish[k] = place[k] if not near else (near[middle] + near[(len(near) - 1) // 2]) / 2
            layer.sort(key=lambda k: wish[k])
            place.update({k: float(p) for p, k in enumerate(layer)})
        crossings = _crossings(items, layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _depth_first(items: list[_Item]) -> list[int]:
    """Every item once, neighbours near each other."""
    seen: dict[int, None] = {}
    for start in sorted(range(len(items)), key=lambda k: items[k].layer):
        stack = [start]
        while stack:
            k = stack.pop()
            if k not in seen:
                seen[k] = None
                stack += [*reversed(items[k].below), *reversed(items[k].above)]
    return list(seen)


def _crossings(items: list[_Item], layers: list[list[int]]) -> int:
    total = 0
    for layer, under in pairwise(layers):
        place = {k: p for p, k in enumerate(under)}
        ends: list[int] = []
        for k in layer:
            for end in sorted(place[n] for n in items[k].below):
                total += sum(1 for other in ends if other > end)
            ends += [place[n] for n in items[k].below]
    return total


def _aligned(items: list[_Item], layers: list[list[int]]) -> None:
    """Places along each layer: near the neighbours, and never nearer than there is room for."""
    for layer in layers:
        at = 0.0
        for k in layer:
            items[k].at = at + items[k].left
            at += items[k].left + items[k].right + BESIDE
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wishes, weights = [], []
            for k in layer:
                item = items[k]
                near = (item.above, item.below)[sweep % 2] if sweep < SWEEPS - 4 else []
                near = near or [*item.above, *item.below]
                pulls = [_pull(item, items[n]) for n in near]
                wish = sum(p * items[n].at for p, n in zip(pulls, near, strict=True))
                wishes.append(wish / sum(pulls) if near else item.at)
                weights.append(max(sum(pulls), 0.2))
            for k, at in zip(layer, _spread(items, layer, wishes, weights), strict=True):
                items[k].at = at


def _pull(one: _Item, other: _Item) -> float:
    """How much a neighbour counts: long edges and the chain of operations shall be straight."""
    if one.light or other.light:
        return 1.0
    return 16.0 if one.passes and other.passes else 8.0


def _spread(
    items: list[_Item], layer: list[int], wishes: list[float], weights: list[float]
) -> list[float]:
    """The places nearest to what is wished, in order and with the room each needs.

    Less the room before it, each place must not be below the one before: pools of adjacent
    violators give the weighted least squares fit (R. E. Barlow et al., Statistical Inference
    under Order Restrictions (1972), section 1.2).
    """
    room = [0.0] if layer else []
    for one, other in pairwise(layer):
        a, b = items[one], items[other]
        gap = BESIDE if not (a.passes and b.passes) else BESIDE / 2
        room.append(room[-1] + a.right + b.left + gap)
    pools: list[list[float]] = []  # weight, mean, how many
    for wish, weight, before in zip(wishes, weights, room, strict=True):
        pools.append([weight, wish - before, 1])
        while len(pools) > 1 and pools[-2][1] > pools[-1][1]:
            w, m, n = pools.pop()
            v, l, c = pools.pop()
            pools.append([v + w, (v * l + w * m) / (v + w), c + n])
    flat = [mean for _, mean, count in pools for _ in range(int(count))]
    return [mean + before for mean, before in zip(flat, room, strict=True)]


def _read(
    items: list[_Item],
    layers: list[list[int]],
    count: int,
    joins: Sequence[Join],
    ways: list[list[int]],
) -> Placed:
    """Everything in coordinates from the upper left corner."""
    left = min((i.at - i.left for i in items), default=0.0)
    right = max((i.at + i.right for i in items), default=0.0)
    tops, y = [], 0.0
    for layer in layers:
        tops.append(y)
        y += max((items[k].height for k in layer), default=0.0) + BETWEEN
    ends = [
        t + max((items[k].height for k in ks), default=0.0)
        for t, ks in zip(tops, layers, strict=True)
    ]
    middle = [(a + b) / 2 for a, b in zip(tops, ends, strict=True)]
    boxes = [(i.at - left, middle[i.layer]) for i in items[:count]]
    leaves = _ports(items, ways, 0, count)
    enters = _ports(items, ways, -1, count)
    routes, labels = [], []
    for n, (join, way) in enumerate(zip(joins, ways, strict=True)):
        start, stop = items[join.source], items[join.target]
        x = leaves[n] - left
        route = [(x, middle[start.layer] + start.height / 2), (x, ends[start.layer])]
        label = (0.0, 0.0)
        for k in way[1:-1]:
            item = items[k]
            x = item.at - left
            if item.height:
                label = (x + 6, middle[item.layer])
            route += [(x, tops[item.layer]), (x, ends[item.layer])]
        x = enters[n] - left
        route += [(x, tops[stop.layer]), (x, middle[stop.layer] - stop.height / 2)]
        routes.append(route)
        labels.append(label)
    return Placed(right - left, max(y - BETWEEN, 0.0), boxes, routes, labels)


def _ports(items: list[_Item], ways: list[list[int]], end: int, count: int) -> list[float]:
    """Where along its box each edge leaves or enters: side by side, in the order they come."""
    at = [0.0] * len(ways)
    beside = 1 if end == 0 else -2
    for box in range(count):
        mine = [n for n, way in enumerate(ways) if way[end] == box]
        mine.sort(key=lambda n: items[ways[n][beside]].at)
        step = min(18.0, 1.4 * items[box].left / max(len(mine), 1))
        for k, n in enumerate(mine):
            at[n] = items[box].at + (k - (len(mine) - 1) / 2) * step
    return at
