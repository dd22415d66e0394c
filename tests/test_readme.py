"""What the README shows is what the program prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from shown import ROOT, commands, examples, printed, run

README = ROOT / "README.md"


@pytest.mark.parametrize(("command", "output"), commands(README))
def test_commands(command: str, output: str) -> None:
    """Every command prints, letter for letter, what is shown (blank lines at the ends aside)."""
    assert printed(command) == output.strip()


def test_python() -> None:
    """The Python examples give what they show."""
    assert examples(README).examples
    report = run(examples(README))
    assert not report, report


def test_the_network_file_is_the_one_shown() -> None:
    network = (ROOT / "examples" / "network.txt").read_text(encoding="utf-8")
    assert network in README.read_text(encoding="utf-8")


def test_the_picture_is_the_one_drawn(tmp_path: Path) -> None:
    """The file that is shown is what the command writes."""
    command = "pullback picture -f examples/network.txt --wrt U,V -o "
    assert f"{command}examples/network.svg" in README.read_text(encoding="utf-8")
    path = tmp_path / "network.svg"
    printed(f"{command}{path}")
    assert path.read_bytes() == (ROOT / "examples" / "network.svg").read_bytes()
