"""The command ``cost``: what a derivative costs in each order of elimination."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from pullback import api
from pullback.cli.stating import names_from, program_from, sizes_from, stated


@click.command("cost")
@stated
@click.option(
    "--sizes", required=True, metavar='"m=100 n=50"', help="A number for every named size."
)
@click.option("--order", type=click.IntRange(1, 4), default=1, show_default=True, help="How often.")
@click.option("--as", "style", type=click.Choice(["text", "json"]), default="text")
def cost_command(
    expression: str | None,
    path: str | None,
    wrt: str,
    shapes: Sequence[str],
    assumptions: Sequence[str],
    sizes: str,
    order: int,
    style: str,
) -> None:
    """Count the operations of a derivative in every order of elimination.

    \b
        pullback cost "norm2(V*tanh(U*x) - y)^2" --wrt U --sizes "m=100 n=50 p=10"
    """
    program = program_from(expression, path, shapes, assumptions)
    numbers = sizes_from(sizes)
    found = {name: api.cost(program, *[name] * order, sizes=numbers) for name in names_from(wrt)}
    if style == "json":
        data = {name: prices.to_dict() for name, prices in found.items()}
        click.echo(json.dumps({"schema_version": 1, "sizes": numbers, "costs": data}, indent=2))
        return
    for name, prices in found.items():
        click.echo(f"the value and its derivative by {', '.join([name] * order)}")
        click.echo(f"{prices}\n")
