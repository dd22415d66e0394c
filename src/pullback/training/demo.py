"""The demonstration: a network of one hidden layer, trained on handwritten digits.

This is a user's program like any other; nothing below this floor knows it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.training.data import as_table
from pullback.training.digits import load_digits
from pullback.training.fit import Fitted, fit, prepare
from pullback.training.loop import Progress
from pullback.training.metrics import decide
from pullback.training.model_file import Model, parse_model
from pullback.training.objective import ProgramObjective
from pullback.training.pictures import Images, as_images, choose_images, draw_training

PROGRAM = """\
U: m n
y: k unit-sum
f = U*x + b
g = sigmoid(f)
h = V*g + c
p = softmax(h)
L = cross_entropy(p, y)
"""

MODEL = f"""\
+++
inputs = {{ x = "pixels" }}       # 8×8 pixels from 0 to 16
label = {{ y = "digit" }}
scale = 4
sizes = {{ m = 128 }}

optimiser = "momentum"
rate = 0.2
momentum = 0.9
weight_decay = 5e-4
schedule = "cosine"             # the rate falls to 0 at the end
epochs = 60
batch = 32
held_out = 0.2
precision = "single"
+++
{PROGRAM}"""


def demo_model() -> Model:
    """The model of the demonstration."""
    return parse_model(MODEL, "the demo")


def digits_data() -> dict[str, NDArray[Any]]:
    """The digits as the model's columns: an image is a row of 64 pixels."""
    images, digits = load_digits()
    return {"pixels": images.reshape(len(images), -1), "digit": digits}


def digits_objective() -> ProgramObjective:
    """What the demonstration trains: the network over a mini-batch, with its code."""
    return prepare(demo_model(), as_table(digits_data())).objective


def train_digits(seed: int = 0, progress: Progress | None = None, **options: Any) -> Fitted:
    """Train the network on four fifths of the digits; the rest is held out and has no say."""
    return fit(demo_model(), digits_data(), progress=progress, seed=seed, **options)


def draw_digits(fitted: Fitted, path: str | Path, count: int = 30) -> None:
    """The curves of a training, and some held-out images with their predictions.

    Raises PullbackError if the model has no classes or its input is no square image.
    """
    prepared, labels = fitted.prepared, fitted.prepared.labels
    held_out = prepared.held_out
    assert labels is not None
    low = float(labels.values.min())
    decided = decide(fitted.answers(held_out), labels.classes, low)
    right = labels.codes[held_out]
    rng = np.random.default_rng(fitted.saved.model.settings.seed)
    shown = choose_images(count, decided != right, rng)
    (name,) = fitted.saved.model.settings.inputs
    pictures = as_images(prepared.data[name][held_out[shown]])
    images = None
    if pictures is not None:
        images = Images(
            pictures,
            [labels.classes[k] for k in decided[shown]],
            [labels.classes[k] for k in right[shown]],
        )
    kept = fitted.run.kept or fitted.run.history[-1]
    wrong = int((decided != right).sum())
    title = (
        f"{len(held_out)} held-out digits: {100 * kept.held_out_score:.1f} % right, {wrong} wrong"
    )
    draw_training(fitted.run, path, images, title)
