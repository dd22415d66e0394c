"""What indicators do to the axes of a tensor, in words: a slice, a merged axis, a triangle."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from pullback.expressions.nodes import Indicator
from pullback.expressions.relations import mixed_radix, relation_of
from pullback.expressions.sizes import Size

Labels = Sequence[Hashable]
SLICE, PUT_BACK = "entries taken out (a slice)", "entries put among zeros"
MERGED, SPLIT = "axes merged into one", "one axis split (a reshape)"
TRIANGLE, PLACED = "a triangle kept, zeros elsewhere", "entries placed by their indices"


def placing(
    marks: Sequence[tuple[Indicator, Labels]],
    tensors: Sequence[Labels],
    output: Labels,
    sizes: Mapping[Hashable, Size],
) -> str:
    """What the indicators of a product do; a Kronecker product is told from its two merged axes."""
    words = list(dict.fromkeys(_placing(node, labels, output, sizes) for node, labels in marks))
    parts = {x for labels in tensors for x in labels}
    once = sum(map(len, tensors)) == len(parts)
    if words == [MERGED] and len(marks) == len(output) and len(parts) > len(output) and once:
        if len(tensors) == 2:
            return "Kronecker product"
        if len(output) == 2 and len(parts) == 4:
            return "axes merged by pairs"
    return ", ".join(words)


def _placing(
    node: Indicator, labels: Labels, output: Labels, sizes: Mapping[Hashable, Size]
) -> str:
    if not node.equality:
        return TRIANGLE if len(labels) == 2 else PLACED
    relation = relation_of(node, labels)
    lengths = dict(sizes.items())
    if len(labels) > 2:
        for number in labels:
            value = relation.solved_for(number)
            digits = value and mixed_radix(dict(value.coefficients), lengths, sizes[number])
            if digits and len(digits) > 1:
                return MERGED if number in output else SPLIT
        return PLACED
    shown = [x for x in labels if x in output]
    if len(shown) != 1:
        return PLACED
    inner = next(x for x in labels if x != shown[0])
    value = relation.solved_for(inner)
    if value is not None and value.within(sizes[inner], sizes):
        return SLICE
    back = relation.solved_for(shown[0])
    return PUT_BACK if back is not None and back.within(sizes[shown[0]], sizes) else PLACED
