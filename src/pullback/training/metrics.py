"""How good predictions are: the share of right classes, or the share of variance explained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.errors import PullbackError
from pullback.training.samples import Labels

Array = NDArray[Any]


@dataclass(frozen=True)
class Metric:
    """A name, and a function of predictions and of the positions of their samples."""

    name: str
    of: Callable[[Array, Array], float]
    percent: bool = False

    def show(self, value: float) -> str:
        """
        >>> Metric("accuracy", lambda p, s: 1.0, percent=True).show(0.9777)
        '97.8 %'
        """
        return f"{100 * value:.1f} %" if self.percent else f"{value:.4f}"


def decide(prediction: Array, classes: tuple[int | str, ...], low: float) -> Array:
    """The position of the class that each prediction means.

    The largest entry of a vector. A number is halfway decided: at 0 between −1 and 1, at ½
    between 0 and 1, where it must be a probability.

    >>> decide(np.array([[0.1, 0.9], [0.6, 0.4]]), ("a", "b"), 0)
    array([1, 0])
    """
    if prediction.ndim == 2 and prediction.shape[1] == len(classes):
        largest: Array = np.argmax(prediction, axis=1)
        return largest
    if prediction.ndim != 1:
        raise PullbackError(
            f"a prediction of {len(classes)} classes is a vector of as many numbers, "
            f"not of shape {prediction.shape[1:]}"
        )
    if low == 0 and ((prediction < 0) | (prediction > 1)).any():
        raise PullbackError(
            "the prediction leaves [0, 1], and the label is 0 or 1",
            hint='name the probability in the program, such as p = sigmoid(h), and set predict = "p"',
        )
    decided: Array = (prediction > (low + 1) / 2).astype(np.int64)
    return decided


def metric_of(labels: Labels) -> Metric:
    """Accuracy where there are classes, R² for a real target."""
    if labels.classes:
        low = float(labels.values.min())

        def accuracy(prediction: Array, samples: Array) -> float:
            decided = decide(prediction, labels.classes, low)
            return float(np.mean(decided == labels.codes[samples]))

        return Metric("accuracy", accuracy, percent=True)

    def r_squared(prediction: Array, samples: Array) -> float:
        target = labels.values[samples]
        if prediction.shape != target.shape:
            raise PullbackError(
                f"the prediction has shape {prediction.shape[1:]}, the label {target.shape[1:]}"
            )
        spread = float(np.square(target - target.mean(axis=0)).sum())
        missed = float(np.square(target - prediction).sum())
        return 1 - missed / spread if spread else float("nan")

    return Metric("R²", r_squared)
