"""The command ``exercise``: a problem, as many answers as it takes, and their marks."""

from __future__ import annotations

import sys

import click

from pullback.errors import PullbackError
from pullback.explanation.exercises import LEVELS, Exercise, exercise


@click.command("exercise")
@click.option(
    "--level",
    type=click.IntRange(min(LEVELS), max(LEVELS)),
    default=1,
    show_default=True,
    help="1 of vectors, 2 linear maps, 3 matrices, 4 networks, 5 batches and second derivatives.",
)
@click.option("--seed", type=int, help="The same seed gives the same problem.")
@click.option("--answer", help="Mark this answer; otherwise answers are asked for.")
@click.option("--solution", is_flag=True, help="Show the derivation.")
def exercise_command(level: int, seed: int | None, answer: str | None, solution: bool) -> None:
    """Practise: derive what is asked, and have the answer marked.

    At the prompt a formula is marked, ? gives a hint, ! the solution, an empty line ends. Exit
    status 1 if the last answer was wrong.

    \b
        pullback exercise --level 4
        pullback exercise --level 2 --seed 7 --answer "2*A'*(A*x - b)"
    """
    problem = exercise(level, seed)
    click.echo(f"level {problem.level}, seed {problem.seed}\n\n{problem}\n")
    if solution:
        click.echo(f"{problem.answer}\n\n{problem.solution.text()}")
    elif answer is not None:
        sys.exit(0 if _marked(problem, answer) else 1)
    else:
        sys.exit(0 if _asked(problem) else 1)


def _asked(problem: Exercise) -> bool:
    right = True
    while True:
        try:
            answer = click.prompt(">", default="", show_default=False, prompt_suffix=" ").strip()
        except click.Abort:  # the input has ended
            answer = ""
        if not answer:
            return right
        if answer == "?":
            click.echo(problem.hint)
        elif answer == "!":
            click.echo(f"{problem.answer}\n\n{problem.solution.text()}")
            return right
        else:
            right = _marked(problem, answer)
            if right:
                return True


def _marked(problem: Exercise, answer: str) -> bool:
    """Whether the answer is right; one that cannot be read is not, and is told why."""
    try:
        graded = problem.grade(answer)
    except PullbackError as error:
        click.echo(str(error))
        return False
    click.echo(str(graded))
    return graded.right
