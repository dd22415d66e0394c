"""Constants by their sizes: ``eye(n)``, ``vector(1, n)``, ``matrix(0, m, n)``, ``ones(m, n)``."""

from __future__ import annotations

from collections.abc import Sequence

from pullback.errors import Place, PullbackError
from pullback.expressions import Node, Shape, Size, placement
from pullback.expressions import constructors as make
from pullback.language import kinds as k
from pullback.language.callee import Callee
from pullback.language.extents import size_of
from pullback.language.kinds import Extent, Kind, Refusal, Rule, Verdict
from pullback.language.syntax import Block, Call, Literal, Syntax, parts_of


def _eye(call: Call, place: Place) -> Callee:
    sizes = tuple(size_of(argument, place.text) for argument in call.arguments)
    if len(sizes) == 2 and sizes[0] != sizes[1]:
        raise PullbackError(
            "an identity matrix is square", place, "write [eye(n), matrix(0, n, k)]"
        )
    rule = Rule(k.MATRIX, (None, (-1, 0)))
    return Callee((), lambda kinds: rule, lambda nodes, shape: make.delta(shape[0]), sizes[:1])


def _vector(call: Call, place: Place) -> Callee:
    return _filled(call, k.COLUMN, place)


def _matrix(call: Call, place: Place) -> Callee:
    if len(call.arguments) == 2:
        raise PullbackError("matrix takes a value, or a value and two sizes", place)
    return _filled(call, k.MATRIX, place)


def _filled(call: Call, kind: Kind, place: Place) -> Callee:
    sizes = tuple(size_of(argument, place.text) for argument in call.arguments[1:])
    return _repeated(call.function, call.arguments[0], kind, sizes)


def _repeated(name: str, value: Syntax, kind: Kind, sizes: tuple[Size, ...]) -> Callee:
    rule = Rule(kind, (None,) * k.order_of(kind))

    def verdict(kinds: tuple[Kind, ...]) -> Verdict:
        if k.order_of(kinds[0]):
            return Refusal(f"{name} repeats a scalar, not {k.kind_text(kinds[0])}")
        return rule

    def build(nodes: Sequence[Node], shape: Shape) -> Node:
        return make.broadcast(nodes[0], shape)

    return Callee((value,), verdict, build, sizes)


def _matlab(value: int, call: Call, place: Place) -> Callee:
    """``ones(m, n)`` and ``zeros(m, n)``; with one of the sizes 1, a column or a row."""
    arguments = call.arguments
    if len(arguments) == 1 and isinstance(arguments[0], Block):
        arguments = parts_of(arguments[0])
    if len(arguments) == 1 and isinstance(arguments[0], Call) and arguments[0].function == "size":
        return _like(value, arguments[0], place)
    if len(arguments) < 2:
        hint = f"write vector({value}, n) or matrix({value}, n, n)"
        message = f"{call.function}(n) is a matrix in MATLAB and a vector in NumPy"
        raise PullbackError(message, place, hint)
    kind, sizes = k.shape_of_sizes([size_of(argument, place.text) for argument in arguments])
    return _repeated(call.function, Literal(call.start, call.stop, value), kind, sizes)


def _like(value: int, call: Call, place: Place) -> Callee:
    if len(call.arguments) != 1:
        raise PullbackError("write ones(size(A)), of all sizes of A", place)

    def build(_nodes: Sequence[Node], shape: Shape) -> Node:
        return make.constant(value, shape)

    return Callee(
        tuple(call.arguments), lambda kinds: Rule(kinds[0], k.axes_of(0, kinds[0])), build
    )


def _ones(call: Call, place: Place) -> Callee:
    return _matlab(1, call, place)


def _zeros(call: Call, place: Place) -> Callee:
    return _matlab(0, call, place)


def _commutation(call: Call, place: Place) -> Callee:
    """K with K vec(A) = vec(Aᵀ) for every matrix A of these sizes."""
    rows, columns = (size_of(argument, place.text) for argument in call.arguments)
    both = Extent(rows * columns)
    rule = Rule(k.MATRIX, (both, both))
    return Callee((), lambda kinds: rule, lambda nodes, shape: placement.commutation(rows, columns))


BUILD = {
    "eye": (0, 2, _eye),
    "vector": (1, 2, _vector),
    "matrix": (1, 3, _matrix),
    "ones": (0, 8, _ones),
    "zeros": (0, 8, _zeros),
    "commutation": (2, 2, _commutation),
}
