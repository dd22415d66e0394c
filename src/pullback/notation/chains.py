"""The order of factors in index notation: along the letters they share, the same however written.

Nothing here depends on how products are nested or which way the axes of a node run, so that a
formula that is read again is printed alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pullback.expressions.nodes import Apply, Node, SizeValue, Sum
from pullback.expressions.relations import Relation
from pullback.notation.names import Names
from pullback.notation.products import Label, constant_of
from pullback.notation.relations import letter_of
from pullback.notation.solving import Entry
from pullback.notation.tree import LAST

Letters = tuple[str, ...]
COUNTING = "ijklmnpqrstuvwabcfgh"  # index letters in the order in which they are taken
Place = tuple[int, int, str]
ALONE: Place = (LAST, 0, "")  # the place of what no output axis touches


def counting_order(letter: str) -> Place:
    """Letters from i on come first: i, j, …, w, a, b, …; then i1, j1, …"""
    at = COUNTING.find(letter[0])
    return int(letter[1:] or 0), at if at >= 0 else len(COUNTING), letter


class Contents:
    """What a reader finds in the formula of a node: its names, functions and numbers, in order."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._known: dict[Node, tuple[tuple[int, str], ...]] = {}

    def __call__(self, root: Node) -> tuple[tuple[int, str], ...]:
        stack = [root]
        while stack:
            node = stack[-1]
            missing = [n for n in self._below(node) if n not in self._known]
            if missing and node not in self._known:
                stack.extend(missing)
                continue
            stack.pop()
            if node not in self._known:
                inner = [item for n in self._below(node) for item in self._known[n]]
                self._known[node] = tuple(sorted([*self._own(node), *inner]))
        return self._known[root]

    def _below(self, node: Node) -> tuple[Node, ...]:
        return () if self.names.name(node) is not None else node.children

    def _own(self, node: Node) -> list[tuple[int, str]]:
        name = self.names.name(node)
        if name is not None:
            return [(name.rank, name.text)]
        if isinstance(node, Apply):
            return [(LAST, node.function)]
        if isinstance(node, Sum):
            return [(LAST, str(c)) for c, _ in node.terms if c != 1]
        return [(LAST, str(node.size))] if isinstance(node, SizeValue) else []


def connected(
    factors: Sequence[Entry], at: Mapping[Label, Relation], contents: Contents
) -> list[tuple[Place, list[Entry]]]:
    """The factors in groups that share summed labels, each in order along its chain.

    ``at`` has the indices of the output. With each group comes the first of their letters that it
    touches, or ALONE. A group starts with a factor on that letter and goes on along shared labels.
    """
    position = {
        label: min((counting_order(str(x)) for x in index.labels), default=ALONE)
        for label, index in at.items()
    }
    by_label: dict[Label, list[int]] = {}
    for k, factor in enumerate(factors):
        for label in set(factor.labels) - set(position):
            by_label.setdefault(label, []).append(k)
    keys = []
    for factor in factors:
        touched = [position[label] for label in factor.labels if label in position]
        found = contents(factor.node) if factor.node is not None else ()
        keys.append((*_simple(factor), found, touched))
    places = [(min(key[-1], default=ALONE), *key, k) for k, key in enumerate(keys)]
    groups: list[tuple[Place, list[Entry]]] = []
    done: set[int] = set()
    for place, *_, start in sorted(places):
        if start in done:
            continue
        done.add(start)
        chain, k = [start], 0
        while k < len(chain):
            shared = factors[chain[k]].labels
            near = {i for label in shared for i in by_label.get(label, ())} - done
            chain += sorted(near, key=lambda i: (keys[i], i))
            done |= near
            k += 1
        groups.append((place, [factors[i] for i in chain]))
    return groups


def _simple(factor: Entry) -> tuple[int, bool, bool]:
    """Vectors before matrices, letters before x_{i+1}, and 1 − g after g."""
    broken = False
    stack: list[Node] = [factor.node] if isinstance(factor.node, Sum) else []
    while stack and not broken:
        node = stack.pop()
        broken = constant_of(node) is not None
        stack += [n for _, n in node.terms] if isinstance(node, Sum) else []
    moved = any(letter_of(index) is None for index in factor.indices)
    return len(factor.labels), moved, broken
