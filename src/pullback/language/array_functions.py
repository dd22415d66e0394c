"""NumPy's functions on nodes: what ``np.sum`` or ``np.linalg.inv`` mean of an expression."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from math import inf
from typing import Any

from pullback.errors import PullbackError, ShapeError
from pullback.expressions import Node, Size, placement
from pullback.expressions import constructors as make
from pullback.functions.catalogue import ALIASES, CATALOGUE
from pullback.functions.record import Definition, Function
from pullback.language import array_shapes as shapes
from pullback.language import broadcasting as numpy_axes
from pullback.language.broadcasting import Axes, axes_of, broadcast_to, multiply

NodeFunction = Callable[..., Node]


@dataclass(frozen=True, slots=True)
class ArrayFunction:
    """A function of NumPy on nodes: its first arguments are values, the others are stated.

    ``values`` counts them; ALL for every one, LIST for one list of them, TEXT for all after a text.
    """

    call: NodeFunction
    values: int = 1

    def __call__(self, *arguments: Any, **options: Any) -> Node:
        return self.call(*arguments, **options)


ALL, LIST, TEXT = 99, -1, -2


def apply_record(name: str, *nodes: Node, axis: int | None = None) -> Node:
    """A function of the catalogue; one of a vector goes along ``axis``, the last if not given."""
    record = CATALOGUE[name]
    if isinstance(record, Definition):
        if axis is not None:
            raise PullbackError(f"{name} takes no axis")
        return record.apply(_of_one_shape(nodes) if record.result == "same" else nodes)
    if record.elementwise:
        if axis is not None:
            raise PullbackError(f"{name} goes entry by entry and takes no axis")
        return record.apply(_of_one_shape(nodes))
    if not record.takes_axis:
        if axis is not None:
            raise PullbackError(f"{name} takes no axis")
        return record.apply(nodes)
    if axis is None:
        return record.apply(nodes)
    return record.along(nodes[0], axes_of(nodes[0], axis))


def _of_one_shape(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """The arguments repeated along the axes that NumPy repeats them along, where they differ."""
    if len({node.shape for node in nodes if node.order}) < 2:
        return nodes
    common = numpy_axes.broadcast_shapes(*[node.shape for node in nodes])
    return tuple(broadcast_to(node, common) for node in nodes)


def reduce_over(name: str, node: Node, axis: Axes = None, keepdims: bool = False) -> Node:
    """A reduction of the catalogue over some axes, all of them for None."""
    axes = axes_of(node, axis)
    result = CATALOGUE[name].along(node, axes)
    if not keepdims:
        return result
    left = [a for a in range(node.order) if a not in axes]
    kept: list[Hashable] = [("one", a) if a in axes else a for a in range(node.order)]
    return make.contract([(result, left)], kept, {("one", a): Size.of(1) for a in axes})


REDUCTIONS: dict[str, NodeFunction] = {
    name: partial(reduce_over, name) for name, record in CATALOGUE.items() if record.reduction
}


def einsum(subscripts: str, *nodes: Node) -> Node:
    """``np.einsum``; without ``->`` the result has the labels that come once, in order."""
    if not isinstance(subscripts, str):
        raise PullbackError("einsum takes its subscripts as one text, such as 'ij,j->i'")
    text = subscripts.replace(" ", "")
    if "->" not in text:
        letters = text.replace("...", "").replace(",", "")
        once = sorted(c for c in set(letters) if letters.count(c) == 1)
        text += "->" + ("..." if "..." in text else "") + "".join(once)
    inputs, _, output = text.partition("->")
    unknown = set(output.replace("...", "")) - set(inputs)
    wrong = [c for c in text.replace("...", "") if not (c.isalpha() or c in ",->")]
    if unknown or wrong:
        raise PullbackError(
            f"einsum '{subscripts}': '{[*sorted(unknown), *wrong][0]}' is no label here"
        )
    return make.einsum(text, *nodes)


def transpose(node: Node, axes: Sequence[int] | None = None) -> Node:
    if axes is not None and len(axes_of(node, axes)) != node.order:
        raise PullbackError(f"transpose needs all {node.order} axes, not {tuple(axes)}")
    return make.transpose(node, None if axes is None else axes_of(node, axes))


def swapaxes(node: Node, axis1: int, axis2: int) -> Node:
    first, second = axes_of(node, (axis1,))[0], axes_of(node, (axis2,))[0]
    order = list(range(node.order))
    order[first], order[second] = order[second], order[first]
    return make.transpose(node, order)


def dot(left: Node, right: Node) -> Node:
    """``np.dot``: scalars multiply, else the last axis with the last but one."""
    if not left.order or not right.order:
        return multiply(left, right)
    if right.order > 2:
        raise PullbackError(
            "np.dot with a tensor on the right: write einsum, which says which axes"
        )
    return numpy_axes.matmul(left, right)


def inner(left: Node, right: Node) -> Node:
    if not left.order or not right.order:
        return multiply(left, right)
    return make.contract(
        [
            (left, [("l", i) for i in range(left.order - 1)] + [("k", 0)]),
            (right, [("r", i) for i in range(right.order - 1)] + [("k", 0)]),
        ],
        [("l", i) for i in range(left.order - 1)] + [("r", i) for i in range(right.order - 1)],
    )


def outer(left: Node, right: Node) -> Node:
    """The matrix of all products of entries of two vectors; of more axes, row by row."""
    flat = [shapes.ravel(node) if node.order != 1 else node for node in (left, right)]
    return make.contract([(flat[0], "i"), (flat[1], "j")], "ij")


def kron(left: Node, right: Node) -> Node:
    """``np.kron``: axis by axis, counted from the last."""
    order = max(left.order, right.order)
    labels = [
        [(i, a + order - n.order) for a in range(n.order)] for i, n in enumerate((left, right))
    ]
    out = [(i, a) for a in range(order) for i in (0, 1) if (i, a) in labels[i]]
    result = make.contract(list(zip((left, right), labels, strict=True)), out)
    for axis in reversed(range(order)):
        if (0, axis) in out and (1, axis) in out:
            at = out.index((0, axis))
            result = placement.merge(result, (at, at + 1))
            del out[at]
    return result


def convolve(left: Node, right: Node, mode: str = "full") -> Node:
    if left.order != 1 or right.order != 1:
        raise PullbackError("convolve takes two vectors")
    full = placement.convolution(left, right)
    if mode == "full":
        return full
    (m,), (n,) = left.shape, right.shape
    if mode != "valid" or not ((m - n).at_least(0) or (n - m).at_least(0)):
        hint = "take a slice of np.convolve(x, y), which has m + n - 1 entries"
        raise PullbackError(f"np.convolve with mode={mode!r} is not read here", None, hint)
    less, more = (n, m) if (m - n).at_least(0) else (m, n)
    return placement.take(full, 0, less - 1, more - less + 1)


def cross(left: Node, right: Node) -> Node:
    if any([size.constant for size in node.shape] != [3] for node in (left, right)):
        raise ShapeError("cross takes two vectors with three entries")
    return placement.cross(left, right)


def tensordot(left: Node, right: Node, axes: Any = 2) -> Node:
    """Summed over the last axes of the one and the first of the other, or over axes by name."""
    if isinstance(axes, int):
        if not 0 <= axes <= min(left.order, right.order):
            raise PullbackError(f"there are no {axes} axes to sum over")
        pairs = [(left.order - axes + k, k) for k in range(axes)]
    else:
        first, second = (axes_of(n, a) for n, a in zip((left, right), axes, strict=True))
        if len(first) != len(second):
            raise PullbackError("tensordot sums over as many axes of the one as of the other")
        pairs = list(zip(first, second, strict=True))
    inside = {b: ("left", a) for a, b in pairs}
    labels: list[Hashable] = [("left", a) for a in range(left.order)]
    others: list[Hashable] = [inside.get(b, ("right", b)) for b in range(right.order)]
    summed = set(inside.values())
    out = [x for x in [*labels, *others] if x not in summed]
    return make.contract([(left, labels), (right, others)], out)


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


def average(node: Node, axis: Axes = None, weights: Node | None = None) -> Node:
    if weights is None:
        return reduce_over("mean", node, axis)
    if weights.shape != node.shape:
        raise ShapeError("average takes weights of the same shape")
    total = partial(reduce_over, "sum", axis=axis)
    return numpy_axes.divide(total(multiply(node, weights)), total(weights))


def solve(left: Node, right: Node) -> Node:
    return numpy_axes.matmul(apply_record("inv", left), right)


def cumsum(node: Node, axis: int | None = None) -> Node:
    """``np.cumsum``; without an axis it goes over the entries in reading order."""
    return apply_record("cumsum", shapes.ravel(node) if axis is None else node, axis=axis)


def like(value: int) -> NodeFunction:
    return lambda node: make.constant(value, node.shape)


def ufunc(name: str) -> NodeFunction | None:
    """What a NumPy ufunc means, or None where it means nothing here."""
    if name in _UFUNCS:
        return _UFUNCS[name]
    record = CATALOGUE.get(ALIASES.get(name, name))
    if (
        isinstance(record, Function)
        and record.elementwise
        and name not in ("step", "sign", "huber")
    ):
        return _record(record.name)
    if name in ("hypot", "logaddexp"):
        return _record(name)
    return None


def _record(name: str) -> NodeFunction:
    return lambda *nodes: apply_record(name, *nodes)


_UFUNCS: dict[str, NodeFunction] = {
    "add": numpy_axes.plus,
    "subtract": numpy_axes.minus,
    "multiply": multiply,
    "divide": numpy_axes.divide,
    "matmul": numpy_axes.matmul,
    "power": numpy_axes.power,
    "float_power": numpy_axes.power,
    "negative": make.negate,
    "positive": lambda a: a,
    "absolute": _record("abs"),
    "fabs": _record("abs"),
    "sign": _record("sign"),
    "sqrt": _record("sqrt"),
    "square": lambda a: make.power(a, 2),
    "reciprocal": lambda a: make.power(a, -1),
    "maximum": _record("maximum"),
    "minimum": _record("minimum"),
    "expit": _record("sigmoid"),
}

# NumPy functions that are no ufuncs, by module and name; keyword arguments are theirs
FUNCTIONS: dict[str, ArrayFunction] = {
    **{name: ArrayFunction(REDUCTIONS[name]) for name in ("sum", "mean", "prod", "var", "std")},
    "max": ArrayFunction(REDUCTIONS["max"]),
    "amax": ArrayFunction(REDUCTIONS["max"]),
    "min": ArrayFunction(REDUCTIONS["min"]),
    "amin": ArrayFunction(REDUCTIONS["min"]),
    "average": ArrayFunction(average),
    "cumsum": ArrayFunction(cumsum),
    "clip": ArrayFunction(_record("clip"), ALL),
    "where": ArrayFunction(_record("where"), ALL),
    "zeros_like": ArrayFunction(like(0)),
    "ones_like": ArrayFunction(like(1)),
    "full_like": ArrayFunction(lambda node, value: broadcast_to(value, node.shape), 2),
    # products
    "einsum": ArrayFunction(einsum, TEXT),
    "dot": ArrayFunction(dot, 2),
    "vdot": ArrayFunction(lambda a, b: make.total(multiply(a, b)), 2),
    "inner": ArrayFunction(inner, 2),
    "outer": ArrayFunction(outer, 2),
    "kron": ArrayFunction(kron, 2),
    "tensordot": ArrayFunction(tensordot, 2),
    "convolve": ArrayFunction(convolve, 2),
    "cross": ArrayFunction(cross, 2),
    # axes
    "transpose": ArrayFunction(transpose),
    "permute_dims": ArrayFunction(transpose),
    "swapaxes": ArrayFunction(swapaxes),
    "moveaxis": ArrayFunction(shapes.moveaxis),
    "expand_dims": ArrayFunction(shapes.expand_dims),
    "squeeze": ArrayFunction(shapes.squeeze),
    "reshape": ArrayFunction(shapes.reshape),
    "ravel": ArrayFunction(shapes.ravel),
    "flatten": ArrayFunction(shapes.ravel),
    # places
    "concatenate": ArrayFunction(shapes.concatenate, LIST),
    "concat": ArrayFunction(shapes.concatenate, LIST),
    "stack": ArrayFunction(shapes.stack, LIST),
    "array": ArrayFunction(shapes.array, LIST),
    "hstack": ArrayFunction(shapes.hstack, LIST),
    "vstack": ArrayFunction(shapes.vstack, LIST),
    "column_stack": ArrayFunction(shapes.column_stack, LIST),
    "block": ArrayFunction(shapes.block, LIST),
    "tile": ArrayFunction(shapes.tile),
    "repeat": ArrayFunction(shapes.repeat),
    "roll": ArrayFunction(shapes.roll),
    "flip": ArrayFunction(shapes.flip),
    "flipud": ArrayFunction(lambda node: shapes.flip(node, 0)),
    "fliplr": ArrayFunction(lambda node: shapes.flip(node, 1)),
    "diff": ArrayFunction(shapes.diff),
    "tril": ArrayFunction(shapes.tril),
    "triu": ArrayFunction(shapes.triu),
    "diag": ArrayFunction(shapes.diag),
    "diagonal": ArrayFunction(shapes.diagonal),
    "trace": ArrayFunction(shapes.trace),
    # linear algebra
    "linalg.norm": ArrayFunction(norm),
    "linalg.solve": ArrayFunction(solve, 2),
    "linalg.trace": ArrayFunction(shapes.trace),
    "linalg.diagonal": ArrayFunction(shapes.diagonal),
    "linalg.matmul": ArrayFunction(numpy_axes.matmul, 2),
    "linalg.outer": ArrayFunction(outer, 2),
    "linalg.cross": ArrayFunction(cross, 2),
    "linalg.tensordot": ArrayFunction(tensordot, 2),
    "linalg.matrix_transpose": ArrayFunction(lambda node: swapaxes(node, -1, -2)),
    "matrix_transpose": ArrayFunction(lambda node: swapaxes(node, -1, -2)),
    "linalg.matrix_power": ArrayFunction(matrix_power),
    "linalg.multi_dot": ArrayFunction(multi_dot, LIST),
    **{
        f"linalg.{name}": ArrayFunction(_record(name))
        for name in ("inv", "det", "pinv", "eigvalsh", "expm", "logm", "sqrtm", "sinm", "cosm")
    },
}
