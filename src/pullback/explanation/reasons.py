"""Why: the law behind a link, the reason for a transpose, the kind of a local derivative."""

from __future__ import annotations

from pullback.differentiation.local import hand_on
from pullback.differentiation.reverse import identity
from pullback.explanation.operations import is_seed
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Apply, Contraction, Node, Sum
from pullback.expressions.sizes import shape_text
from pullback.expressions.walks import post_order
from pullback.functions.catalogue import primitive
from pullback.trace import Link

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")

LAWS = {
    "sum": "a sum hands what it was handed to each of its terms, times the term's number",
    "product": "in a product, what was handed takes the place of the operand",
    "view": "what only moves or repeats entries hands each gradient back to where its entry came from",
}


def law_of(link: Link) -> str:
    """The law of a link, in words."""
    node = link.operation
    if isinstance(node, Sum):
        return LAWS["sum"]
    if isinstance(node, Contraction):
        return LAWS["product" if len(node.operands) > 1 else "view"]
    assert isinstance(node, Apply)
    if primitive(node).elementwise:
        return (
            "chain rule, entry by entry: the derivative of each entry multiplies its own gradient"
        )
    return "chain rule: what was handed is summed against the local derivative over the axes of the result"


def local_derivative(links: list[Link]) -> Node:
    """∂operation/∂operand as a tensor: what the links hand on when they are handed ∂v/∂v."""
    node = links[0].operation
    start = identity(node)
    parts = [(1, hand_on(node, link.position, start, link.partial)) for link in links]
    return make.add(parts)


def structure(node: Node) -> str:
    """What kind of entity a local derivative is, and which entries can differ from zero.

    >>> from pullback.expressions.constructors import delta
    >>> structure(delta("n"))
    'identity matrix, n of n·n entries differ from zero'
    """
    names = ("number", "vector", "matrix")
    name = names[node.order] if node.order < 3 else f"order-{node.order} tensor"
    _, core = make.split_coefficient(node)
    if make.is_zero(node):
        return f"{name} of zeros"
    if not isinstance(core, Contraction) or not make.has_delta(core):
        return name
    if node.order == 2:
        name = "diagonal matrix" if core.operands else "identity matrix"
        name = name if node is core or core.operands else "multiple of the identity matrix"
    free = [str(core.sizes[label]) for label in dict.fromkeys(core.output)]
    every = "·".join(str(size) for size in node.shape)
    can = "can differ" if core.operands else "differ"
    return f"{name}, {'·'.join(free)} of {every} entries {can} from zero"


def readings_used(link: Link, known: frozenset[Node]) -> tuple[str, ...]:
    """The textbook forms that the partial of a function can be read in, as laws."""
    if link.partial is None:
        return ()
    stated = []
    for node in post_order(link.partial):
        if isinstance(node, Apply) and node not in known:
            # a power of another function carries the readings of that function's record
            for record in (primitive(link.operation), primitive(node)):  # type: ignore[arg-type]
                for reading in record.readings:
                    found = reading.rewrite(node)
                    if found is not None and found[1] in known and reading.statement not in stated:
                        stated.append(reading.statement)
    return tuple(stated)


def transpose_reason(link: Link, text: str, handed: str, names: dict[Node, str]) -> str:
    """Why factors of a hand-on are transposed, from the axes they are summed over.

    ``text`` is the formula, ``handed`` the name of what was handed and ``names`` the names of
    the operands, so that only a transpose the reader sees is explained.
    """
    node = link.operation
    if not isinstance(node, Contraction) or "ᵀ" not in text:
        return ""
    kept = node.operands[link.position][1]
    reasons = []
    factors = [(names[n], n, ls) for k, (n, ls) in enumerate(node.operands) if k != link.position]
    if not is_seed(link.handed, node) and link.handed.order == node.order:
        factors.append((handed, node, node.output))
    for name, operand, labels in factors:
        # ∂L/∂(Q Kᵀ) K has no Kᵀ but in the name of what was handed
        seen = text if name == handed else text.replace(handed, "")
        if not (f"{name}ᵀ" in seen or f"({name})ᵀ" in seen):
            continue
        if operand.order == 1 and len(kept) == 2 and labels[0] in kept:
            axis = "column" if kept.index(labels[0]) else "row"
            reasons.append(
                f"{name} is transposed because nothing is summed: it gives every {axis} of the "
                f"{shape_text(link.operand.shape)} result one of its entries"
            )
        elif operand.order == 2:
            here = [k for k, label in enumerate(labels) if label not in kept]
            if len(here) == 1:
                size = operand.shape[here[0]]
                reasons.append(
                    f"{name} is transposed because it is summed here over its "
                    f"{ORDINALS[here[0]]} axis ({size}){_forward_axis(node, labels, here[0])}"
                )
    return "; ".join(reasons)


def _forward_axis(node: Contraction, labels: tuple[int, ...], here: int) -> str:
    """Over which axis the forward product summed, where that differs."""
    there = [k for k, label in enumerate(labels) if label not in node.output]
    if len(there) != 1 or there[0] == here:
        return ""
    return f", and forward over its {ORDINALS[there[0]]} ({node.sizes[labels[there[0]]]})"
