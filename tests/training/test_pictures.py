"""Pictures and progress: they exist, say what happened, and write only where they may."""

import io

import numpy as np
import pytest
from rich.console import Console

from pullback.errors import PullbackError
from pullback.training.loop import Epoch, Run
from pullback.training.metrics import Metric
from pullback.training.pictures import Images, draw_training
from pullback.training.progress import BarProgress, LineProgress, screen_progress


def a_run(scored=True, held_out=True):
    nan = float("nan")
    history = [
        Epoch(
            k,
            0.1,
            2 / (k + 1),
            2.5 / (k + 1) if held_out else nan,
            0.5,
            0.4 if held_out else nan,
            k,
        )
        for k in range(6)
    ]
    metric = Metric("accuracy", lambda p, s: 0.5, percent=True) if scored else None
    return Run({}, history, history[-1], metric=metric)


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_a_picture_is_written_and_the_same_twice(tmp_path, ending):
    images = Images(np.random.default_rng(0).random((7, 8, 8)), [1] * 7, [1] * 6 + [2])
    one, two = tmp_path / f"a{ending}", tmp_path / f"b{ending}"
    draw_training(a_run(), one, images, "a title")
    draw_training(a_run(), two, images, "a title")
    assert one.stat().st_size > 5000 and one.read_bytes() == two.read_bytes()


def test_wrong_predictions_are_marked(tmp_path):
    path = tmp_path / "a.svg"
    draw_training(a_run(), path, Images(np.zeros((2, 8, 8)), ["cat", "dog"], ["cat", "cow"]))
    text = path.read_text()
    assert "<!-- dog, is cow -->" in text and "<!-- cat -->" in text and "#bb2233" in text


@pytest.mark.parametrize("scored", [True, False])
def test_curves_alone(tmp_path, scored):
    draw_training(a_run(scored, held_out=False), tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_paths_that_do_not_work(tmp_path):
    with pytest.raises(PullbackError, match=r"what kind of picture .*\nend it in .png"):
        draw_training(a_run(), tmp_path / "a.gif")
    with pytest.raises(PullbackError, match="there is no directory"):
        draw_training(a_run(), tmp_path / "absent" / "a.png")


def tell(progress, run):
    progress.begin(len(run.history) - 1, 3, run.metric)
    for epoch in run.history:
        progress.epoch(epoch)
        progress.step(epoch.number + 1, 2)
    progress.end()


def test_lines_for_a_pipe():
    file = io.StringIO()
    progress = screen_progress(file)
    assert isinstance(progress, LineProgress)
    tell(LineProgress(file, lines=2), a_run())
    assert file.getvalue().splitlines() == [
        "epoch 3/5: loss 0.5000, held out 0.6250 · accuracy 40.0 %",
        "epoch 5/5: loss 0.3333, held out 0.4167 · accuracy 40.0 %",
    ]


def test_a_bar_for_a_terminal():
    file = io.StringIO()
    tell(BarProgress(Console(file=file, force_terminal=True, width=100)), a_run())
    assert "loss 0.3333" in file.getvalue() and "accuracy 40.0 %" in file.getvalue()
