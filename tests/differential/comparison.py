"""One program, compared: its value and derivatives as compiled here, and as JAX has them.

Derivatives are compared through products with random directions, J v, f̄ᵀ J and f̄ᵀ H w: a
wrong entry changes them as much as itself. Where the two disagree, :mod:`arbiter` decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from arbiter import TOLERANCE, Unsettled, relative, settle_derivative, settle_value
from reference import Directions, in_jax
from sheets import SIZES, Drawn

import pullback as pb
from pullback.errors import DomainError, PullbackError

Product = Callable[[np.ndarray], np.ndarray]


@dataclass
class Outcome:
    """The worst relative error of each comparison, and what could not be compared."""

    errors: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, kind: str, error: float) -> None:
        self.errors[kind] = max(self.errors.get(kind, 0.0), error)

    @property
    def worst(self) -> float:
        return max(self.errors.values(), default=0.0)


@dataclass(frozen=True)
class Comparison:
    """A product with a derivative: which output it is taken of, and what JAX calls it."""

    output: str
    name: str
    product: Product = lambda array: array


def comparisons(way: Directions) -> dict[str, Comparison]:
    order = way.result.ndim

    def along(array: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return np.tensordot(array, direction, direction.ndim)

    def back(array: np.ndarray) -> np.ndarray:
        return np.tensordot(way.result, array, order)

    return {
        "value": Comparison("value", "value"),
        "jvp": Comparison("jvp", "jvp"),
        "vjp": Comparison("vjp", "vjp"),
        "hvp": Comparison("hvp", "second", lambda hvp: way.result * hvp),
        "J v": Comparison("J", "jvp", lambda J: along(J, way.first)),
        "f J": Comparison("J", "vjp", back),
        "f H w": Comparison("H", "second", lambda H: back(along(H, way.second))),
    }


@dataclass(frozen=True)
class Ours:
    """The derivatives of a program by its two targets, and all that is to be compiled."""

    first: pb.Derivative
    second: pb.Derivative
    outputs: Mapping[str, Any]

    @classmethod
    def of(cls, drawn: Drawn) -> Ours:
        f = drawn.tensor
        names = [drawn.sheet.names[k] for k in drawn.targets]
        first, second = pb.derivative(f, names[0]), pb.derivative(f, *names)
        outputs = {"value": f, "J": first, "H": second}
        outputs["jvp"] = pb.jvp(f, names[0], "v_")
        outputs["vjp"] = pb.vjp(f, names[0], "f_")
        if not f.ndim and names[0] == names[1]:
            outputs["hvp"] = pb.hvp(f, names[0], "w_")
        return cls(first, second, outputs)


def called(
    outputs: Mapping[str, Any], drawn: Drawn, way: Directions, *, planned: bool
) -> dict[str, np.ndarray | None]:
    """What the compiled function returns at the point; None for an output that has no value there."""
    sheet = drawn.sheet
    fn = pb.compile(outputs, planned=planned)
    given = dict(zip(sheet.names[: sheet.given], sheet.arrays, strict=False))
    given |= {"v_": way.first, "w_": way.second, "f_": way.result}
    given |= {name: SIZES[name] for name in fn.sizes}
    wanted = {name: value for name, value in given.items() if name in {*fn.inputs, *fn.sizes}}
    try:
        found = fn(**wanted)
        several = found if len(outputs) > 1 else dict.fromkeys(outputs, found)
        return {name: np.asarray(value) for name, value in several.items()}
    except DomainError:
        if len(outputs) == 1:
            return dict.fromkeys(outputs)
    alone = [called({n: f}, drawn, way, planned=planned) for n, f in outputs.items()]
    return {name: value for one in alone for name, value in one.items()}


def compare(drawn: Drawn) -> Outcome:
    """Raises Disagreement where a value or a derivative is not right."""
    for crash in drawn.sheet.crashes:
        raise crash
    outcome = Outcome()
    way = Directions.of(drawn)
    try:
        ours = Ours.of(drawn)
    except pb.MissingRule as missing:
        outcome.notes.append(f"no derivative: {missing.message[:70]}")
        return outcome
    except PullbackError as refusal:
        if "cannot be held free" not in refusal.message:
            raise
        outcome.notes.append("a line that leaves no node")
        return outcome
    theirs = in_jax(drawn, way)
    for planned in (False, True):
        out = called(ours.outputs, drawn, way, planned=planned)
        for kind, comparison in comparisons(way).items():
            if comparison.output in ours.outputs:
                value = out[comparison.output]
                found = None if value is None else comparison.product(value)
                _judge(drawn, ours, way, kind, comparison, found, theirs, outcome)
    return outcome


def _judge(
    drawn: Drawn,
    ours: Ours,
    way: Directions,
    kind: str,
    comparison: Comparison,
    found: np.ndarray | None,
    theirs: Mapping[str, np.ndarray],
    outcome: Outcome,
) -> None:
    wanted = theirs[comparison.name]
    if found is not None and (error := relative(found, wanted)) <= TOLERANCE:
        outcome.add(kind, error)
        return
    if comparison.name == "value":
        error = float("inf") if found is None else settle_value(drawn, way, found, wanted)
        outcome.add(kind, error)
        return
    second = comparison.name == "second"
    derivation = (ours.second if second else ours.first).derivation
    directions = [way.first, way.second] if second else [way.first]
    # the whole derivative, contracted as this product is
    whole = {"jvp": "J v", "vjp": "f J", "hvp": "f H w"}.get(kind, kind)
    product = comparisons(way)[whole].product
    try:
        error = settle_derivative(drawn, derivation, directions, product, found, wanted, kind)
    except Unsettled as reason:
        outcome.notes.append(str(reason))
    else:
        outcome.add(kind, error)
