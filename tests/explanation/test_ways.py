"""Three ways side by side: their formulas are right, their counts are those of real arrays."""

import json
from xml.etree import ElementTree as ET

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pullback as pb
from pullback.errors import PullbackError
from pullback.explanation.ways import ways
from pullback.expressions import constructors as make
from pullback.expressions.program import Program

NETWORK = "f = U*x\ng = sigmoid(f)\nh = V*g\nL = norm2(h - y)^2"
SIZES = {"m": 100, "n": 784, "p": 10}


def test_a_network_in_numbers():
    m, n, p = SIZES["m"], SIZES["n"], SIZES["p"]
    entries, flat, matrices = pb.ways(NETWORK, "U", SIZES).ways
    assert entries.number == m * n
    assert flat.number == p + 2 * p * p + p * m + m * m + m * (m * n)
    assert matrices.number == 3 * p + 2 * m + m * n
    assert [s.name.text for s in flat.stored[3:]] == ["∂h/∂g", "∂g/∂f", "∂f/∂vec(U)ᵀ"]
    assert [s.shape for s in flat.stored[3:]] == ["p×m", "m×m", "m×(m·n)"]
    assert flat.stored[4].note == "100 can differ from zero"
    assert flat.total == "m·m·n + m·m + m·p + 2·p·p + p"


@pytest.mark.parametrize(
    ("text", "wrt"),
    [
        (NETWORK, "U"),
        (NETWORK, "V"),
        ("norm2(A*x - b)^2", "x"),
        ("V*sigmoid(U*x)", "U"),
        ("A*X*B", "X"),
        ("softmax(x)", "x"),
    ],
)
def test_each_formula_is_graded_right(text, wrt):
    graded = 0
    for way in pb.ways(text, wrt).ways:
        if way.formula is not None:
            claim = way.formula.text.split(" = ", 1)[1]
            dialect = way.formula.form if way.formula.form != "matrix" else "printed"
            assert pb.grade(text, wrt, claim, dialect=dialect).right, way.formula.text
            graded += 1
    assert graded >= 2


def test_the_jacobians_are_those_of_jax():
    """Sizes and non-zero entries of every Jacobian on the way."""
    m, n, p = 3, 4, 2
    rng = np.random.default_rng(0)
    U, V, x, y = (jnp.asarray(rng.normal(size=s)) for s in ((m, n), (p, m), (n,), (p,)))
    f = U @ x
    g = jax.nn.sigmoid(f)
    h = V @ g
    right = [
        jax.jacobian(lambda r: r**2)(h - y),
        jax.jacobian(lambda h: h - y)(h),
        jax.jacobian(lambda g: V @ g)(g),
        jax.jacobian(jax.nn.sigmoid)(f),
        jax.jacobian(lambda U: U @ x)(U).reshape(m, m * n),
    ]
    _, flat, _ = pb.ways(NETWORK, "U", {"m": m, "n": n, "p": p}).ways
    for stored, jacobian in zip(flat.stored[1:], right, strict=True):
        assert stored.number == jacobian.size, stored.name.text
        nonzero = int(stored.note.split()[0]) if stored.note else stored.number
        assert nonzero == np.count_nonzero(jacobian), stored.name.text


def test_a_variable_that_stands_there_twice():
    _, flat, _ = pb.ways("x'*A*x", "x").ways
    assert [(s.name.text, s.note) for s in flat.stored if "directly" in s.note] == [
        ("∂f/∂x", "directly, all else held"),
        ("∂(Aᵀ x)/∂x", "directly, all else held"),
    ]


def test_a_tensor_says_that_it_has_no_matrix_form():
    three = pb.ways("V*sigmoid(U*x)", "U")
    assert three.ways[2].formula is None
    assert "none: a tensor of order 3 has no form in matrices" in three.text()
    assert three.ways[2].stored[-1].note == "as a product that is not multiplied out"


def test_a_long_chain_is_folded():
    lines = ["a0 = tanh(W*x)", *(f"a{k} = tanh(a{k - 1})" for k in range(1, 100))]
    three = pb.ways("\n".join([*lines, "sum(a99)"]), "W")
    rows = three.rows()
    assert len(rows) < 45 and any("more …" in row[1] for row in rows)
    assert three.ways[1].hidden == 102 - 16


def test_a_section_of_the_explanation():
    explanation = pb.explain(NETWORK, "U", "V")
    text = explanation.text("full")
    assert "Three ways: entry by entry, flattened, as matrices" in text
    assert "∂f/∂vec(U)ᵀ" in text and "∂L/∂V three ways" in text
    assert "Three ways" not in explanation.text()
    assert "Three ways" in explanation.html("full") and "Three ways" in explanation.markdown("full")
    assert [three.to_dict()["ways"][1]["name"] for three in explanation.ways] == ["flattened"] * 2


@pytest.mark.parametrize("name", ["<script>", "a_b", "a\\b", "a&b", "$x$", "π😀"])
def test_strange_names_are_escaped(name):
    W, x = make.variable(name, ["m", "n"]), make.variable("x", ["n"])
    three = ways(Program(make.einsum("ij,j->i", W, x), {name: W, "x": x}), name)
    ET.fromstring(f"<div>{three.html()}</div>")
    assert "<script" not in three.html()
    assert name in json.loads(three.json())["name"]["text"] and name in three.text()


def test_sizes_that_do_not_fit():
    with pytest.raises(PullbackError, match="no size is called 'k'"):
        pb.ways(NETWORK, "U", {"k": 3})
