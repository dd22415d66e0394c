"""First parameters have the variances their papers ask for."""

import numpy as np
import pytest

from pullback.training.initialisers import begin


@pytest.mark.parametrize(
    ("kind", "variance"), [("xavier", 2 / 500), ("he", 2 / 200), ("normal", 1e-4), ("zeros", 0)]
)
def test_variance(kind, variance):
    W = begin(np.random.default_rng(0), (300, 200), kind)
    assert W.shape == (300, 200)
    assert W.var() == pytest.approx(variance, rel=0.03)
    assert abs(W.mean()) <= 4 * (variance / W.size) ** 0.5


def test_he_keeps_the_scale_of_a_signal_through_relu_layers():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 256))
    for _ in range(10):
        x = np.maximum(x @ begin(rng, (256, 256), "he").T, 0)
    assert 0.4 < np.mean(x**2) < 2.5


def test_matrices_are_random_and_vectors_zero_unless_said():
    rng = np.random.default_rng(0)
    assert begin(rng, (4, 3)).any()
    assert not begin(rng, (4,)).any()
    assert begin(rng, (), "xavier").shape == ()
    assert begin(rng, (2, 2), 3.0).tolist() == [[3, 3], [3, 3]]
