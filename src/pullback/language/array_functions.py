"""NumPy's functions on nodes: what ``np.sum`` or ``np.linalg.inv`` mean of an expression."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import partial
from typing import Any

from pullback.errors import PullbackError, ShapeError
from pullback.expressions import Node, placement
from pullback.expressions import constructors as make
from pullback.functions.catalogue import ALIASES, CATALOGUE
from pullback.functions.record import Function
from pullback.language import array_shapes as shapes
from pullback.language import broadcasting as numpy_axes
from pullback.language.applying import (
    ALL,
    LIST,
    REDUCTIONS,
    TEXT,
    ArrayFunction,
    NodeFunction,
    apply_record,
    of_record,
    reduce_over,
)
from pullback.language.array_linalg import LINALG
from pullback.language.broadcasting import Axes, axes_of, broadcast_to, multiply


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


def average(node: Node, axis: Axes = None, weights: Node | None = None) -> Node:
    if weights is None:
        return reduce_over("mean", node, axis)
    if weights.shape != node.shape:
        raise ShapeError("average takes weights of the same shape")
    total = partial(reduce_over, "sum", axis=axis)
    return numpy_axes.divide(total(multiply(node, weights)), total(weights))


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
        return of_record(record.name)
    if name in ("hypot", "logaddexp"):
        return of_record(name)
    return None


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
    "absolute": of_record("abs"),
    "fabs": of_record("abs"),
    "sign": of_record("sign"),
    "sqrt": of_record("sqrt"),
    "square": lambda a: make.power(a, 2),
    "reciprocal": lambda a: make.power(a, -1),
    "maximum": of_record("maximum"),
    "minimum": of_record("minimum"),
    "expit": of_record("sigmoid"),
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
    "clip": ArrayFunction(of_record("clip"), ALL),
    "where": ArrayFunction(of_record("where"), ALL),
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
    "linalg.trace": ArrayFunction(shapes.trace),
    "linalg.diagonal": ArrayFunction(shapes.diagonal),
    "linalg.matmul": ArrayFunction(numpy_axes.matmul, 2),
    "linalg.outer": ArrayFunction(outer, 2),
    "linalg.cross": ArrayFunction(cross, 2),
    "linalg.tensordot": ArrayFunction(tensordot, 2),
    "linalg.matrix_transpose": ArrayFunction(lambda node: swapaxes(node, -1, -2)),
    "matrix_transpose": ArrayFunction(lambda node: swapaxes(node, -1, -2)),
    **LINALG,
}
