"""Systems that fall apart: diagonal, block-diagonal and Kronecker matrices, solved block by block.

With a few outer products added they still do: the Sherman-Morrison-Woodbury formula (G. H. Golub,
C. F. Van Loan, Matrix Computations (4th edition, 2013), section 2.1.4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.derivation.factored import Factored, Label, Term
from pullback.expressions.nodes import Variable
from pullback.expressions.sizes import Shape

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


@dataclass(frozen=True)
class Outer:
    """A term that is a column times a row: factors with the rows' labels, and with the columns'."""

    coefficient: float
    columns: tuple[tuple[str, tuple[int, ...]], ...]  # names of factors, and their axes of the rows
    rows: tuple[tuple[str, tuple[int, ...]], ...]

    @classmethod
    def of(cls, term: Term, rows: int) -> Outer | None:
        """The term so read; None where a factor or a δ ties rows to columns."""
        above, across = term.output[:rows], term.output[rows:]
        if len(set(term.output)) < len(term.output):
            return None
        sides: list[list[tuple[str, tuple[int, ...]]]] = [[], []]
        for node, labels in term.factors:
            assert isinstance(node, Variable)
            for side, ends in zip(sides, (above, across), strict=True):
                if set(labels) <= set(ends):
                    side.append((node.name, tuple([ends.index(x) for x in labels])))
                    break
            else:
                return None
        return cls(float(term.coefficient), tuple(sides[0]), tuple(sides[1]))


@dataclass(frozen=True)
class Updated:
    """Blocks B and a few outer products: B + Σ c u vᵀ."""

    blocks: Blocks
    outer: tuple[Outer, ...]

    def solve(self, cores: Mapping[str, Array], right: Array) -> Array:
        """x = y − B⁻¹U S⁻¹ C Vᵀy with y = B⁻¹b and S = I + C VᵀB⁻¹U, as small as the sum is long.

        LinAlgError where B or S is singular to rounding.
        """
        shape = right.shape
        left = [_spread(o.columns, cores, shape) for o in self.outer]
        rows = [o.coefficient * _spread(o.rows, cores, shape) for o in self.outer]
        first = self.blocks.solve(cores, right)
        solved = [self.blocks.solve(cores, u) for u in left]
        inner = np.array([[np.vdot(v, u) for u in solved] for v in rows])
        capacity = np.eye(len(rows)) + inner
        scale = 1 + np.abs(inner).max()
        if np.linalg.svd(capacity, compute_uv=False)[-1] <= 8 * np.finfo(inner.dtype).eps * scale:
            raise np.linalg.LinAlgError
        weights = np.linalg.solve(capacity, np.array([np.vdot(v, first) for v in rows]))
        return np.asarray(first - np.tensordot(weights, np.stack(solved), 1))


def _spread(
    factors: tuple[tuple[str, tuple[int, ...]], ...],
    cores: Mapping[str, Array],
    shape: tuple[int, ...],
) -> Array:
    """The product of factors along their axes, as an array along all."""
    value = np.ones(shape)
    for name, axes in factors:
        order = sorted(range(len(axes)), key=lambda k: axes[k])
        aligned = cores[name].transpose(order)
        value = (
            value * aligned[tuple([slice(None) if a in axes else None for a in range(len(shape))])]
        )
    return value


MOST_OUTER = 8  # outer products beside the blocks


def solver_of(tensor: Factored, rows: int) -> Blocks | Updated | None:
    """How a system with this matrix falls apart into smaller ones; None if it does not."""
    outer = [Outer.of(term, rows) for term in tensor.terms]
    tied = [term for term, found in zip(tensor.terms, outer, strict=True) if found is None]
    few = tuple([found for found in outer if found is not None])
    blocks = _blocks_of(tied[0], tensor.shape, rows) if len(tied) == 1 else None
    if blocks is None or not few:
        return blocks
    return Updated(blocks, few) if len(few) <= MOST_OUTER else None


def _blocks_of(term: Term, shape: Shape, rows: int) -> Blocks | None:
    """The blocks of a product, or None where rows and columns are not paired by factors."""
    if term.coefficient == 0:
        return None
    above, across = term.output[:rows], term.output[rows:]
    if len(set(above)) < rows or len(set(across)) < rows:
        return None
    tied = set(above) & set(across)
    if any(above.index(x) != across.index(x) for x in tied):
        return None
    sizes = term.sizes(shape)
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
