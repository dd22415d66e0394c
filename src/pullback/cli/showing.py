"""Commands that show what a derivative is: entity."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import click

from pullback import api
from pullback.cli.stating import names_from, program_from, stated
from pullback.errors import PullbackError

picture_options: Sequence[Callable[..., Callable[..., None]]] = (
    click.option(
        "--picture",
        "drawn",
        type=click.Path(),
        metavar="FILE",
        help="Write the picture too: .svg, .png or .pdf by the name's ending.",
    ),
    click.option(
        "--theme",
        type=click.Choice(["auto", "light", "dark"]),
        default="light",
        show_default=True,
        help="Of the picture; auto has no background.",
    ),
)


def drawn_as(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say where a picture goes and how it looks."""
    for option in reversed(picture_options):
        command = option(command)
    return command


def sized(command: Callable[..., None]) -> Callable[..., None]:
    """The option that gives numbers to named sizes."""
    return click.option(
        "--size", "sizes", multiple=True, metavar="m=3", help="A named size. Repeatable."
    )(command)


def sizes_from(options: Sequence[str]) -> dict[str, int]:
    """The options --size as numbers by name."""
    found: dict[str, int] = {}
    for option in options:
        for part in option.replace(",", " ").split():
            match = re.fullmatch(r"(\w+)=(\d{1,18})", part)
            if match is None:
                raise PullbackError(f"--size '{part}' is no size", hint="write --size m=3")
            found[match[1]] = int(match[2])
    return found


@click.command("entity")
@stated
@sized
@click.option("--order", type=click.IntRange(1, 4), default=1, show_default=True, help="How often.")
@click.option(
    "--as",
    "style",
    type=click.Choice(["text", "html", "latex", "json"]),
    default="text",
    show_default=True,
)
@drawn_as
def entity_command(
    expression: str | None,
    path: str | None,
    wrt: str,
    shapes: Sequence[str],
    assumptions: Sequence[str],
    sizes: Sequence[str],
    order: int,
    style: str,
    drawn: str | None,
    theme: str,
) -> None:
    """Say what a derivative is: its axes, where each comes from, and its zeros."""
    program = program_from(expression, path, shapes, assumptions)
    names = names_from(wrt)
    if drawn is not None and len(names) > 1:
        raise PullbackError("one picture shows one entity", hint="name one variable with --wrt")
    for k, name in enumerate(names):
        entity = api.entity(program, *[name] * order, sizes=sizes_from(sizes))
        if k:
            click.echo()
        click.echo(getattr(entity, style)())
        if drawn is not None:
            entity.picture(theme=theme).save(drawn)
