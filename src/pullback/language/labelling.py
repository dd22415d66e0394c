"""Sums of products with a letter for each axis: ``einsum("ij,j->i", A, x)``."""

from __future__ import annotations

from functools import cache, partial

from pullback.errors import Place, PullbackError
from pullback.language import kinds as k
from pullback.language.callee import Callee
from pullback.language.kinds import Axis, Kind, Refusal, Rule, Verdict
from pullback.language.syntax import Call, Static


def einsum(call: Call, place: Place) -> Callee:
    """The rule that the subscripts describe is all there is to say."""
    first, *operands = call.arguments
    if not isinstance(first, Static) or not isinstance(first.value, str):
        hint = "as in einsum('ij,j->i', A, x)"
        raise PullbackError("einsum takes its subscripts first, in quotes", place, hint)
    at = Place(place.text, first.start, first.stop)
    inputs, output = _subscripts(first.value, len(operands), at)
    orders = tuple(map(len, inputs))
    return Callee(
        tuple(operands), partial(labelled, inputs, output), orders=orders, gives=len(output)
    )


def _subscripts(text: str, count: int, place: Place) -> tuple[tuple[str, ...], str]:
    """The letters of each operand and of the result, which are those that come once if unsaid."""
    plain = text.replace(" ", "")
    before, arrow, output = plain.partition("->")
    inputs = tuple(before.split(","))
    letters = before.replace(",", "")
    if "." in plain:
        raise PullbackError("write a letter for each axis instead of …", place)
    if not arrow:
        output = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    if letters + output and not (letters + output).isalpha():
        raise PullbackError(f"'{text}' are no subscripts", place)
    if set(output) - set(letters) or len(set(output)) < len(output):
        message = f"the result of '{text}' needs letters of the operands, once each"
        raise PullbackError(message, place)
    if len(inputs) != count:
        raise PullbackError(f"'{text}' is for {len(inputs)} operands, not {count}", place)
    return inputs, output


@cache
def labelled(
    inputs: tuple[str, ...], output: str, kinds: tuple[Kind, ...], name: str = "einsum"
) -> Verdict:
    """The rule that a letter for each axis describes; a letter that the result lacks is summed."""
    first: dict[str, Axis] = {}
    equal: list[tuple[Axis, Axis]] = []
    for i, (letters, kind) in enumerate(zip(inputs, kinds, strict=True)):
        if k.order_of(kind) != len(letters):
            axes = f"{len(letters)} axes" if len(letters) != 1 else "1 axis"
            return Refusal(f"{name} takes {axes} for operand {i + 1}, not {k.kind_text(kind)}")
        for axis, letter in enumerate(letters):
            if first.setdefault(letter, (i, axis)) != (i, axis):
                equal.append((first[letter], (i, axis)))
    if not output:
        return Rule(k.scalar_kind(kinds), (), tuple(equal))
    axes_out = tuple([first[letter] for letter in output])
    return Rule(k.kind_of_order(len(output)), axes_out, tuple(equal))
