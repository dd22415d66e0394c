"""What every deriving command is told: an expression, its declarations, its variables."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

import click

from pullback.derivation.structure import Convention
from pullback.errors import PullbackError
from pullback.expressions.program import Program
from pullback.expressions.sizes import Size
from pullback.language.declarations import read_declarations
from pullback.language.parse import parse_program
from pullback.language.reading import Dialect

_SIZE = re.compile(r"([^\W\d]\w*)\s*=\s*(\d+)")
_DIALECT = "pullback.dialect"  # where a command keeps the option --dialect


def _keep_dialect(context: click.Context, _: click.Parameter, value: Dialect | None) -> None:
    context.meta[_DIALECT] = value


Command = Callable[..., None]
Option = Callable[[Command], Command]


def with_options(options: Sequence[Option]) -> Option:
    """One decorator for several options, the first of them first in the help."""

    def decorated(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


def _stating(*, derived: bool) -> Option:
    return with_options(
        [
            click.argument("expression", required=False),
            click.option(
                "-f", "--file", "path", type=click.Path(), help="Read the program from a file."
            ),
            click.option(
                "--wrt",
                required=derived,
                help="Variables or named lines, such as U,V.",
                metavar="NAMES",
            ),
            click.option(
                "--shape",
                "shapes",
                multiple=True,
                metavar='"U: m n"',
                help="Sizes of a name: two for a matrix, one for a column, '1 n' for a row, none for a scalar. Repeatable.",
            ),
            click.option(
                "--assume",
                "assumptions",
                multiple=True,
                metavar='"A: symmetric"',
                help="What holds for a name. Repeatable.",
            ),
            click.option(
                "--dialect",
                type=click.Choice(get_args(Dialect)),
                help="How the expression is written; otherwise its marks tell.",
                expose_value=False,
                callback=_keep_dialect,
            ),
        ]
    )


stated = _stating(derived=True)  # a function, and what to differentiate it by
stated_freely = _stating(derived=False)  # perhaps that too
along_structure = click.option(
    "--structured",
    type=click.Choice(get_args(Convention)),
    help="By the free entries of a symmetric, skew, diagonal or triangular variable, or along such "
    "variables, also orthogonal or unit-sum ones; otherwise entries are independent.",
)


def program_from(
    expression: str | None, path: str | None, shapes: Sequence[str], assumptions: Sequence[str]
) -> Program:
    if (expression is None) == (path is None):
        raise PullbackError("give an expression, or a file with -f: one of the two")
    text = expression if expression is not None else _read(str(path))
    sizes, words = _declared(shapes, assumptions)
    return parse_program(text, shapes=sizes, assume=words, dialect=stated_dialect())


def stated_dialect() -> Dialect | None:
    """The option --dialect of the command that runs."""
    found: Dialect | None = click.get_current_context().meta[_DIALECT]
    return found


def _read(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise PullbackError(f"cannot read {path}: {reason}") from None


def _declared(
    shapes: Sequence[str], assumptions: Sequence[str]
) -> tuple[dict[str, list[Size]], dict[str, list[str]]]:
    """The options --shape and --assume, which are written as in a program."""
    sizes: dict[str, list[Size]] = {}
    words: dict[str, list[str]] = {}
    for option in (*shapes, *assumptions):
        if ":" not in option:
            hint = 'as in  --shape "U: m n"  and  --assume "A: symmetric"'
            raise PullbackError(f"'{option}' is no declaration", None, hint)
    for option in shapes:
        found, assumed = read_declarations(option)
        for name, size in found.items():
            if sizes.setdefault(name, size) != size:
                raise PullbackError(f"'{name}' is declared twice, with two shapes")
        for name, more in assumed.items():
            words.setdefault(name, []).extend(more)
    for option in assumptions:
        found, assumed = read_declarations(option)
        for name, unknown in found.items():
            raise PullbackError(
                f"--assume '{option}' says nothing known of {name}"
                + "".join(f": '{word}' is no assumption" for word in unknown[:1]),
                hint="write --assume 'A: symmetric'",
            )
        for name, more in assumed.items():
            words.setdefault(name, []).extend(more)
    return sizes, words


def names_from(wrt: str) -> list[str]:
    names = [name.strip() for name in wrt.split(",") if name.strip()]
    if not names:
        raise PullbackError("--wrt names no variable")
    return list(dict.fromkeys(names))


def sizes_from(text: str) -> dict[str, int]:
    """The option --sizes as a number for each name."""
    pairs = _SIZE.findall(text)
    left = _SIZE.sub("", text).replace(",", "").strip()
    if left or not pairs:
        raise PullbackError(
            f"--sizes gives names and numbers; '{left or text}' is neither",
            hint='write --sizes "m=100 n=50"',
        )
    return {name: int(number) for name, number in pairs}
