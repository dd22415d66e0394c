"""NumPy's functions on nodes: what ``np.sum`` or ``np.linalg.inv`` mean of an expression."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any

from pullback.errors import PullbackError
from pullback.expressions import Node, Size
from pullback.expressions import constructors as make
from pullback.functions.catalogue import ALIASES, CATALOGUE
from pullback.functions.record import Definition, Function
from pullback.language import broadcasting as numpy_axes
from pullback.language.broadcasting import Axes, axes_of, broadcast_to, multiply

NodeFunction = Callable[..., Node]


def apply_record(name: str, *nodes: Node, axis: int | None = None) -> Node:
    """A function of the catalogue; one of a vector goes along ``axis``, the last if not given."""
    record = CATALOGUE[name]
    if isinstance(record, Definition):
        if axis is not None:
            raise PullbackError(f"{name} takes no axis")
        return record.apply(nodes)
    if record.elementwise:
        if axis is not None:
            raise PullbackError(f"{name} goes entry by entry and takes no axis")
        if len({node.shape for node in nodes if node.order}) > 1:
            common = numpy_axes.broadcast_shapes(*[node.shape for node in nodes])
            nodes = tuple(broadcast_to(node, common) for node in nodes)
        return record.apply(nodes)
    if not record.takes_axis:
        if axis is not None:
            raise PullbackError(f"{name} takes no axis")
        return record.apply(nodes)
    if axis is None:
        return record.apply(nodes)
    return record.along(nodes[0], axes_of(nodes[0], axis))


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


def trace(node: Node) -> Node:
    return apply_record("tr", node)


def diag(node: Node) -> Node:
    """Of a vector the matrix with it on the diagonal, of a matrix its diagonal."""
    if node.order == 1:
        return make.einsum("i->ii", node)
    if node.order == 2:
        if node.shape[0] != node.shape[1]:
            raise PullbackError("the diagonal of a matrix that is not square is not supported")
        return make.einsum("ii->i", node)
    raise PullbackError(f"diag takes a vector or a matrix, not {node.order} axes")


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
    if left.order != 1 or right.order != 1:
        raise PullbackError("outer takes two vectors")
    return make.einsum("i,j->ij", left, right)


def norm(node: Node, ord: Any = None) -> Node:
    """``np.linalg.norm``: Euclidean of a vector, Frobenius of a matrix; ``ord=1`` of a vector."""
    if ord is None or (ord == 2 and node.order == 1) or (ord == "fro" and node.order == 2):
        return apply_record("norm2", node)
    if ord == 1 and node.order == 1:
        return apply_record("norm1", node)
    raise PullbackError(f"np.linalg.norm with ord={ord!r} of {node.order} axes is not supported")


def solve(left: Node, right: Node) -> Node:
    return numpy_axes.matmul(apply_record("inv", left), right)


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
FUNCTIONS: dict[str, NodeFunction] = {
    **{name: REDUCTIONS[name] for name in ("sum", "mean", "prod", "max", "min", "var", "std")},
    "cumsum": lambda node, axis: apply_record("cumsum", node, axis=axis),
    "clip": _record("clip"),
    "einsum": einsum,
    "transpose": transpose,
    "swapaxes": swapaxes,
    "trace": trace,
    "diag": diag,
    "diagonal": diag,
    "dot": dot,
    "vdot": lambda a, b: make.total(multiply(a, b)),
    "inner": inner,
    "outer": outer,
    "where": _record("where"),
    "zeros_like": like(0),
    "ones_like": like(1),
    "linalg.inv": _record("inv"),
    "linalg.det": _record("det"),
    "linalg.norm": norm,
    "linalg.solve": solve,
    "linalg.trace": trace,
    "linalg.matmul": numpy_axes.matmul,
    "linalg.outer": outer,
}
