"""Progress on the screen: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import math
from typing import IO, Any

from pullback.training.loop import Epoch, Progress
from pullback.training.metrics import Metric


def describe(epoch: Epoch, metric: Metric | None) -> str:
    """Loss and score after an epoch, in one line.

    >>> describe(Epoch(3, 0.1, 0.25, 0.5, 0.9, 0.8, 1.0), None)
    'loss 0.2500, held out 0.5000'
    """
    held_out = not math.isnan(epoch.held_out_loss)
    text = f"loss {epoch.loss:.4f}"
    if held_out:
        text += f", held out {epoch.held_out_loss:.4f}"
    if metric is not None:
        score = epoch.held_out_score if held_out else epoch.score
        text += f" · {metric.name} {metric.show(score)}"
    return text


class LineProgress(Progress):
    """About ten lines for a whole training, for logs and pipes."""

    def __init__(self, file: IO[str] | None = None, lines: int = 10) -> None:
        self._file, self._lines = file, lines

    def begin(self, epochs: int, batches: int, metric: Metric | None) -> None:
        del batches
        self._epochs, self._metric = epochs, metric
        self._every = max(1, math.ceil(epochs / self._lines))

    def epoch(self, epoch: Epoch) -> None:
        if epoch.number and (epoch.number % self._every == 0 or epoch.number == self._epochs):
            text = describe(epoch, self._metric)
            print(f"epoch {epoch.number}/{self._epochs}: {text}", file=self._file, flush=True)


class BarProgress(Progress):
    """A bar with the epoch, the loss and the score of the last one."""

    def __init__(self, console: Any = None) -> None:
        self._console = console

    def begin(self, epochs: int, batches: int, metric: Metric | None) -> None:
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
        from rich.progress import Progress as Bar  # noqa: PLC0415

        self._metric, self._batches, self._epochs = metric, batches, epochs
        self._bar = Bar(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self._console,
        )
        self._task = self._bar.add_task("", total=epochs * batches, epoch=0, epochs=epochs)
        self._bar.start()

    def step(self, epoch: int, batch: int) -> None:
        done = (epoch - 1) * self._batches + batch
        self._bar.update(self._task, completed=done, epoch=epoch)

    def epoch(self, epoch: Epoch) -> None:
        self._bar.update(
            self._task,
            completed=epoch.number * self._batches,
            epoch=epoch.number,
            description=describe(epoch, self._metric),
        )

    def end(self) -> None:
        self._bar.stop()


def screen_progress(file: IO[str] | None = None) -> Progress:
    """What suits the output: the bar for a terminal, lines for anything else."""
    from rich.console import Console  # noqa: PLC0415

    console = Console(file=file)
    return BarProgress(console) if console.is_terminal else LineProgress(file)
