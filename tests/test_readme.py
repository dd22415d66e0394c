"""What the README shows is what the program prints."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from pullback.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def shown_commands() -> list[tuple[str, str]]:
    """Each ``$ command`` of a console block with the output shown below it."""
    shown = []
    for block in re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            shown.append((command, output))
    return shown


@pytest.mark.parametrize(("command", "output"), shown_commands())
def test_commands(command: str, output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command prints, letter for letter, what is shown (blank lines at the ends aside)."""
    monkeypatch.chdir(ROOT)
    program, *arguments = shlex.split(command)
    assert program == "pullback"
    done = CliRunner().invoke(main, arguments)
    assert done.output.strip() == output.strip()


def test_python() -> None:
    """The Python examples give what they show."""
    failed, tried = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert tried
    assert not failed


def test_the_network_file_is_the_one_shown() -> None:
    network = (ROOT / "examples" / "network.txt").read_text(encoding="utf-8")
    assert network in README
