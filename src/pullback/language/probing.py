"""The rule of an operation, found by trying it on variables whose sizes are all different."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pullback.errors import PullbackError
from pullback.expressions import Node, Size
from pullback.expressions import constructors as make
from pullback.language import kinds as k
from pullback.language.kinds import Axis, Extent, Kind, Refusal, Rule, length

# sizes of the axes of operand i: all different, equal from operand to operand, or all equal
PATTERNS = ("{i}.{axis}", "{axis}", "n")


def probed(
    build: Callable[[Sequence[Node]], Node],
    kinds: Sequence[Kind],
    patterns: Sequence[str] = PATTERNS,
    name: str = "this",
) -> Rule | Refusal:
    """What ``build`` makes of operands of these kinds: the first pattern it accepts is its rule.

    The size of a new axis is read off as a polynomial in those of the operands. A result of the
    shape of an operand stands as that does.
    """
    refusal = Refusal(f"{name} does not take {', '.join(map(k.kind_text, kinds))}")
    for pattern in patterns:
        probes = [
            make.variable(f"x{i}", [pattern.format(i=i, axis=a) for a in range(k.order_of(kind))])
            for i, kind in enumerate(kinds)
        ]
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
