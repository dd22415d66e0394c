"""Results whose structure is kept: small arrays and δs, multiplied by vectors without being expanded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pullback.compilation.blocks import Blocks, Updated, solver_of
from pullback.compilation.extras import insist_on_scipy
from pullback.derivation.factored import Factored, Term
from pullback.errors import DomainError, PullbackError, ShapeError
from pullback.expressions import constructors as make
from pullback.expressions.nodes import Node, Variable
from pullback.expressions.sizes import Shape

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import LinearOperator

Array = np.ndarray[Any, Any]
# runs an operation on the cores (and a vector after them), asking for sizes where it must
Operation = Callable[[tuple[Any, ...], Callable[[], Mapping[str, int]]], Any]
# compiles an expression of variables with these names, the cores' and VECTOR last
Build = Callable[[Node, tuple[str, ...]], Operation]

VECTOR = "vector"


@dataclass
class Form:
    """The structure of a result, shared by all results of one function.

    ``factored`` has variables (``names``) in place of its factors. The first ``rows`` axes are
    those of the result's rows, the others those of its columns. Operations are compiled from it
    when they are first used.
    """

    factored: Factored
    names: tuple[str, ...]
    rows: int
    build: Build
    _made: dict[str, Operation] = field(default_factory=dict)

    @property
    def row_shape(self) -> Shape:
        return self.factored.shape[: self.rows]

    @property
    def column_shape(self) -> Shape:
        return self.factored.shape[self.rows :]

    @property
    def square(self) -> bool:
        return self.row_shape == self.column_shape

    def operation(self, name: str) -> Operation:
        """``dense``, ``times`` (a vector in the columns), ``from_left``, ``diagonal``, ``trace``."""
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self.build(getattr(self, "_" + name)(), (*self.names, VECTOR))
        return made

    @cached_property
    def times(self) -> Operation:
        """The product with a vector, looked up once."""
        return self.operation("times")

    def _dense(self) -> Node:
        return self.factored.node()

    def _times(self) -> Node:
        vector = make.variable(VECTOR, self.column_shape)
        rows = self.rows
        return self._summed(
            lambda t: ([(vector, t.output[rows:])], t.output[:rows]), self.row_shape
        )

    def _from_left(self) -> Node:
        vector = make.variable(VECTOR, self.row_shape)
        rows = self.rows
        return self._summed(
            lambda t: ([(vector, t.output[:rows])], t.output[rows:]), self.column_shape
        )

    def _diagonal(self) -> Node:
        return self.factored.diagonal(self.rows)

    def _trace(self) -> Node:
        return make.total(self._diagonal())

    def _summed(
        self,
        change: Callable[[Term], tuple[list[tuple[Node, tuple[int, ...]]], tuple[int, ...]]],
        shape: Shape,
    ) -> Node:
        terms = []
        for term in self.factored.terms:
            more, output = change(term)
            sizes = dict(term.sizes(self.factored.shape))
            product = make.contract([*term.factors, *more], output, sizes)
            terms.append((term.coefficient, product))
        return make.add(terms, shape)

    @cached_property
    def solver(self) -> Blocks | Updated | None:
        """How a system with this matrix falls apart into smaller ones; None if it does not."""
        return solver_of(self.factored, self.rows) if self.square else None


class Kept:
    """A tensor as small arrays: its rows are axes of the function, its columns the variable's.

    For a Hessian both are the variable's. ``K @ v`` takes and gives arrays in these shapes.

    >>> import pullback as pb, numpy as np
    >>> H = pb.hessian("sum(exp(x))", "x")
    >>> K = pb.compile(H, structure="keep")(x=np.array([0.0, 1.0]))
    >>> K @ np.array([1.0, 0.0]), K.core
    (array([1., 0.]), array([1.        , 2.71828183]))
    """

    def __init__(
        self, form: Form, cores: tuple[Array, ...], sizes: Callable[[], Mapping[str, int]]
    ) -> None:
        self.form = form
        self.cores = cores
        self._sizes = sizes

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """The number that each named size stands for."""
        return self._sizes()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape that the dense array would have."""
        return tuple([size.evaluate(self.sizes) for size in self.form.factored.shape])

    @property
    def core(self) -> Any:
        """The array that is stored, or a tuple of them."""
        return self.cores[0] if len(self.cores) == 1 else self.cores

    @property
    def nbytes(self) -> int:
        return sum(core.nbytes for core in self.cores)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.result_type(*self.cores) if self.cores else np.dtype(np.float64)

    def _run(self, operation: str, *vector: Any) -> Any:
        return self.form.operation(operation)((*self.cores, *vector), self._sizes)

    def dense(self) -> Array:
        """The whole array, zeros included."""
        return np.asarray(self._run("dense"))

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        del copy
        return self.dense() if dtype is None else self.dense().astype(dtype)

    def __matmul__(self, vector: Any) -> Any:
        """The product with an array in the columns' shape, in the rows' shape."""
        try:
            return self.form.times((*self.cores, vector), self._sizes)
        except ShapeError:
            self._fitting(vector, self.form.column_shape)  # says it in this tensor's own terms
            raise

    def __rmatmul__(self, vector: Any) -> Any:
        """An array in the rows' shape times this, in the columns' shape."""
        try:
            return self._run("from_left", vector)
        except ShapeError:
            self._fitting(vector, self.form.row_shape)
            raise

    __array_ufunc__ = None  # NumPy leaves v @ K to this class

    def diagonal(self) -> Array:
        """The entries whose row is their column, in the variable's shape."""
        self._insist_on_square("a diagonal")
        return np.asarray(self._run("diagonal"))

    def trace(self) -> float:
        self._insist_on_square("a trace")
        return float(self._run("trace"))

    def solve(self, right: Any) -> Array:
        """x with K @ x = right, both in the variable's shape.

        Diagonal, block-diagonal and Kronecker forms are solved block by block, also with a few
        outer products added to one of them; what else there is as a dense system. Raises
        DomainError where K is singular.
        """
        self._insist_on_square("a solution")
        b = self._fitting(right, self.form.row_shape)
        try:
            solver = self.form.solver
            if solver is not None:
                return solver.solve(dict(zip(self.form.names, self.cores, strict=True)), b)
            count = int(np.prod(b.shape, dtype=int))
            solved = np.linalg.solve(self.dense().reshape(count, count), b.reshape(count))
        except np.linalg.LinAlgError:
            raise DomainError("the matrix to solve with is singular") from None
        return np.asarray(solved).reshape(b.shape)

    def operator(self) -> LinearOperator:
        """A SciPy LinearOperator on flattened (row by row) arrays, for iterative solvers."""
        insist_on_scipy("an operator")
        from scipy.sparse.linalg import LinearOperator  # noqa: PLC0415  # SciPy is an extra

        rows, columns = (self._lengths(s) for s in (self.form.row_shape, self.form.column_shape))
        size = (int(np.prod(rows, dtype=int)), int(np.prod(columns, dtype=int)))
        return LinearOperator(
            size,
            matvec=lambda v: (self @ np.reshape(v, columns)).reshape(-1),
            rmatvec=lambda v: (np.reshape(v, rows) @ self).reshape(-1),
            dtype=self.dtype,
        )

    def sparse(self) -> csr_array:
        """A SciPy sparse matrix of the flattened tensor, of the entries that can differ from zero."""
        insist_on_scipy("a sparse matrix")
        from scipy.sparse import coo_array  # noqa: PLC0415  # SciPy is an extra

        rows = int(np.prod(self._lengths(self.form.row_shape), dtype=int))
        columns = int(np.prod(self._lengths(self.form.column_shape), dtype=int))
        shape = self.shape
        total = coo_array((rows, columns), dtype=self.dtype).tocsr()
        for k in range(len(self.form.factored.terms)):
            values, index = self._entries(k)
            flat = np.ravel_multi_index(index, shape)
            part = coo_array((values, (flat // columns, flat % columns)), shape=(rows, columns))
            total = total + part.tocsr()
        return total

    def _entries(self, k: int) -> tuple[Array, tuple[Array, ...]]:
        """The entries of a term along its distinct labels, and where in the tensor they stand."""
        term = self.form.factored.terms[k]
        lengths = {
            x: s.evaluate(self.sizes) for x, s in term.sizes(self.form.factored.shape).items()
        }
        distinct = list(lengths)
        grid = [lengths[x] for x in distinct]
        value = np.full(grid, float(term.coefficient), self.dtype)
        named = dict(zip(self.form.names, self.cores, strict=True))
        for node, labels in term.factors:
            assert isinstance(node, Variable)
            order = sorted(range(len(labels)), key=lambda i: distinct.index(labels[i]))
            seen = named[node.name].transpose(order)
            value *= seen[tuple([slice(None) if x in labels else None for x in distinct])]
        places = np.indices(grid)
        return value.reshape(-1), tuple(
            [places[distinct.index(x)].reshape(-1) for x in term.output]
        )

    def _lengths(self, shape: Shape) -> tuple[int, ...]:
        return tuple([size.evaluate(self.sizes) for size in shape])

    def _fitting(self, value: Any, shape: Shape) -> Array:
        array = np.asarray(value, dtype=self.dtype)
        wanted = self._lengths(shape)
        if array.shape != wanted:
            raise ShapeError(f"this takes an array of shape {wanted}, not {array.shape}")
        return array

    def _insist_on_square(self, what: str) -> None:
        if not self.form.square:
            rows, columns = (
                self._lengths(self.form.row_shape),
                self._lengths(self.form.column_shape),
            )
            raise PullbackError(f"{what} needs rows like columns; these are {rows} and {columns}")

    def __repr__(self) -> str:
        shape = "×".join(map(str, self.shape))
        kept = sum(core.size for core in self.cores)
        return f"<{shape} tensor kept as {kept} numbers>"
