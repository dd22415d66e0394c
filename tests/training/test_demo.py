"""The demonstration on real digits: right often enough, the same every time, and quick."""

import time
from statistics import median

import numpy as np

from pullback.training.demo import draw_digits, train_digits


def test_five_seeds(tmp_path):
    begun = time.perf_counter()
    scores = [train_digits(seed).run.kept.held_out_score for seed in range(5)]
    assert median(scores) >= 0.97 and min(scores) >= 0.96, scores
    assert time.perf_counter() - begun < 60


def test_same_seed_same_figures_and_a_picture(tmp_path):
    one, two = (train_digits(7, epochs=2) for _ in range(2))
    assert all(np.array_equal(one.run.parameters[n], two.run.parameters[n]) for n in "UbVc")
    prepared = one.prepared
    assert len(prepared.held_out) == 359
    counts = np.bincount(prepared.labels.codes[prepared.held_out])
    whole = np.bincount(prepared.labels.codes)
    assert np.all(np.abs(counts - whole / 5) < 1)
    draw_digits(one, tmp_path / "digits.png")
    assert (tmp_path / "digits.png").stat().st_size > 20000
