"""An explanation as Markdown, LaTeX and HTML: the same steps, each in its medium's own form."""

from __future__ import annotations

import html as _html
from collections.abc import Callable, Iterable, Sequence

from pullback.explanation.prose import latex_text, markdown_text
from pullback.explanation.steps import BackwardStep, Formula, HandOn, LayerRow, Quantity, Result
from pullback.explanation.terminal import (
    LINES_SHOWN,
    NORMAL_SHOWN,
    OUTLINE_SHOWN,
    RESULTS_SHOWN,
    ROWS_SHOWN,
    Told,
    folded,
    role_text,
    shape_of,
    wanted,
)
from pullback.expressions.sizes import shape_text
from pullback.notation.mathml import math

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}td,th{padding:.2em .8em .2em 0;text-align:left;"
    "vertical-align:top}code{font-family:ui-monospace,monospace;font-size:.95em}"
    "section.operation{border-left:3px solid #888;padding-left:1em;margin:1em 0}"
    "section.operation,table{display:block;overflow:auto hidden;padding-bottom:.3em}li{margin:.5em 0}math{font-size:1.1em}"
    ".cost{color:#b3261e}.activation{color:#7a5900}.signal{color:#0b57d0}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#eee}"
    ".cost{color:#ff8a80}.activation{color:#ffcc66}.signal{color:#8ab4f8}}"
)


class _Medium:
    """How one medium writes a formula, running text, a heading, a table and a step."""

    def __init__(
        self,
        math: Callable[[Formula], str],
        prose: Callable[[str], str],
        heading: Callable[[str], str],
        table: Callable[[Sequence[str], Iterable[Sequence[str]]], str],
        step: Callable[[str, list[str]], str],
        gap: Callable[[str], str],
        role: Callable[[str, str], str],
    ) -> None:
        self.math, self.prose, self.heading = math, prose, heading
        self.table, self.step, self.gap = table, step, gap
        self.role = role

    def equation(self, value: Quantity) -> str:
        """The name and all readings of a quantity as one formula."""
        return self.math(_joined([value.name, *value.equals]))


def _joined(formulas: Sequence[Formula]) -> Formula:
    return Formula(" = ".join(f.text for f in formulas), " = ".join(f.latex for f in formulas))


def markdown(told: Told, detail: str) -> str:
    """Markdown with LaTeX formulas between dollar signs."""

    def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
        lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
        lines += [
            "| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows
        ]
        return "\n".join(lines)

    def step(title: str, items: list[str]) -> str:
        return "\n".join([title, *(f"    * {item}" for item in items)])

    medium = _Medium(
        _markdown_math,
        markdown_text,
        lambda t: f"## {t}",
        table,
        step,
        lambda t: f"*{t}*",
        lambda _, t: markdown_text(t),
    )
    return "\n\n".join(_parts(told, detail, medium)) + "\n"


def _markdown_math(formula: Formula) -> str:
    """A formula without anything that Markdown would hand to a browser as a tag."""
    safe = formula.latex.replace("<", r"\lt ").replace(">", r"\gt ")
    return f"${safe}$"


def latex(told: Told, detail: str, standalone: bool) -> str:
    """LaTeX that needs amsmath and amssymb."""

    def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
        lines = [r"\begin{tabular}{" + "l" * len(head) + "}"]
        lines += [" & ".join(head) + r" \\ \hline"]
        lines += [" & ".join(row) + r" \\" for row in rows]
        return "\n".join([*lines, r"\end{tabular}"])

    def step(title: str, items: list[str]) -> str:
        inner = [rf"  \item {item}" for item in items]
        return "\n".join([r"\paragraph{}" + title, r"\begin{itemize}", *inner, r"\end{itemize}"])

    medium = _Medium(
        lambda f: f"${f.latex}$",
        latex_text,
        lambda t: rf"\section*{{{t}}}",
        table,
        step,
        lambda t: rf"\emph{{{t}}}",
        lambda _, t: latex_text(t),
    )
    body = "\n\n".join(_parts(told, detail, medium)) + "\n"
    if not standalone:
        return body
    return (
        "\\documentclass{article}\n\\usepackage[utf8]{inputenc}\n\\usepackage{amsmath,amssymb}\n"
        "\\usepackage[margin=2cm]{geometry}\n\\begin{document}\n" + body + "\\end{document}\n"
    )


def html(told: Told, detail: str) -> str:
    """A page of its own: no script, nothing loaded."""
    title = _html.escape("The derivation of " + wanted(told))
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head>\n<body>\n{fragment(told, detail)}\n</body></html>\n"
    )


def fragment(told: Told, detail: str) -> str:
    """The inside of the page, as notebooks show it."""

    def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
        lines = ["<table><tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"]
        lines += ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
        return "\n".join([*lines, "</table>"])

    def step(title: str, items: list[str]) -> str:
        inner = "".join(f"<li>{item}</li>" for item in items)
        return f'<section class="operation"><p>{title}</p><ul>{inner}</ul></section>'

    medium = _Medium(
        lambda f: math(f.latex),
        _html.escape,
        lambda t: f"<h2>{t}</h2>",
        table,
        step,
        lambda t: f"<p><em>{t}</em></p>",
        _coloured,
    )
    return "\n".join(_parts(told, detail, medium))


def _coloured(role: str, text: str) -> str:
    return f'<span class="{role.split(maxsplit=1)[0]}">{_html.escape(text)}</span>'


def _parts(told: Told, detail: str, medium: _Medium) -> list[str]:
    """The explanation, part by part, in one medium."""
    prose, math = medium.prose, medium.math
    rows = bool(told.reader.program.rows)
    parts = [medium.heading(prose("Forward: what is computed"))]
    parts += _forward(told, medium, rows)
    parts.append(
        medium.heading(prose("Backward: each operation is handed a gradient and hands it on"))
    )
    parts += _backward(told, detail, medium, rows)
    parts.append(medium.heading(prose("Result")))
    first, hidden, last = folded(len(told.results), RESULTS_SHOWN)
    results = [told.results[k] for k in (*first, *last)]
    parts += [_result(result, medium) for result in results]
    if hidden:
        parts.append(medium.gap(prose(f"{hidden} results in the middle are left out.")))
    updates = [r.update for r in results if r.update]
    if updates:
        parts.append(medium.heading(prose("Update: a product with the step size")))
        head = ["one step of gradient descent"]
        parts.append(medium.table(head, [[math(update)] for update in updates]))
    if told.layers:
        parts.append(medium.heading(prose("Which derivative is used where")))
        head = [
            "layer",
            "weights",
            "derivative of activation",
            "evaluated at",
            "derivative of cost",
        ]
        first, hidden, last = folded(len(told.layers), ROWS_SHOWN)
        table = [_layer(told.layers[k], medium) for k in (*first, *last)]
        parts.append(medium.table([prose(h) for h in head], table))
        if hidden:
            parts.append(medium.gap(prose(f"{hidden} layers in the middle are left out.")))
    if detail == "full":
        parts += _three_ways(told, medium)
    if detail == "full" and told.rewrites:
        parts.append(medium.heading(prose("Every rewrite of the simplification")))
        sides = [
            (prose(r.law), math(r.before) if r.before else "", math(r.after) if r.after else "")
            for r in told.rewrites
        ]
        parts.append(medium.table([prose("law"), prose("before"), prose("after")], sides))
    return parts


def _three_ways(told: Told, medium: _Medium) -> list[str]:
    """Of each result its formulas, and the numbers that each way stores."""
    prose, math = medium.prose, medium.math
    parts = [medium.heading(prose("Three ways: entry by entry, flattened, as matrices"))]
    first, _, last = folded(len(told.ways), RESULTS_SHOWN)
    for three in (told.ways[k] for k in (*first, *last)):
        items = [
            f"{prose(way.name + ': ')}{math(way.formula) if way.formula else prose('–')}"
            f"{prose(' – ' + way.does)}"
            for way in three.ways
        ]
        parts.append(medium.step(math(three.name), items))
        head = [prose(h) for h in ("way", "stores", "shape", "entries", "")]
        cells = [[prose(cell) for cell in row] for row in three.rows()]
        parts.append(medium.table(head, cells))
    return parts


def _forward(told: Told, medium: _Medium, rows: bool) -> list[str]:
    first, hidden, last = folded(len(told.forward), LINES_SHOWN)
    table = []
    for k in (*first, *last):
        step = told.forward[k]
        said = f"{step.operation}, {step.note}" if step.note else step.operation
        shape = shape_of(step.value, rows=rows)
        table.append((medium.equation(step.value), medium.prose(shape), medium.prose(said)))
    parts = [medium.table([medium.prose(h) for h in ("value", "shape", "operation")], table)]
    if hidden:
        parts.append(medium.gap(medium.prose(f"{hidden} lines in the middle are left out.")))
    return parts


def _backward(told: Told, detail: str, medium: _Medium, rows: bool) -> list[str]:
    reader = told.reader
    count = len(reader.operations)
    shown = {"outline": OUTLINE_SHOWN, "normal": NORMAL_SHOWN, "full": count}[detail]
    first, hidden, last = folded(count, shown)
    parts = [_step(told.reader.backward[k], medium, rows, detail) for k in first]
    if hidden:
        parts.append(medium.gap(medium.prose(f"{hidden} operations in the middle are left out.")))
    return parts + [_step(told.reader.backward[k], medium, rows, detail) for k in last]


def _step(step: BackwardStep, medium: _Medium, rows: bool, detail: str) -> str:
    title = f"{step.number}. {medium.equation(step.value)} {medium.prose('– ' + step.operation)}"
    items = []
    if detail != "outline":
        shape = shape_of(step.handed, rows=rows)
        items.append(
            f"{medium.prose('is handed')} {medium.equation(step.handed)} {medium.prose('– ' + shape)}"
        )
    items += [_hand_on(hand, medium, rows, detail) for hand in step.hands_on]
    return medium.step(title, items)


def _hand_on(hand: HandOn, medium: _Medium, rows: bool, detail: str) -> str:
    prose = medium.prose
    said = []
    if hand.share[1] > 1:
        said.append(f"contribution {hand.share[0]} of {hand.share[1]}, and they add up")
    if detail != "outline":
        said += [part for part in (hand.note, hand.transpose) if part]
        said += [f"by: {law}" for law in hand.laws]
    shape = shape_of(hand.gradient, rows=rows)
    text = (
        f"{prose('hands on to')} {medium.math(hand.operand)}{prose(':')} "
        f"{medium.equation(hand.gradient)} {prose(f'– {shape}: {hand.joined};')} "
        f"{medium.role(hand.role, role_text(hand))}{prose(''.join(f'; {part}' for part in said))}"
    )
    if detail == "full" or (detail == "normal" and hand.rule not in ("sum", "product")):
        shape = f"– {shape_text(hand.local.shape)}, {hand.structure}"
        text += f"{prose('; local derivative')} {medium.equation(hand.local)} {prose(shape)}"
    if detail == "full":
        text += prose(f"; rule: {hand.rule}: {hand.law}")
    return text


def _result(result: Result, medium: _Medium) -> str:
    prose = medium.prose
    shape = shape_text(result.gradient.shape)
    title = f"{medium.equation(result.gradient)} {prose('– ' + shape)}"
    items = [medium.math(f) for f in result.more]
    for factor in result.factors:
        told = (
            medium.equation(factor.value)
            if factor.role != "signal path"
            else medium.math(factor.value.name)
        )
        items.append(
            f"{told} {prose(f'– {factor.role}: {factor.detail}' if factor.detail else '– ' + factor.role)}"
        )
    if result.note:
        items.append(prose(result.note))
    return medium.step(title, items) if items else title


def _layer(row: LayerRow, medium: _Medium) -> tuple[str, ...]:
    prose, math = medium.prose, medium.math
    dash = prose("–")
    cost = dash
    if row.cost is not None and row.handed is not None:
        cost = math(_joined([row.handed, row.cost]))
        cost += prose(f" merged with {row.merged}") if row.merged else ""
    return (
        math(row.layer),
        ", ".join(math(w) for w in row.weights) or dash,
        ", ".join(f"{prose(a.name + '′:')} {math(a.derivative)}" for a in row.activations) or dash,
        ", ".join(math(a.evaluated_at) for a in row.activations) or dash,
        cost,
    )
