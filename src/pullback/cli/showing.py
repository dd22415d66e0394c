"""Commands that show what a derivative is, and draw it: entity, ways and picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import click

from pullback import api
from pullback.cli.stating import (
    names_from,
    program_from,
    sizes_from,
    stated,
    stated_freely,
    with_options,
)
from pullback.drawing.scene import ThemeName
from pullback.errors import PullbackError
from pullback.pictures.picture import Kind

# where a picture goes and how it looks
drawn_as = with_options(
    [
        click.option(
            "--picture",
            "drawn",
            type=click.Path(),
            metavar="FILE",
            help="Write the picture too: .svg, .png or .pdf by the name's ending.",
        ),
        click.option(
            "--theme",
            type=click.Choice(get_args(ThemeName)),
            default="light",
            show_default=True,
            help="Of the picture; auto has no background.",
        ),
    ]
)


@click.command("entity")
@stated
@click.option("--sizes", metavar='"m=100 n=50"', help="Numbers for named sizes.")
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
    sizes: str | None,
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
    numbers = sizes_from(sizes) if sizes else {}
    for k, name in enumerate(names):
        entity = api.entity(program, *[name] * order, sizes=numbers)
        if k:
            click.echo()
        click.echo(getattr(entity, style)())
        if drawn is not None:
            entity.picture(theme=theme).save(drawn)


@click.command("ways")
@stated
@click.option("--sizes", metavar='"m=100 n=50"', help="Numbers for named sizes.")
@click.option(
    "--as",
    "style",
    type=click.Choice(["text", "html", "json"]),
    default="text",
    show_default=True,
)
def ways_command(
    expression: str | None,
    path: str | None,
    wrt: str,
    shapes: Sequence[str],
    assumptions: Sequence[str],
    sizes: str | None,
    style: str,
) -> None:
    """Set entries, flattened Jacobians and matrices side by side, with the numbers each stores."""
    program = program_from(expression, path, shapes, assumptions)
    numbers = sizes_from(sizes) if sizes else {}
    for k, name in enumerate(names_from(wrt)):
        if k:
            click.echo()
        click.echo(getattr(api.ways(program, name, numbers), style)())


@click.command("picture")
@stated_freely
@click.option(
    "--kind",
    type=click.Choice(get_args(Kind)),
    default="graph",
    show_default=True,
    help="The computation graph, the tensor network, or the field over two numbers.",
)
@click.option(
    "-o", "--output", "path_out", type=click.Path(), metavar="FILE", help=".svg, .png or .pdf."
)
@click.option(
    "--as",
    "style",
    type=click.Choice(["svg", "dot", "mermaid"]),
    help="Print it as text; dot and mermaid are for graphs.",
)
@click.option(
    "--theme", type=click.Choice(get_args(ThemeName)), help="Unless given, light in a file."
)
def picture_command(
    expression: str | None,
    path: str | None,
    wrt: str | None,
    shapes: Sequence[str],
    assumptions: Sequence[str],
    kind: Kind,
    path_out: str | None,
    style: str | None,
    theme: str | None,
) -> None:
    """Draw a function, or with --wrt its derivative."""
    if (path_out is None) == (style is None):
        raise PullbackError("say where the picture goes: -o FILE, or --as svg, dot or mermaid")
    if style in ("dot", "mermaid") and kind != "graph":
        raise PullbackError(f"{style} is a language for graphs; a {kind} is drawn as svg")
    program = program_from(expression, path, shapes, assumptions)
    drawn = api.picture(program, *(names_from(wrt) if wrt else ()), kind=kind)
    if path_out is not None:
        drawn.save(path_out, theme)
    elif style == "svg":
        click.echo(drawn.svg(theme), nl=False)
    else:
        click.echo(getattr(drawn, str(style))())
