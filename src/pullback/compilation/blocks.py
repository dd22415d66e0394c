"""Systems that fall apart: diagonal, block-diagonal and Kronecker matrices, solved block by block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.derivation.factored import Factored, Label
from pullback.expressions.nodes import Variable

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Block:
    """A factor as matrices from some labels to as many others, one for each index of ``batch``.

    ``order`` brings the factor's axes into the order batch, rows, columns. A block without rows
    divides entry by entry.
    """

    core: str  # the name of the factor
    order: tuple[int, ...]
    batch: tuple[Label, ...]
    rows: tuple[Label, ...]
    columns: tuple[Label, ...]


@dataclass(frozen=True)
class Blocks:
    """One term whose factors each tie some of the row axes to as many column axes."""

    coefficient: float
    above: tuple[Label, ...]
    across: tuple[Label, ...]
    blocks: tuple[Block, ...]

    def solve(self, cores: Mapping[str, Array], right: Array) -> Array:
        """The solution, one block after another; LinAlgError where one is singular."""
        labels = list(self.above)
        solution = right / self.coefficient
        for block in self.blocks:
            solution, labels = _solved(
                cores[block.core].transpose(block.order), solution, labels, block
            )
        return np.ascontiguousarray(solution.transpose([labels.index(x) for x in self.across]))


def blocks_of(tensor: Factored, rows: int) -> Blocks | None:
    """The blocks of a single product, or None where rows and columns are not paired by factors."""
    if len(tensor.terms) != 1:
        return None
    (term,) = tensor.terms
    if term.coefficient == 0:
        return None
    above, across = term.output[:rows], term.output[rows:]
    if len(set(above)) < rows or len(set(across)) < rows:
        return None
    tied = set(above) & set(across)
    if any(above.index(x) != across.index(x) for x in tied):
        return None
    sizes = term.sizes(tensor.shape)
    blocks: list[Block] = []
    paired: set[Label] = set(tied)
    for node, labels in term.factors:
        assert isinstance(node, Variable)
        batch = [x for x in above if x in labels and x in tied]
        left = [x for x in above if x in labels and x not in tied]
        right = [x for x in across if x in labels and x not in tied]
        if [sizes[x] for x in left] != [sizes[x] for x in right] or paired & {*left, *right}:
            return None
        paired |= {*left, *right}
        order = tuple([labels.index(x) for x in (*batch, *left, *right)])
        blocks.append(Block(node.name, order, tuple(batch), tuple(left), tuple(right)))
    # what no factor holds must be a δ: a broadcast axis makes the matrix singular
    whole = paired >= {*above, *across}
    return Blocks(float(term.coefficient), above, across, tuple(blocks)) if whole else None


def _solved(
    factor: Array, right: Array, labels: Sequence[Label], block: Block
) -> tuple[Array, list[Label]]:
    """One block's systems: its rows' labels become its columns'."""
    others = [x for x in labels if x not in (*block.batch, *block.rows)]
    moved = right.transpose([labels.index(x) for x in (*block.batch, *block.rows, *others)])
    lead = moved.shape[: len(block.batch)]
    after: list[Label] = [*block.batch, *block.columns, *others]
    if not block.rows:
        if not np.all(factor):
            raise np.linalg.LinAlgError
        return moved / factor.reshape(*lead, *[1] * len(others)), after
    inner = moved.shape[len(lead) : len(lead) + len(block.rows)]
    count = int(np.prod(inner, dtype=int))
    matrices = factor.reshape(*lead, count, count)
    found = np.linalg.solve(matrices, moved.reshape(*lead, count, -1))
    return found.reshape(moved.shape), after
