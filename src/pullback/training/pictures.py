"""Pictures of a training: loss and score over the epochs, and samples with their predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.errors import PullbackError
from pullback.training.files import check_writable, writing
from pullback.training.loop import Run

Array = NDArray[Any]

TRAINING, HELD_OUT, WRONG, MUTED = "#4477aa", "#cc6633", "#bb2233", "#666666"


@dataclass(frozen=True)
class Images:
    """Square images ``(samples, side, side)`` with what was predicted and what is right."""

    images: Array
    predicted: Sequence[object]
    right: Sequence[object]


def as_images(inputs: Array) -> Array | None:
    """Inputs ``(samples, n)`` as square images, or None if n is no square above 9.

    >>> as_images(np.zeros((5, 64))).shape, as_images(np.zeros((5, 10)))
    ((5, 8, 8), None)
    """
    side = math.isqrt(inputs.shape[1]) if inputs.ndim == 2 else 0
    if side < 4 or side * side != inputs.shape[1]:
        return None
    return inputs.reshape(len(inputs), side, side)


def choose_images(count: int, wrong: Array, rng: np.random.Generator) -> Array:
    """Positions of samples to show: some that are wrong (a quarter at most), the rest right.

    >>> wrong = np.array([False, True, False, False])
    >>> choose_images(4, wrong, np.random.default_rng(0)).tolist()[0]
    1
    """
    bad = rng.permutation(np.flatnonzero(wrong))[: max(1, count // 4)]
    good = rng.permutation(np.flatnonzero(~wrong))[: count - len(bad)]
    return np.concatenate([bad, good])


def draw_training(
    run: Run, path: str | Path, images: Images | None = None, title: str = ""
) -> None:
    """Loss and score curves, beside a grid of images if there are any; PNG, SVG or PDF by name.

    Raises PullbackError if the file can't be written or its ending is unknown.
    """
    path = Path(path)
    check_picture_path(path)
    from matplotlib import rc_context  # noqa: PLC0415
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure: Any = Figure(figsize=(11, 5.4) if images else (6.4, 5.4), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    curves = figure
    if images is not None:
        curves, grid = figure.subfigures(1, 2, width_ratios=[1, 1.05], wspace=0.04)
        _draw_images(grid, images)
    _draw_curves(curves, run)
    if title:
        figure.suptitle(title, fontsize=12)
    _settle(figure)
    # element names in an SVG come from a hash: salted the same way, one run gives one file
    with writing(path) as file, rc_context({"svg.hashsalt": "pullback"}):
        figure.savefig(file, format=path.suffix[1:].lower(), metadata=_undated(path))


def _settle(figure: Any) -> None:
    """Fix the layout, rounded: its solver leaves the last digits of positions to chance."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position([round(x, 6) for x in axes.get_position(original=True).bounds])


def check_picture_path(path: str | Path) -> None:
    """Raise PullbackError, before any work, if a picture can't be written here."""
    if Path(path).suffix.lower() not in (".png", ".svg", ".pdf"):
        raise PullbackError(
            f"cannot tell what kind of picture {path} is", hint="end it in .png, .svg or .pdf"
        )
    check_writable(path)


def _undated(path: Path) -> dict[str, None]:
    """No date in the file, so that one seed gives one file."""
    return {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower(), {})


def _draw_curves(figure: Any, run: Run) -> None:
    scored = run.metric is not None
    panels = figure.subplots(2 if scored else 1, 1, sharex=True, squeeze=False)[:, 0]
    losses = [(e.number, e.loss, e.held_out_loss) for e in run.history]
    _draw_pair(panels[0], losses, "loss")
    if min(min(a, b) if b == b else a for _, a, b in losses) > 0:
        panels[0].set_yscale("log")
    if run.metric is not None:
        unit = 100 if run.metric.percent else 1
        name = f"{run.metric.name} (%)" if run.metric.percent else run.metric.name
        scores = [(e.number, unit * e.score, unit * e.held_out_score) for e in run.history]
        _draw_pair(panels[1], scores, name)
        _crop_to_the_end(panels[1], scores)
    panels[-1].set_xlabel("epoch")
    panels[-1].xaxis.get_major_locator().set_params(integer=True)


def _draw_pair(axes: Any, points: list[tuple[int, float, float]], name: str) -> None:
    number, training, held_out = zip(*points, strict=True)
    for values, colour, label in (
        (training, TRAINING, "training"),
        (held_out, HELD_OUT, "held out"),
    ):
        if not np.isnan(values).all():
            axes.plot(number, values, color=colour, linewidth=1.6, label=label)
    axes.set_ylabel(name)
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="best", fontsize=9)


def _crop_to_the_end(axes: Any, points: list[tuple[int, float, float]]) -> None:
    """Leave out how a training begins, where it would hide how it ends."""
    later = [v for n, *pair in points[1:] for v in pair if math.isfinite(v)]
    if later:
        low, high = min(later), max(later)
        room = max(high - low, 1e-9) * 0.06
        axes.set_ylim(low - room, high + room)


def _draw_images(figure: Any, shown: Images) -> None:
    count = len(shown.images)
    columns = math.ceil(math.sqrt(count))
    panels = figure.subplots(math.ceil(count / columns), columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, image, said, right in zip(
        panels, shown.images, shown.predicted, shown.right, strict=False
    ):
        wrong = said != right
        axes.set_axis_on()
        axes.imshow(image, cmap="gray_r", interpolation="nearest")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_title(
            f"{said}, is {right}" if wrong else f"{said}",
            fontsize=10,
            color=WRONG if wrong else MUTED,
            fontweight="bold" if wrong else "normal",
            pad=3,
        )
        for spine in axes.spines.values():
            spine.set_color(WRONG if wrong else "#cccccc")
            spine.set_linewidth(2 if wrong else 0.6)
