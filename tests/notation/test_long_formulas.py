"""Formulas too long to read are abbreviated, stay right, and depth never matters."""

import numpy as np
import pytest
from notation_indices import read_index
from notation_reader import SIZED, read_matrix
from notation_truth import value

from pullback.derivation.derive import derive
from pullback.expressions import constructors as make
from pullback.expressions.program import Program
from pullback.functions.catalogue import CATALOGUE
from pullback.notation.equations import equation
from pullback.notation.names import Names
from pullback.notation.write import MOST_DEFINITIONS, Writing, write


def network(layers, named=False):
    """A chain of square layers and the squared error at its end."""
    h = make.variable("x", ["n"])
    variables, lines = {"x": h}, {}
    for k in range(1, layers + 1):
        W = variables[f"W{k}"] = make.variable(f"W{k}", ["n", "n"])
        h = CATALOGUE["sigmoid"].apply([make.einsum("ij,j->i", W, h)])
        lines[f"h{k}"] = h
    y = variables["y"] = make.variable("y", ["n"])
    loss = CATALOGUE["squared_error"].apply([h, y])
    return Program(loss, variables, lines if named else {}, result_name="L")


def test_a_short_formula_has_no_abbreviations():
    assert "where" not in equation(derive(network(2), ["W1"]))


@pytest.mark.parametrize("form", ["matrix", "index", "vec"])
def test_abbreviated_formulas_have_the_value_of_the_expression(form):
    """Each definition is read in turn, then the formula in terms of them."""
    program = network(7)
    node = derive(program, ["W1"]).node
    sizes = {"n": 3}
    rng = np.random.default_rng(0)
    arrays = {
        name: rng.normal(size=[3] * variable.order) for name, variable in program.variables.items()
    }
    truth = value(node, arrays, sizes)
    writing = Writing(node, Names.of(program), form)
    formula, definitions = writing.text(SIZED).split("\nwhere ")
    for line in definitions.split("\n"):
        left, right = line.strip().split(" = ")
        name, _, letters = left.partition("_")
        if letters:
            shape = [3] * len(letters)
            arrays[name] = read_index(right, arrays, sizes, list(letters), shape)
        else:
            read = np.asarray(read_matrix(right, arrays, sizes))
            arrays[name] = read[:, 0] if read.shape[1:] == (1,) else read
    if form == "index":
        read = read_index(formula, arrays, sizes, writing.letters, truth.shape)
    else:
        read = read_matrix(formula, arrays, sizes)
    expected = truth.T.reshape(-1, 1) if form == "vec" else truth
    np.testing.assert_allclose(read, expected, rtol=1e-10)


DEEP = [
    (3_000, "matrix", False),
    (1_500, "matrix", True),
    (1_500, "index", True),
    (1_500, "vec", False),
]


@pytest.mark.parametrize(("layers", "form", "named"), DEEP)
def test_depth_does_not_matter(layers, form, named):
    """No recursion over the expression, and a text that a person can still look at."""
    derivation = derive(network(layers, named), ["W1"])
    for style in ("text", "latex"):
        text = equation(derivation, form, style, named=named)
        assert len(text) < 20_000
        assert "more" in text


def test_most_definitions_are_shown():
    program = network(400)
    lines = write(derive(program, ["W1"]).node, Names.of(program)).split("\n")
    assert len(lines) == 1 + MOST_DEFINITIONS + 1
    assert lines[-1].strip().startswith("… and ")


def test_a_wide_sum_is_written_in_full():
    terms = [(1, make.variable(f"x{k}", ["n"])) for k in range(2_000)]
    node = make.add(terms)
    text = write(node, Names.of(Program(node, {v.name: v for _, v in terms})))
    assert text.startswith("x0 + x1 + x2") and text.endswith("x1998 + x1999")


def test_abbreviations_do_not_take_names_in_use():
    program = network(7)
    taken = make.variable("t1", ["n"])
    loss = make.add([(1, program.result), (1, make.einsum("i,i->", taken, taken))])
    clash = Program(loss, {**program.variables, "t1": taken})
    text = equation(derive(clash, ["W1"]))
    assert "t1 = " not in text and "where t2 = " in text
