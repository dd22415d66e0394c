"""The catalogue: every record of every family, by name."""

from __future__ import annotations

from types import ModuleType

from pullback.expressions.nodes import Apply
from pullback.functions import (
    activations,
    analytic,
    choices,
    costs,
    exponential,
    matrices,
    measures,
    normalising,
    piecewise,
    reductions,
    singular,
    solving,
    special,
    spectral,
    trigonometric,
)
from pullback.functions.record import Definition, Function, Record

FAMILIES: tuple[ModuleType, ...] = (
    exponential,
    trigonometric,
    special,
    piecewise,
    choices,
    activations,
    reductions,
    normalising,
    matrices,
    solving,
    analytic,
    spectral,
    singular,
    measures,
    costs,
)


def _collect() -> dict[str, Record]:
    """The records each family defines; a name used twice is an error."""
    records: dict[str, Record] = {}
    for family in FAMILIES:
        for value in vars(family).values():
            if not isinstance(value, Function | Definition):
                continue
            if records.setdefault(value.name, value) is not value:
                raise ValueError(f"two records are called {value.name}")
    return records


CATALOGUE: dict[str, Record] = _collect()
ALIASES: dict[str, str] = {alias: r.name for r in CATALOGUE.values() for alias in r.aliases}


def primitive(node: Apply) -> Function:
    """The record of the function that a node applies."""
    record = CATALOGUE[node.function]
    assert isinstance(record, Function)
    return record
