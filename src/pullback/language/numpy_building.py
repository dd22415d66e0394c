"""From what the grammar of NumPy formulas finds to the syntax tree.

Nothing is evaluated: names with dots are looked up in the tables of
:mod:`~pullback.language.numpy_calls`, texts and tuples are arguments and no values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pullback.errors import PullbackError
from pullback.language.building import Builder, name_of, negated, product_of, span_of
from pullback.language.extents import number_of
from pullback.language.faults import Fault, unknown_character
from pullback.language.syntax import (
    Call,
    Index,
    Line,
    Literal,
    Name,
    Power,
    Range,
    Static,
    Syntax,
    Transposed,
)

BLANKED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|#[^\n]*|\\[ \t]*\n|[()\[\]\n]")
MODULES = ("np", "numpy", "scipy", "sp", "jnp", "jax", "math", "special", "linalg", "la")
_FILLED = {"ones": 1, "zeros": 0}
_WORDS = {"True": True, "False": False, "None": None}


@dataclass(slots=True)
class _Trailer:
    """What follows a value: an attribute, a subscript, or arguments in parentheses."""

    kind: str
    span: tuple[int, int]
    name: str = ""
    places: list[Syntax] | None = None
    positional: list[Syntax] | None = None
    keywords: dict[str, Syntax] | None = None


def unknown(plain: str, at: int) -> Fault:
    """The fault of a character that NumPy formulas do not have."""
    fault = unknown_character(plain, at)
    hints = {
        "'": "in NumPy the transpose is x.T",
        "^": "in NumPy powers are **",
        "%": "there is no remainder here",
    }
    fault.hint = hints.get(plain[at], fault.hint)
    return fault


class NumpyBuilder(Builder):
    """Makes the tree of a NumPy formula; calls have the dotted name as their function."""

    @staticmethod
    def returned(items: list[Any]) -> Line:
        return Line(items[1].start, items[1].stop, "", items[1])

    @staticmethod
    def product(items: list[Any]) -> Syntax:
        left: Syntax = items[0]
        for operator, right in zip(items[1::2], items[2::2], strict=True):
            left = product_of(left, str(operator), span_of(operator), right)
        return left

    @staticmethod
    def signed(items: list[Any]) -> Syntax:
        return negated(items[:-1], items[-1])

    @staticmethod
    def power(items: list[Any]) -> Syntax:
        if len(items) == 1:
            return items[0]  # type: ignore[no-any-return]
        base, operator, exponent = items
        return Power(base.start, exponent.stop, "**", base, exponent, span_of(operator))

    @staticmethod
    def text(items: list[Any]) -> Syntax:
        return Static(*span_of(items[0]), str(items[0])[1:-1])

    @staticmethod
    def several(items: list[Any]) -> Syntax:
        open_, *values, close = items
        return Static(open_.start_pos, close.end_pos, [v for v in values if isinstance(v, Syntax)])

    listed = several

    @staticmethod
    def ellipsis(items: list[Any]) -> Syntax:
        return Static(*span_of(items[0]), ...)

    @staticmethod
    def range(items: list[Any]) -> Range:
        """``first:last:step``, of which each part may be missing."""
        parts: list[Syntax | None] = [None]
        for item in items:
            if isinstance(item, Syntax):
                parts[-1] = item
            else:
                parts.append(None)
        ends = [span_of(i) if not isinstance(i, Syntax) else (i.start, i.stop) for i in items]
        first, last, step = [*parts, None][:3]
        return Range(ends[0][0], ends[-1][1], first, step, last)

    @staticmethod
    def keyword(items: list[Any]) -> tuple[str, Syntax]:
        return name_of(items[0]), items[1]

    @staticmethod
    def attribute(items: list[Any]) -> _Trailer:
        return _Trailer("attribute", (items[0].start_pos, items[1].end_pos), name_of(items[1]))

    @staticmethod
    def subscript(items: list[Any]) -> _Trailer:
        span = (items[0].start_pos, items[-1].end_pos)
        return _Trailer("subscript", span, places=[_static(item) for item in items[1:-1]])

    @staticmethod
    def arguments(items: list[Any]) -> _Trailer:
        positional: list[Syntax] = []
        keywords: dict[str, Syntax] = {}
        for item in items[1:-1]:
            if isinstance(item, Syntax):
                if keywords:
                    hint = "arguments with a name come last"
                    raise Fault("this argument has no name", item.start, item.stop, hint)
                positional.append(item)
            else:
                name, value = item
                keywords[name] = value
        span = (items[0].start_pos, items[-1].end_pos)
        return _Trailer("arguments", span, positional=positional, keywords=keywords)

    @staticmethod
    def postfix(items: list[Any]) -> Syntax:
        """A value and its methods, or a function of a module and its arguments."""
        value: Syntax | None = items[0]
        trailers: list[_Trailer] = items[1:]
        start = items[0].start
        at = 0
        path: list[str] = []
        if isinstance(value, Name) and value.stop - value.start == len(value.name):
            called = bool(trailers) and trailers[0].kind == "arguments"
            if called or (value.name in MODULES and trailers and trailers[0].kind == "attribute"):
                path = [value.name]
                value = None
        while at < len(trailers):
            trailer = trailers[at]
            at += 1
            if trailer.kind == "attribute":
                path.append(trailer.name)
                if value is not None:
                    value, used = _member(start, value, path, trailers[at:])
                    at += used
                    path = []
            elif trailer.kind == "arguments" and path:
                value = _call(start, ".".join(path), trailer)
                path = []
            elif trailer.kind == "subscript" and value is not None:
                value = Index(start, trailer.span[1], value, trailer.places or [], trailer.span)
            else:
                raise Fault("this has no meaning here", *trailer.span)
        if value is None:
            return _module_constant(start, path, trailers[-1].span[1])
        return value


def _module_constant(start: int, path: list[str], stop: int) -> Syntax:
    if path[-1] == "pi":
        return Name(start, stop, "pi")
    if path[-1] == "e":
        return Call(start, stop, "exp", [Literal(start, stop, 1)])
    if path[-1] == "newaxis":
        return Static(start, stop, None)
    raise Fault(f"'{'.'.join(path)}' is not called", start, stop, "write its arguments after it")


def _member(
    start: int, value: Syntax, path: list[str], after: list[_Trailer]
) -> tuple[Syntax, int]:
    """An attribute of a value, and how many of the trailers after it belong to it."""
    (name,) = path
    stop = after[0].span[1] if after else value.stop
    if name in ("T", "mT"):
        end = value.stop + 1 + len(name)
        return Transposed(start, end, value, (value.stop, end)), 0
    if name == "size":
        return Call(start, value.stop + 5, ".size", [value]), 0
    if name == "shape" and after and after[0].kind == "subscript":
        return Call(start, stop, ".shape", [value, *(after[0].places or [])]), 1
    if name == "shape":
        return Call(start, value.stop + 6, ".shape", [value]), 0
    if after and after[0].kind == "arguments":
        return _call(start, f".{name}", after[0], [value]), 1
    hint = "x.T, x.sum(), x.dot(y), x.shape[0] are read"
    raise Fault(f"'.{name}' has no meaning here", value.stop, value.stop + 1 + len(name), hint)


def _call(start: int, function: str, trailer: _Trailer, first: Sequence[Syntax] = ()) -> Syntax:
    arguments = [*first, *(_static(item) for item in trailer.positional or ())]
    options = {name: _static(item) for name, item in (trailer.keywords or {}).items()}
    return _created(Call(start, trailer.span[1], function, arguments, options=options))


def _created(call: Call) -> Syntax:
    """``np.eye(n)``, ``np.ones((m, n))`` and their like, as the default language has them."""
    key = call.function.rpartition(".")[2]
    if key == "multi_dot" and len(call.arguments) == 1:
        return _multiplied(call)
    if key not in ("eye", "identity", *_FILLED, "full"):
        return call
    plain = _plain_creation(call, key)
    if plain is None:
        hint = "sizes are stated, as in np.eye(n), np.ones((m, n))"
        raise Fault(f"this call of {key} is not read", call.start, call.stop, hint)
    return plain


def _multiplied(call: Call) -> Syntax:
    """``np.linalg.multi_dot([A, B, x])`` as A @ B @ x."""
    (factors,) = call.arguments
    if not isinstance(factors, Static) or not isinstance(factors.value, list):
        raise Fault("multi_dot takes a list", factors.start, factors.stop)
    product: Syntax = factors.value[0]
    for factor in factors.value[1:]:
        product = product_of(product, "@", (factor.start, factor.stop), factor)
    return product


def _plain_creation(call: Call, key: str) -> Call | None:
    """The call of the default language that makes the same array."""
    if not call.arguments or call.options:
        return None
    first, *rest = call.arguments
    if key in ("eye", "identity"):
        return Call(call.start, call.stop, "eye", [first]) if not rest else None
    value: Syntax = Literal(call.start, call.stop, _FILLED.get(key, 1))
    if key == "full":
        if len(rest) != 1:
            return None
        (value,) = rest
    elif rest:
        return None
    if isinstance(first, Call) and first.function == ".shape" and len(first.arguments) == 1:
        return replace(
            call, function=f"{key}_like", arguments=[*first.arguments, *call.arguments[1:]]
        )
    sizes = first.value if isinstance(first, Static) else [first]
    if not isinstance(sizes, list) or len(sizes) > 2:
        return None
    name = "vector" if len(sizes) == 1 else "matrix"
    return Call(call.start, call.stop, name, [value, *sizes])


def _static(item: Syntax) -> Syntax:
    if isinstance(item, Name) and item.name in _WORDS:
        return Static(item.start, item.stop, _WORDS[item.name])
    return item


def static_value(item: Syntax, text: str) -> Any:
    """What an argument says that is no value: a number, a size, a text, True, a tuple of these."""
    item = _static(item)
    if isinstance(item, Static) and isinstance(item.value, list):
        return tuple([static_value(part, text) for part in item.value])
    if isinstance(item, Static):
        return item.value
    try:
        size = number_of(item, text)
    except PullbackError:
        message = "this is stated, not computed: a whole number, a size, a tuple, a text"
        raise Fault(message, item.start, item.stop) from None
    return size if size.constant is None else size.constant


def subscript_of(places: list[Syntax], text: str) -> tuple[Any, ...]:
    """The places of a subscript as Python has them."""
    key: list[Any] = []
    for place in places:
        if isinstance(place, Range):
            ends = (place.first, place.last, place.step)
            key.append(slice(*[None if e is None else static_value(e, text) for e in ends]))
        elif isinstance(place, Static) and isinstance(place.value, list):
            key.append([static_value(part, text) for part in place.value])
        else:
            key.append(static_value(place, text))
    return tuple(key)
