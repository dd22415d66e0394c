"""Linear algebra of NumPy and SciPy on nodes: norms, powers, factors, systems of equations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import inf
from typing import Any

from pullback.errors import PullbackError
from pullback.expressions import Node
from pullback.expressions import constructors as make
from pullback.language import array_shapes as shapes
from pullback.language import broadcasting as numpy_axes
from pullback.language.applying import LIST, ArrayFunction, apply_record, of_record


def norm(node: Node, ord: Any = None) -> Node:
    """``np.linalg.norm``: Euclidean of a vector, Frobenius of a matrix, or as ``ord`` says."""
    if ord is None:
        return apply_record("norm2", node)
    if node.order == 1 and isinstance(ord, int | float):
        return apply_record("norm_inf", node) if ord == inf else _vector_norm(node, ord)
    name = _MATRIX_NORMS.get(ord) if node.order == 2 else None
    if name is None:
        raise PullbackError(
            f"np.linalg.norm with ord={ord!r} of {node.order} axes is not supported"
        )
    return apply_record(name, node)


_MATRIX_NORMS: dict[object, str] = {
    "fro": "normF",
    "nuc": "nuclear_norm",
    1: "norm1_induced",
    2: "spectral_norm",
    inf: "norm_inf_induced",
}


def _vector_norm(node: Node, p: float) -> Node:
    return apply_record("norm", node, make.constant(p))


def matrix_power(node: Node, n: int) -> Node:
    if node.order != 2 or isinstance(n, bool) or not isinstance(n, int) or abs(n) > 64:
        raise PullbackError("matrix_power takes a matrix and a whole number from -64 to 64")
    if n == 0:
        return make.delta(node.shape[0])
    factor = node if n > 0 else apply_record("inv", node)
    result = factor
    for _ in range(abs(n) - 1):
        result = numpy_axes.matmul(result, factor)
    return result


def multi_dot(nodes: Sequence[Node]) -> Node:
    return reduce(numpy_axes.matmul, nodes)


def solve(left: Node, right: Node) -> Node:
    return numpy_axes.matmul(apply_record("inv", left), right)


def cholesky(node: Node, *, upper: bool = False) -> Node:
    """``np.linalg.cholesky``: the lower factor L, or its transpose."""
    factor = apply_record("cholesky", node)
    return _turned(factor) if upper else factor


def cholesky_of_scipy(node: Node, lower: bool = False) -> Node:
    """``scipy.linalg.cholesky``: the upper factor, unless the lower one is asked for."""
    return cholesky(node, upper=not lower)


def solve_triangular(left: Node, right: Node, trans: Any = 0, lower: bool = False) -> Node:
    """``scipy.linalg.solve_triangular``: by one triangle of a matrix, or its transpose."""
    if trans not in (0, 1, "N", "T"):
        raise PullbackError(f"trans is 0, 1, 'N' or 'T', not {trans!r}")
    if trans in (0, "N"):
        return apply_record("solve_lower" if lower else "solve_upper", left, right)
    part = shapes.triangle(left, 0, upper=not lower)
    return apply_record("solve", _turned(part), right)


def svd(node: Node, full_matrices: bool = True, compute_uv: bool = True) -> Node:
    """``np.linalg.svd(X, compute_uv=False)``; the vectors are not single-valued."""
    del full_matrices
    if compute_uv:
        hint = "np.linalg.svdvals(X) has the singular values; np.linalg.norm(X, 2) the largest"
        raise PullbackError("the factors of np.linalg.svd are not single-valued", None, hint)
    return apply_record("svdvals", node)


def _turned(node: Node) -> Node:
    *lead, rows, columns = range(node.order)
    return make.transpose(node, [*lead, columns, rows])


_NAMES = {  # of NumPy and SciPy; ours where they differ
    **{name: name for name in ("inv", "det", "pinv", "eigvalsh", "svdvals")},
    **{name: name for name in ("expm", "logm", "sqrtm", "sinm", "cosm")},
    "solve_sylvester": "sylvester",
    "solve_continuous_lyapunov": "lyapunov",
    "solve_lyapunov": "lyapunov",
}
_VALUES = {"sylvester": 3, "lyapunov": 2}

LINALG: dict[str, ArrayFunction] = {
    "linalg.norm": ArrayFunction(norm),
    "linalg.solve": ArrayFunction(solve, 2),
    "linalg.matrix_power": ArrayFunction(matrix_power),
    "linalg.multi_dot": ArrayFunction(multi_dot, LIST),
    "linalg.cholesky": ArrayFunction(cholesky),
    "scipy.linalg.cholesky": ArrayFunction(cholesky_of_scipy),
    "linalg.solve_triangular": ArrayFunction(solve_triangular, 2),
    "solve_triangular": ArrayFunction(solve_triangular, 2),
    "linalg.svd": ArrayFunction(svd),
    **{
        f"linalg.{name}": ArrayFunction(of_record(ours), _VALUES.get(ours, 1))
        for name, ours in _NAMES.items()
    },
}
