"""The commands that train, from a model file and a table to predictions."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from pullback.cli import main

MODEL = """\
+++
inputs = { x = "a, b" }
label = { y = "z" }
epochs = 300
rate = 0.02
+++
h = w'*x + d
L = (h - y)^2
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(120, 2))
    with (tmp_path / "data.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "z"])
        writer.writerows([a, b, 2 * a - 3 * b + 1] for a, b in rows.tolist())
    (tmp_path / "model.txt").write_text(MODEL)
    return str(tmp_path / "model.txt"), str(tmp_path / "data.csv")


def test_fit_says_what_it_trains_and_predict_uses_it(
    files: tuple[str, str], tmp_path: Path
) -> None:
    """A linear law is found, and its predictions are those of the law."""
    fitted, predicted = str(tmp_path / "fitted.npz"), str(tmp_path / "predicted.csv")
    done = run("fit", *files, "-o", fitted, "--picture", str(tmp_path / "curves.png"))
    assert done.exit_code == 0, done.output
    assert "training w (2), d (scalar)" in done.output
    assert (tmp_path / "curves.png").stat().st_size > 1000
    assert run("predict", fitted, files[1], "-o", predicted).exit_code == 0
    with open(files[1]) as data, open(predicted) as answers:  # noqa: PTH123
        truth = [float(row["z"]) for row in csv.DictReader(data)]
        found = [float(next(iter(row.values()))) for row in csv.DictReader(answers)]
    np.testing.assert_allclose(found, truth, atol=1e-3)


def test_a_forgotten_label_shows(files: tuple[str, str], tmp_path: Path) -> None:
    model = Path(files[0])
    model.write_text(model.read_text().replace('label = { y = "z" }\n', ""))
    done = run("fit", *files, "-o", str(tmp_path / "fitted.npz"), "--epochs", "1")
    assert "y (scalar)" in done.output
    assert "no label is declared" in done.output


def test_a_rising_loss_is_a_warning(files: tuple[str, str], tmp_path: Path) -> None:
    options = (
        "--rate",
        "2",
        "--epochs",
        "2",
        "--batch",
        "1",
        "--clip",
        "1000",
        "--optimiser",
        "sgd",
    )
    done = run("fit", *files, "-o", str(tmp_path / "fitted.npz"), *options)
    assert "the loss rose" in done.output or done.exit_code == 2


def test_several_seeds_of_the_demo(tmp_path: Path) -> None:
    done = run("demo", "--seeds", "2", "--epochs", "2", "--picture", str(tmp_path / "demo.png"))
    assert done.exit_code == 0, done.output
    assert "over 2 seeds" in done.output
    assert (tmp_path / "demo.png").stat().st_size > 1000
