"""What a literal alone already makes meaningless: log(-1), 1/0, 10^10^10."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from pullback.errors import DomainError, PullbackError
from pullback.expressions import Apply, Node, Number
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
        if value is None:
            continue
        if domain.name == "positive" and value <= 0:
            raise DomainError(f"{record.name} is defined for positive numbers, not for {value}")
        if domain.name == "nonzero" and value == 0:
            raise DomainError(f"{record.name} is not defined at 0")
