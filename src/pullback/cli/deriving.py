"""The commands that derive: formulas, explanations, certificates."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import click

from pullback import api
from pullback.derivation.derive import derive, derive_each
from pullback.derivation.result import Derivation
from pullback.errors import PullbackError
from pullback.explanation.explain import Detail
from pullback.expressions.constructors import is_zero
from pullback.expressions.program import Program
from pullback.expressions.sizes import Size, shape_text
from pullback.language.declarations import read_declarations
from pullback.language.parse import parse_program
from pullback.language.reading import Dialect
from pullback.notation.write import Form, equation
from pullback.verification.certificate import certify

_DIALECT = "pullback.dialect"  # where a command keeps the option --dialect
FORMS: tuple[Form, ...] = get_args(Form)


def _keep_dialect(context: click.Context, _: click.Parameter, value: Dialect | None) -> None:
    context.meta[_DIALECT] = value


def stated(command: Callable[..., None]) -> Callable[..., None]:
    """The options that state a function and what to differentiate it by."""
    for option in reversed(
        [
            click.argument("expression", required=False),
            click.option(
                "-f", "--file", "path", type=click.Path(), help="Read the program from a file."
            ),
            click.option(
                "--wrt",
                required=True,
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
    ):
        command = option(command)
    return command


@click.command("derive")
@stated
@click.option("--order", type=click.IntRange(1, 4), default=1, show_default=True, help="How often.")
@click.option(
    "--form",
    type=click.Choice([*FORMS, "all"]),
    default="matrix",
    show_default=True,
    help="Matrix, index or vec (Kronecker) notation.",
)
@click.option(
    "--as",
    "style",
    type=click.Choice(["text", "latex", "json", "numpy"]),
    default="text",
    show_default=True,
)
@click.option("--named", is_flag=True, help="Use the program's lines as abbreviations.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Plain characters only.")
@click.option("--check/--no-check", "checked", default=True, help="Certify numerically.")
def derive_command(
    expression: str | None,
    path: str | None,
    wrt: str,
    shapes: Sequence[str],
    assumptions: Sequence[str],
    order: int,
    form: Form | Literal["all"],
    style: str,
    named: bool,
    ascii_only: bool,
    checked: bool,
) -> None:
    """Derive by each variable and print the formulas, their shapes and a certificate."""
    program = _program(expression, path, shapes, assumptions)
    names = _names(wrt)
    found = _derivations(program, names, order)
    if style == "numpy":
        outputs = {_code_name(program, d): api.Derivative(d) for d in found}
        click.echo(api.code(outputs), nl=False)
        return
    forms = FORMS if form == "all" else (form,)
    certificates = [certify(d) for d in found] if checked else []
    if style == "json":
        click.echo(json.dumps(_as_data(program, found, certificates), indent=2, ensure_ascii=False))
    elif style == "latex":
        for d in found:
            for one in forms:
                click.echo(equation(d, form=one, style="latex", named=named))
    else:
        _print_derivations(program, found, forms, named, ascii_only)
        for d, certificate in zip(found, certificates, strict=bool(certificates)):
            click.echo(f"{_by(d)}: {certificate}")
    if any(not c.passed for c in certificates):
        sys.exit(1)


@click.command("explain")
@stated
@click.option(
    "--as",
    "style",
    type=click.Choice(["text", "markdown", "latex", "html", "json"]),
    default="text",
    show_default=True,
)
@click.option(
    "--detail",
    type=click.Choice(["outline", "normal", "full"]),
    default="normal",
    show_default=True,
)
def explain_command(
    expression: str | None,
    path: str | None,
    wrt: str,
    shapes: Sequence[str],
    assumptions: Sequence[str],
    style: str,
    detail: Detail,
) -> None:
    """Show what each operation is handed and what it hands back, with shapes and roles."""
    program = _program(expression, path, shapes, assumptions)
    explanation = api.explain(program, *_names(wrt))
    if style == "text":
        click.echo(explanation.text(detail=detail))
    else:
        click.echo(getattr(explanation, style)())


@click.command("check")
@stated
@click.option("--order", type=click.IntRange(1, 4), default=1, show_default=True)
@click.option("--points", type=click.IntRange(1), default=3, show_default=True)
@click.option("--seed", type=int, help="Of the random points; by default from the expression.")
def check_command(
    expression: str | None,
    path: str | None,
    wrt: str,
    shapes: Sequence[str],
    assumptions: Sequence[str],
    order: int,
    points: int,
    seed: int | None,
) -> None:
    """Certify derivatives numerically; exit status 1 if one fails."""
    program = _program(expression, path, shapes, assumptions)
    passed = True
    for d in _derivations(program, _names(wrt), order):
        certificate = certify(d, points=points, seed=seed)
        passed = passed and certificate.passed
        click.echo(f"{_by(d)}: {certificate}")
    sys.exit(0 if passed else 1)


@click.command("grade")
@stated
@click.option("--claim", required=True, help="The derivative as you have it, in the same names.")
def grade_command(
    expression: str | None,
    path: str | None,
    wrt: str,
    shapes: Sequence[str],
    assumptions: Sequence[str],
    claim: str,
) -> None:
    """Say whether a claimed derivative is right, else what is wrong; exit status 1 if it is."""
    program = _program(expression, path, shapes, assumptions)
    graded = api.grade(program, _names(wrt), claim)
    click.echo(graded)
    if not graded.right:
        click.echo(f"the derivative is {graded.answer}")
        sys.exit(1)


def _program(
    expression: str | None, path: str | None, shapes: Sequence[str], assumptions: Sequence[str]
) -> Program:
    if (expression is None) == (path is None):
        raise PullbackError("give an expression, or a file with -f: one of the two")
    text = expression if expression is not None else _read(str(path))
    sizes, words = _declared(shapes, assumptions)
    dialect = click.get_current_context().meta[_DIALECT]
    return parse_program(text, shapes=sizes, assume=words, dialect=dialect)


def _read(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise PullbackError(f"cannot read {path}: {reason}") from None


def _declared(
    shapes: Sequence[str], assumptions: Sequence[str]
) -> tuple[dict[str, list[Size]], dict[str, list[str]]]:
    """The options --shape and --assume, which are written as in a program."""
    sizes: dict[str, list[Size]] = {}
    words: dict[str, list[str]] = {}
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


def _names(wrt: str) -> list[str]:
    names = [name.strip() for name in wrt.split(",") if name.strip()]
    if not names:
        raise PullbackError("--wrt names no variable")
    return list(dict.fromkeys(names))


def _derivations(program: Program, names: Sequence[str], order: int) -> list[Derivation]:
    if order == 1:
        return list(derive_each(program, names).values())
    return [derive(program, [name] * order) for name in names]


def _by(d: Derivation) -> str:
    return equation(d, form="matrix", style="text").partition(" = ")[0]


def _code_name(program: Program, d: Derivation) -> str:
    power = str(len(d.wrt)) if len(d.wrt) > 1 else ""
    return f"d{power}{program.result_name or 'f'}_d{d.wrt[0].name}{power}"


def _print_derivations(
    program: Program,
    found: Sequence[Derivation],
    forms: Sequence[Form],
    named: bool,
    ascii_only: bool,
) -> None:
    for sentence in program.assumed:
        click.echo(sentence)
    if program.assumed:
        click.echo()
    for d in found:
        for form in forms:
            label = f"{form:<7} " if len(forms) > 1 else ""
            click.echo(label + equation(d, form=form, style="text", ascii=ascii_only, named=named))
        click.echo(f"        shape {shape_text(d.shape)}")
        if is_zero(d.node):
            click.echo(f"        zero: the result does not depend on {d.wrt[-1].name}")
        click.echo()


def _as_data(
    program: Program, found: Sequence[Derivation], certificates: Sequence[Any]
) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "program": program.text,
        "variables": {name: [str(s) for s in v.shape] for name, v in program.variables.items()},
        "assumed": list(program.assumed),
        "derivatives": [
            {
                "wrt": [w.name for w in d.wrt],
                "shape": [str(s) for s in d.shape],
                "zero": is_zero(d.node),
                **{form: equation(d, form=form, style="text") for form in FORMS},
                "latex": equation(d, form="matrix", style="latex"),
                **(
                    {
                        "certificate": {
                            "passed": certificates[k].passed,
                            "points": certificates[k].points,
                            "worst": float(certificates[k].worst),
                            "seed": certificates[k].seed,
                        }
                    }
                    if certificates
                    else {}
                ),
            }
            for k, d in enumerate(found)
        ],
    }
