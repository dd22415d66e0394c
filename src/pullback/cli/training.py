"""The commands that train: fit, predict and the demonstration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import click

from pullback import api
from pullback.compilation.compile import compile_nodes
from pullback.compilation.count import savings
from pullback.derivation.derive import derive_each
from pullback.errors import PullbackError
from pullback.expressions.sizes import shape_text
from pullback.notation.equations import equation
from pullback.training.demo import PROGRAM, demo_model, digits_objective, draw_digits, train_digits
from pullback.training.files import check_writable
from pullback.training.fit import Fitted, Prepared, fit
from pullback.training.model_file import read_model
from pullback.training.optimisers import OPTIMISERS
from pullback.training.pictures import check_picture_path, draw_training
from pullback.training.prediction import predict
from pullback.training.progress import describe, screen_progress
from pullback.training.saved import load
from pullback.training.schedules import SCHEDULES
from pullback.verification.certificate import certify

# The settings that a model file may hold and an option may replace; `--set` reaches the others.
OPTIONS = {
    "inputs": 'Columns of each input variable, as "x = p0..p63".',
    "label": 'Column of the label, as "y = digit".',
    "sizes": 'Sizes that the data do not tell, as "m = 128".',
    "scale": "Divide inputs by a number, or 'standard' for mean 0 and deviation 1.",
    "epochs": "Passes over the data.",
    "batch": "Samples per step.",
    "rate": "Learning rate.",
    "momentum": "Of the optimisers that have one.",
    "optimiser": f"One of {', '.join(OPTIMISERS)}.",
    "schedule": f"How the rate falls: one of {', '.join(SCHEDULES)}.",
    "decay": "How fast it falls.",
    "weight_decay": "Shrinking of the parameters.",
    "clip": "Largest norm of a gradient.",
    "patience": "Stop after so many epochs without a better held-out loss.",
    "held_out": "Share of the samples held out.",
    "seed": "Of the split, the first parameters and the order of samples.",
}


def settings_options(command: Callable[..., None]) -> Callable[..., None]:
    for name, text in reversed(OPTIONS.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, help=text)(command)
    return command


@click.command("fit")
@click.argument("model", type=click.Path())
@click.argument("data", type=click.Path())
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    default="fitted.npz",
    show_default=True,
    help="Where to save.",
)
@click.option("--picture", type=click.Path(), help="Draw the curves of loss and score: PNG or SVG.")
@click.option("--set", "more", multiple=True, metavar="NAME=VALUE", help="Any other setting.")
@settings_options
def fit_command(
    model: str, data: str, output: str, picture: str | None, more: tuple[str, ...], **options: Any
) -> None:
    """Train the program of MODEL on DATA, a CSV or NPZ file, and save the parameters.

    Ctrl-C stops early and keeps the best parameters so far.
    """
    for pair in more:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"'{pair}' is not NAME=VALUE", param_hint="--set")
        options[name.strip()] = value.strip()
    _refuse_overwriting(output, model, data)
    if picture is not None:
        _refuse_overwriting(picture, model, data, output)
        check_picture_path(picture)
    fitted = fit(
        read_model(model), data, output, progress=screen_progress(), begun=_announce, **options
    )
    click.echo(_outcome(fitted))
    _warn_of_a_rise(fitted)
    if picture is not None:
        draw_training(fitted.run, picture)
        click.echo(f"curves drawn in {picture}")
    click.echo(f"parameters saved in {output}")


@click.command("predict")
@click.argument("parameters", type=click.Path())
@click.argument("data", type=click.Path())
@click.option("-o", "--output", type=click.Path(), help="A CSV file; standard output otherwise.")
def predict_command(parameters: str, data: str, output: str | None) -> None:
    """Predict for DATA with the PARAMETERS that a training saved."""
    if output is not None:
        _refuse_overwriting(output, parameters, data)
        check_writable(output)
    predictions = predict(load(parameters), data)
    if output is None:
        click.echo(predictions.csv(), nl=False)
    else:
        predictions.write_csv(output)
        click.echo(f"{len(predictions.values)} predictions in {output}")


@click.command("demo")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--seeds", type=click.IntRange(1), default=1, help="Train with so many seeds.")
@click.option("--epochs", type=click.IntRange(1), help="Passes over the data.")
@click.option(
    "--picture",
    type=click.Path(),
    default="pullback-demo.png",
    show_default=True,
    help="Where to draw curves and digits: PNG or SVG.",
)
def demo_command(seed: int, seeds: int, epochs: int | None, picture: str) -> None:
    """Derive a network of one hidden layer, show every step, and train it on real digits."""
    check_picture_path(picture)
    program = demo_model().program()
    _heading("The network, for one sample")
    click.echo(PROGRAM.strip())
    _heading("Shapes")
    for name, variable in program.variables.items():
        assumed = f"   {', '.join(sorted(variable.assumptions))}" if variable.assumptions else ""
        click.echo(f"{name}: {shape_text(variable.shape)}{assumed}")
    for name, line in program.lines.items():
        click.echo(f"{name}: {shape_text(line.shape)}")
    names = ["U", "b", "V", "c"]
    _heading("The derivation, operation by operation")
    click.echo(api.explain(program, *names).text())
    _heading("The gradients")
    found = derive_each(program, names)
    for derivation in found.values():
        click.echo(f"{equation(derivation, named=True)}   {shape_text(derivation.shape)}")
    click.echo()
    for derivation in found.values():
        click.echo(equation(derivation))
    _heading("Certificate")
    for name, derivation in found.items():
        click.echo(f"∂L/∂{name}: {certify(derivation)}")
    objective = digits_objective()
    _heading("The same over a mini-batch of N samples")
    for derivation in objective.derivations.values():
        click.echo(f"{equation(derivation, named=True)}   {shape_text(derivation.shape)}")
    _heading("Its code, line by line as derived")
    plain = compile_nodes(objective.step_outputs, objective.batched, objective.gradient_names)
    click.echo(plain.source)
    _heading("The code that trains: the same, in buffers that are kept from step to step")
    click.echo(objective.step.source)
    _heading("What back-propagation saves, counted for one step with 32 samples")
    sizes = {**objective.sizes, "N": 32}
    click.echo(savings(objective.step_outputs, objective.batched, sizes).text())
    fitted = _train(seed, seeds, epochs)
    draw_digits(fitted, picture)
    click.echo(f"curves, and some digits with their predictions: {picture}")


def _train(seed: int, seeds: int, epochs: int | None) -> Fitted:
    """Train once per seed; the first training is returned, and the code shown before it."""
    options = {} if epochs is None else {"epochs": epochs}
    fitted = []
    for k in range(seed, seed + seeds):
        _heading(f"Training on 1,797 handwritten digits, seed {k}")
        fitted.append(train_digits(k, progress=screen_progress(), **options))
        click.echo(_outcome(fitted[-1]))
    if seeds > 1:
        scores = [_held_out(f) for f in fitted]
        click.echo(
            f"over {seeds} seeds: median {100 * median(scores):.2f} %, worst {100 * min(scores):.2f} %"
        )
    return fitted[0]


def _refuse_overwriting(output: str, *inputs: str) -> None:
    for path in inputs:
        if Path(output).resolve() == Path(path).resolve():
            raise PullbackError(f"{output} is read from: writing there would destroy it")


def _announce(prepared: Prepared) -> None:
    """What is trained and by what, so that a forgotten label shows at once."""
    objective, labels = prepared.objective, prepared.labels
    trained = ", ".join(
        f"{name} ({'×'.join(map(str, shape)) or 'scalar'})"
        for name, shape in objective.parameters.items()
    )
    click.echo(f"training {trained}")
    click.echo(
        f"on {len(prepared.training)} samples of {', '.join(prepared.data)}"
        f"; {len(prepared.held_out)} held out"
    )
    if labels is None:
        click.echo("no label is declared: every variable that is no input is trained")
    if not objective.answer:
        click.echo("no line of the program predicts the label: `pullback predict` will refuse")


def _warn_of_a_rise(fitted: Fitted) -> None:
    history, kept = fitted.run.history, fitted.run.kept
    if kept is not None and kept.loss > history[0].loss:
        click.echo(
            f"warning: the loss rose from {history[0].loss:.4g} to {kept.loss:.4g}; "
            "lower the rate, or scale the inputs",
            err=True,
        )


def _held_out(fitted: Fitted) -> float:
    return float((fitted.run.kept or fitted.run.history[-1]).held_out_score)


def _outcome(fitted: Fitted) -> str:
    run = fitted.run
    kept = run.kept or run.history[-1]
    how = "interrupted; " if run.interrupted else "stopped early; " if run.stopped_early else ""
    seconds = run.history[-1].seconds
    return f"{how}parameters of epoch {kept.number}: {describe(kept, run.metric)} ({seconds:.1f} s)"


def _heading(text: str) -> None:
    click.echo(f"\n{text}\n{'─' * len(text)}")
