"""Names for what stands in an answer more than once: ``S a aᵀ S − S  where S = (X + c I)⁻¹``.

The user's own lines are preferred, new names are familiar letters. A name is given only where the
whole text, with what the names stand for, gets shorter by it: lines by any margin, new names by one
that is worth the reader's trouble.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, count

from pullback.expressions.nodes import Node, Variable
from pullback.notation.matrix import MatrixForms
from pullback.notation.names import Name, Names
from pullback.notation.products import constant_of
from pullback.notation.readings import visible
from pullback.notation.tree import Formula
from pullback.simplification.canonical import parity

SHORTEST, LONGEST = 18, 600  # a formula in which names are looked for
LEAST, SHARE = 4, Fraction(1, 6)  # what a new name has to save, and of the whole
LEAST_OF_LINE = 1
MOST_TRIED, MOST_NAMES = 4, 4
DEFINITION = 2  # a definition is a name and an equality beside its formula

_LETTERS = {
    "symmetric": "SPQ",
    "matrix": "MNHG",
    "probabilities": "pqg",
    "sum": "ruv",
    "column": "uvwz",
    "scalar": "cstg",
}


@dataclass(frozen=True)
class Draft:
    """A formula in certain names, and which of them it needs defined, in that order."""

    names: Names
    matrices: MatrixForms
    tree: Formula
    definitions: tuple[Node, ...] = ()

    @property
    def length(self) -> int:
        """How much there is to read in the formula and in all the definitions."""
        forms = [self.matrices.of(node) for node in self.definitions]
        return length(self.tree) + sum(DEFINITION + length(form) for form in forms if form)


def length(f: Formula) -> int:
    """The names, numbers, functions and operators that show; factors stand side by side."""
    own = {"sum": len(f.parts) - 1, "hadamard": len(f.parts) - 1, "kron": len(f.parts) - 1}
    if f.op == "product":
        signs = [p for p in f.parts if p.op == "number" and p.data == -1]
        return sum(map(length, f.parts)) - len(signs)
    if f.op == "bracket":
        return 3
    return own.get(f.op, 1) + sum(map(length, f.parts))


def abbreviated(root: Node, draft: Draft, write: Callable[[Names], Draft | None]) -> Draft:
    """The draft with names for what it repeats; ``write`` makes one in other names."""
    place: dict[Node, int] | None = None
    given: dict[Node, Name] = {}
    while SHORTEST <= draft.tree.size <= LONGEST and len(given) < MOST_NAMES:
        place = place or {node: k for k, node in enumerate(visible(root, draft.names))}
        best: tuple[int, Draft, Node, Name] | None = None
        for node, name in _candidates(root, draft, place):
            more = {**given, node: name}
            found = write(draft.names.extended({node: name}))
            if found is None:
                continue
            used = _used(found, more)
            if node not in used or len(used) < len(more):
                continue
            order = sorted(used, key=place.__getitem__)
            found = Draft(found.names, found.matrices, found.tree, tuple(order))
            saved = draft.length - found.length
            enough = saved >= (LEAST_OF_LINE if node in draft.names.offered else LEAST)
            if node not in draft.names.offered:
                enough = enough and saved >= SHARE * draft.length
            if enough and (best is None or saved > best[0]):
                best = saved, found, node, name
        if best is None:
            break
        _, draft, node, name = best
        given[node] = name
    return draft


def _used(draft: Draft, given: dict[Node, Name]) -> set[Node]:
    """The given names that the formula uses, or a definition of one that it uses."""
    used: set[Node] = set()
    waiting = [draft.tree]
    while waiting:
        f = waiting.pop()
        waiting.extend(f.parts)
        if f.op == "atom":
            for node, name in given.items():
                if name is f.data and node not in used:
                    used.add(node)
                    form = draft.matrices.of(node)
                    waiting.extend([form] if form else [])
    return used


def _candidates(root: Node, draft: Draft, place: dict[Node, int]) -> Iterator[tuple[Node, Name]]:
    """The nodes that may be worth a name, the user's lines first, then what would save most."""
    names = draft.names
    repeats = _repeats(draft.tree)
    for node, name in names.offered.items():
        if node is not root and node in place and node not in names and node.order <= 2:
            yield node, name
    found: dict[Formula, Node] = {}
    for node, form in draft.matrices.known():
        if form is not None and form in repeats and node in place and _nameable(node, root, names):
            found.setdefault(form, node)
    ranked = sorted(found, key=lambda f: (-(repeats[f] - 1) * (length(f) - 1), place[found[f]]))
    free = _letters(place, names)
    for form in ranked[:MOST_TRIED]:
        node = found[form]
        symmetric = node.order == 2 and parity(node) == 1
        text = free(_sort(form, symmetric))
        yield node, Name(text, text, text, form.rank, symmetric=symmetric)


def _nameable(node: Node, root: Node, names: Names) -> bool:
    return (
        node is not root
        and bool(node.children)
        and node not in names
        and names.through(node) is None
        and constant_of(node) is None
    )


def _repeats(tree: Formula) -> dict[Formula, int]:
    """The parts of a formula that are there more than once, as they are or transposed."""
    counts: dict[Formula, int] = {}
    waiting = [tree]
    while waiting:
        f = waiting.pop()
        waiting.extend(f.parts)
        if f.size > 2 and f.op != "bracket":
            counts[f] = counts.get(f, 0) + 1
    return {f: n for f, n in counts.items() if n > 1}


def _sort(form: Formula, symmetric: bool) -> str:
    if form.kind == "scalar":
        return "scalar"
    if form.kind == "matrix":
        return "symmetric" if symmetric or form.op == "power" else "matrix"
    if form.op == "function" and form.data[0].ascii in ("sigmoid", "softmax"):
        return "probabilities"
    return "sum" if form.op == "sum" else "column"


def _letters(nodes: Iterable[Node], names: Names) -> Callable[[str], str]:
    """What gives the next free letter of a sort."""
    taken = {name for node in nodes for size in node.shape for name in size.names}
    taken |= {node.name for node in nodes if isinstance(node, Variable)}

    def free(sort: str) -> str:
        numbered = (f"{letter}{k}" for k in count(1) for letter in _LETTERS[sort])
        return next(t for t in names.free(chain(_LETTERS[sort], numbered)) if t not in taken)

    return free
