"""MathML: well-formed, of known elements, with the value of the expression, for every function."""

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from notation_indices import read_index
from notation_mathml import parsed, text_of
from notation_reader import read_matrix
from notation_strategies import ROWS, SIZES, VARIABLES, arrays, expressions, jacobians, shapes
from notation_truth import value
from test_notation_values import same, stacked

import pullback as pb
from pullback.expressions import constructors as make
from pullback.expressions.program import Program
from pullback.expressions.sizes import Size
from pullback.functions.catalogue import CATALOGUE
from pullback.functions.record import Function
from pullback.notation import mathml, tree
from pullback.notation.names import Name, Names, latex_name
from pullback.notation.printing import Printer
from pullback.notation.printing import written as in_latex
from pullback.notation.styles import LATEX
from pullback.notation.tree import Formula
from pullback.notation.write import Writing, write

ARRAYS = arrays()
SIZED = replace(  # so that they can be read alone
    LATEX, ones=r"𝟏_{{{0}}}", identity="I_{{{0}}}", unit="", zero="0_{{{0},{1}}}"
)
FUNCTIONS = [record for record in CATALOGUE.values() if isinstance(record, Function)]
# what TeX itself sets as words, and what is no sign of its own
TEX_WORDS = {"arccos", "arcsin", "arctan", "cos", "cosh", "det", "exp", "log", "max", "min"}
TEX_WORDS |= {"sin", "sinh", "tan", "tanh"}
SHAPES = {"left", "right", "frac", "sqrt", "operatorname", "mathrm", "lVert", "rVert", "mathbf"}
few = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


def written(node, form="matrix"):
    writing = Writing(node, Names.of(Program(node, VARIABLES, rows=frozenset(ROWS))), form)
    return writing, text_of(mathml.math(writing.text(SIZED)))


@few
@given(st.data())
def test_matrix_form_has_the_value_of_the_expression(data):
    node = data.draw(shapes.flatmap(expressions))
    writing, text = written(node)
    if writing.form == "index":
        return
    note(text)
    truth = value(node, ARRAYS, SIZES)
    read = np.asarray(read_matrix(text, ARRAYS, SIZES, ROWS))
    same(read.reshape(truth.shape) if read.size == truth.size else read + 0 * truth, truth)


@few
@given(st.data())
def test_index_form_has_the_value_of_the_expression(data):
    node = data.draw(shapes.flatmap(lambda shape: expressions(shape, 1)))
    writing, text = written(node, "index")
    note(text)
    truth = value(node, ARRAYS, SIZES)
    same(read_index(text, ARRAYS, SIZES, writing.letters, truth.shape, ROWS), truth)


@few
@given(st.data())
def test_vec_form_has_the_value_of_the_stacked_expression(data):
    node, groups = data.draw(jacobians())
    names = Names.of(Program(node, VARIABLES, rows=frozenset(ROWS)))
    writing = Writing(node, names, "vec", groups)
    if writing.form == "index":
        return
    text = text_of(mathml.math(writing.text(SIZED)))
    note(text)
    truth = stacked(value(node, ARRAYS, SIZES), groups)
    read = read_matrix(text, ARRAYS, SIZES, ROWS)
    same(np.full(truth.shape, read) if np.ndim(read) == 0 else read, truth)


@pytest.mark.parametrize("record", FUNCTIONS, ids=lambda record: record.name)
def test_every_function_is_set(record):
    """Each argument is seen; each command of the record is known."""
    core = [["n" for _ in axes] for axes in record.signature.arguments]
    shapes = [["n"] if record.elementwise else sizes for sizes in core]
    node = record.apply([make.variable(f"x{k + 5}", sizes) for k, sizes in enumerate(shapes)])
    for form in ("matrix", "index"):
        markup = mathml.math(write(node, Names({}), form, "latex"))
        root = parsed(markup)
        digits = [e.text for e in root.iter("mn")]
        assert all(str(k + 5) in digits for k in range(len(shapes))), markup
    commands = set(re.findall(r"\\([A-Za-z]+)", record.latex))
    signs = set(mathml.SIGNS) | set(mathml.LETTERS)
    assert commands <= signs | TEX_WORDS | SHAPES, f"add a character for {commands - signs}"


NAMES = [
    *("x", "W_1", "x1", "alpha", "Σ", "loss", "x_dot", "y_hat", "loss_rate", "x_test_2"),
    *("a<b", "a&b", 'q"q', "u'v", "p</math>", "t>s", "c\\d", "∂L/∂g", "50%", "x y"),
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_escaped(name):
    for latex in (latex_name(name), rf"{latex_name(name)}^\top {latex_name(name)}"):
        root = parsed(mathml.math(latex))
        shown = "".join(e.text or "" for e in root.iter())
        letters = re.sub(r"_|dot|hat|alpha|/|\s|'", "", name)
        assert set(letters) <= set(shown) | {"α"}, shown


@pytest.mark.parametrize(
    ("formula", "wrt"),
    [
        ("norm2(V*sigmoid(U*x) - y)^2", "U"),
        ("x'*A*x/(x'*x)", "x"),
        ("norm2(A)*exp(-x'*x/2)", "A"),
        ("tanh(C*tanh(A*x))", "A"),
        ("sum(abs(x).^3)/n", "x"),
        ("sum(where(x > y, x.^2, 1/2))", "x"),
        ("s^(1/3)", "s"),
        ("1e-9*s^2", "s"),
    ],
)
@pytest.mark.parametrize("form", ["matrix", "index", "vec"])
def test_answers_are_documents_of_their_own(formula, wrt, form):
    d = pb.derivative(formula, wrt)
    for markup in (d.mathml(form), d.equation(form, style="mathml")):
        assert parsed(markup).get("display") == "block"
        assert 'xmlns="http://www.w3.org/1998/Math/MathML"' in markup
    assert "(numerator\u00a0layout" in d.mathml("vec", layout="numerator") or not d.shape


def test_what_is_said_of_an_answer_is_text_with_names_as_formulas():
    d = pb.derivative(
        pb.parse("tr(X_1'*B*X_1)", assume={"X_1": "symmetric"}), "X_1", structured="tangent"
    )
    root = parsed(d.mathml(layout="numerator"))
    said = [e.text for e in root.iter("mtext")]
    assert "numerator" in said[0]
    assert "$" not in "".join(said)
    assert len([e for e in root.iter("msub") if e[0].text == "X"]) > 1


a, m = tree.atom(Name.plain("x"), "scalar"), tree.atom(Name.plain("M"), "matrix")
OPS = {
    "number": tree.number(Fraction(-2, 3)),
    "atom": a,
    "sum": Formula("sum", (a, tree.number(1))),
    "product": Formula("product", (m, m), "matrix"),
    "quotient": Formula("quotient", (a, a)),
    "power": Formula("power", (a, a)),
    "root": Formula("root", (a,)),
    "hadamard": Formula("hadamard", (m, m), "matrix"),
    "division": Formula("division", (m, m), "matrix"),
    "entrypower": Formula("entrypower", (m,), "matrix", Fraction(2)),
    "transpose": Formula("transpose", (m,), "matrix"),
    "function": Formula("function", (m,), "matrix", (Name.plain("softmax"), True, False)),
    **{op: Formula(op, (m,)) for op in ("trace", "diag", "norm", "total", "vec")},
    "kron": Formula("kron", (m, m), "matrix"),
    "ones": tree.ones(Size.of("n")),
    "identity": tree.identity(Size.of("n"), sized=True),
    "commutation": tree.commutation(Size.of("m"), Size.of("n")),
    "indexed": tree.indexed(m, "ij"),
    "sigma": tree.sigma("i", tree.indexed(m, "ij")),
    "sigma_to": tree.sigma_to("i", a, tree.indexed(m, "ij")),
    "delta": tree.delta("i", "j"),
    "bracket": tree.bracket(a, "≥", a),
    "derivative": Formula("derivative", (a, m, m)),
}


def writers():
    """The operations that the printer has a method for: f to text and binding."""
    for name, method in vars(Printer).items():
        hints = getattr(method, "__annotations__", {})
        if hints.get("return") == "Written" and set(hints) == {"f", "return"}:
            yield name.removeprefix("_")


@pytest.mark.parametrize("op", sorted({*writers()} - {"write"}))
def test_every_operation_is_set(op):
    """A new operation of the formula tree needs a sample here, and no writer but LaTeX's."""
    latex = in_latex(OPS[op], LATEX)
    root = parsed(mathml.math(latex))
    assert "\\" not in "".join(root.itertext())
    assert len(list(root.iter())) > 1
    names = set(re.findall(r"(?<![a-z\\{])[Mx](?![a-z])", latex))
    assert names <= {e.text for e in root.iter("mi")}


def test_fences_hold_what_they_enclose():
    """A parenthesis grows with what it encloses, and with nothing else."""
    root = parsed(mathml.math(r"\left(\frac{a}{b}\right)^2 (x + y) \frac{1}{2}"))
    rows = [e for e in root.iter("mrow") if len(e) and e[0].get("form") == "prefix"]
    assert [len(list(e.iter("mfrac"))) for e in rows] == [1, 0]


@pytest.mark.parametrize("detail", ["normal", "full"])
def test_explanations_hold_formulas_as_mathml(detail):
    layers = range(1, 11)
    lines = [f"h{k} = tanh(W{k}*{f'h{k - 1}' if k > 1 else 'x'} + b{k})" for k in layers]
    L = pb.parse("\n".join(["x: n, y: p", *lines, "L = norm2(V*h10 - y)^2"]))
    page = pb.explain(L, *(f"W{k}" for k in layers), "V").html(detail)
    assert len(page.encode()) < 10**6
    formulas = re.findall(r"<math.*?</math>", page)
    assert len(formulas) > 100
    for markup in formulas:
        parsed(markup, pairs=False)
    assert not re.search(r"<script|<link|src=|url\(|https?:", page)
