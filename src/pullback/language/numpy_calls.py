"""Functions and methods of NumPy by name, as rules on kinds and as nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from inspect import signature
from typing import Any

from pullback.errors import Place, PullbackError
from pullback.expressions import Node, Size
from pullback.expressions import constructors as make
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import Definition
from pullback.language import array_functions, broadcasting, calls, numpy_places, numpy_rules
from pullback.language import kinds as k
from pullback.language.applying import LIST, ArrayFunction, apply_record
from pullback.language.callee import Callee
from pullback.language.calls import similar
from pullback.language.faults import Fault
from pullback.language.instead import instead_of
from pullback.language.kinds import Build, Kind, Refusal, Verdict
from pullback.language.labelling import einsum
from pullback.language.numpy_building import static_value, subscript_of
from pullback.language.probing import probed
from pullback.language.several import SEVERAL
from pullback.language.syntax import Call, Index, Literal, Static, Syntax

_MODULES = frozenset({"np", "numpy", "scipy", "sp", "jnp", "jax", "nn", "special", "math"})
_TWO = frozenset(
    {"add", "subtract", "multiply", "divide", "power", "float_power", "maximum", "minimum"}
    | {"hypot", "logaddexp"}
)
_SPELLED = {
    "la.inv": "linalg.inv",
    "la.norm": "linalg.norm",
    "la.det": "linalg.det",
    "true_divide": "divide",
    "asarray": "array",
    "norm": "linalg.norm",
    "inv": "linalg.inv",
    "slogdet": "linalg.slogdet",
    "la.slogdet": "linalg.slogdet",
    "det": "linalg.det",
    "solve": "linalg.solve",
    "linalg.svdvals": "svdvals",
    "linalg.solve_sylvester": "sylvester",
    "linalg.solve_continuous_lyapunov": "lyapunov",
    "linalg.solve_lyapunov": "lyapunov",
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

    def indexed(self, item: Index, text: str) -> Callee:
        try:
            return _subscripted(item, text)
        except Fault as fault:
            raise fault.in_text(text) from None

    def first_size(self, call: Call) -> int:
        """From which argument on a call states sizes."""
        function = array_functions.FUNCTIONS.get(_key(call))
        if call.function in calls.SIZED or function is None:
            return calls.first_size(call)
        return (
            1
            if function.values == LIST
            else len(call.arguments)
            if function.values < 0
            else function.values
        )

    def resolve(self, call: Call, text: str, names: Iterable[str]) -> Callee:
        place = Place(text, call.start, call.stop)
        try:
            return _resolved(call, text, names)
        except Fault as fault:
            raise fault.in_text(text) from None
        except TypeError as error:
            raise PullbackError(f"{call.function} is not read so: {error}", place) from None


def _on_nodes(function: Callable[..., Node]) -> Build:
    return lambda nodes, shape: function(*nodes)


def _key(call: Call) -> str:
    """The name of a function without the module it comes from."""
    path = [part for part in call.function.split(".") if part and part not in _MODULES]
    key = ".".join(path)
    if f"scipy.{key}" in array_functions.FUNCTIONS and "scipy" in call.function.split("."):
        return f"scipy.{key}"  # another meaning there than in NumPy
    return _SPELLED.get(key, key)


def _resolved(call: Call, text: str, names: Iterable[str]) -> Callee:
    key = _key(call)
    if call.function in (".shape", ".size") or (key == "len" and len(call.arguments) == 1):
        return _size(call)
    if key == "einsum":
        return einsum(call, Place(text, call.start, call.stop))
    if key in numpy_rules.BINARY:
        return _of_values(call, 2, numpy_rules.BINARY[key], array_functions.FUNCTIONS.get(key))
    if key in ("eye", "vector", "matrix") and call.function == key:
        return calls.resolve(call, text, names)
    if key in SEVERAL:
        hint = f"say which: {text[call.start : call.stop]}[1]"
        raise Fault(f"{key} has several results", call.start, call.stop, hint)
    record = CATALOGUE.get(key)
    if array_functions.ufunc(key) or (record is not None and _is_elementwise(key)):
        count = 2 if key in _TWO else 1
        if record is not None and not isinstance(record, Definition):
            count = len(record.signature.arguments)
        build = array_functions.ufunc(key) or partial(apply_record, key)
        return _of_values(call, count, numpy_rules.broadcast, build)
    function = array_functions.FUNCTIONS.get(key)
    if function is not None:
        return _of_leading(call, function, key, text)
    if record is not None and isinstance(record, Definition):
        plain = Call(call.start, call.stop, key, call.arguments)
        return calls.resolve(plain, text, names)
    if record is not None:
        if len(record.signature.arguments) == 1:
            applied = ArrayFunction(partial(apply_record, key))
            return _of_leading(call, applied, key, text)
        plain = Call(call.start, call.stop, key, call.arguments)
        return calls.resolve(plain, text, names)
    at = text.find(call.function.lstrip("."), call.start)
    place = Place(text, at, at + len(call.function.lstrip(".")))
    known = [*array_functions.FUNCTIONS, *CATALOGUE]
    if call.function in set(names):
        hint = f"to multiply, write {call.function}*(…) or {call.function} @ (…)"
        raise PullbackError(f"'{call.function}' is no function", place, hint)
    hint = instead_of(key) or similar(key, known)
    raise PullbackError(f"unknown function '{call.function}'", place, hint)


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


def _of_leading(call: Call, function: ArrayFunction, key: str, text: str) -> Callee:
    """A function whose first arguments are values; those after them are stated, as an axis is."""
    leading = 1 if function.values == LIST else function.values
    values, stated = call.arguments[:leading], call.arguments[leading:]
    nested = values[0] if function.values == LIST and values else None
    flat = [leaf for value in values for leaf in _leaves(value)]
    if not flat or (nested is None and any(isinstance(value, Static) for value in flat)):
        raise TypeError("it takes a value first")
    statics = [static_value(argument, text) for argument in stated]
    options = {name: static_value(item, text) for name, item in call.options.items()}
    if key == "reshape" and call.function == ".reshape" and len(statics) > 1:
        statics = [tuple(statics)]
    signature(function.call).bind(*values, *statics, **options)

    def build(nodes: Sequence[Node]) -> Node:
        given = [_nested(nested, list(nodes))] if nested is not None else nodes
        return function(*given, *statics, **options)

    own = numpy_places.rule_of(key, statics, options, nested)
    if own is not None:
        return Callee(tuple(flat), own, lambda nodes, shape: build(nodes))

    @cache
    def rule(kinds: tuple[Kind, ...]) -> Verdict:
        last = key in ("softmax", "logsumexp") and "axis" not in options and not statics
        if last and k.order_of(kinds[0]) > 1:
            hint = f"say along which axis: {key}(X, axis=1)"
            return Refusal(f"{key} of a matrix needs an axis", hint)
        return probed(build, kinds, key)

    return Callee(tuple(flat), rule, lambda nodes, shape: build(nodes))


def _leaves(item: Syntax) -> list[Syntax]:
    """The values in nested lists, in order."""
    if isinstance(item, Static) and isinstance(item.value, list):
        return [leaf for part in item.value for leaf in _leaves(part)]
    return [item]


def _nested(item: Syntax, nodes: list[Node]) -> Any:
    """The nested lists again, with nodes in place of the values; takes them from ``nodes``."""
    if isinstance(item, Static) and isinstance(item.value, list):
        return [_nested(part, nodes) for part in item.value]
    return nodes.pop(0)


def _subscripted(item: Index, text: str) -> Callee:
    """``x[1:]``, ``A[:, 0]``: what a subscript takes; ``slogdet(A)[1]`` is one of several results."""
    key = subscript_of(item.places, text)
    if isinstance(item.operand, Call) and (parts := SEVERAL.get(_key(item.operand))):
        if key not in [(at,) for at in range(len(parts[1]))]:
            raise Fault(f"there are {len(parts[1])} results, from 0 on", *item.at)
        only = ArrayFunction(parts[1][key[0]])
        return _of_leading(item.operand, only, _key(item.operand), text)
    return Callee((item.operand,), partial(numpy_places.subscript_rule, key))


def _size(call: Call) -> Callee:
    """The size of an axis, or the number of entries, as a number."""
    index = 0
    if call.function == ".shape":
        at = call.arguments[1] if len(call.arguments) == 2 else None
        if not isinstance(at, Literal) or not isinstance(at.value, int):
            raise Fault("a shape is several numbers", call.start, call.stop, "write x.shape[0]")
        index = at.value

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
