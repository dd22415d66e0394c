"""The examples run, and show what they claim."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_product_or_quotient() -> None:
    """The measured slope is the product of the factors; the quotient does not come to rest."""
    path = EXAMPLES / "product_or_quotient.py"
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    slopes = [[float(x) for x in row] for row in rows if len(row) == 3 and "." in row[0]]
    assert len(slopes) == 4
    for measured, product, quotient in slopes:
        assert abs(measured - product) < 2e-6
        assert abs(measured - quotient) > 0.1
    costs = [[float(x) for x in row] for row in rows if len(row) == 3 and row[0].isdigit()]
    by_product = [cost for _, cost, _ in costs]
    assert by_product == sorted(by_product, reverse=True)
    assert costs[-1][2] > 2 * costs[-1][1]


def test_newton_finds_a_lower_loss_in_fewer_steps_than_bfgs() -> None:
    path = EXAMPLES / "newton_or_bfgs.py"
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True)
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines()}
    loss = {name: float(row[2]) for name, row in rows.items() if row[1] == "loss"}
    slope = {name: float(rows[name][5]) for name in loss}
    steps = {name: int(rows[name][6]) for name in loss}
    assert loss["Newton-CG"] < min(loss["BFGS"], loss["L-BFGS-B"])
    assert slope["Newton-CG"] < 1e-6
    assert steps["Newton-CG"] < 20 < steps["BFGS"]


def test_the_notebook_runs_and_its_cells_show_something() -> None:
    """Every cell, one after another; a value has a form for notebooks beside its plain text."""
    notebook = json.loads((EXAMPLES / "tour.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    names: dict[str, object] = {}
    rich = 0
    for cell in cells:
        *lines, last = ast.parse(cell).body
        exec(compile(ast.Module(lines, []), "<cell>", "exec"), names)
        value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
        forms = [getattr(value, f"_repr_{form}_", None) for form in ("html", "latex", "svg")]
        rich += any(form is not None and form() for form in forms)
    assert rich >= 9
    losses = names["losses"]
    assert losses[-1] < 1e-3 * losses[0]
