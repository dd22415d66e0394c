"""An explanation as plain text for a terminal, aligned and readable in 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Protocol

from pullback.explanation.reading import Reader
from pullback.explanation.steps import (
    BackwardStep,
    Factor,
    ForwardStep,
    HandOn,
    LayerRow,
    Quantity,
    Result,
    RewriteStep,
)
from pullback.explanation.ways import Ways
from pullback.expressions.sizes import shape_text

OUTLINE_SHOWN = 8  # operations at each end that an outline shows of a long pass
NORMAL_SHOWN = 100
RESULTS_SHOWN = 12  # results at each end
LINES_SHOWN = 30  # forward lines at each end
ROWS_SHOWN = 12  # rows of the table of layers at each end


class Told(Protocol):
    """What a writer reads of an explanation."""

    reader: Reader

    @property
    def forward(self) -> Sequence[ForwardStep]: ...
    @property
    def results(self) -> Sequence[Result]: ...
    @property
    def layers(self) -> Sequence[LayerRow]: ...
    @property
    def rewrites(self) -> Sequence[RewriteStep]: ...
    @property
    def ways(self) -> Sequence[Ways]: ...


def text(told: Told, detail: str, width: int) -> str:
    """The whole explanation."""
    name = told.reader.words.result.text
    lines = [*_wrapped(f"{wanted(told)}, step by step", width, ""), ""]
    lines += _section("Forward: what is computed")
    lines += _forward(told, detail, width)
    lines += [
        "",
        *_section(
            f"Backward: from {name} back, each operation is handed a gradient and hands it on"
        ),
    ]
    lines += _backward(told, detail, width)
    lines += ["", *_section("Result")]
    head, hidden, tail = folded(len(told.results), RESULTS_SHOWN)
    results = [told.results[k] for k in (*head, *tail)]
    for k, result in enumerate(results):
        if hidden and k == len(head):
            lines.append(f"  … {hidden} results in between are left out …")
        lines += _result(result, width)
    if any(r.update for r in results):
        lines += [
            "",
            *_section("Update: one step of gradient descent, a product with the step size"),
        ]
        lines += [f"  {r.update.text}" for r in results if r.update]
    if told.layers:
        lines += ["", *_section("Which derivative is used where")]
        lines += _layers(told.layers)
    if detail == "full":
        lines += ["", *_section("Three ways: entry by entry, flattened, as matrices")]
        head, hidden, tail = folded(len(told.ways), RESULTS_SHOWN)
        for k in (*head, *tail):
            lines += [f"  {line}" for line in told.ways[k].text().splitlines()] + [""]
        lines.pop()
    if detail == "full" and told.rewrites:
        lines += ["", *_section("Every rewrite of the simplification")]
        lines += _rewrites(told.rewrites, width)
    if told.reader.program.assumed:
        lines.append("")
    for sentence in told.reader.program.assumed:
        lines += _wrapped(f"Assumed: {sentence}", width, "")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def wanted(told: Told) -> str:
    """What is explained, as a list in words."""
    names = [told.reader.words.gradient_name(n).text for n in told.reader.targets]
    if len(names) > 2 * RESULTS_SHOWN:
        names = [*names[:RESULTS_SHOWN], "…", *names[-RESULTS_SHOWN:]]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def shape_of(value: Quantity, *, rows: bool) -> str:
    """The shape in words: ``p×m``, ``m (row)``; orientation only where the program has rows."""
    said = shape_text(value.shape)
    if rows and len(value.shape) == 1:
        return f"{said} (row)" if value.row else f"{said} (column)"
    return said


def folded(count: int, shown: int) -> tuple[range, int, range]:
    """Which of ``count`` things to show at the start and at the end, and how many between."""
    if count <= 2 * shown + 1:
        return range(count), 0, range(0)
    return range(shown), count - 2 * shown, range(count - shown, count)


def equation(value: Quantity) -> str:
    """The name and all readings of a quantity."""
    return " = ".join([value.name.text, *(f.text for f in value.equals)])


def role_text(step: HandOn) -> str:
    """The role of a hand-on in words."""
    if step.role == "activation":
        return f"activation: {', '.join(f.detail for f in step.factors)}"
    told = [f"{f.detail} {f.value.name.text}" for f in step.factors]
    detail = ", ".join(told) or step.detail
    return f"{step.role}: {detail}" if detail else step.role


def _section(title: str) -> list[str]:
    return [title, "─" * len(title)]


def _forward(told: Told, detail: str, width: int) -> list[str]:
    rows = bool(told.reader.program.rows)
    steps = told.forward
    head, hidden, tail = folded(len(steps), LINES_SHOWN)

    def row(step: ForwardStep) -> tuple[str, ...]:
        said = {"input": "given", "parameter": "given, differentiated by"}.get(
            step.kind, step.operation
        )
        note = f"{said}, {step.note}" if step.note else said
        if detail == "full" and step.typed:
            note += f"; typed {step.typed}"
        return equation(step.value), shape_of(step.value, rows=rows), note

    table = [row(steps[k]) for k in (*head, *tail)]
    formula = min(max(len(cells[0]) for cells in table), 44)
    shape = max(len(cells[1]) for cells in table)
    lines = _columns(table, (formula, shape), width=width)
    if hidden:
        lines.insert(len(head), f"  … {hidden} lines in between are left out …")
    return lines


def _backward(told: Told, detail: str, width: int) -> list[str]:
    reader = told.reader
    count = len(reader.operations)
    shown = {"outline": OUTLINE_SHOWN, "normal": NORMAL_SHOWN, "full": count}[detail]
    head, hidden, tail = folded(count, shown)
    rows = bool(reader.program.rows)

    def block(step: BackwardStep) -> list[str]:
        if detail == "outline":
            return _outlined(step, rows)
        return _block(step, rows, detail == "full", width)

    lines: list[str] = []
    for k in head:
        lines += block(reader.backward[k])
    if hidden:
        lines += [f"  … {hidden} operations in between are left out; the same rules hold …"]
        lines += [] if detail == "outline" else [""]
    for k in tail:
        lines += block(reader.backward[k])
    if lines and not lines[-1]:
        lines.pop()
    return lines or ["  nothing: the result does not depend on what it is differentiated by"]


def _outlined(step: BackwardStep, rows: bool) -> list[str]:
    """One line per hand-on."""
    start = f"{step.number:>3}. "
    lines = []
    for hand in step.hands_on:
        formula = f"{hand.gradient.name.text} = {hand.gradient.equals[0].text}"
        lines += _columns(
            [(formula, shape_of(hand.gradient, rows=rows), role_text(hand))], (46, 14), start
        )
        start = "     "
    return lines


def _block(step: BackwardStep, rows: bool, full: bool, width: int) -> list[str]:
    """What an operation was handed, and for each operand what it hands on and why."""
    start = f"{step.number:>3}. "
    lines = _columns([(equation(step.value), step.operation)], (40,), start)
    table = [("handed", equation(step.handed), shape_of(step.handed, rows=rows))]
    pad = max(len(f"to {h.operand.text}") for h in step.hands_on)
    pad = max(min(pad, 18), 6)
    lines += _labelled(*table[0], pad)
    for law in step.laws:
        lines += _wrapped(f"by: {law}", width, " " * (7 + pad))
    for hand in step.hands_on:
        lines += _hand_on(hand, rows, full, width, pad)
    return [*lines, ""]


def _hand_on(hand: HandOn, rows: bool, full: bool, width: int, pad: int) -> list[str]:
    lines = _labelled(
        f"to {hand.operand.text}", equation(hand.gradient), shape_of(hand.gradient, rows=rows), pad
    )
    indent = " " * (7 + pad)
    said = f"{hand.joined} · {role_text(hand)}"
    if hand.share[1] > 1:
        said += f" · contribution {hand.share[0]} of {hand.share[1]}; they add up"
    lines += _wrapped(said, width, indent)
    if full or hand.rule not in ("sum", "product"):
        local = equation(hand.local)
        shape = shape_text(hand.local.shape)
        lines += _wrapped(f"local derivative {local}: {shape}, {hand.structure}", width, indent)
    if hand.note:
        lines += _wrapped(hand.note, width, indent)
    if hand.transpose:
        lines += _wrapped(hand.transpose, width, indent)
    if hand.laws:
        lines += _wrapped("by: " + "; ".join(hand.laws), width, indent)
    if full:
        lines += _wrapped(f"rule: {hand.rule}: {hand.law}", width, indent)
    return lines


def _labelled(label: str, formula: str, shape: str, pad: int) -> list[str]:
    return _columns([(f"{label:<{pad}}  {formula}", shape)], (62,), "     ")


def _result(result: Result, width: int) -> list[str]:
    shape = shape_text(result.gradient.shape)
    equals = result.gradient.equals or (result.gradient.name,)
    lines = _columns([(f"{result.gradient.name.text} = {equals[0].text}", shape)], (66,))
    indent = " " * (3 + len(result.gradient.name.text))
    for formula in equals[1:]:
        lines += _wrapped(f"= {formula.text}", width, indent)
    for formula in result.more:
        lines += [f"  {line}" for line in formula.text.splitlines()]
    if result.note:
        lines += _wrapped(result.note, width, "    ")
    for law in result.laws:
        lines += _wrapped(f"by: {law}", width, "    ")
    if result.factors:
        lines += _columns([_factor(f) for f in result.factors], (40, 30), "      ")
    return lines


def _factor(factor: Factor) -> tuple[str, str]:
    value = factor.value
    formula = equation(value) if factor.role != "signal path" else value.name.text
    detail = f": {factor.detail}" if factor.detail else ""
    return formula, f"{factor.role}{detail}"


def _layers(rows: Sequence[LayerRow]) -> list[str]:
    head, hidden, tail = folded(len(rows), ROWS_SHOWN)
    table = [("layer", "weights", "derivative of activation", "at", "derivative of cost")]
    for k in (*head, *tail):
        if hidden and k == tail.start:
            table.append((f"… {hidden} layers …", "", "", "", ""))
        row = rows[k]
        cost = "–"
        if row.cost is not None and row.handed is not None:
            cost = f"{row.handed.text} = {row.cost.text}"
            cost += f" (merged with {row.merged})" if row.merged else ""
        weights = ", ".join(w.text for w in row.weights) or "–"
        cells = [(f"{a.name}′: {a.derivative.text}", a.evaluated_at.text) for a in row.activations]
        (derivative, at), *further = cells or [("–", "–")]
        table.append((row.layer.text, weights, derivative, at, cost))
        table += [("", "", *more, "") for more in further]
    widths = [min(max(len(row[k]) for row in table), 40) for k in range(4)]
    return _columns(table, widths)


def _rewrites(rewrites: Sequence[RewriteStep], width: int) -> list[str]:
    lines = []
    for k, step in enumerate(rewrites, 1):
        lines += _wrapped(f"{k:>3}. {step.law}", width, "")
        if step.before and step.after:
            lines += _wrapped(f"{step.before.text}  →  {step.after.text}", width, "     ")
    return lines


def _columns(
    rows: Iterable[Sequence[str]], widths: Sequence[int], start: str = "  ", width: int = 100
) -> list[str]:
    """Cells side by side; one that is too wide pushes the others to the next line.

    The last cell is wrapped under itself.
    """
    lines = []
    for row in rows:
        line, at = start, len(start)
        for cell, room in zip(row, (*widths, 0), strict=False):
            if len(line) > max(at - 2, len(start)):
                lines.append(line)
                line = " " * min(at, width - 40)
            line = line.ljust(at) + cell
            at += room + 2
        start = " " * len(start)
        cut = line[: len(line) - len(row[-1])]
        if len(line) <= width:
            lines.append(line)
            continue
        if len(cut) > width - 36 and cut.strip():
            lines.append(cut)
            cut = " " * (width - 36)
        lines += _wrapped(row[-1], width, cut, hanging=len(cut))
    return lines


def _wrapped(sentence: str, width: int, indent: str, hanging: int | None = None) -> list[str]:
    return textwrap.wrap(
        sentence,
        max(width, len(indent) + 30),
        initial_indent=indent,
        subsequent_indent=" " * (len(indent) + 2 if hanging is None else hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )
