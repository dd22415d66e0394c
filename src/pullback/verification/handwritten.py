"""A backward pass written by hand, as a Python function: is it right, and where does it go wrong?"""

from __future__ import annotations

import inspect
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.derivation.derive import derive_each, target_of
from pullback.errors import DomainError, PullbackError
from pullback.expressions import Node, Program
from pullback.expressions.walks import variables
from pullback.notation.names import Names
from pullback.notation.write import write
from pullback.verification.exact import array, evaluate, real_context
from pullback.verification.grading import FACTORS, Grade, Step
from pullback.verification.points import Sizes, size_names
from pullback.verification.slips import slips
from pullback.verification.small import rounded, small_points

POINTS = 3
CLOSE = 1e-7  # relative to the largest entry: a learner's code is in floating point
_PREFIX = re.compile(r"^(?:[∂d]\w*?\s*/\s*[∂d]|d[A-Za-z]?_d|grad_|d_|∂|d)")

Backward = Callable[..., Any]
Arrays = dict[str, np.ndarray[Any, Any]]


def grade_function(program: Program, wrt: Sequence[str], backward: Backward) -> Grade:
    """Compare what a function returns with the gradients, intermediate by intermediate.

    Its parameters are names of variables and lines of the program. It returns the gradient by the
    first of ``wrt``, a tuple with one for each, or a dict that may hold the gradients of lines
    too, by their names or as ``dh``, ``dL_dh``, ``grad_h``. Steps are told in backward order, so
    that the first wrong one is where it goes wrong. Raises PullbackError for a parameter or a
    key that names nothing of the program.
    """
    return _Handwritten(program, list(wrt), backward).grade()


@dataclass(frozen=True)
class _Point:
    """Small whole numbers for the variables, and what the function is given there."""

    exact: Mapping[Node, Any]
    sizes: Sizes
    given: Arrays


class _Stopped(Exception):
    """The function raised an error; says which, and at what shapes."""


class _Handwritten:
    def __init__(self, program: Program, wrt: list[str], backward: Backward) -> None:
        self.program, self.wrt, self.backward = program, wrt, backward
        self.names = Names.of(program, named=True)
        self.mp = real_context(30)
        found = derive_each(program, wrt)
        answers = {name: d.node for name, d in found.items()}
        self.answer = "; ".join(self._text(node) for node in answers.values())
        handed = next(iter(found.values())).trace.cotangents
        self.right: dict[str, Node] = {
            name: handed[line]
            for name, line in reversed(list(program.lines.items()))
            if line in handed and line is not program.result and name not in answers
        }
        self.right |= answers
        self.lines = {**program.lines, program.result_name: program.result}
        self.parameters = self._parameters()
        generator = random.Random(0)  # noqa: S311  # no secret
        self.points = [self._point(generator, k) for k in range(POINTS)]

    def _parameters(self) -> list[str]:
        known = [name for name in (*self.program.variables, *self.lines) if name]
        names = list(inspect.signature(self.backward).parameters)
        for name in names:
            if name not in known:
                raise PullbackError(
                    f"the function takes '{name}', which is no name of the program",
                    hint=f"it has {', '.join(known)}",
                )
        return names

    def grade(self) -> Grade:
        try:
            claims = [self._called(point.given) for point in self.points]
        except _Stopped as stopped:
            return Grade(False, str(stopped), self.answer)
        steps = [
            self._step(name, [claim[name] for claim in claims])
            for name in self.right
            if name in claims[0]
        ]
        wrong = next((step for step in steps if not step.right), None)
        if wrong is None:
            turned = any(step.layout == "transposed" for step in steps)
            layout = "transposed" if turned else "as derived"
            reason = "it has the same values wherever it was tried"
            return Grade(True, reason, self.answer, layout, steps=tuple(steps))
        example: dict[str, Any] = {n: v.tolist() for n, v in self.points[0].given.items()}
        example["claimed"] = rounded(claims[0][wrong.name])
        example["right"] = rounded(self._values(self.right[wrong.name])[0])
        first = f"it goes wrong at {wrong.what}: " if len(steps) > 1 else ""
        return Grade(
            False, first + wrong.reason, self.answer, counter_example=example, steps=tuple(steps)
        )

    def _point(self, generator: random.Random, k: int) -> _Point:
        roots = [*self.right.values(), *self.lines.values()]
        inputs = dict.fromkeys([*variables(*roots), *self.program.variables.values()])
        free = size_names([*roots, *inputs])
        sizes: Sizes = {name: 2 + (j + k) % (len(free) + 1) for j, name in enumerate(free)}
        for values in small_points(inputs, sizes, generator):
            exact: dict[Node, Any] = {v: array(x, self.mp) for v, x in values.items()}
            try:
                found = evaluate(roots, exact, sizes, self.mp)
            except DomainError:
                continue
            numbers = {v.name: np.array(x, dtype=float) for v, x in values.items()}
            numbers |= {n: np.array(found[node], float) for n, node in self.lines.items()}
            return _Point(exact, sizes, {name: numbers[name] for name in self.parameters})
        raise PullbackError("no point was found where the function has a value")

    def _called(self, given: Arrays) -> Arrays:
        """What the function returns at a point, by the names of the program."""
        try:
            returned = self.backward(**{name: value.copy() for name, value in given.items()})
        except Exception as error:
            shapes = ", ".join(f"{name} {value.shape}" for name, value in given.items())
            said = f"the function stops with {type(error).__name__}: {error}; it was given {shapes}"
            raise _Stopped(said) from error
        if isinstance(returned, Mapping):
            return {self._name(key): np.asarray(v, float) for key, v in returned.items()}
        values = returned if isinstance(returned, tuple | list) else (returned,)
        if len(values) != len(self.wrt):
            raise PullbackError(
                f"the function returns {len(values)} gradients; asked are {', '.join(self.wrt)}",
                hint='return a dict, such as {"U": dU, "h": dh}, to show intermediates too',
            )
        return {n: np.asarray(v, float) for n, v in zip(self.wrt, values, strict=True)}

    def _name(self, key: str) -> str:
        for name in (key, _PREFIX.sub("", key), key.removesuffix("_bar")):
            if name in self.right:
                return name
        raise PullbackError(
            f"'{key}' names no gradient of the program",
            hint=f"it has gradients by {', '.join(self.right)}",
        )

    def _step(self, name: str, claimed: Sequence[Any]) -> Step:
        what = f"∂{self.program.result_name or 'f'}/∂{name}"
        right = self._values(self.right[name])
        if all(map(_same, claimed, right)):
            return Step(name, what, True, "right")
        if claimed[0].ndim == 2 and all(_same(c.T, r) for c, r in zip(claimed, right, strict=True)):
            return Step(name, what, True, "right, in the other layout", "transposed")
        return Step(name, what, False, self._reason(name, claimed, right))

    def _reason(self, name: str, claimed: Sequence[Any], right: Sequence[Any]) -> str:
        one, other = claimed[0], right[0]
        if one.shape != other.shape:
            summed = [axis for axis in range(one.ndim) if _same(one.sum(axis), other)]
            if summed:
                return f"it is not summed over axis {summed[0]}"
            return f"its shape is {one.shape}, and {name} has {other.shape}"
        for factor, reason in FACTORS.items():
            if all(_same(c, float(factor) * r) for c, r in zip(claimed, right, strict=True)):
                return reason
        ratios = list(map(_ratio, claimed, right))
        for size in self.points[0].sizes:
            counts = [point.sizes[size] for point in self.points]
            if all(r is not None and np.isclose(r, n) for r, n in zip(ratios, counts, strict=True)):
                return f"it is {size} times what is right: a sum in place of a mean over {size}"
            if all(
                r is not None and np.isclose(r, 1 / n) for r, n in zip(ratios, counts, strict=True)
            ):
                return f"it is {size} times too small: a mean in place of a sum over {size}"
        target = target_of(self.program, name).node
        for slip in slips(self.program.result, target, self._text):
            if all(map(_same, claimed, self._values(slip.gradient))):
                return slip.reason
        return "its values are others"

    def _values(self, node: Node) -> list[np.ndarray[Any, Any]]:
        """A node's values at the points; none where it has no value."""
        values = []
        for point in self.points:
            try:
                found = evaluate([node], point.exact, point.sizes, self.mp)
            except DomainError:
                return [np.array(np.nan)] * len(self.points)
            values.append(np.array(found[node], dtype=float))
        return values

    def _text(self, node: Node) -> str:
        return write(node, self.names)


def _same(claimed: Any, right: Any) -> bool:
    if np.shape(claimed) != np.shape(right):
        return False
    scale = np.max(np.abs(right), initial=1e-300)
    return bool(np.max(np.abs(claimed - right), initial=0) <= CLOSE * scale)


def _ratio(claimed: Any, right: Any) -> float | None:
    """The number that the claim is a multiple by, if it is one."""
    top = float(np.vdot(right, right))
    if not top:
        return None
    ratio = float(np.vdot(claimed, right)) / top
    return ratio if ratio and _same(claimed, ratio * np.asarray(right)) else None
