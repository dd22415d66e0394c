"""Predictions for new samples from what a training saved."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.expressions import Program
from pullback.training.data import Data, as_table
from pullback.training.files import writing
from pullback.training.metrics import decide
from pullback.training.objective import ProgramObjective, no_answer
from pullback.training.samples import bind_sizes, check_assumptions, constants_of, input_of
from pullback.training.saved import Saved

Array = NDArray[Any]


@dataclass(frozen=True)
class Predictions:
    """One prediction per sample: ``values`` is the class or number, ``numbers`` the bare answer.

    ``names`` are the columns of ``numbers``, which are the classes' own scores if there are any.
    """

    values: Array
    numbers: Array
    names: tuple[str, ...]
    label: str
    classes: tuple[int | str, ...] = ()

    def rows(self) -> list[list[Any]]:
        """A header and one row per sample, as the CSV file has them."""
        if not self.classes:
            return [list(self.names), *self.numbers.tolist()]
        body = zip(self.values.tolist(), self.numbers.tolist(), strict=True)
        return [[self.label, *self.names], *([value, *row] for value, row in body)]

    def csv(self) -> str:
        """The rows as CSV text; a class whose name holds a comma is quoted."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(self.rows())
        return text.getvalue()

    def write_csv(self, path: str | Path) -> None:
        """Write the file, whole or not at all. Raises PullbackError if it can't be written."""
        with writing(path) as file:
            file.write(self.csv().encode())


def predict(saved: Saved, data: Data) -> Predictions:
    """The predictions of saved parameters for a table, which needs no label column."""
    settings, program = saved.model.settings, saved.model.program()
    (label,) = settings.label or ("",)
    if not saved.answer:
        raise no_answer(program, label)
    table = as_table(data)
    arrays = {}
    for name, columns in settings.inputs.items():
        values = input_of(table, program.variables[name], columns)
        if name in saved.scaling:
            values = saved.scaling[name](values)
        check_assumptions(program.variables[name], values, table.source)
        arrays[name] = values
    sizes = bind_sizes(program, arrays, saved.sizes)
    dtype = np.result_type(*saved.parameters.values())
    objective = ProgramObjective(
        program,
        (*settings.inputs, *settings.label),
        sizes,
        constants_of(program, settings.constants, sizes, dtype),
        saved.answer,
    )
    given = {name: np.ascontiguousarray(values, dtype) for name, values in arrays.items()}
    numbers = objective.predict(given, saved.parameters)
    return _predictions(saved, program, numbers)


def _predictions(saved: Saved, program: Program, numbers: Array) -> Predictions:
    flat = numbers.reshape(len(numbers), -1)
    (choice,) = saved.model.settings.label.values() or ((saved.answer,),)
    label = choice[0] if len(choice) == 1 else saved.answer
    if saved.classes:
        (name,) = saved.model.settings.label
        low = -1.0 if "sign" in program.variables[name].assumptions else 0.0
        values = np.array(saved.classes)[decide(numbers, saved.classes, low)]
        each = (
            [f"{saved.answer}_{c}" for c in saved.classes] if numbers.ndim > 1 else [saved.answer]
        )
        return Predictions(values, flat, tuple(each), label, saved.classes)
    columns = tuple(saved.summary.get("target_columns", ()))
    if len(columns) != flat.shape[1]:
        columns = tuple(f"{saved.answer}_{k + 1}" for k in range(flat.shape[1]))
        columns = (saved.answer,) if numbers.ndim == 1 else columns
    return Predictions(numbers, flat, columns, label)
