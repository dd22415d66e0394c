"""The handwritten digits that come with Pullback; their source and licence are in data/digits.md."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray


def load_digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The 1,797 images (samples × 8 × 8, pixels from 0 to 16) and their labels 0 … 9.

    E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
    Repository, 1998, DOI 10.24432/C50P49, CC BY 4.0.

    >>> images, labels = load_digits()
    >>> images.shape, int(labels[0]), float(images.max())
    ((1797, 8, 8), 0, 16.0)
    """
    stored: Any
    with (
        files("pullback").joinpath("data", "digits.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as stored,
    ):
        return stored["images"].astype(np.float64), stored["labels"].astype(np.int64)
