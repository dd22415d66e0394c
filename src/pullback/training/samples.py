"""From a table to arrays that a program takes: inputs, labels, sizes, scaling, the split."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.errors import PullbackError
from pullback.expressions import Program, Variable, shape_text
from pullback.training.data import Columns, Table

Array = NDArray[Any]


@dataclass(frozen=True)
class Scaling:
    """Inputs enter the program as (value − shift) / divisor, per column."""

    shift: Array
    divisor: Array

    def __call__(self, values: Array) -> Array:
        return (values - self.shift) / self.divisor


@dataclass(frozen=True)
class Labels:
    """The label of every sample: ``values`` are what the program gets.

    ``classes`` are the labels as the data spell them; ``codes`` the position of each sample's
    label in it. Both are empty for a real target.
    """

    name: str
    values: Array
    columns: tuple[str, ...]
    classes: tuple[int | str, ...] = ()
    codes: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def input_of(table: Table, variable: Variable, choice: Columns) -> Array:
    """The columns of one input variable as ``(samples, *axes of the variable)``.

    A vector takes columns side by side; a variable of more axes takes an array of that many, or
    columns in row-major order if its sizes are fixed. Raises PullbackError if it does not fit.
    """
    names = table.select(choice)
    parts = [table.numbers(name) for name in names]
    if len(parts) == 1 and parts[0].ndim == variable.order + 1:
        return parts[0]
    flat = np.concatenate([part.reshape(len(table), -1) for part in parts], axis=1)
    if variable.order == 1:
        return flat
    sizes = [size.constant for size in variable.shape]
    known = [size for size in sizes if size is not None]
    if len(known) == len(sizes) and flat.shape[1] == int(np.prod(known)):
        return flat.reshape(len(table), *known)
    raise PullbackError(
        f"{variable.name} is {shape_text(variable.shape)}, and {', '.join(choice)} of "
        f"{table.source} gives {flat.shape[1]} numbers per sample"
    )


def label_of(
    table: Table, variable: Variable, choice: Columns, classes: tuple[int | str, ...] = ()
) -> Labels:
    """The label of every sample, encoded as the program declares it.

    One column for a vector: classes, encoded one-hot. One column for a scalar: the number, or
    for text two classes (0 and 1; −1 and 1 if the label is declared ``sign``). Several columns:
    a real target. ``classes`` fixes the encoding, as of a training before.
    """
    names = tuple(table.select(choice))
    single = len(names) == 1 and table.column(names[0]).ndim == 1
    vector = variable.order == 1 and (variable.shape[0].constant or 2) > 1
    if single and vector:
        raw = table.labels(names[0])
        known, codes = _codes(table, names[0], raw, classes)
        if len(known) < 2:
            raise PullbackError(f"every label in column {names[0]!r} is {known[0]!r}")
        return Labels(variable.name, np.eye(len(known))[codes], names, known, codes)
    if single and variable.order == 0:
        return _scalar_label(table, variable, names, classes)
    return Labels(variable.name, input_of(table, variable, names), names)


def _scalar_label(
    table: Table, variable: Variable, names: tuple[str, ...], classes: tuple[int | str, ...]
) -> Labels:
    (name,) = names
    low = -1 if "sign" in variable.assumptions else 0
    text = table.column(name).dtype.kind in "OUS" and table.labels_are_text(name)
    two_valued = bool(variable.assumptions & {"sign", "binary"})
    if not text and not two_valued:
        return Labels(variable.name, table.numbers(name), names)
    known, codes = _codes(
        table, name, table.labels(name), classes or ((low, 1) if not text else ())
    )
    if len(known) != 2:
        raise PullbackError(
            f"column {name!r} has {len(known)} classes, and the scalar label "
            f"{variable.name!r} can tell two apart",
            hint=f"declare {variable.name} a vector in the program: {variable.name}: p",
        )
    return Labels(variable.name, np.where(codes == 1, 1.0, float(low)), names, known, codes)


def _codes(
    table: Table, name: str, raw: Array, classes: tuple[int | str, ...]
) -> tuple[tuple[int | str, ...], Array]:
    if not classes:
        found, codes = np.unique(raw, return_inverse=True)
        return tuple(found.tolist()), codes
    position = {value: k for k, value in enumerate(classes)}
    codes = np.array([position.get(value, -1) for value in raw.tolist()], dtype=np.int64)
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        raise PullbackError(
            f"{table.place(row, name)}: {raw[row].item()!r} is none of the classes "
            + ", ".join(map(repr, classes))
        )
    return classes, codes


def fit_scaling(values: Array, how: float | str) -> Scaling:
    """A divisor, or "standard": mean 0 and standard deviation 1 over these samples.

    >>> fit_scaling(np.array([[1.0, 5.0], [3.0, 5.0]]), "standard")(np.array([2.0, 6.0]))
    array([0., 1.])
    """
    if how == "standard":
        spread = values.std(axis=0)
        # a column that never changes is only centred
        return Scaling(values.mean(axis=0), np.where(spread > 0, spread, 1.0))
    axes = values.shape[1:]
    return Scaling(np.zeros(axes), np.full(axes, float(how)))


def split(
    count: int, codes: Array, held_out: float, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Positions of the training and of the held-out samples, shuffled.

    Stratified: of each class the same fraction is held out, rounded so that the total is right
    too and no class is left without a training sample. Empty ``codes`` are one class.

    >>> train, held = split(10, np.array([0] * 5 + [1] * 5), 0.2, np.random.default_rng(0))
    >>> len(train), sorted(np.array([0] * 5 + [1] * 5)[held])
    (8, [np.int64(0), np.int64(1)])
    """
    codes = codes if len(codes) else np.zeros(count, dtype=np.int64)
    groups = [rng.permutation(np.flatnonzero(codes == code)) for code in np.unique(codes)]
    exact = np.array([held_out * len(group) for group in groups])
    taken = np.floor(exact).astype(int)
    missing = round(held_out * count) - int(taken.sum())
    for k in np.argsort(taken - exact, kind="stable")[:missing]:
        taken[k] += 1
    taken = np.minimum(taken, [len(group) - 1 for group in groups])
    held = [group[:n] for group, n in zip(groups, taken, strict=True)]
    kept = [group[n:] for group, n in zip(groups, taken, strict=True)]
    return rng.permutation(np.concatenate(kept)), rng.permutation(np.concatenate(held))


def bind_sizes(
    program: Program, arrays: Mapping[str, Array], given: Mapping[str, int]
) -> dict[str, int]:
    """Every named size of the program, from the data and from what the user gave.

    ``arrays`` are samples, so their first axis does not count. Raises PullbackError if two
    sources disagree, or if a size is left open.
    """
    sizes = dict(given)
    origin = dict.fromkeys(given, "the setting sizes")
    for name, array in arrays.items():
        for size, length in zip(program.variables[name].shape, array.shape[1:], strict=True):
            if str(size) in size.names:
                known = sizes.setdefault(str(size), length)
                if known != length:
                    raise PullbackError(
                        f"the size {size} is {known} by {origin[str(size)]} "
                        f"and {length} by the data of {name!r}"
                    )
                origin.setdefault(str(size), f"the data of {name!r}")
    named = {n for v in program.variables.values() for size in v.shape for n in size.names}
    open_ = sorted(named - set(sizes))
    if open_:
        example = ", ".join(f"{n} = 10" for n in open_)
        raise PullbackError(
            f"the data do not say how large {' and '.join(open_)} should be",
            hint=f"add it to the settings: sizes = {{ {example} }}",
        )
    unused = sorted(set(given) - named)
    if unused:
        raise PullbackError(
            f"the program has no size {unused[0]!r}; it has {', '.join(sorted(named))}"
        )
    for name, array in arrays.items():
        wanted = tuple(size.evaluate(sizes) for size in program.variables[name].shape)
        if wanted != array.shape[1:]:
            raise PullbackError(
                f"{name} is {shape_text(program.variables[name].shape)}, so "
                f"{shape_text(wanted)} here, and the data give {shape_text(array.shape[1:])}"
            )
    return sizes


_HOLDS: dict[str, tuple[Callable[[Array], Array], str]] = {
    "unit-sum": (
        lambda v: np.abs(v.sum(axis=-1, keepdims=True) - 1) <= 1e-6,
        "sums to 1",
    ),
    "sign": (lambda v: np.abs(v) == 1, "is −1 or 1"),
    "binary": (lambda v: (v == 0) | (v == 1), "is 0 or 1"),
    "positive": (lambda v: v > 0, "is positive"),
}


def check_assumptions(variable: Variable, values: Array, source: str) -> None:
    """Refuse data that are not what the program assumes, since its derivatives use it."""
    for assumption in sorted(variable.assumptions):
        if assumption not in _HOLDS:
            raise PullbackError(
                f"{variable.name} is declared {assumption}, which is not checked for data",
                hint="leave the assumption out of a program that is trained",
            )
        holds, meaning = _HOLDS[assumption]
        right = holds(values).reshape(len(values), -1).all(axis=1)
        if not right.all():
            row = int(np.argmin(right))
            raise PullbackError(
                f"{source}, row {row + 1}: {variable.name} is declared {assumption}, "
                f"and not every value {meaning}"
            )


def constants_of(
    program: Program, given: Mapping[str, Any], sizes: Mapping[str, int], dtype: Any
) -> dict[str, Array]:
    """The values of variables that are neither data nor trained; PullbackError for a wrong shape."""
    constants = {}
    for name, value in given.items():
        variable = program.variables[name]
        try:
            array = np.asarray(value, dtype)
        except ValueError:
            raise PullbackError(f"the rows of the constant {name} have different lengths") from None
        wanted = tuple(size.evaluate(sizes) for size in variable.shape)
        if array.shape != wanted:
            raise PullbackError(
                f"the constant {name} is {shape_text(array.shape)}, "
                f"and the program wants {shape_text(wanted)}"
            )
        check_assumptions(variable, array[None], "the settings")
        constants[name] = array
    return constants
