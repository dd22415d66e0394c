"""The commands that derive: formulas, explanations, certificates."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from typing import Any, Literal, get_args

import click

from pullback import api
from pullback.cli.stating import (
    along_structure,
    names_from,
    program_from,
    stated,
    stated_dialect,
)
from pullback.compilation.compile import TARGETS
from pullback.derivation.derive import derive, derive_each
from pullback.derivation.result import Derivation
from pullback.derivation.structure import Convention
from pullback.derived import Differential
from pullback.explanation.explain import Detail
from pullback.expressions.constructors import is_zero
from pullback.expressions.program import Program
from pullback.expressions.sizes import shape_text
from pullback.language.reading import Dialect
from pullback.notation.equations import Layout, equation, equation_of
from pullback.notation.printing import written
from pullback.notation.styles import UNICODE
from pullback.notation.write import Form
from pullback.verification.certificate import certify

FORMS: tuple[Form, ...] = get_args(Form)


@click.command("derive")
@stated
@along_structure
@click.option("--order", type=click.IntRange(1, 4), default=1, show_default=True, help="How often.")
@click.option(
    "--form",
    type=click.Choice([*FORMS, "all", "differential"]),
    default="matrix",
    show_default=True,
    help="Matrix, index or vec (Kronecker) notation, or the differential dL = tr(Gᵀ dX).",
)
@click.option(
    "--as",
    "style",
    type=click.Choice(["text", "latex", "mathml", "json", *TARGETS]),
    default="text",
    show_default=True,
)
@click.option(
    "--layout",
    type=click.Choice(get_args(Layout)),
    help="How the axes lie in what is printed; unless asked, gradients lie as their variable does.",
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
    structured: Convention | None,
    order: int,
    form: Form | Literal["all", "differential"],
    style: str,
    layout: Layout | None,
    named: bool,
    ascii_only: bool,
    checked: bool,
) -> None:
    """Derive by each variable and print the formulas, their shapes and a certificate."""
    program = program_from(expression, path, shapes, assumptions)
    names = names_from(wrt)
    found = _derivations(program, names, order, structured)
    if style in TARGETS:
        outputs = {_code_name(program, d): api.Derivative(d) for d in found}
        click.echo(api.code(outputs, target=style), nl=False)
        return
    write = partial(equation, named=named, layout=layout)
    forms: tuple[Form, ...] = ()
    differentials: list[Differential] = []
    if form == "differential":
        differentials = _differentials(found)
    else:
        forms = FORMS if form == "all" else (form,)
    certificates = [certify(d) for d in found] if checked else []
    if style == "json":
        data = _as_data(program, found, write, certificates)
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    elif style in ("latex", "mathml"):
        for one in differentials:
            click.echo(getattr(one, style)(named=named))
        for d, kind in product(found, forms):
            click.echo(write(d, kind, style))
    else:
        _print_assumed(program)
        for one in differentials:
            click.echo(one.text(ascii=ascii_only, named=named) + "\n")
        if forms:
            _print_derivations(found, forms, partial(write, ascii=ascii_only))
        for d, certificate in zip(found, certificates, strict=bool(certificates)):
            click.echo(f"{_by(d)}: {certificate}")
    if any(not c.passed for c in certificates):
        sys.exit(1)


@click.command("explain")
@stated
@along_structure
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
    structured: Convention | None,
    style: str,
    detail: Detail,
) -> None:
    """Show what each operation is handed and what it hands back, with shapes and roles."""
    program = program_from(expression, path, shapes, assumptions)
    explanation = api.explain(program, *names_from(wrt), structured=structured)
    if style == "text":
        click.echo(explanation.text(detail=detail))
    else:
        click.echo(getattr(explanation, style)())


@click.command("check")
@stated
@along_structure
@click.option("--order", type=click.IntRange(1, 4), default=1, show_default=True)
@click.option("--points", type=click.IntRange(1), default=3, show_default=True)
@click.option("--seed", type=int, help="Of the random points; by default from the expression.")
def check_command(
    expression: str | None,
    path: str | None,
    wrt: str,
    shapes: Sequence[str],
    assumptions: Sequence[str],
    structured: Convention | None,
    order: int,
    points: int,
    seed: int | None,
) -> None:
    """Certify derivatives numerically; exit status 1 if one fails."""
    program = program_from(expression, path, shapes, assumptions)
    passed = True
    for d in _derivations(program, names_from(wrt), order, structured):
        certificate = certify(d, points=points, seed=seed)
        passed = passed and certificate.passed
        click.echo(f"{_by(d)}: {certificate}")
    sys.exit(0 if passed else 1)


@click.command("grade")
@stated
@along_structure
@click.option("--claim", required=True, help="The derivative as you have it, in the same names.")
@click.option(
    "--claim-dialect",
    type=click.Choice(get_args(Dialect)),
    help="How the claim is written; otherwise its marks tell; index and vec, given by --dialect, are for both.",
)
def grade_command(
    expression: str | None,
    path: str | None,
    wrt: str,
    shapes: Sequence[str],
    assumptions: Sequence[str],
    structured: Convention | None,
    claim: str,
    claim_dialect: Dialect | None,
) -> None:
    """Say whether a claimed derivative is right, else what is wrong; exit status 1 if it is."""
    program = program_from(expression, path, shapes, assumptions)
    if claim_dialect is None and stated_dialect() in ("index", "vec"):
        claim_dialect = stated_dialect()
    graded = api.grade(program, names_from(wrt), claim, structured, claim_dialect)
    click.echo(graded)
    if not graded.right:
        click.echo(f"the derivative is {graded.answer}")
        sys.exit(1)


def _derivations(
    program: Program, names: Sequence[str], order: int, structured: Convention | None
) -> list[Derivation]:
    if order == 1:
        return list(derive_each(program, names, structured).values())
    return [derive(program, [name] * order, structured) for name in names]


def _by(d: Derivation) -> str:
    return written(equation_of(d).left, UNICODE)


def _code_name(program: Program, d: Derivation) -> str:
    power = str(len(d.wrt)) if len(d.wrt) > 1 else ""
    return f"d{power}{program.result_name or 'f'}_d{d.wrt[0].name}{power}"


def _differentials(found: Sequence[Derivation]) -> list[Differential]:
    """One by all variables; at a higher order one by each."""
    if len(found[0].wrt) == 1:
        return [Differential(tuple(found))]
    return [Differential((d,)) for d in found]


def _print_assumed(program: Program) -> None:
    for sentence in program.assumed:
        click.echo(sentence)
    if program.assumed:
        click.echo()


def _print_derivations(
    found: Sequence[Derivation], forms: Sequence[Form], write: Callable[..., str]
) -> None:
    for d in found:
        for form in forms:
            label = f"{form:<7} " if len(forms) > 1 else ""
            click.echo(label + write(d, form))
        click.echo(f"        shape {shape_text(d.shape)}")
        if is_zero(d.node):
            click.echo(f"        zero: the result does not depend on {d.wrt[-1].name}")
        for name, structure in d.taken_as_independent().items():
            conventions = " or ".join(structure.conventions)
            click.echo(
                f"        entries of {name} taken as independent; "
                f"--structured {conventions} respects that it is {structure.name}"
            )
        click.echo()


def _as_data(
    program: Program,
    found: Sequence[Derivation],
    write: Callable[..., str],
    certificates: Sequence[Any],
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
                "structured": d.structured,
                "along": d.along() or "independent entries",
                **{form: write(d, form) for form in FORMS},
                "latex": write(d, style="latex"),
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
