"""What a literal alone already makes meaningless: log(-1), 1/0, 10^10^10."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from numbers import Number as AnyNumber
from typing import Any

import numpy as np

from pullback.errors import DomainError, PullbackError
from pullback.expressions import Apply, Node, Number, Size
from pullback.expressions import constructors as make
from pullback.functions.catalogue import primitive

LARGEST = 2048  # bits of a literal's numerator or denominator


def bits(number: Number) -> int:
    fraction = Fraction(number)
    return max(fraction.numerator.bit_length(), fraction.denominator.bit_length())


def check_literals(result: Node, operands: Sequence[Node]) -> None:
    """Refuses a result that a literal among the operands puts outside of a domain."""
    if bits(make.split_coefficient(result)[0]) > LARGEST:
        raise PullbackError("a literal grew too large")
    if all(make.constant_value(node) is None for node in operands):
        return
    seen = {node for node in operands if make.constant_value(node) is None}
    stack = [result]
    for _ in range(64):  # what this operation made of a literal is near the top
        node = stack.pop()
        if isinstance(node, Apply):
            _check_domain(node)
        seen.add(node)
        stack.extend([child for child in node.children[:8] if child not in seen])
        if not stack:
            return


def _check_domain(node: Apply) -> None:
    values = [make.constant_value(argument) for argument in node.arguments]
    if node.function == "power":
        base, exponent = values
        if base == 0 and exponent is not None and exponent < 0:
            raise DomainError("division by zero")
        if base is not None and base < 0 and isinstance(exponent, Fraction):
            raise DomainError(f"{base} to the power {exponent} is not a real number")
        return
    record = primitive(node)
    for value, domain in zip(values, record.domain, strict=False):
        if value is not None and not domain.contains(value):
            raise DomainError(f"{record.name} is defined for {domain.name}, not for {value}")


def node_of_number(value: Any) -> Node:
    """A Python or NumPy number, or a size, as a node.

    Of arrays only those are taken that ``np.eye``, ``np.ones`` and ``np.full`` make, or a multiple
    of them: data have a name and are given when the code is called.
    """
    if isinstance(value, Node):
        return value
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool | np.bool_):
        raise PullbackError(f"{value} is a truth value, not a number")
    if isinstance(value, complex | np.complexfloating):
        raise PullbackError(f"{value} is complex; expressions are real")
    if isinstance(value, Size):
        return make.size_value(value)
    if isinstance(value, int | float | Fraction | np.number):
        return make.constant(value)  # type: ignore[arg-type]  # NumPy numbers are taken too
    if isinstance(value, AnyNumber):
        raise PullbackError(f"{value!r} is no number an expression can hold")
    if isinstance(value, np.ndarray) and (known := _structured(value)) is not None:
        return known
    if isinstance(value, np.ndarray | list | tuple):
        raise PullbackError(
            "an array of data cannot stand in an expression",
            hint="name it, as in vector('b', 'n'), and give the data when the code is called",
        )
    raise PullbackError(f"{value!r} is neither a symbol nor a number")


def _structured(array: np.ndarray) -> Node | None:
    """An array that is one number repeated, or a multiple of the identity."""
    if not array.size or array.dtype.kind not in "iuf":
        return None
    shape = [Size.of(n) for n in array.shape]
    first = array.flat[0]
    if (array == first).all():
        return make.constant(first.item(), tuple(shape))
    if array.ndim == 2 and shape[0] == shape[1] and (array == first * np.eye(len(array))).all():
        return make.multiply(make.constant(first.item()), make.delta(shape[0]))
    return None
