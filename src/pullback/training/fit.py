"""Fit a model file to a table, and predict with what was saved."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.errors import PullbackError
from pullback.expressions import Program, shape_text
from pullback.training.data import Table, read_table, table_of
from pullback.training.initialisers import begin
from pullback.training.loop import Diverged, Plan, Progress, Run, train
from pullback.training.metrics import decide, metric_of
from pullback.training.model_file import Model
from pullback.training.objective import ProgramObjective, find_answer, no_answer
from pullback.training.samples import (
    Labels,
    Scaling,
    bind_sizes,
    check_assumptions,
    fit_scaling,
    input_of,
    label_of,
    split,
)
from pullback.training.saved import Saved, check_writable, save, writing
from pullback.training.settings import Settings

Array = NDArray[Any]
Data = Table | str | Path | Mapping[str, Any]


@dataclass(frozen=True)
class Prepared:
    """A model and its data, ready to train: arrays by variable, the split, the objective."""

    objective: ProgramObjective
    data: Mapping[str, Array]
    labels: Labels | None
    scaling: Mapping[str, Scaling]
    training: Array  # positions of samples
    held_out: Array
    start: Mapping[str, Array]


@dataclass(frozen=True)
class Fitted:
    """A training that is over: what can be saved, how it went, and on which samples."""

    saved: Saved
    run: Run
    prepared: Prepared

    def answers(self, samples: Array) -> Array:
        """The predictions for samples of the data, by position."""
        over = self.prepared.data
        inputs = {name: over[name][samples] for name in self.saved.model.settings.inputs}
        return self.prepared.objective.predict(inputs, self.run.parameters)


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

    def write_csv(self, path: str | Path) -> None:
        """Write the file, whole or not at all. Raises PullbackError if it can't be written."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(self.rows())
        with writing(path) as file:
            file.write(text.getvalue().encode())


def fit(
    model: Model,
    data: Data,
    output: str | Path | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Fitted:
    """Train the parameters of a model on a table, and save them to ``output``.

    ``data`` is a CSV or NPZ file, a table or arrays by name; ``options`` are settings that
    replace those of the model. Everything that can be refused is refused before training. After
    Ctrl-C, and when the training breaks down (Diverged), the best parameters so far are saved.
    """
    model = model.with_options(**options)
    plan = plan_of(model.settings)
    if output is not None:
        check_writable(output)
    prepared = prepare(model, _table(data))
    rng = _streams(model.settings.seed)[2]
    metric = None if prepared.labels is None else metric_of(prepared.labels)
    try:
        run = train(
            prepared.objective,
            prepared.start,
            prepared.data,
            prepared.training,
            prepared.held_out,
            plan,
            rng,
            metric,
            progress,
        )
    except Diverged as error:
        if output is not None and error.run.best is not None and error.run.best.number > 0:
            save(_saved(model, prepared, error.run), output)
            error.hint += (
                f"\nthe parameters of epoch {error.run.best.number} were saved to {output}"
            )
        raise
    saved = _saved(model, prepared, run)
    if output is not None:
        save(saved, output)
    return Fitted(saved, run, prepared)


def plan_of(settings: Settings) -> Plan:
    """The settings of the loop; PullbackError if they do not go together."""
    return Plan(
        settings.make_optimiser(),
        settings.make_schedule(),
        settings.epochs,
        settings.batch,
        settings.patience,
        settings.clip,
    )


def prepare(model: Model, table: Table) -> Prepared:
    """Everything between a table and the first step; all that is wrong with either is said here."""
    settings, program = model.settings, model.program()
    if program.result.order:
        raise PullbackError(
            f"the last line of {model.source} is the loss, a scalar; it is "
            f"{shape_text(program.result.shape)}",
            hint="end with a loss, such as L = squared_error(h, y)",
        )
    _check_names(program, settings)
    labels = None
    for name, columns in settings.label.items():
        labels = label_of(table, program.variables[name], columns)
    raw = {
        name: input_of(table, program.variables[name], columns)
        for name, columns in settings.inputs.items()
    }
    split_rng, begin_rng, _ = _streams(settings.seed)
    codes = labels.codes if labels is not None else np.zeros(0, dtype=np.int64)
    training, held_out = split(len(table), codes, settings.held_out, split_rng)
    scaling = _fit_scaling(settings, raw, training)
    exact = {name: scaling[name](v) if name in scaling else v for name, v in raw.items()}
    if labels is not None:
        exact[labels.name] = labels.values
    sizes = bind_sizes(program, exact, settings.sizes)
    for name, values in exact.items():
        check_assumptions(program.variables[name], values, table.source)
    dtype = np.dtype(np.float32 if settings.precision == "single" else np.float64)
    objective = ProgramObjective(
        program,
        tuple(exact),
        sizes,
        _constants(program, settings, sizes, dtype),
        _answer(program, settings),
    )
    return Prepared(
        objective,
        {name: np.ascontiguousarray(values, dtype) for name, values in exact.items()},
        labels,
        scaling,
        training,
        held_out,
        _start(objective, settings, begin_rng),
    )


def predict(saved: Saved, data: Data) -> Predictions:
    """The predictions of saved parameters for a table, which needs no label column."""
    settings, program = saved.model.settings, saved.model.program()
    (label,) = settings.label or ("",)
    if not saved.answer:
        raise no_answer(program, label)
    table = _table(data)
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
        _constants(program, settings, sizes, dtype),
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


def _saved(model: Model, prepared: Prepared, run: Run) -> Saved:
    labels, best = prepared.labels, run.best
    summary: dict[str, Any] = {
        "samples": len(prepared.training),
        "held_out": len(prepared.held_out),
    }
    if best is not None:
        summary |= {
            "epoch": best.number,
            "loss": best.loss,
            "held_out_loss": best.held_out_loss,
            "metric": run.metric.name if run.metric else "",
            "score": best.score,
            "held_out_score": best.held_out_score,
        }
    if labels is not None:
        summary["target_columns"] = list(labels.columns)
    return Saved(
        model,
        run.parameters,
        prepared.objective.sizes,
        prepared.scaling,
        labels.classes if labels is not None else (),
        prepared.objective.answer,
        summary,
    )


def _table(data: Data) -> Table:
    if isinstance(data, Table):
        return data
    return read_table(data) if isinstance(data, str | Path) else table_of(data)


def _streams(seed: int) -> list[np.random.Generator]:
    """Independent randomness for the split, the first parameters and the order of samples."""
    return np.random.default_rng(seed).spawn(3)


def _check_names(program: Program, settings: Settings) -> None:
    known = ", ".join(program.variables)
    if not settings.inputs:
        raise PullbackError(
            "the settings do not say which columns are inputs",
            hint=f'add inputs = {{ x = "p0..p63" }}; the program has the variables {known}',
        )
    if len(settings.label) > 1:
        raise PullbackError("one variable is the label; make the others inputs")
    roles: dict[str, str] = {}
    for role in ("inputs", "label", "constants"):
        for name in getattr(settings, role):
            if name not in program.variables:
                raise PullbackError(
                    f"{role} names {name!r}, and the program has no such variable",
                    hint=f"its variables are {known}",
                )
            if name in roles:
                raise PullbackError(f"{name!r} stands in both {roles[name]} and {role}")
            roles[name] = role
    for name in settings.scale:
        if name and name not in settings.inputs:
            raise PullbackError(f"scale names {name!r}, which is no input")


def _fit_scaling(
    settings: Settings, raw: Mapping[str, Array], training: Array
) -> dict[str, Scaling]:
    scaling = {}
    for name, values in raw.items():
        how = settings.scale.get(name, settings.scale.get(""))
        if how is not None:
            scaling[name] = fit_scaling(values[training], how)
    return scaling


def _constants(
    program: Program, settings: Settings, sizes: Mapping[str, int], dtype: Any
) -> dict[str, Array]:
    constants = {}
    for name, value in settings.constants.items():
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


def _answer(program: Program, settings: Settings) -> str:
    (label,) = settings.label or ("",)
    return find_answer(program, tuple(settings.inputs), label, settings.predict)


def _start(
    objective: ProgramObjective, settings: Settings, rng: np.random.Generator
) -> dict[str, Array]:
    for name in settings.init:
        if name and name not in objective.parameters:
            raise PullbackError(
                f"init names {name!r}, which is no parameter",
                hint=f"the parameters are {', '.join(objective.parameters)}",
            )
    start = {}
    for name, shape in objective.parameters.items():
        general = settings.init.get("") if len(shape) >= 2 else None
        start[name] = begin(rng, shape, settings.init.get(name, general))
    return start
