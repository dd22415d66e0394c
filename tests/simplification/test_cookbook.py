"""Textbook derivatives: every value is the book's, and hardly any formula is longer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from cookbook import Row, measure
from textbook_rows import TABLES

LONGER = {
    # X³ transposed is written as a product of transposes
    "(121) ∂ tr(Xᵏ), k = 4",
    # the book has both forms; this is its equation (124)
    "(63) ∂ tr(A*inv(X)*B) / ∂X",
}


@pytest.mark.parametrize("row", [*TABLES["cookbook"], *TABLES["models"]], ids=lambda row: row.title)
def test_the_answer_is_the_books(row: Row) -> None:
    found = measure(row, points=1)
    assert found.right, found.text
    assert found.certified, str(found.certified)
    assert found.ratio <= 1.2 or row.title in LONGER, f"{found.text}, not {row.answer}"
