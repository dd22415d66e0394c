"""Functions and methods of NumPy by name, as rules on kinds and as nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from inspect import signature

from pullback.errors import Place, PullbackError
from pullback.expressions import Node, Size
from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import Definition
from pullback.language import array_functions, broadcasting, calls, numpy_rules
from pullback.language import kinds as k
from pullback.language.callee import Callee
from pullback.language.calls import similar
from pullback.language.faults import Fault
from pullback.language.kinds import Build, Kind, Refusal, Verdict
from pullback.language.labelling import einsum
from pullback.language.numpy_building import static_value
from pullback.language.probing import probed
from pullback.language.syntax import Call, Static

_MODULES = frozenset({"np", "numpy", "scipy", "sp", "jnp", "jax", "nn", "special", "math"})
_TWO = frozenset(
    {"add", "subtract", "multiply", "divide", "power", "float_power", "maximum", "minimum"}
)
_SPELLED = {
    "la.inv": "linalg.inv",
    "la.norm": "linalg.norm",
    "la.det": "linalg.det",
    "true_divide": "divide",
    "norm": "linalg.norm",
    "inv": "linalg.inv",
    "det": "linalg.det",
    "solve": "linalg.solve",
    "arctan": "atan",
    "arcsin": "asin",
    "arccos": "acos",
}


@dataclass(frozen=True, slots=True)
class NumpyMeaning:
    """What operators and calls mean in NumPy."""

    def operator(self, symbol: str) -> tuple[Callable[[tuple[Kind, ...]], Verdict], Build | None]:
        if symbol == "@":
            return numpy_rules.matmul, _on_nodes(broadcasting.matmul)
        if symbol == "**":
            return partial(numpy_rules.broadcast, free=1), _on_nodes(broadcasting.power)
        if symbol == "+":
            return numpy_rules.broadcast, None
        build = broadcasting.multiply if symbol == "*" else broadcasting.divide
        return numpy_rules.broadcast, _on_nodes(build)

    def transposed(self) -> tuple[Callable[[tuple[Kind, ...]], Verdict], Build | None]:
        return numpy_rules.transpose, _on_nodes(make.transpose)

    def resolve(self, call: Call, text: str, names: Iterable[str]) -> Callee:
        place = Place(text, call.start, call.stop)
        try:
            return _resolved(call, text, names)
        except Fault as fault:
            at = Place(text, fault.start, fault.stop)
            raise PullbackError(fault.message, at, fault.hint) from None
        except TypeError as error:
            raise PullbackError(f"{call.function} is not read so: {error}", place) from None


def _on_nodes(function: Callable[..., Node]) -> Build:
    return lambda nodes, shape: function(*nodes)


def _resolved(call: Call, text: str, names: Iterable[str]) -> Callee:
    path = [part for part in call.function.split(".") if part and part not in _MODULES]
    key = ".".join(path)
    key = _SPELLED.get(key, key)
    if call.function in (".shape", ".size") or (key == "len" and len(call.arguments) == 1):
        return _size(call)
    if key == "einsum":
        return einsum(call, Place(text, call.start, call.stop))
    if key in numpy_rules.BINARY:
        return _of_values(call, 2, numpy_rules.BINARY[key], array_functions.FUNCTIONS.get(key))
    if key in ("eye", "vector", "matrix") and call.function == key:
        return calls.resolve(call, text, names)
    record = CATALOGUE.get(key)
    if array_functions.ufunc(key) or (record is not None and _is_elementwise(key)):
        count = 2 if key in _TWO else 1
        if record is not None and not isinstance(record, Definition):
            count = len(record.signature.arguments)
        build = array_functions.ufunc(key) or partial(array_functions.apply_record, key)
        return _of_values(call, count, numpy_rules.broadcast, build)
    function = array_functions.FUNCTIONS.get(key)
    if function is not None:
        return _of_one(call, function, key)
    if record is not None and isinstance(record, Definition):
        plain = Call(call.start, call.stop, key, call.arguments)
        return calls.resolve(plain, text, names)
    if record is not None:
        if len(record.signature.arguments) == 1:
            return _of_one(call, partial(array_functions.apply_record, key), key)
        plain = Call(call.start, call.stop, key, call.arguments)
        return calls.resolve(plain, text, names)
    at = text.find(call.function.lstrip("."), call.start)
    place = Place(text, at, at + len(call.function.lstrip(".")))
    known = [*array_functions.FUNCTIONS, *CATALOGUE]
    if call.function in set(names):
        hint = f"to multiply, write {call.function}*(…) or {call.function} @ (…)"
        raise PullbackError(f"'{call.function}' is no function", place, hint)
    raise PullbackError(f"unknown function '{call.function}'", place, similar(key, known))


def _is_elementwise(key: str) -> bool:
    record = CATALOGUE[key]
    return not isinstance(record, Definition) and record.elementwise


def _of_values(
    call: Call,
    count: int,
    rule: Callable[[tuple[Kind, ...]], Verdict],
    build: Callable[..., Node] | None,
) -> Callee:
    """A function whose arguments are all values."""
    assert build is not None
    if len(call.arguments) != count or call.options:
        raise TypeError(f"it takes {count} argument{'s' if count > 1 else ''}")
    return Callee(tuple(call.arguments), rule, _on_nodes(build))


def _of_one(call: Call, function: Callable[..., Node], key: str) -> Callee:
    """A function of one value; the arguments after it are stated, as an axis is."""
    if not call.arguments or isinstance(call.arguments[0], Static):
        raise TypeError("it takes a value first")
    statics = tuple([static_value(argument) for argument in call.arguments[1:]])
    options = dict(call.options)
    if any(isinstance(option, float) for option in options.values()):
        raise TypeError("an option is a whole number")
    signature(function).bind(make.constant(1), *statics, **options)

    def build(node: Node) -> Node:
        return function(node, *statics, **options)

    def rule(kinds: tuple[Kind, ...]) -> Verdict:
        last = key in ("softmax", "logsumexp") and "axis" not in options and not statics
        if last and k.order_of(kinds[0]) > 1:
            hint = f"say along which axis: {key}(X, axis=1)"
            return Refusal(f"{key} of a matrix needs an axis", hint)
        return known(kinds)

    @cache
    def known(kinds: tuple[Kind, ...]) -> Verdict:
        return probed(lambda nodes: build(*nodes), kinds)

    return Callee((call.arguments[0],), rule, _on_nodes(build))


def _size(call: Call) -> Callee:
    """The size of an axis, or the number of entries, as a number."""
    index = call.arguments[1].value if call.function == ".shape" else 0  # type: ignore[attr-defined]

    def rule(kinds: tuple[Kind, ...]) -> Verdict:
        if k.order_of(kinds[0]) <= index:
            return Refusal(f"{numpy_rules.kind_text(kinds[0])} has no axis {index}")
        return k.Rule(k.NUMBER)

    def build(node: Node) -> Node:
        total = Size.of(1)
        for size in node.shape if call.function == ".size" else node.shape[index : index + 1]:
            total = total * size
        return make.size_value(total)

    return Callee((call.arguments[0],), rule, _on_nodes(build))
