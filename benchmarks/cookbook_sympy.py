"""SymPy's answer to a row of the table: right, wrong, or none.

The text is given to SymPy with its own matrix symbols, of small fixed sizes, and its derivative is
evaluated at one point and compared with the book's. Rows with elementwise functions of vectors
have no counterpart among SymPy's matrix expressions and count as none.
"""

from __future__ import annotations

import random
import re
import time
import warnings

import numpy as np
from textbook_rows import Row

from pullback.language.parse import parse_program
from pullback.verification.exact import evaluate, real_context
from pullback.verification.points import DRAWS, draw_value

SIZES = {"n": 3, "m": 4, "p": 2, "k": 5, "d": 6}
FUNCTIONS = ("tr", "det", "inv", "log", "exp", "sqrt", "norm2", "logdet")


def answer(row: Row) -> tuple[str, float]:
    """``right``, ``wrong`` or ``none``, and the seconds it took."""
    import sympy as sp

    called = set(re.findall(r"(\w+)\(", row.function))
    if re.search(r"\.[*/^]|;", row.function) or not called <= set(FUNCTIONS):
        return "none", float("nan")
    program = parse_program(row.declared.replace("; ", "\n") + "\n" + row.function)
    names: dict[str, object] = {}
    values = {}
    generator, mp = random.Random(1), real_context(20)
    for name, variable in program.variables.items():
        shape = [size.evaluate(SIZES) for size in variable.shape]
        values[variable] = draw_value(variable, SIZES, DRAWS[1], generator, mp)
        names[name] = (
            sp.MatrixSymbol(name, *[*shape, 1][:2]) if shape else sp.Symbol(name, positive=True)
        )
    text = re.sub(r"(?<=[\w)])'", ".T", row.function).replace("^", "**")
    space = {
        "tr": sp.Trace,
        "det": sp.Determinant,
        "inv": sp.Inverse,
        "logdet": lambda X: sp.log(sp.Determinant(X)),
        "norm2": lambda x: sp.sqrt(sp.Trace(x.T * x)),
        "log": sp.log,
        "exp": sp.exp,
        "sqrt": sp.sqrt,
    }
    start = time.perf_counter()
    try:
        warnings.simplefilter("ignore")
        found = eval(text, {"__builtins__": {}}, {**space, **names})
        for name in row.wrt.split(","):
            found = found.diff(names[name])
        seconds = time.perf_counter() - start
        point = {names[v.name]: _given(v, values) for v in program.variables.values()}
        got = np.array(sp.Matrix(sp.sympify(found.subs(point)).doit()).evalf().tolist(), float)
    except Exception:  # noqa: BLE001  # whatever SymPy raises, it has no answer
        return "none", float("nan")
    book = parse_program(row.declared.replace("; ", "\n") + "\n" + row.answer)
    given = {v: values[program.variables[name]] for name, v in book.variables.items()}
    true = evaluate([book.result], given, SIZES, real_context(20))[book.result].astype(float)
    either = [g.reshape(true.shape) for g in (got, got.T) if g.size == true.size]
    right = any(np.allclose(g, true, rtol=1e-8) for g in either)  # in either layout
    return "right" if right else "wrong", seconds


def _given(variable, values):
    import sympy as sp

    entries = values[variable].astype(float)
    return sp.Float(entries.item()) if not entries.shape else sp.ImmutableMatrix(entries.tolist())
