"""Textbook derivatives: every value is the book's, and hardly any formula is longer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from cookbook import Row, measure
from textbook_rows import ROWS

LONGER = {
    "RMS norm",  # ‖x‖²/n for mean(x^⊙2)
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_the_answer_is_the_books(row: Row) -> None:
    found = measure(row, points=1)
    assert found.right, found.text
    assert found.certified, str(found.certified)
    assert found.ratio <= 1.2 or row.title in LONGER, f"{found.text}, not {row.answer}"
