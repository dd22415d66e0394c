"""Aᵀ D A as RᵀR with R = √D A, which BLAS computes with half the multiplications."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from pullback.compilation.arrays import Arrays
from pullback.compilation.ir import Literal, Register, View, whole
from pullback.compilation.ordering import Measure
from pullback.expressions.nodes import Labels
from pullback.expressions.sizes import Size

Factor = tuple[Register, Labels]

WORTHWHILE = 30_000  # multiplications of the product from which on roots cost less than they save


def square(factors: Sequence[Factor], kept: Sequence[int]) -> tuple[int, int] | None:
    """Where one matrix stands twice, so that the result is a matrix and its own transpose."""
    for k, (one, above) in enumerate(factors):
        for j in range(k):
            other, below = factors[j]
            if one is not other or len(above) != 2:
                continue
            apart = [(a, b) for a, b in zip(below, above, strict=True) if a != b]
            shared = [a for a, b in zip(below, above, strict=True) if a == b and a not in kept]
            if len(apart) == len(shared) == 1 and set(kept) == {*apart[0]}:
                return j, k
    return None


@dataclass(frozen=True)
class Weights:
    """What stands between the two matrices, along the axis that is summed."""

    inner: int
    registers: list[Register]
    work: int  # multiplications of the product


def weights(
    factors: Sequence[Factor],
    kept: Sequence[int],
    sizes: Mapping[int, Size],
    measure: Measure,
    nonnegative: Container[Register],
) -> Weights | None:
    """The weights of a square, if there are some, none can be negative and it is worth their roots."""
    pair = square(factors, kept) if len(factors) > 2 else None
    if pair is None:
        return None
    labels, others = (factors[k][1] for k in pair)
    (inner,) = set(labels) & set(others)
    rest = [f for k, f in enumerate(factors) if k not in pair]
    if not rest or any(ls != (inner,) or r not in nonnegative for r, ls in rest):
        return None
    work = 1
    for x in {*labels, *others}:
        work *= measure(sizes[x])
    return Weights(inner, [r for r, _ in rest], work) if work >= WORTHWHILE else None


def rooted(
    arrays: Arrays, factors: Sequence[Factor], kept: Sequence[int], between: Weights, front: View
) -> tuple[list[Factor], View]:
    """The two matrices scaled by the root of their weights, and what is left in front."""
    pair = square(factors, kept)
    assert pair is not None
    matrix, labels = factors[pair[0]]
    weight, *more = (whole(r) for r in between.registers)
    for other in more:
        weight = arrays.multiply(weight, other)
    if isinstance(front.source, Literal) and front.source.value > 0:
        weight, front = arrays.multiply(front, weight), View(Literal(1))
    axes = tuple([0 if x == between.inner else None for x in labels])
    root = arrays.map("sqrt", weight)
    scaled = arrays.multiply(whole(matrix), View(root.source, axes))
    assert isinstance(scaled.source, Register)
    return [(scaled.source, factors[k][1]) for k in pair], front
