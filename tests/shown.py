"""What a Markdown file shows, and what the program prints: one comparison for all our pages.

``python tests/shown.py docs README.md`` writes into the pages what is printed now; read the diff.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import itertools
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from pullback.cli import main

ROOT = Path(__file__).parent.parent
CONSOLE = re.compile(r"(?<=```console\n).*?(?=```)", flags=re.DOTALL)
PYTHON = re.compile(r"(?<=```python\n)>>> .*?(?=```)", flags=re.DOTALL)
COMMAND = re.compile(r"^\$ ", flags=re.MULTILINE)


def pages(*places: Path) -> Iterator[Path]:
    """The Markdown files at and below these places, in order."""
    for place in places:
        yield from sorted(place.rglob("*.md")) if place.is_dir() else [place]


def commands(page: Path) -> list[tuple[str, str]]:
    """Each ``$ command`` of a console block with the output shown below it."""
    blocks = CONSOLE.findall(page.read_text(encoding="utf-8"))
    parts = [part for block in blocks for part in COMMAND.split(block)[1:]]
    return [(command, output) for command, _, output in (p.partition("\n") for p in parts)]


def printed(command: str) -> str:
    """What a ``pullback`` command prints, run at the root of the repository."""
    program, *arguments = shlex.split(command)
    assert program == "pullback", f"only pullback is run, not {program}"
    with contextlib.chdir(ROOT):
        return CliRunner().invoke(main, arguments).output.strip()


def examples(page: Path) -> doctest.DocTest:
    """All Python sessions of a page, as one: later ones see the names of earlier ones."""
    text = page.read_text(encoding="utf-8")
    # all but the sessions is blank, so that lines keep their numbers
    ends = [0, *(end for match in PYTHON.finditer(text) for end in match.span()), len(text)]
    shown = "".join(
        text[start:end] if k % 2 else "\n" * text.count("\n", start, end)
        for k, (start, end) in enumerate(itertools.pairwise(ends))
    )
    parser = doctest.DocTestParser()
    return parser.get_doctest(shown, {}, str(page.relative_to(ROOT)), str(page), 0)


def run(test: doctest.DocTest) -> str:
    """The report of what did not give what is shown; empty if all did."""
    report = io.StringIO()
    with contextlib.chdir(ROOT), np.printoptions():
        doctest.DocTestRunner(verbose=False).run(test, out=report.write, clear_globs=False)
    return report.getvalue()


class _Printed(doctest.OutputChecker):
    """Accepts all, and remembers what came."""

    def __init__(self) -> None:
        self.outputs: list[str] = []

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        del want, optionflags
        self.outputs.append(got)
        return True


def refreshed(page: Path) -> str:
    """The text of a page with what is printed now in place of what it shows."""
    text = CONSOLE.sub(
        lambda block: "".join(
            f"$ {command}\n{printed(command)}\n"
            for command in (part.partition("\n")[0] for part in COMMAND.split(block[0])[1:])
        ),
        page.read_text(encoding="utf-8"),
    )
    checker = _Printed()
    with contextlib.chdir(ROOT):
        done = doctest.DocTestRunner(checker, verbose=False).run(examples(page))
    assert not done.failed, page  # an error that the page does not expect
    outputs = iter(checker.outputs)

    def session(block: re.Match[str]) -> str:
        shown = ""
        for part in doctest.DocTestParser().parse(block[0]):
            if isinstance(part, str):
                shown += part
                continue
            first, *rest = part.source.splitlines()
            shown += "\n".join([f">>> {first}", *(f"... {line}".rstrip() for line in rest), ""])
            lines = next(outputs).splitlines(keepends=True)
            # an error that is expected stays as it is
            if part.exc_msg is not None:
                lines = [part.want]
            shown += "".join("<BLANKLINE>\n" if line == "\n" else line for line in lines)
        return shown

    return PYTHON.sub(session, text)


if __name__ == "__main__":
    for page in pages(*(Path(argument).resolve() for argument in sys.argv[1:])):
        page.write_text(refreshed(page), encoding="utf-8")
