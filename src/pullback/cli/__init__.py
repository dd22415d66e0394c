"""The command line: derive, explain, entity, ways, picture, check, grade, cost, exercise, fit, predict and demo.

Exit status 0; 1 when the answer is no (a check that fails); 2 when the input is at fault, with
one message on standard error and no traceback.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

import click

from pullback.cli.deriving import check_command, derive_command, explain_command, grade_command
from pullback.cli.practising import exercise_command
from pullback.cli.pricing import cost_command
from pullback.cli.showing import entity_command, picture_command, ways_command
from pullback.cli.training import demo_command, fit_command, predict_command
from pullback.errors import PullbackError


class Commands(click.Group):
    """Commands whose errors are one clear message."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _formula_last(args, self.commands))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PullbackError as error:
            click.echo(f"pullback: {error}", err=True)
            ctx.exit(2)
        except BrokenPipeError:
            sys.stderr.close()  # the reader of our output has gone: nothing is left to say
            ctx.exit(0)
        except OSError as error:
            click.echo(f"pullback: cannot write: {error.strerror}", err=True)
            ctx.exit(2)


def _formula_last(args: list[str], commands: Mapping[str, click.Command]) -> list[str]:
    """A formula that begins with a minus sign is no option: it goes last, behind ``--``."""
    command = commands.get(args[0]) if args else None
    if command is None or "--" in args:
        return args
    options = [p for p in command.params if isinstance(p, click.Option)]
    valued = {name for option in options if not option.is_flag for name in option.opts}
    for k, arg in enumerate(args[1:], start=1):
        single = arg.startswith("-") and arg[:2] not in {"--", *valued}
        if single and re.search(r"[^\w-]", arg) and args[k - 1] not in valued:
            return [*args[:k], *args[k + 1 :], "--", arg]
    return args


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pullback")
def main() -> None:
    """The mathematics of back-propagation: formulas, derivations, code and training.

    A program is one expression, or named lines of which the last is the result:

    \b
        pullback derive "norm2(A*x - b)^2" --wrt x
        pullback explain -f network.txt --wrt U,V
        pullback demo
    """


for _command in (
    derive_command,
    explain_command,
    entity_command,
    picture_command,
    ways_command,
    check_command,
    grade_command,
    cost_command,
    exercise_command,
    fit_command,
    predict_command,
    demo_command,
):
    main.add_command(_command)
