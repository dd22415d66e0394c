"""Formulas that begin with a minus sign."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from pullback.cli import main


@pytest.mark.parametrize(
    "arguments",
    [
        ["-x'*x", "--wrt", "x"],
        ["--wrt", "x", "-x'*x"],
        ["--no-check", "-x'*x", "--wrt", "x"],
        ["--wrt", "x", "--", "-x'*x"],
    ],
)
def test_a_formula_may_begin_with_a_minus_sign(arguments: list[str]) -> None:
    done = CliRunner().invoke(main, ["derive", *arguments])
    assert done.exit_code == 0
    assert "= −2 x\n" in done.output


def test_a_claim_may_too() -> None:
    options = ["--wrt", "x", "--claim", "-2*x"]
    for claimed in (options, [*options[:2], "--claim=-2*x"]):
        done = CliRunner().invoke(main, ["grade", "-x'*x", *claimed])
        assert done.output.startswith("right")


@pytest.mark.parametrize("option", ["-q", "--wtr", "-x"])
def test_options_that_are_none_are_still_told(option: str) -> None:
    done = CliRunner().invoke(main, ["derive", "x'*x", option, "--wrt", "x"])
    assert done.exit_code == 2
    assert f"No such option '{option}'" in done.output or f"No such option: {option}" in done.output
