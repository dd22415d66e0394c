"""Fit a model file to a table, and predict with what was saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.errors import PullbackError
from pullback.expressions import Program, shape_text
from pullback.training.data import Data, Table, as_table
from pullback.training.files import check_writable
from pullback.training.initialisers import begin
from pullback.training.loop import Diverged, Plan, Progress, Run, train
from pullback.training.metrics import metric_of
from pullback.training.model_file import Model
from pullback.training.objective import ProgramObjective, find_answer
from pullback.training.samples import (
    Labels,
    Scaling,
    bind_sizes,
    check_assumptions,
    constants_of,
    fit_scaling,
    input_of,
    label_of,
    split,
)
from pullback.training.saved import Saved, save
from pullback.training.settings import Settings

Array = NDArray[Any]


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


def fit(
    model: Model,
    data: Data,
    output: str | Path | None = None,
    progress: Progress | None = None,
    begun: Callable[[Prepared], None] | None = None,
    **options: Any,
) -> Fitted:
    """Train the parameters of a model on a table, and save them to ``output``.

    ``data`` is a CSV or NPZ file, a table or arrays by name; ``options`` are settings that
    replace those of the model. Everything that can be refused is refused before training;
    ``begun`` is then called with what will be trained. After
    Ctrl-C, and when the training breaks down (Diverged), the best parameters so far are saved.
    """
    model = model.with_options(**options)
    plan = plan_of(model.settings)
    if output is not None:
        check_writable(output)
    prepared = prepare(model, as_table(data))
    prepared.objective.compile()
    if begun is not None:
        begun(prepared)
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
        if output is not None and error.run.kept is not None and error.run.kept.number > 0:
            save(_saved(model, prepared, error.run), output)
            error.hint += (
                f"\nthe parameters of epoch {error.run.kept.number} were saved to {output}"
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
        constants_of(program, settings.constants, sizes, dtype),
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


def _saved(model: Model, prepared: Prepared, run: Run) -> Saved:
    labels, best = prepared.labels, run.kept
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
